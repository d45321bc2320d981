package shim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/tokens"
)

// AuthenticationOptions say whom the shim knows by itself. Whoever shows a token that it
// doesn't know is for the API server to know.
type AuthenticationOptions struct {
	// ConfigFile has the issuers of tokens, as Kubernetes configures them.
	ConfigFile string
	// Tokens is what the brokers' token provider is told.
	Tokens tokens.ProviderConfig
	// ClientCAFile has the certificates that clients' certificates are verified with.
	ClientCAFile string
	// ProxyRoles are the roles that Pulsar's proxies call with.
	ProxyRoles []string
	// Anonymous lets in requests without a credential.
	Anonymous bool
}

// AddFlags adds a flag for each option.
func (o *AuthenticationOptions) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.ConfigFile, "authentication-config", o.ConfigFile,
		"AuthenticationConfiguration (apiserver.config.k8s.io) with the issuers of tokens whose users become pulsar:<username> with groups pulsar:<group>. Read again when it changes.")
	flags.StringVar(&o.Tokens.SecretKeyFile, "token-secret-key-file", o.Tokens.SecretKeyFile,
		"The brokers' tokenSecretKey: a secret, raw or in base64, that signs Pulsar's tokens. Read again when it changes.")
	flags.StringVar(&o.Tokens.PublicKeyFile, "token-public-key-file", o.Tokens.PublicKeyFile,
		"The brokers' tokenPublicKey: an RSA or EC key, DER or PEM, that verifies Pulsar's tokens. Read again when it changes.")
	flags.StringVar(&o.Tokens.RoleClaim, "token-auth-claim", o.Tokens.RoleClaim, "The brokers' tokenAuthClaim: the claim with the role in Pulsar's tokens.")
	flags.StringVar(&o.Tokens.AudienceClaim, "token-audience-claim", o.Tokens.AudienceClaim, "The brokers' tokenAudienceClaim: the claim with the audience in Pulsar's tokens.")
	flags.StringVar(&o.Tokens.Audience, "token-audience", o.Tokens.Audience, "The brokers' tokenAudience, for which Pulsar's tokens must be; empty for any.")
	flags.StringVar(&o.ClientCAFile, "client-ca-file", o.ClientCAFile,
		"Certificates to verify client certificates with, PEM. The common name of one is its owner's role. Read again when it changes.")
	flags.StringSliceVar(&o.ProxyRoles, "proxy-roles", o.ProxyRoles,
		"Roles of Pulsar's proxies. They must say in X-Original-Principal for whom they call, and both need the right to what is asked for.")
	flags.BoolVar(&o.Anonymous, "anonymous", o.Anonymous, "Let requests without a credential in, as user "+caller.AnonymousUser+".")
}

// vouches tells whether there are callers whom the API server knows by the shim's word
// only, and the flag that makes them so.
func (o *AuthenticationOptions) vouches() (flag string, vouches bool) {
	for _, option := range []struct {
		flag string
		set  bool
	}{
		{"--anonymous", o.Anonymous},
		{"--authentication-config", o.ConfigFile != ""},
		{"--token-secret-key-file", o.Tokens.SecretKeyFile != ""},
		{"--token-public-key-file", o.Tokens.PublicKeyFile != ""},
		{"--client-ca-file", o.ClientCAFile != ""},
	} {
		if option.set {
			return option.flag, true
		}
	}
	return "", false
}

// knowsTokens tells whether some tokens are Pulsar's.
func (o *AuthenticationOptions) knowsTokens() bool { return o.ConfigFile != "" || o.hasKey() }

// hasKey tells whether Pulsar's token provider has a key here.
func (o *AuthenticationOptions) hasKey() bool {
	return o.Tokens.SecretKeyFile != "" || o.Tokens.PublicKeyFile != ""
}

// Validate returns everything that is wrong with the options.
func (o *AuthenticationOptions) Validate() []error {
	var failures []error
	if o.Tokens.RoleClaim == "" || o.Tokens.AudienceClaim == "" {
		failures = append(failures, errors.New("--token-auth-claim and --token-audience-claim must not be empty"))
	}
	if o.Tokens.Audience != "" && !o.hasKey() {
		failures = append(failures, errors.New("--token-audience is for --token-secret-key-file and --token-public-key-file only"))
	}
	if len(o.ProxyRoles) > 0 && !o.knowsTokens() && o.ClientCAFile == "" {
		failures = append(failures, errors.New("--proxy-roles needs a way to know a proxy: tokens or client certificates"))
	}
	for _, role := range o.ProxyRoles {
		if _, err := caller.NewUser(role, nil); err != nil {
			failures = append(failures, fmt.Errorf("--proxy-roles: %w", err))
		}
	}
	if slices.Contains(o.ProxyRoles, caller.AnonymousRole) {
		failures = append(failures, fmt.Errorf("--proxy-roles must not have %q: anybody could then be anybody", caller.AnonymousRole))
	}
	return failures
}

// apply makes what authenticates callers, with what has to run for it.
func (o *AuthenticationOptions) apply(config *Config) error {
	config.Authenticator = caller.Authenticator{ProxyRoles: o.ProxyRoles, Anonymous: o.Anonymous}
	var union tokens.Union
	if o.ConfigFile != "" {
		issuers, err := tokens.NewIssuers(o.ConfigFile)
		if err != nil {
			return err
		}
		union = append(union, issuers)
		config.Background = append(config.Background, issuers.Run)
	}
	if o.hasKey() {
		provider, err := tokens.NewProvider(o.Tokens)
		if err != nil {
			return err
		}
		union = append(union, provider)
		config.Background = append(config.Background, provider.Run)
	}
	if len(union) > 0 {
		config.Authenticator.Tokens = union
	}
	if o.ClientCAFile == "" {
		return nil
	}
	ca, err := dynamiccertificates.NewDynamicCAContentFromFile("client-ca", o.ClientCAFile)
	if err != nil {
		return fmt.Errorf("could not load the certificates for --client-ca-file: %w", err)
	}
	config.ClientCA = ca
	config.Authenticator.Certificates = newCertificates(ca)
	config.Background = append(config.Background, func(ctx context.Context) { ca.Run(ctx, 1) })
	return nil
}
