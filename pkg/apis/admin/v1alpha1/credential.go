package v1alpha1

// ByRole tells whether the role found the Secret, so that whoever has the role would
// find the same one.
func (b *CredentialBinding) ByRole() bool {
	return b.Rule == CredentialByAnnotation || b.Rule == CredentialByName
}

// CredentialSecret returns the Secret by which instances prove who they are, or "".
// An account counts for more than another Secret, as in Function Mesh.
func (a *Auth) CredentialSecret() string {
	switch {
	case a == nil:
		return ""
	case a.OAuth2 != nil:
		return a.OAuth2.SecretName
	}
	return a.SecretName
}

// KeepBinding carries over what no client sends of a credential that an update leaves
// as it was.
func KeepBinding(component, before Component) {
	auth, old := component.Common().Auth, before.Common().Auth
	if auth == nil || old == nil || auth.Resolved != nil || auth.CredentialSecret() != old.CredentialSecret() ||
		(auth.OAuth2 == nil) != (old.OAuth2 == nil) {
		return
	}
	auth.Bound = old.Bound.DeepCopy()
}
