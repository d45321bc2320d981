package translation

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// CredentialBindingAnnotation says, on the custom resource, for whom the Secret in
// spec.auth is its credential. Views don't show it and can't set it. Whoever may write
// the custom resource itself can, as he can run anything with any Secret there.
const CredentialBindingAnnotation = ReservedPrefix + "credential-binding"

// CredentialHashAnnotation has, on a custom resource and among the annotations of its
// pods, a keyed hash of the credential that its pods run with. Views show neither.
const CredentialHashAnnotation = ReservedPrefix + "credential-hash"

// bindingVersion is of the annotation's format.
const bindingVersion = 1

// storedBinding is a binding as the annotation has it.
type storedBinding struct {
	Version    int                          `json:"version"`
	SecretName string                       `json:"secretName"`
	User       string                       `json:"user"`
	Role       string                       `json:"role,omitempty"`
	Rule       adminv1alpha1.CredentialRule `json:"rule"`
}

// bindingToCR writes the binding of a credential that is new. That of one which isn't
// stays as it is, since neither side of an update says anything about it.
func bindingToCR(auth *adminv1alpha1.Auth, cr *metav1.ObjectMeta) error {
	if auth == nil || auth.Resolved == nil {
		return nil
	}
	binding := auth.Resolved.Binding
	data, err := json.Marshal(storedBinding{bindingVersion, binding.SecretName, binding.User, binding.Role, binding.Rule})
	if err != nil {
		return fmt.Errorf("could not encode the binding of a credential: %w", err)
	}
	setKey(&cr.Annotations, CredentialBindingAnnotation, string(data))
	return nil
}

// BindingOf returns the binding in the annotations of a custom resource, nil if there is
// none that can be read.
func BindingOf(annotations map[string]string) *adminv1alpha1.CredentialBinding {
	var stored storedBinding
	if err := json.Unmarshal([]byte(annotations[CredentialBindingAnnotation]), &stored); err != nil ||
		stored.Version != bindingVersion || stored.User == "" || stored.SecretName == "" {
		return nil
	}
	return &adminv1alpha1.CredentialBinding{SecretName: stored.SecretName, User: stored.User, Role: stored.Role, Rule: stored.Rule}
}

// bindingFromCR reads the binding of a credential. One of another Secret, or that can't
// be read, is none: then only who may read the Secret may use it.
func bindingFromCR(annotations map[string]string, auth *adminv1alpha1.Auth) {
	if auth == nil {
		return
	}
	if binding := BindingOf(annotations); binding != nil && binding.SecretName == auth.CredentialSecret() {
		auth.Bound = binding
	}
}
