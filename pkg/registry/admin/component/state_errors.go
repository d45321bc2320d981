package component

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
)

// noStateStore is Pulsar's text where there is no state store.
const noStateStore = "State storage client is not done initializing. Please try again in a little while."

// checkKey refuses what can't be a key.
func checkKey(key string) error {
	switch {
	case key == "":
		return view.WithPulsarReason(apierrors.NewBadRequest("a key is needed"), "Key is not provided")
	case len(key) > statestore.MaxKey:
		reason := fmt.Sprintf("a key can't have more than %d bytes", statestore.MaxKey)
		return view.WithPulsarReason(apierrors.NewBadRequest(reason), reason)
	case !utf8.ValidString(key):
		const reason = "a key has to be a text in UTF-8"
		return view.WithPulsarReason(apierrors.NewBadRequest(reason), reason)
	}
	return nil
}

// stateError says why a value wasn't read or put. What the store says itself is for the
// log.
func stateError(ctx context.Context, component v1alpha1.Component, key string, err error) error {
	badRequest := func(format string, args ...any) error {
		reason := fmt.Sprintf(format, args...)
		return view.WithPulsarReason(apierrors.NewBadRequest(reason), reason)
	}
	switch {
	case errors.Is(err, statestore.ErrNotFound):
		missing := apierrors.NewNotFound(resourceOf(component), component.GetName())
		missing.ErrStatus.Message = fmt.Sprintf("key '%s' doesn't exist.", key)
		return view.WithPulsarReason(missing, missing.ErrStatus.Message)
	case errors.Is(err, statestore.ErrCounter):
		return badRequest("key '%s' is a counter, which only the component itself can change", key)
	case errors.Is(err, statestore.ErrTooLarge):
		return badRequest("the value of key '%s' has more than %d bytes", key, statestore.MaxValue)
	case errors.Is(err, statestore.ErrName):
		return badRequest("the state store takes no name like that of the component")
	case errors.Is(err, statestore.ErrBusy):
		return apierrors.NewTooManyRequests("too many values are read and written at the moment", retryAfterSeconds)
	}
	if ctx.Err() == nil {
		// Else the caller went away.
		klog.FromContext(ctx).Error(err, "Could not read or write state", "cluster", component.Common().Cluster,
			"namespace", component.GetNamespace(), "name", component.GetName())
	}
	const reason = "The state store gave no answer. Please try again in a little while."
	return view.WithPulsarReason(apierrors.NewServiceUnavailable(reason), reason)
}
