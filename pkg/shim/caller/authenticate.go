package caller

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/authentication/authenticator"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shimauth"
)

const (
	// AnonymousRole is the role of a request without a credential, AnonymousUser what
	// the API server calls it.
	AnonymousRole = "anonymous"
	AnonymousUser = shimauth.Prefix + AnonymousRole

	// originalPrincipalHeader is how a Pulsar proxy says for whom it calls.
	originalPrincipalHeader = "X-Original-Principal"
	// tokenParameter is where Pulsar's WebSocket clients put a token. It isn't read: what
	// is in a URL is in the logs of every server on the way.
	tokenParameter = "token"
	// maxToken bounds what is parsed. A token with hundreds of groups is smaller.
	maxToken = 16 << 10
)

var (
	// ErrUnauthenticated says that a request has no credential that can be used.
	ErrUnauthenticated = errors.New("no usable credential")
	// ErrUnavailable says that whether a credential can be used isn't known right now.
	ErrUnavailable = errors.New("the issuer of the token can't be asked")
	// ErrOriginalPrincipal says that a request claims to be made for somebody
	// else. Ignoring the claim would run it with the rights of the one that
	// forwards it, which are usually larger.
	ErrOriginalPrincipal = errors.New(originalPrincipalHeader + " is not accepted from this caller")
	// ErrNoOriginalPrincipal says that a proxy didn't tell for whom it calls, or told
	// something that can't be.
	ErrNoOriginalPrincipal = errors.New(originalPrincipalHeader + " must name one role, which is not a proxy's, when a proxy calls")
)

// Authenticator tells who makes a request. What proves it is, in this order: a token
// that is Pulsar's, any other token, which is the API server's to judge, a certificate,
// and, where that is allowed, nothing at all. What comes first decides: a bad token
// doesn't become good by a certificate beside it.
type Authenticator struct {
	// Tokens know the tokens that are Pulsar's; without an error or a user the token is
	// somebody else's. Nil where all are.
	Tokens authenticator.Token
	// Certificates know the TLS client certificates; nil where they prove nothing.
	Certificates authenticator.Request
	// ProxyRoles are the roles that call for others, and only for others.
	ProxyRoles []string
	// Anonymous lets requests in that have no credential at all, as AnonymousUser.
	Anonymous bool
}

// Authenticate returns the credential of a request. Errors are, or wrap, those of this
// package. Beside them they hold details that are for the log only.
func (a Authenticator) Authenticate(request *http.Request) (Credential, error) {
	credential, err := a.credentialOf(request)
	if err != nil {
		return Credential{}, err
	}
	return a.onBehalf(credential, request.Header.Values(originalPrincipalHeader))
}

func (a Authenticator) credentialOf(request *http.Request) (Credential, error) {
	values := request.Header.Values("Authorization")
	switch {
	case request.URL.Query().Has(tokenParameter):
		return Credential{}, fmt.Errorf("%w: a token in the URL", ErrUnauthenticated)
	case len(values) > 1:
		return Credential{}, fmt.Errorf("%w: several Authorization headers", ErrUnauthenticated)
	case len(values) == 1:
		return a.ofToken(request, values[0])
	case request.TLS != nil && len(request.TLS.PeerCertificates) > 0 && a.Certificates != nil:
		return a.ofCertificate(request)
	case a.Anonymous:
		return Credential{user: User{name: AnonymousUser}}, nil
	}
	return Credential{}, fmt.Errorf("%w: none given", ErrUnauthenticated)
}

func (a Authenticator) ofToken(request *http.Request, header string) (Credential, error) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return Credential{}, fmt.Errorf("%w: not a bearer token", ErrUnauthenticated)
	case token == "" || strings.ContainsAny(token, " \t,"):
		return Credential{}, fmt.Errorf("%w: not one token", ErrUnauthenticated)
	case len(token) > maxToken:
		return Credential{}, fmt.Errorf("%w: a token of %d bytes", ErrUnauthenticated, len(token))
	case a.Tokens == nil:
		return Credential{kubernetesToken: token}, nil
	}
	response, known, err := a.Tokens.AuthenticateToken(request.Context(), token)
	if err == nil && !known {
		return Credential{kubernetesToken: token}, nil
	}
	credential, err := vouch(response, known, err)
	credential.pulsarToken = token
	return credential, err
}

func (a Authenticator) ofCertificate(request *http.Request) (Credential, error) {
	return vouch(a.Certificates.AuthenticateRequest(request))
}

// vouch makes a credential of what an authenticator says.
func vouch(response *authenticator.Response, known bool, err error) (Credential, error) {
	if err == nil && !known {
		err = errors.New("unknown")
	}
	if err == nil {
		var user User
		if user, err = NewUser(response.User.GetName(), response.User.GetGroups()); err == nil {
			return Credential{user: user}, nil
		}
	}
	if errors.Is(err, ErrUnavailable) {
		return Credential{}, err
	}
	return Credential{}, fmt.Errorf("%w: %w", ErrUnauthenticated, err)
}

// onBehalf returns the credential with which to make a request whose header says for
// whom it is.
func (a Authenticator) onBehalf(credential Credential, claims []string) (Credential, error) {
	role := credential.user.role()
	isProxy := func(role string) bool { return slices.Contains(a.ProxyRoles, role) }
	switch {
	case !isProxy(role) && len(claims) == 0:
		return credential, nil
	case !isProxy(role) && len(claims) == 1 && role != "" && claims[0] == role:
		// A Pulsar proxy that passes its caller's token on names them as well. That is
		// nobody else.
		return credential, nil
	case !isProxy(role):
		return Credential{}, ErrOriginalPrincipal
	case len(claims) != 1 || isProxy(claims[0]):
		return Credential{}, ErrNoOriginalPrincipal
	}
	original, err := NewUser(claims[0], nil)
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrNoOriginalPrincipal, err)
	}
	credential.proxy, credential.user = credential.user, original
	return credential, nil
}
