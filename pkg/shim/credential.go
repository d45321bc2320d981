package shim

import (
	"context"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentconfig"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// authDataHasNoEffect is the warning for an update with updateAuthData by somebody who
// shows nothing that a component could use.
const authDataHasNoEffect = "updateAuthData has no effect: the component has no OAuth2 account, and the caller showed no token of Pulsar's"

// ownToken returns the token of Pulsar's that the caller showed, "" for who showed none.
// A proxy's is not the caller's.
func ownToken(ctx context.Context) string {
	origin := caller.FromContext(ctx)
	if origin == nil {
		return ""
	}
	token, originalPrincipal := origin.PulsarToken()
	if originalPrincipal != "" {
		return ""
	}
	return token
}

// handOverNew gives a new component the caller's token, unless it has another credential
// or can't use one. If that fails the component is there all the same, and runs as nobody.
func (c *components) handOverNew(ctx context.Context, created v1alpha1.Component, subject component) error {
	token := ownToken(ctx)
	if token == "" || created.Common().Auth != nil || isGo(created) {
		return nil
	}
	err := c.kind.in(created.GetNamespace()).handOver(ctx, created.GetName(), token)
	if err == nil {
		return nil
	}
	answer := *subject.translate(err)
	answer.reason = c.kind.Title + " " + subject.name + " was created, and does not have the caller's credential, which an update with updateAuthData repeats: " + answer.reason
	return &answer
}

// handOverAgain does what updateAuthData asks for with the caller's token, before the
// update itself: what the component then does it does as the caller. An OAuth2 account is
// changed by the update.
func (c *components) handOverAgain(ctx context.Context, name identity.Name, form *form) error {
	options, err := componentconfig.ParseUpdateOptions(form.updateOptions)
	if err != nil || !options.UpdateAuthData {
		// The update itself refuses what can't be read.
		return nil
	}
	object, err := c.lookup.find(ctx, c.kind, name)
	if err != nil || object == nil {
		// As above.
		return nil
	}
	auth, token := object.Common().Auth, ownToken(ctx)
	switch {
	case auth != nil && auth.OAuth2 != nil:
		return nil
	case token == "" || isGo(object):
		if origin := caller.FromContext(ctx); origin != nil {
			origin.AddWarning(authDataHasNoEffect)
		}
		return nil
	}
	if err := c.kind.in(object.GetNamespace()).handOver(ctx, object.GetName(), token); err != nil {
		return c.kind.called(name.Name).translate(err)
	}
	return nil
}

// isGo tells whether a component is a Go function, which gets no credential in Function
// Mesh.
func isGo(component v1alpha1.Component) bool {
	function, ok := component.(*v1alpha1.PulsarFunction)
	return ok && function.Spec.Go != nil
}
