package shim

import (
	"context"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// places knows which Kubernetes namespace serves which Pulsar namespace.
type places interface {
	// HasSynced tells whether it knows yet.
	HasSynced() bool
	// Serving returns the Kubernetes namespaces that serve a Pulsar namespace: more than
	// one where their claims contradict each other.
	Serving(pulsar tenancy.PulsarNamespace) []string
	// Kubernetes returns all that serve something.
	Kubernetes() []string
	// Installation returns the identity of this Kubernetes cluster among others.
	Installation() string
}

var _ places = (*tenancy.Index)(nil)

// serving returns the Kubernetes namespaces that serve a Pulsar namespace. What isn't in
// one of them isn't there for Pulsar's clients, whatever it says that it is.
//
// Where there is none, nobody has rights that could be asked about, so that whoever the
// API server knows hears it.
func (l *lookup) serving(ctx context.Context, tenant, namespace string) ([]string, error) {
	if !l.places.HasSynced() {
		return nil, errorf(http.StatusServiceUnavailable, reasonUnavailable)
	}
	serving := l.places.Serving(tenancy.PulsarNamespace{Tenant: tenant, Namespace: namespace})
	if len(serving) == 0 {
		return nil, l.prove(ctx)
	}
	return serving, nil
}

// inPlaces returns what find finds first in the Kubernetes namespaces that serve a
// Pulsar namespace, or nil. Where there are several, their claims contradict each other,
// which takes nothing from whoever has rights in one of them.
func (l *lookup) inPlaces(ctx context.Context, tenant, namespace string, find func(place string) (v1alpha1.Component, error)) (v1alpha1.Component, error) {
	serving, err := l.serving(ctx, tenant, namespace)
	if err != nil {
		return nil, err
	}
	var found v1alpha1.Component
	err = inAny(serving, func(place string) error {
		var err error
		if found == nil {
			found, err = find(place)
		}
		return err
	})
	if found != nil {
		return found, nil
	}
	return nil, err
}

// inAny calls visit with Kubernetes namespaces. Those where the caller may not do what it
// does are passed over, unless there are no others.
func inAny(places []string, visit func(place string) error) error {
	var forbidden error
	visited := false
	for _, place := range places {
		switch err := visit(place); {
		case apierrors.IsForbidden(err):
			forbidden = err
		case err != nil:
			return err
		default:
			visited = true
		}
	}
	if !visited {
		return forbidden
	}
	return nil
}

// placeOf returns the Kubernetes namespace that a new component goes to.
func (l *lookup) placeOf(ctx context.Context, name identity.Name) (string, error) {
	serving, err := l.serving(ctx, name.Tenant, name.Namespace)
	switch {
	case err != nil:
		return "", err
	case len(serving) == 0:
		return "", errorf(http.StatusBadRequest, "No Kubernetes namespace serves Pulsar namespace %s/%s", name.Tenant, name.Namespace)
	case len(serving) > 1:
		return "", errorf(http.StatusBadRequest, "Pulsar namespace %s/%s is claimed by more than one Kubernetes namespace: nothing can be created in it until that is resolved.", name.Tenant, name.Namespace)
	}
	return serving[0], nil
}

// everywhere is inAny of all Kubernetes namespaces that serve something.
func (l *lookup) everywhere(visit func(place string) error) error {
	if !l.places.HasSynced() {
		return errorf(http.StatusServiceUnavailable, reasonUnavailable)
	}
	return inAny(l.places.Kubernetes(), visit)
}
