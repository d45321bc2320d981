package tenancy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ErrNotReady says that the claims aren't known yet.
var ErrNotReady = errors.New("it is not known yet which Pulsar namespaces this Kubernetes namespace serves")

// RefusedError says why nothing of a Pulsar namespace can be created in a Kubernetes
// namespace.
type RefusedError struct{ reason string }

// Error implements error.
func (e *RefusedError) Error() string { return e.reason }

// Namespaces gets Namespaces from where they are kept.
type Namespaces func(ctx context.Context, name string) (metav1.Object, error)

// Enforcer says what may be created where. Where the index may be late, for a
// namespace that it doesn't know or would refuse, it asks for that Namespace anew, so
// that what is created right after its Namespace isn't refused.
type Enforcer struct {
	index *Index
	get   Namespaces
}

// NewEnforcer returns an enforcer.
func NewEnforcer(index *Index, get Namespaces) *Enforcer { return &Enforcer{index: index, get: get} }

// Default returns the one Pulsar namespace that a Kubernetes namespace serves, and
// false where that isn't one.
func (e *Enforcer) Default(ctx context.Context, kubernetes string) (PulsarNamespace, bool) {
	namespace := e.index.namespace(kubernetes)
	if namespace == nil {
		var err error
		if namespace, err = e.get(ctx, kubernetes); err != nil {
			return PulsarNamespace{}, false
		}
	}
	claims := claimsOf(namespace)
	if len(claims) != 1 || claims[0].Namespace == wildcard {
		return PulsarNamespace{}, false
	}
	return claims[0], true
}

// Check returns nil where something of a Pulsar namespace may be created in a
// Kubernetes namespace. An error is a *RefusedError, or one of finding that out.
func (e *Enforcer) Check(ctx context.Context, kubernetes string, pulsar PulsarNamespace) error {
	if !e.index.HasSynced() {
		return ErrNotReady
	}
	serving := e.index.Serving(pulsar)
	if !contains(serving, kubernetes) {
		namespace, err := e.get(ctx, kubernetes)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("could not find out which Pulsar namespaces Kubernetes namespace %s serves: %w", kubernetes, err)
		default:
			serving = e.servingWith(namespace, pulsar)
		}
	}
	switch {
	case !contains(serving, kubernetes):
		return &RefusedError{reason: notServed(kubernetes, pulsar)}
	case len(serving) > 1:
		return &RefusedError{reason: fmt.Sprintf("Pulsar namespace %s is claimed by more than one Kubernetes namespace: nothing can be created in it until that is resolved.", pulsar)}
	}
	return nil
}

// servingWith is Index.Serving with the claims of one Namespace as they are now.
func (e *Enforcer) servingWith(namespace metav1.Object, pulsar PulsarNamespace) []string {
	claims, name := claimsOf(namespace), namespace.GetName()
	return e.index.serving(pulsar, func(claim PulsarNamespace) []string {
		known := slices.DeleteFunc(e.index.claimants(claim), func(other string) bool { return other == name })
		if slices.Contains(claims, claim) {
			known = append(known, name)
		}
		return known
	})
}

// Serves tells whether a Kubernetes namespace serves a Pulsar namespace, alone or in
// contradiction to others. An error is that of finding out.
func (e *Enforcer) Serves(ctx context.Context, kubernetes string, pulsar PulsarNamespace) (bool, error) {
	err := e.Check(ctx, kubernetes, pulsar)
	var refused *RefusedError
	if errors.As(err, &refused) {
		return e.index.NotServed(kubernetes, pulsar) == "", nil
	}
	return err == nil, err
}

// ClaimedElsewhere tells whether another Kubernetes namespace has a claim of which is true
// what is asked.
func (e *Enforcer) ClaimedElsewhere(kubernetes string, is func(claim PulsarNamespace) bool) bool {
	for _, key := range e.index.informer.GetIndexer().ListIndexFuncValues(byClaim) {
		tenant, namespace, _ := strings.Cut(key, "/")
		claim := PulsarNamespace{Tenant: tenant, Namespace: namespace}
		if is(claim) && slices.ContainsFunc(e.index.claimants(claim), func(name string) bool { return name != kubernetes }) {
			return true
		}
	}
	return false
}
