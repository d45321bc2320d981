package caller

import (
	"errors"
	"net/http"
	"strings"
)

// AnonymousUser is the user that a request without a credential is made as. The
// API server takes names from the shim only with this prefix, "pulsar:".
const AnonymousUser = "pulsar:anonymous"

// originalPrincipalHeader is how a Pulsar proxy says for whom it calls.
const originalPrincipalHeader = "X-Original-Principal"

var (
	// ErrUnauthenticated says that a request has no credential that can be used.
	ErrUnauthenticated = errors.New("no usable credential")
	// ErrOriginalPrincipal says that a request claims to be made for somebody
	// else. Ignoring the claim would run it with the rights of the one that
	// forwards it, which are usually larger.
	ErrOriginalPrincipal = errors.New(originalPrincipalHeader + " is not accepted from this caller")
)

// Authenticator tells who makes a request. It proves nothing about tokens: the
// API server does, when it gets them.
type Authenticator struct {
	// Anonymous lets requests in that have no credential at all, as AnonymousUser.
	Anonymous bool
}

// Authenticate returns the credential in the header of a request. A request with
// an Authorization header is never anonymous, whatever the header holds. Errors
// are ErrUnauthenticated and ErrOriginalPrincipal.
func (a Authenticator) Authenticate(header http.Header) (Credential, error) {
	if len(header.Values(originalPrincipalHeader)) > 0 {
		return Credential{}, ErrOriginalPrincipal
	}
	values := header.Values("Authorization")
	switch {
	case len(values) == 0 && a.Anonymous:
		return Credential{user: AnonymousUser}, nil
	case len(values) != 1:
		return Credential{}, ErrUnauthenticated
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t,") {
		return Credential{}, ErrUnauthenticated
	}
	return Credential{token: token}, nil
}
