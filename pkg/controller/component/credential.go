package component

// credentialOf returns where the credential of what a resource runs is. An account counts
// for more than another Secret, and one in the resource itself for more than both.
func credentialOf(spec *crSpec) *Credential {
	pulsar := spec.Pulsar
	switch {
	case pulsar == nil:
		return nil
	case pulsar.AuthConfig == nil:
		if pulsar.AuthSecret == "" {
			return nil
		}
		return &Credential{Secret: pulsar.AuthSecret, Field: "spec.auth.secretName"}
	case pulsar.AuthConfig.OAuth2Config == nil || pulsar.AuthConfig.OAuth2Config.KeySecretName == "":
		return nil
	}
	account := pulsar.AuthConfig.OAuth2Config
	return &Credential{Secret: account.KeySecretName, Key: account.KeySecretKey, Field: "spec.auth.oauth2.secretName"}
}
