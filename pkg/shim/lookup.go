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
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

const (
	listPageSize = 500
	// defaultMaxListed bounds a list.
	defaultMaxListed = 50_000
	// maxConnectorPages bounds the catalogue.
	maxConnectorPages = 100
	// maxDuplicates bounds how many objects with one identity are looked at.
	maxDuplicates = 10
)

// lookup finds objects by their Pulsar identity, always with the rights of the
// caller in the context. The kinds share one name space.
type lookup struct {
	kinds []*kind
	// places knows which Kubernetes namespace serves which Pulsar namespace.
	places places
	// prove returns an error when the API server doesn't take the credential of the
	// caller in the context. It is asked where there is nothing else to ask for.
	prove func(context.Context) error
	// index is nil where the shim has no account of its own.
	index *index
	// maxListed bounds the objects of a Kubernetes namespace that are read for a list.
	maxListed int
}

// find returns the object of a kind that is the component, or nil when there is none
// that the caller's rights reach. It asks in turn for the name that the shim gives
// objects, for the names that the index has, and for the label of the identity.
func (l *lookup) find(ctx context.Context, kind *kind, name identity.Name) (v1alpha1.Component, error) {
	accept := func(object v1alpha1.Component) bool { return isComponent(object, name) }
	object, err := l.search(ctx, kind, name, accept)
	if object != nil || err != nil {
		return object, err
	}
	return l.searchLabelled(ctx, kind, name, accept)
}

// findAny is find, and looks at the other kinds as well where there is none of the first,
// or the caller may not read that. Where there is nothing, what counts is that not all was
// seen.
func (l *lookup) findAny(ctx context.Context, first *kind, name identity.Name) (v1alpha1.Component, error) {
	object, err := l.find(ctx, first, name)
	if forbidden := err; object == nil && (err == nil || apierrors.IsForbidden(err)) {
		// It is the names of tools' own that only the labels tell at once.
		object, err = l.ofOthers(first, func(other *kind) (v1alpha1.Component, error) { return l.find(ctx, other, name) })
		if object == nil && err == nil {
			err = forbidden
		}
	}
	return object, err
}

// findOther tells whether the name is that of a component of another kind. It doesn't
// look at labels, since an answer that is wrong for a moment does no harm: the API
// server decides in the end whether a name is free.
func (l *lookup) findOther(ctx context.Context, than *kind, name identity.Name) (bool, error) {
	object, err := l.searchOther(ctx, than, name, func(object v1alpha1.Component) bool { return isComponent(object, name) })
	return object != nil, err
}

// occupant returns the object that keeps a component of a kind from being created, or
// nil: one of any kind with its identity, or one with the name that its object would
// get. It may be one that is being deleted.
func (l *lookup) occupant(ctx context.Context, kind *kind, name identity.Name) (v1alpha1.Component, error) {
	accept := func(object v1alpha1.Component) bool { return identityOf(object) == name }
	object, err := l.search(ctx, kind, name, func(object v1alpha1.Component) bool {
		return accept(object) || object.GetName() == name.ObjectName()
	})
	if object == nil && err == nil {
		object, err = l.searchLabelled(ctx, kind, name, accept)
	}
	if object == nil && err == nil {
		object, err = l.searchOther(ctx, kind, name, accept)
	}
	return object, err
}

// searchOther is search over the other kinds.
func (l *lookup) searchOther(ctx context.Context, than *kind, name identity.Name, accept func(v1alpha1.Component) bool) (v1alpha1.Component, error) {
	return l.ofOthers(than, func(other *kind) (v1alpha1.Component, error) { return l.search(ctx, other, name, accept) })
}

// ofOthers returns the first object that is found of the other kinds. Those that the
// caller has no right to read are passed over.
func (l *lookup) ofOthers(than *kind, find func(*kind) (v1alpha1.Component, error)) (v1alpha1.Component, error) {
	for _, kind := range l.kinds {
		if kind == than {
			continue
		}
		object, err := find(kind)
		switch {
		case apierrors.IsForbidden(err):
		case object != nil || err != nil:
			return object, err
		}
	}
	return nil, nil
}

// search returns the first object of a kind, of those that may have the identity, that
// is what is looked for, or nil.
func (l *lookup) search(ctx context.Context, kind *kind, name identity.Name, accept func(v1alpha1.Component) bool) (v1alpha1.Component, error) {
	return l.inPlaces(ctx, name.Tenant, name.Namespace, func(place string) (v1alpha1.Component, error) {
		return l.searchIn(ctx, kind, place, name, accept)
	})
}

// searchIn is search in one Kubernetes namespace.
func (l *lookup) searchIn(ctx context.Context, kind *kind, place string, name identity.Name,
	accept func(v1alpha1.Component) bool) (v1alpha1.Component, error) {
	candidates := []string{name.ObjectName()}
	if l.index != nil {
		for _, known := range l.index.objectNames(kind.ComponentKind, place, name) {
			if len(candidates) <= maxDuplicates && known != candidates[0] {
				candidates = append(candidates, known)
			}
		}
	}
	for _, candidate := range candidates {
		object, err := kind.in(place).get(ctx, candidate)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			return nil, err
		case accept(object):
			return object, nil
		}
	}
	return nil, nil
}

// searchLabelled catches what was created a moment ago under a name that the index
// doesn't have yet. A caller who may not list still has the other two ways.
func (l *lookup) searchLabelled(ctx context.Context, kind *kind, name identity.Name, accept func(v1alpha1.Component) bool) (v1alpha1.Component, error) {
	return l.inPlaces(ctx, name.Tenant, name.Namespace, func(place string) (v1alpha1.Component, error) {
		return searchLabelledIn(ctx, kind, place, name, accept)
	})
}

// searchLabelledIn is searchLabelled in one Kubernetes namespace.
func searchLabelledIn(ctx context.Context, kind *kind, place string, name identity.Name,
	accept func(v1alpha1.Component) bool) (v1alpha1.Component, error) {
	page, _, err := kind.in(place).list(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{identity.LabelIdentity: name.Label()}.String(),
		Limit:         maxDuplicates,
	})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(page, func(object v1alpha1.Component) bool { return !accept(object) })
	if len(found) == 0 {
		return nil, nil
	}
	return slices.MinFunc(found, func(a, b v1alpha1.Component) int { return byAge(a, b) }), nil
}

// kindOf returns the kind with a type, which must be that of one.
func (l *lookup) kindOf(componentType string) *kind {
	return l.kinds[slices.IndexFunc(l.kinds, func(kind *kind) bool { return kind.Type == componentType })]
}

// waitGone waits until an object doesn't exist any more, and tells whether that came
// to be before the context ended.
func (l *lookup) waitGone(ctx context.Context, object v1alpha1.Component) bool {
	kind := l.kindOf(object.ComponentKind().Type)
	backoff := wait.Backoff{Duration: 50 * time.Millisecond, Factor: 1.5, Jitter: 0.2, Steps: 8}
	for {
		current, err := kind.in(object.GetNamespace()).get(ctx, object.GetName())
		switch {
		case apierrors.IsNotFound(err):
			return true
		case err != nil:
			return false
		case current.GetUID() != object.GetUID():
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

// names returns the sorted names of the components of a kind in a Pulsar namespace.
func (l *lookup) names(ctx context.Context, kind *kind, tenant, namespace string) ([]string, error) {
	names := []string{}
	collect := func(object v1alpha1.Component) {
		name := identity.Name{Tenant: tenant, Namespace: namespace, Name: object.Common().Name}
		if isComponent(object, name) {
			names = append(names, name.Name)
		}
	}
	serving, err := l.serving(ctx, tenant, namespace)
	if err != nil {
		return nil, err
	}
	err = inAny(serving, func(place string) error {
		before := len(names)
		return l.each(ctx, kind, place, collect, func() { names = names[:before] })
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// each calls collect with every object of a kind in a Kubernetes namespace, and calls
// again first where it has to begin anew.
func (l *lookup) each(ctx context.Context, kind *kind, place string, collect func(v1alpha1.Component), again func()) error {
	options := metav1.ListOptions{Limit: listPageSize}
	for listed := 0; listed < l.maxListed; {
		page, next, err := kind.in(place).list(ctx, options)
		if apierrors.IsResourceExpired(err) && options.Continue != "" {
			// The pages took longer than the server keeps a version. A list without
			// limit doesn't depend on it.
			again()
			options, listed = metav1.ListOptions{}, 0
			continue
		}
		if err != nil {
			return err
		}
		for _, object := range page {
			collect(object)
		}
		// An empty page is a step as well.
		listed += max(len(page), 1)
		if options.Continue = next; next == "" {
			return nil
		}
	}
	return errorf(http.StatusRequestEntityTooLarge, "There are more than %d %ss in the Kubernetes namespace", l.maxListed, kind.Type)
}

// unrouted are the reasons why an object that isn't accepted is nothing to Pulsar's
// clients: another one has its identity, or its namespace doesn't serve it.
var unrouted = []string{status.ReasonDuplicateIdentity, status.ReasonNotServed}

// isComponent tells whether an object is the component of that name for Pulsar's
// clients. One that can't be translated has no config that could be shown. One that
// is being deleted is gone for Pulsar, which deletes at once, though a finalizer
// may keep the object for a while.
func isComponent(object v1alpha1.Component, name identity.Name) bool {
	if identityOf(object) != name || object.GetDeletionTimestamp() != nil {
		return false
	}
	conditions := object.ObservedStatus().Conditions
	accepted := meta.FindStatusCondition(conditions, v1alpha1.ConditionAccepted)
	refused := accepted != nil && accepted.Status == metav1.ConditionFalse && slices.Contains(unrouted, accepted.Reason)
	return !refused && !meta.IsStatusConditionFalse(conditions, v1alpha1.ConditionTranslated)
}
