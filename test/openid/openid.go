// Package openid runs a real OpenID provider for tests: discovery, keys, and tokens for
// clients that show their credentials, over TLS on loopback.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

const keyBits = 2048

// Account is somebody who can have a token. A token's subject is the account's name.
type Account struct {
	Secret   string
	Audience string
	Groups   []string
	// Lifetime is that of tokens; one that isn't positive makes them expired at once.
	Lifetime time.Duration
}

// Provider is a running provider.
type Provider struct {
	server *httptest.Server
	key    *rsa.PrivateKey
}

// Start starts a provider whose serving certificate is one of cluster's. Accounts are by
// their client ID.
func Start(cluster *controlplane.ControlPlane, accounts map[string]Account) (*Provider, error) {
	pair, err := cluster.SignServerCert("localhost", controlplane.Loopback)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.CertPEM, pair.KeyPEM)
	if err != nil {
		return nil, fmt.Errorf("could not use the serving certificate: %w", err)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("could not make a signing key: %w", err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	provider := &Provider{server: server, key: key}
	handler, err := op.NewProvider(&op.Config{AuthMethodPost: true}, &storage{accounts: accounts, key: key}, op.StaticIssuer(server.URL))
	if err != nil {
		server.Close()
		return nil, fmt.Errorf("could not start an OpenID provider: %w", err)
	}
	server.Config.Handler = handler
	return provider, nil
}

// Issuer returns the issuer's URL.
func (p *Provider) Issuer() string { return p.server.URL }

// PublicKey returns what tokens are verified with.
func (p *Provider) PublicKey() *rsa.PublicKey { return &p.key.PublicKey }

// Stop ends the provider.
func (p *Provider) Stop() { p.server.Close() }

// storage is what the provider knows. What it leaves to the interface is never asked for:
// nobody signs in here.
type storage struct {
	op.Storage
	accounts map[string]Account
	key      *rsa.PrivateKey
}

var (
	_ op.Storage                  = &storage{}
	_ op.ClientCredentialsStorage = &storage{}
)

func (s *storage) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	account, known := s.accounts[id]
	if !known || subtle.ConstantTimeCompare([]byte(account.Secret), []byte(secret)) != 1 {
		return nil, errors.New("unknown client or wrong secret")
	}
	return client{id: id}, nil
}

func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	return tokenRequest{id, s.accounts[id].Audience, scopes}, nil
}

func (s *storage) CreateAccessToken(_ context.Context, request op.TokenRequest) (string, time.Time, error) {
	return rand.Text(), time.Now().Add(s.accounts[request.GetSubject()].Lifetime), nil
}

func (s *storage) GetPrivateClaimsFromScopes(_ context.Context, id, _ string, _ []string) (map[string]any, error) {
	return map[string]any{"groups": append([]string{}, s.accounts[id].Groups...)}, nil
}

func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return signingKey{s.key}, nil }

func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{publicKey{s.key}}, nil }

func (s *storage) Health(context.Context) error { return nil }

type signingKey struct{ key *rsa.PrivateKey }

func (signingKey) ID() string                                  { return "key" }
func (signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k signingKey) Key() any                                  { return k.key }

type publicKey struct{ key *rsa.PrivateKey }

func (publicKey) ID() string                         { return "key" }
func (publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                         { return &k.key.PublicKey }

type tokenRequest struct {
	subject, audience string
	scopes            []string
}

func (r tokenRequest) GetSubject() string    { return r.subject }
func (r tokenRequest) GetAudience() []string { return []string{r.audience} }
func (r tokenRequest) GetScopes() []string   { return r.scopes }

// client is an account as the provider sees it. The interface has what is for clients
// with a browser.
type client struct {
	op.Client
	id string
}

func (c client) GetID() string                     { return c.id }
func (client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeClientCredentials} }
func (client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (client) ClockSkew() time.Duration            { return 0 }
func (client) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return func(scopes []string) []string { return scopes }
}
