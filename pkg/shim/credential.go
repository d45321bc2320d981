package shim

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	objects, options := c.kind.in(created.GetNamespace()), metav1.CreateOptions{FieldManager: fieldManager}
	err := objects.handOver(ctx, created, token, options)
	for tries := 1; apierrors.IsConflict(err) && tries < maxHandOvers; tries++ {
		// The operator writes back what it was sent, which views don't show. Anything else
		// may be somebody else's code.
		current, getErr := objects.get(ctx, created.GetName())
		if getErr != nil || current.GetUID() != created.GetUID() || !sameSpec(current, created) {
			break
		}
		err = objects.handOver(ctx, current, token, options)
	}
	if err == nil {
		return nil
	}
	return without(subject.translate(err), c.kind.Title+" "+subject.name+" was created, and")
}

// maxHandOvers bounds how often a token is handed to a component that is changed
// meanwhile.
const maxHandOvers = 5

// sameSpec tells whether two states of an object say the same of what is to run.
func sameSpec(a, b v1alpha1.Component) bool {
	a, b = a.DeepCopyObject().(v1alpha1.Component), b.DeepCopyObject().(v1alpha1.Component)
	for _, side := range []v1alpha1.Component{a, b} {
		*side.ObservedStatus() = v1alpha1.ComponentStatus{}
		side.SetResourceVersion("")
		side.SetGeneration(0)
		side.SetManagedFields(nil)
		side.SetFinalizers(nil)
		side.SetLabels(nil)
		side.SetAnnotations(nil)
	}
	return equality.Semantic.DeepEqual(a, b)
}

// tokenForUpdate returns the token that an update hands over because of updateAuthData, or
// "", after it made sure that the API server would take the token. An OAuth2 account is
// changed by the update itself.
func (c *components) tokenForUpdate(ctx context.Context, name identity.Name, form *form) (string, error) {
	options, err := componentconfig.ParseUpdateOptions(form.updateOptions)
	if err != nil || !options.UpdateAuthData {
		// The update itself refuses what can't be read.
		return "", nil
	}
	object, err := c.lookup.find(ctx, c.kind, name)
	if err != nil || object == nil {
		// As above.
		return "", nil
	}
	auth, token := object.Common().Auth, ownToken(ctx)
	switch {
	case auth != nil && auth.OAuth2 != nil:
		return "", nil
	case token == "" || isGo(object):
		if origin := caller.FromContext(ctx); origin != nil {
			origin.AddWarning(authDataHasNoEffect)
		}
		return "", nil
	}
	err = c.kind.in(object.GetNamespace()).handOver(ctx, object, token, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return "", c.kind.called(name.Name).translate(err)
	}
	return token, nil
}

// takeAway has an update that is followed by a token take the old credential away. So no
// code runs with a token that wasn't meant for it: neither what was there before with the
// caller's, nor what is new with that of somebody else.
func takeAway(changed v1alpha1.Component) { changed.Common().Auth = nil }

// handOverAgain gives a component that was updated the caller's token. If that fails, it
// runs as nobody, or as before where nothing was changed. A conflict is returned as it is:
// the update is repeated.
func (c *components) handOverAgain(ctx context.Context, updated v1alpha1.Component, subject component, token string) error {
	err := c.kind.in(updated.GetNamespace()).handOver(ctx, updated, token, metav1.CreateOptions{FieldManager: fieldManager})
	if err == nil || apierrors.IsConflict(err) {
		return err
	}
	return without(subject.translate(err), "The update of "+c.kind.Title+" "+subject.name+" was stored, but the component")
}

// without says that a component is as the caller wanted it but for the credential.
func without(answer *restError, subject string) error {
	said := *answer
	said.reason = subject + " does not have the caller's credential, which an update with updateAuthData repeats: " + answer.reason
	return &said
}

// isGo tells whether a component is a Go function, which gets no credential in Function
// Mesh.
func isGo(component v1alpha1.Component) bool {
	function, ok := component.(*v1alpha1.PulsarFunction)
	return ok && function.Spec.Go != nil
}
