package tokens

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gopkg.in/go-jose/go-jose.v2"
	"gopkg.in/go-jose/go-jose.v2/jwt"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
)

// ProviderConfig says what Pulsar's brokers are told in their own configuration.
type ProviderConfig struct {
	// SecretKeyFile and PublicKeyFile are tokenSecretKey and tokenPublicKey.
	SecretKeyFile, PublicKeyFile string
	// RoleClaim is tokenAuthClaim.
	RoleClaim string
	// AudienceClaim and Audience are tokenAudienceClaim and tokenAudience. Without an
	// audience tokens are for everybody.
	AudienceClaim, Audience string
}

// Provider knows the tokens of Pulsar's token provider. They need not name an issuer, so
// they are known by their signature, and those that name none are nobody else's.
type Provider struct {
	config ProviderConfig
	files  []*keyFile
	now    func() time.Time
}

var _ authenticator.Token = &Provider{}

// keyFile is a file of keys, read again when it changes.
type keyFile struct {
	path    string
	parse   func([]byte) ([]key, error)
	content []byte
	keys    atomic.Pointer[[]key]
}

// NewProvider reads the keys.
func NewProvider(config ProviderConfig) (*Provider, error) {
	provider := &Provider{config: config, now: time.Now}
	for _, file := range []*keyFile{{path: config.SecretKeyFile, parse: parseSecret}, {path: config.PublicKeyFile, parse: parsePublic}} {
		if file.path == "" {
			continue
		}
		var err error
		if file.content, err = readFile(file.path); err != nil {
			return nil, fmt.Errorf("could not read a key of tokens: %w", err)
		}
		if err := file.use(file.content); err != nil {
			return nil, err
		}
		provider.files = append(provider.files, file)
	}
	return provider, nil
}

func (f *keyFile) use(content []byte) error {
	keys, err := f.parse(content)
	if err != nil {
		return fmt.Errorf("could not use the key in %s: %w", f.path, err)
	}
	f.keys.Store(&keys)
	return nil
}

// Run follows the files until the context ends.
func (p *Provider) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, file := range p.files {
		running.Go(func() { follow(ctx, file.path, followPeriod, file.content, file.use) })
	}
	running.Wait()
}

// AuthenticateToken tells whose token it is, when it is the provider's.
func (p *Provider) AuthenticateToken(_ context.Context, token string) (*authenticator.Response, bool, error) {
	parsed, err := parseCompact(token)
	if err != nil {
		return nil, false, nil
	}
	claims, proven := p.verify(parsed)
	if !proven {
		if issuer := untrustedIssuer(parsed); issuer != "" {
			return nil, false, nil
		}
		return nil, false, errors.New("no key of Pulsar's token provider has signed the token")
	}
	role, err := p.check(claims)
	if err != nil {
		return nil, false, err
	}
	return &authenticator.Response{User: &user.DefaultInfo{Name: role}}, true, nil
}

// parseCompact reads a token in the one form that headers have.
func parseCompact(token string) (*jwt.JSONWebToken, error) {
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, "{ \t\r\n") {
		return nil, errors.New("not a JSON Web Token in compact form")
	}
	return jwt.ParseSigned(token)
}

// untrustedIssuer returns who a token says has issued it, which nothing has proven.
func untrustedIssuer(token *jwt.JSONWebToken) string {
	var claims map[string]any
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return ""
	}
	issuer, _ := claims["iss"].(string)
	return issuer
}

// verify returns the claims of a token that one of the keys has signed.
func (p *Provider) verify(token *jwt.JSONWebToken) (map[string]any, bool) {
	for _, file := range p.files {
		for _, key := range *file.keys.Load() {
			if !slices.Contains(key.algorithms, jose.SignatureAlgorithm(token.Headers[0].Algorithm)) {
				continue
			}
			var claims map[string]any
			if err := token.Claims(key.material, &claims); err == nil {
				return claims, true
			}
		}
	}
	return nil, false
}

// check returns the role of somebody with proven claims.
func (p *Provider) check(claims map[string]any) (string, error) {
	now := p.now()
	expiry, hasExpiry, err := date(claims, "exp")
	if err != nil {
		return "", err
	}
	notBefore, hasNotBefore, err := date(claims, "nbf")
	switch {
	case err != nil:
		return "", err
	case hasExpiry && !now.Before(expiry):
		return "", errors.New("the token has expired")
	case hasNotBefore && now.Before(notBefore):
		return "", errors.New("the token is not valid yet")
	case p.config.Audience != "" && !slices.Contains(texts(claims[p.config.AudienceClaim]), p.config.Audience):
		return "", errors.New("the token is for another audience")
	}
	// Of several roles Pulsar takes the first.
	roles := texts(claims[p.config.RoleClaim])
	if len(roles) == 0 {
		return "", fmt.Errorf("the token has no role in claim %q", p.config.RoleClaim)
	}
	return roles[0], nil
}

// texts returns a claim that is a text, or a list of nothing but texts.
func texts(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		var result []string
		for _, element := range claim {
			text, isText := element.(string)
			if !isText {
				return nil
			}
			result = append(result, text)
		}
		return result
	}
	return nil
}

// date returns a claim that is a time. One that is there and isn't a time is an error.
func date(claims map[string]any, name string) (time.Time, bool, error) {
	claim, given := claims[name]
	if !given {
		return time.Time{}, false, nil
	}
	seconds, isNumber := claim.(float64)
	if !isNumber {
		return time.Time{}, false, fmt.Errorf("claim %q is not a time", name)
	}
	// What is out of all bounds is as far away as can be.
	const far = 1 << 50
	return time.Unix(int64(math.Max(-far, math.Min(far, seconds))), 0), true, nil
}
