package shim

import (
	"context"
	"net/http"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	listPageSize = 500
	// maxListPages bounds a list: 50,000 objects.
	maxListPages = 100
	// maxDuplicates bounds how many objects with one identity are looked at.
	maxDuplicates = 10
)

// lookup finds objects by their Pulsar identity, always with the rights of the
// caller in the context.
type lookup struct {
	client adminclient.PulsarFunctionInterface
	// index is nil where the shim has no account of its own.
	index *index
}

// find returns the object that is the function, or nil when there is none that the
// caller's rights reach. It asks in turn for the name that the shim gives objects,
// for the names that the index has, and for the label of the identity.
func (l *lookup) find(ctx context.Context, name identity.Name) (*v1alpha1.PulsarFunction, error) {
	return l.search(ctx, name, func(object *v1alpha1.PulsarFunction) bool { return isFunction(object, name) })
}

// occupant returns the object that keeps the function from being created, or nil: one
// with its identity or with the name that its object would get. It may be one that is
// being deleted.
func (l *lookup) occupant(ctx context.Context, name identity.Name) (*v1alpha1.PulsarFunction, error) {
	return l.search(ctx, name, func(object *v1alpha1.PulsarFunction) bool {
		return identityOf(object) == name || object.Name == name.ObjectName()
	})
}

// search returns the first object, of those that may be the function, that is what is
// looked for, or nil.
func (l *lookup) search(ctx context.Context, name identity.Name, accept func(*v1alpha1.PulsarFunction) bool) (*v1alpha1.PulsarFunction, error) {
	candidates := []string{name.ObjectName()}
	if l.index != nil {
		for _, known := range l.index.objectNames(name) {
			if len(candidates) <= maxDuplicates && known != candidates[0] {
				candidates = append(candidates, known)
			}
		}
	}
	for _, candidate := range candidates {
		function, err := l.client.Get(ctx, candidate, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, err
		case accept(function):
			return function, nil
		}
	}
	return l.searchLabelled(ctx, name, accept)
}

// searchLabelled catches what was created a moment ago under a name that the index
// doesn't have yet. A caller who may not list still has the other two ways.
func (l *lookup) searchLabelled(ctx context.Context, name identity.Name, accept func(*v1alpha1.PulsarFunction) bool) (*v1alpha1.PulsarFunction, error) {
	list, err := l.client.List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{identity.LabelIdentity: name.Label()}.String(),
		Limit:         maxDuplicates,
	})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []*v1alpha1.PulsarFunction
	for i := range list.Items {
		if function := &list.Items[i]; accept(function) {
			found = append(found, function)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return slices.MinFunc(found, byAge), nil
}

// waitGone waits until an object doesn't exist any more, and tells whether that came
// to be before the context ended.
func (l *lookup) waitGone(ctx context.Context, object *v1alpha1.PulsarFunction) bool {
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 8}
	for {
		current, err := l.client.Get(ctx, object.Name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return true
		case err != nil:
			return false
		case current.UID != object.UID:
			return true
		}
		if sleep(ctx, backoff.Step()) != nil {
			return false
		}
	}
}

func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// names returns the sorted names of the functions in a Pulsar namespace.
func (l *lookup) names(ctx context.Context, tenant, namespace string) ([]string, error) {
	names := []string{}
	options := metav1.ListOptions{Limit: listPageSize}
	for range maxListPages {
		list, err := l.client.List(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			// The pages took longer than the server keeps a version. A list without
			// limit doesn't depend on it.
			names, options = names[:0], metav1.ListOptions{}
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			function := &list.Items[i]
			name := identity.Name{Tenant: tenant, Namespace: namespace, Name: function.Spec.Name}
			if isFunction(function, name) {
				names = append(names, name.Name)
			}
		}
		if options.Continue = list.Continue; options.Continue == "" {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
	return nil, errorf(http.StatusInternalServerError,
		"There are more than %d functions in the Kubernetes namespace", maxListPages*listPageSize)
}

// isFunction tells whether an object is the function of that name for Pulsar's
// clients. One that can't be translated has no config that could be shown. One that
// is being deleted is gone for Pulsar, which deletes at once, though a finalizer
// may keep the object for a while.
func isFunction(object *v1alpha1.PulsarFunction, name identity.Name) bool {
	return identityOf(object) == name && object.DeletionTimestamp == nil &&
		!meta.IsStatusConditionFalse(object.Status.Conditions, v1alpha1.ConditionTranslated)
}
