package shim

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
	"k8s.io/client-go/transport"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// packages is Pulsar's package service as callers reach it through the shim.
type packages struct {
	service *packageservice.Client
	// installation returns whose packages these are, among those that share a Pulsar.
	installation func() string
	// own is the shim's own account there, for callers who have none; nil for none.
	own oauth2.TokenSource
}

// newPackages returns the package service, with the account whose token is in a file,
// which is read again as it changes. Without a file there is no such account. installation
// returns the identity of this installation, once it is known.
func newPackages(service *packageservice.Client, installation func() string, tokenFile string) (*packages, error) {
	result := &packages{service: service, installation: installation}
	if tokenFile == "" {
		return result, nil
	}
	result.own = transport.NewCachedFileTokenSource(tokenFile)
	if _, err := result.own.Token(); err != nil {
		return nil, fmt.Errorf("could not read the token for the package service: %w", err)
	}
	return result, nil
}

// access is by which token a package is reached, and what to call who has it.
type access struct {
	token packageservice.Token
	who   string
}

// accessFor returns how a package is reached for the caller: with the caller's own token
// of Pulsar's where there is one. Otherwise it is with the shim's account, which may do
// more than the caller: it is for packages only that the API server lets the caller use.
func (p *packages) accessFor(ctx context.Context) (access, error) {
	if token := ownToken(ctx); token != "" {
		return access{packageservice.Token(token), "the caller"}, nil
	}
	if p.own == nil {
		return access{who: "anybody without a token of Pulsar's"}, nil
	}
	token, err := p.own.Token()
	if err != nil {
		return access{}, &restError{code: http.StatusInternalServerError, reason: reasonInternal, cause: fmt.Errorf("could not read the token for the package service: %w", err)}
	}
	return access{packageservice.Token(token.AccessToken), "pulsar-admin-shim"}, nil
}

// unauthorized says that Pulsar doesn't let somebody do something with packages.
func (a access) unauthorized(does string, location identity.PackageURL) *restError {
	return errorf(http.StatusUnauthorized, "Pulsar doesn't let %s %s packages of namespace %s/%s", a.who, does, location.Tenant, location.Namespace)
}

// isUnauthorized tells whether Pulsar said that.
func isUnauthorized(err error) bool {
	var refused *packageservice.RefusedError
	return errors.As(err, &refused) && (refused.Code == http.StatusUnauthorized || refused.Code == http.StatusForbidden)
}
