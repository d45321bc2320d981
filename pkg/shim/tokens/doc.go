// Package tokens knows the bearer tokens that are Pulsar's: those of OpenID issuers,
// which Kubernetes' structured authentication configuration lists, and those of Pulsar's
// own token provider, which are signed with a key that brokers have as well.
//
// It exists to keep two questions apart. Whose a token is may be asked of anything that
// somebody sends; whether it is good is for the one who issued it. A token that is
// nobody's here is Kubernetes', for all that is known, and goes to the API server. One
// that is somebody's here and isn't good goes nowhere.
package tokens

import (
	"context"

	"k8s.io/apiserver/pkg/authentication/authenticator"
)

// Union asks authenticators one after the other until one says that a token is its own,
// good or bad.
type Union []authenticator.Token

var _ authenticator.Token = Union{}

// AuthenticateToken returns what the first authenticator says that knows the token.
func (u Union) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	for _, next := range u {
		if response, known, err := next.AuthenticateToken(ctx, token); known || err != nil {
			return response, known, err
		}
	}
	return nil, false, nil
}
