package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// oauth2Plugin is how Pulsar's clients use an OAuth2 account.
const oauth2Plugin = "org.apache.pulsar.client.impl.auth.oauth2.AuthenticationOAuth2"

// workerOAuth2Members are those that say with which accounts functions run. They are
// honoured where there are accounts at all.
var workerOAuth2Members = []string{
	"brokerClientAuthenticationPlugin", "brokerClientAuthenticationParameters", "clientAuthenticationPlugin", "clientAuthenticationParameters",
	"oauth2SecretAnnotationKey",
}

// workerAuthentication is how a worker is known at brokers, of which functions have the
// issuer. The members without broker are Pulsar's older names.
type workerAuthentication struct {
	Enabled          bool   `yaml:"authenticationEnabled"`
	Plugin           string `yaml:"brokerClientAuthenticationPlugin"`
	Parameters       string `yaml:"brokerClientAuthenticationParameters"`
	FormerPlugin     string `yaml:"clientAuthenticationPlugin"`
	FormerParameters string `yaml:"clientAuthenticationParameters"`
}

// hasOAuth2 tells whether functions run with OAuth2 accounts. As in the worker they do
// only where callers are asked who they are.
func (a *workerAuthentication) hasOAuth2() bool {
	return a.Enabled && cmp.Or(a.Plugin, a.FormerPlugin) == oauth2Plugin
}

// oauth2 returns the part of the configuration about accounts, nil for who has none. The
// worker's own account is read by nobody: each function has its author's.
func (a *workerAuthentication) oauth2(annotationKey string) (*v1alpha1.OAuth2, error) {
	if !a.hasOAuth2() {
		return nil, nil
	}
	var issuer struct {
		IssuerURL string `json:"issuerUrl"`
		Audience  string `json:"audience"`
		Scope     string `json:"scope"`
	}
	if err := json.Unmarshal([]byte(cmp.Or(a.Parameters, a.FormerParameters)), &issuer); err != nil || issuer.IssuerURL == "" {
		// The text may hold a client's secret.
		return nil, errors.New("could not read brokerClientAuthenticationParameters: they are no JSON object with an issuerUrl")
	}
	return &v1alpha1.OAuth2{
		Issuers:             []v1alpha1.OAuth2Issuer{{IssuerURL: issuer.IssuerURL, Audience: issuer.Audience, Scope: issuer.Scope}},
		SecretAnnotationKey: annotationKey,
	}, nil
}

// honours tells whether a member is read for what accounts there are.
func (a *workerAuthentication) honours(member string) bool {
	return a.hasOAuth2() && slices.Contains(workerOAuth2Members, member)
}
