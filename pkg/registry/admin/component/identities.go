package component

import (
	"context"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/privilege"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// listPageSize bounds what is read at once while a new component's identity is looked
// for.
const listPageSize = 500

// Identities finds out which identities in Pulsar are taken. Pulsar has one
// namespace of names for all kinds, so each kind that is served is part of it.
type Identities struct {
	kinds []lister
}

// lister lists the objects of one kind in the namespace of a context.
type lister interface {
	List(ctx context.Context, options *metainternalversion.ListOptions) (runtime.Object, error)
}

// add makes the objects of a kind count. It isn't called any more when requests are
// served.
func (i *Identities) add(kind lister) { i.kinds = append(i.kinds, kind) }

// find returns an object of any kind with the Pulsar identity of component, or nil.
// Objects that this server made carry the identity in a label; the others, made by
// hand or by the Java worker, don't, and are all looked at.
func (i *Identities) find(ctx context.Context, component v1alpha1.Component) (v1alpha1.Component, error) {
	id := identityOf(component)
	unlabelled, err := labels.NewRequirement(identity.LabelIdentity, selection.DoesNotExist, nil)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	selectors := []labels.Selector{
		labels.SelectorFromSet(labels.Set{identity.LabelIdentity: id.Label()}),
		labels.NewSelector().Add(*unlabelled),
	}
	// That one of the definitions is missing is not what the caller asked about.
	ctx = warning.WithWarningRecorder(ctx, silent{})
	found := make([]v1alpha1.Component, len(i.kinds)*len(selectors))
	searches, ctx := errgroup.WithContext(ctx)
	for k, kind := range i.kinds {
		for s, selector := range selectors {
			searches.Go(func() error {
				var err error
				found[k*len(selectors)+s], err = findIn(ctx, kind, selector, id)
				return err
			})
		}
	}
	if err := searches.Wait(); err != nil {
		return nil, err
	}
	var taken v1alpha1.Component
	for _, existing := range found {
		switch {
		case existing == nil:
		case sameObject(existing, component):
			// What the backend will say of its own; another object says more.
			if taken == nil {
				taken = existing
			}
		default:
			return existing, nil
		}
	}
	return taken, nil
}

// findIn looks through the objects of one kind that a selector selects.
func findIn(ctx context.Context, kind lister, selector labels.Selector, id identity.Name) (v1alpha1.Component, error) {
	options := &metainternalversion.ListOptions{LabelSelector: selector, Limit: listPageSize}
	for {
		page, err := kind.List(ctx, options)
		if err != nil {
			return nil, err
		}
		var found v1alpha1.Component
		err = meta.EachListItem(page, func(item runtime.Object) error {
			if existing, ok := item.(v1alpha1.Component); ok && found == nil && identityOf(existing) == id {
				found = existing
			}
			return nil
		})
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if found != nil {
			return found, nil
		}
		list, err := meta.ListAccessor(page)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if list.GetContinue() == "" {
			return nil, nil
		}
		options.Continue = list.GetContinue()
	}
}

// silent drops warnings.
type silent struct{}

// AddWarning implements warning.Recorder.
func (silent) AddWarning(_, _ string) {}

func identityOf(component v1alpha1.Component) identity.Name {
	spec := component.Common()
	return identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}
}

// sameObject tells whether two objects of a namespace have the same place.
func sameObject(a, b v1alpha1.Component) bool {
	return a.ComponentKind() == b.ComponentKind() && a.GetName() == b.GetName()
}

// alreadyExists is the refusal of a second object of one Pulsar identity. That there is
// one is all that is said to a caller who may not read it.
func (c *checks) alreadyExists(ctx context.Context, component, existing v1alpha1.Component) error {
	spec, is := component.Common(), existing.ComponentKind()
	name := spec.Tenant + "/" + spec.Namespace + "/" + spec.Name
	err := apierrors.NewAlreadyExists(v1alpha1.Resource(component.ComponentKind().Resource), component.GetName())
	err.ErrStatus.Message = "the name " + name + " is taken in Pulsar"
	read := privilege.Right{Verb: "get", Group: v1alpha1.GroupName, Resource: is.Resource, Name: existing.GetName()}
	missing, failed := privilege.Check(ctx, c.config.Authorizer, genericapirequest.NamespaceValue(ctx), []privilege.Right{read})
	if failed != nil {
		klog.FromContext(ctx).Error(failed, "Could not authorize naming the component that has an identity", "resource", is.Resource)
	} else if missing == nil {
		err.ErrStatus.Message = "Pulsar " + is.Type + " " + name + " already exists as " + is.Kind + " " + existing.GetName()
	}
	return view.WithPulsarReason(err, alreadyExistsReason(component))
}

// alreadyExistsReason is Pulsar's text for it, which is about the kind that was asked
// for.
func alreadyExistsReason(component v1alpha1.Component) string {
	return component.ComponentKind().Title + " " + component.Common().Name + " already exists"
}
