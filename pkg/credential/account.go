package credential

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// The keys of a Secret with an account, as the Java worker's documentation 0.6.0 has
// them.
const (
	// KeyFile is the key file: client_id, client_secret, issuer_url.
	KeyFile = "auth.json"
	// ParametersKey has the issuer, the audience and the scope as Pulsar's clients are
	// configured with them.
	ParametersKey = "clientAuthenticationParameters"
)

// Account is an OAuth2 account.
type Account struct {
	// IssuerURL, Audience and Scope are what a token is asked for with.
	IssuerURL, Audience, Scope string

	clientID, clientSecret string
}

// Problem is what is wrong with a Secret. Its text has nothing of the content but an
// issuer's URL, and is fit for whoever may name the Secret.
type Problem struct{ text string }

func (p *Problem) Error() string { return p.text }

func problemf(format string, args ...any) error {
	return &Problem{text: fmt.Sprintf(format, args...)}
}

// keyFile is what is read of a key file.
type keyFile struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	IssuerURL    string `json:"issuer_url"`
}

// parameters is what is read of parameters.
type parameters struct {
	IssuerURL string `json:"issuerUrl"`
	Audience  string `json:"audience"`
	Scope     string `json:"scope"`
}

// maxKeyFile bounds the key file and the parameters, in bytes.
const maxKeyFile = 64 << 10

// Parse returns the account in a Secret. What its parameters don't say, or where it has
// none, is as the issuer is configured. Errors are of type *Problem.
func (i Issuers) Parse(secret *corev1.Secret) (*Account, error) {
	var key keyFile
	if err := decode(secret, KeyFile, &key); err != nil {
		return nil, err
	}
	for _, member := range []struct{ name, value string }{
		{"client_id", key.ClientID}, {"client_secret", key.ClientSecret}, {"issuer_url", key.IssuerURL},
	} {
		if member.value == "" {
			return nil, problemf("key %s of Secret %q has no %s", KeyFile, secret.Name, member.name)
		}
	}
	if _, has := secret.Data[ParametersKey]; !has {
		return i.account(secret.Name, key, parameters{IssuerURL: key.IssuerURL})
	}
	var given parameters
	if err := decode(secret, ParametersKey, &given); err != nil {
		return nil, err
	}
	if given.IssuerURL == "" {
		return nil, problemf("key %s of Secret %q has no issuerUrl", ParametersKey, secret.Name)
	}
	if !sameIssuer(given.IssuerURL, key.IssuerURL) {
		return nil, problemf("Secret %q names two issuers: issuer_url of key %s is not issuerUrl of key %s", secret.Name, KeyFile, ParametersKey)
	}
	return i.account(secret.Name, key, given)
}

func (i Issuers) account(secretName string, key keyFile, given parameters) (*Account, error) {
	if len(given.IssuerURL) > maxText || !issuerText.MatchString(given.IssuerURL) {
		return nil, problemf("Secret %q has an issuer with characters that Function Mesh can't quote, or that is no http(s) URL", secretName)
	}
	issuer := i.find(given.IssuerURL)
	if issuer == nil {
		return nil, problemf("Secret %q is of issuer %s, which this server is not configured to take accounts of", secretName, given.IssuerURL)
	}
	account := &Account{
		// As it is configured: the key file decides nothing, not even a slash.
		IssuerURL: issuer.IssuerURL, Audience: given.Audience, Scope: given.Scope,
		clientID: key.ClientID, clientSecret: key.ClientSecret,
	}
	if account.Audience == "" {
		account.Audience = issuer.Audience
	}
	if account.Scope == "" {
		account.Scope = issuer.Scope
	}
	if account.Audience == "" {
		return nil, problemf("Secret %q has no audience in key %s, and the server is configured with none for its issuer", secretName, ParametersKey)
	}
	for _, text := range []struct{ name, value string }{{"audience", account.Audience}, {"scope", account.Scope}} {
		if err := CheckText(text.value); err != nil {
			return nil, problemf("the %s in key %s of Secret %q %v", text.name, ParametersKey, secretName, err)
		}
	}
	return account, nil
}

// IsOf tells whether the account is that of a role or of the role as it is stripped.
func (a *Account) IsOf(role string) bool {
	return a.clientID == role || a.clientID == Strip(role)
}

// IsOfExactly tells whether the account is that of no other role.
func (a *Account) IsOfExactly(role string) bool { return a.clientID == role }

// decode reads a key of a Secret that must hold a JSON object. The decoder's own text
// could quote the content.
func decode(secret *corev1.Secret, key string, into any) error {
	data, has := secret.Data[key]
	switch {
	case !has:
		return problemf("Secret %q has no key %s", secret.Name, key)
	case len(data) > maxKeyFile:
		return problemf("key %s of Secret %q has more than %d bytes", key, secret.Name, maxKeyFile)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return problemf("key %s of Secret %q is no JSON object of the members that it should have", key, secret.Name)
	}
	return nil
}
