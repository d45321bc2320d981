package translation

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	kjson "sigs.k8s.io/json"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// crPointer is a pointer to a custom resource's type.
type crPointer[CR any] interface {
	*CR
	computev1alpha1.Component
}

// Translator translates between a kind of view and the kind of custom resource
// behind it. The methods are what the kinds have in common; a kind has the rest.
type Translator[CR any, P crPointer[CR], View adminv1alpha1.Component] struct {
	config    *configv1alpha1.FunctionMeshAPIServerConfiguration
	catalogue *connectors.Catalogue
	kind      kind[P, View]
}

// kind is what a kind has of its own.
type kind[P computev1alpha1.Component, View adminv1alpha1.Component] struct {
	names adminv1alpha1.ComponentKind
	// resourceKind is the kind of the custom resource.
	resourceKind string
	newView      func() View
	// setDefaults fills in what views of the kind never leave out.
	setDefaults func(View)
	// toCR writes what only this kind has, of a defaulted view.
	toCR func(View, P) error
	// fromCR is the inverse of toCR. What all kinds have is already in the view.
	fromCR func(P, View) error
	// paths and containers are the kind's own: see ViewPath and Containers.
	paths      []pathPair
	containers []delta.Container
}

// ToCR returns the part of a custom resource that a view determines. What an update
// doesn't change in the view is the same in the results for the old and the new
// view, so that their difference is what has to be written. view isn't changed;
// what it leaves out of what each resource must have is filled in.
//
// An error means a view that validation should have refused.
func (t *Translator[CR, P, View]) ToCR(view View) (*CR, error) {
	view = view.DeepCopyObject().(View)
	spec := view.Common()
	adminv1alpha1.SetIdentityDefaults(spec, view.GetName())
	t.setDefaults(view)
	meta, err := MetaToCR(*metaOf(view))
	if err != nil {
		return nil, err
	}
	name := identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}
	setKey(&meta.Labels, identity.LabelIdentity, name.Label())
	if err := t.keptToCR(view, &meta); err != nil {
		return nil, err
	}
	if err := bindingToCR(spec.Auth, &meta); err != nil {
		return nil, err
	}
	if err := changeToCR(spec.Change, &meta); err != nil {
		return nil, err
	}
	cr := new(CR)
	resource := P(cr)
	resource.GetObjectKind().SetGroupVersionKind(computev1alpha1.SchemeGroupVersion.WithKind(t.kind.resourceKind))
	*metaOf(resource) = meta
	if err := t.commonToCR(view, resource); err != nil {
		return nil, err
	}
	if input := view.Input(); input != nil {
		if err := consumeToCR(input, resource.Consume()); err != nil {
			return nil, err
		}
	}
	if output := view.Output(); output != nil {
		produceToCR(output, resource.Produce())
	}
	if err := t.kind.toCR(view, resource); err != nil {
		return nil, err
	}
	if err := t.packageToCR(view, resource); err != nil {
		return nil, err
	}
	return cr, nil
}

// Complete adds to a new custom resource what views don't say and updates leave
// alone: resources, where the author asked for none.
func (t *Translator[CR, P, View]) Complete(cr *CR) {
	spec := P(cr).Common()
	if spec.Resources == nil {
		spec.Resources = &computev1alpha1.Resources{}
	}
	t.completeResources(&spec.Resources.Requests, &spec.Resources.Limits)
}

// FromCR returns the view of a custom resource: its effective values, the operator's
// defaults where the resource is silent. Kept fields that can't be read, since another
// version of the server wrote them, are absent and reported in a condition. An error means that the resource can't be
// shown; its text says why and is fit for users.
func (t *Translator[CR, P, View]) FromCR(cr *CR) (View, error) {
	resource := P(cr)
	view := t.shell(*metaOf(resource))
	var none View
	if err := t.commonFromCR(resource, view.Common()); err != nil {
		return none, err
	}
	bindingFromCR(resource.GetAnnotations(), view.Common().Auth)
	if input := view.Input(); input != nil {
		if err := consumeFromCR(resource.Consume(), input); err != nil {
			return none, err
		}
	}
	if output := view.Output(); output != nil {
		produceFromCR(resource.Produce(), output)
	}
	if err := t.kind.fromCR(resource, view); err != nil {
		return none, err
	}
	if err := t.packageFromCR(resource, view); err != nil {
		return none, err
	}
	adminv1alpha1.SetIdentityDefaults(view.Common(), view.GetName())
	t.kind.setDefaults(view)
	kept, unread := decodeKeptFields(resource.GetAnnotations()[KeptFieldsAnnotation])
	if err := t.keptFromCR(kept, resource, view); err != nil {
		return none, err
	}
	*view.ObservedStatus() = componentStatus(metaOf(resource), resource.Observed(), view.Common())
	if unread != nil {
		reportUnreadKeptFields(view, unread)
	}
	return view, nil
}

// FromJSON is FromCR of what a custom resource is as JSON, for those to whom all kinds are
// one.
func (t *Translator[CR, P, View]) FromJSON(data []byte) (adminv1alpha1.Component, error) {
	cr := new(CR)
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, cr); err != nil {
		return nil, fmt.Errorf("could not read a custom resource: %w", err)
	}
	return t.FromCR(cr)
}

// Untranslatable returns the view of a custom resource that FromCR refused with
// cause: its metadata, and a condition that says why there is no more.
func (t *Translator[CR, P, View]) Untranslatable(meta metav1.ObjectMeta, cause error) View {
	if cause == nil {
		cause = errors.New("unknown")
	}
	view := t.shell(meta)
	status := view.ObservedStatus()
	status.Phase = PhaseNotTranslatable
	if meta.DeletionTimestamp != nil {
		status.Phase = PhaseTerminating
	}
	status.Conditions = []metav1.Condition{{
		Type:               adminv1alpha1.ConditionTranslated,
		Status:             metav1.ConditionFalse,
		ObservedGeneration: meta.Generation,
		LastTransitionTime: meta.CreationTimestamp,
		Reason:             ReasonNotTranslatable,
		Message:            fmt.Sprintf("The %s behind this object can't be shown: %v.", t.kind.resourceKind, cause),
	}}
	return view
}

// MetaToCR returns the metadata of the custom resource behind a view: of one that
// can't be shown, it is all that can be written.
func (t *Translator[CR, P, View]) MetaToCR(view View) (metav1.ObjectMeta, error) {
	return MetaToCR(*metaOf(view))
}

// SelectorToCR returns a selector that selects the custom resources of the views
// that selector selects.
func (t *Translator[CR, P, View]) SelectorToCR(selector labels.Selector) labels.Selector {
	return SelectorToCR(selector)
}

// shell returns a view of which only the metadata is known.
func (t *Translator[CR, P, View]) shell(meta metav1.ObjectMeta) View {
	view := t.kind.newView()
	view.GetObjectKind().SetGroupVersionKind(adminv1alpha1.SchemeGroupVersion.WithKind(t.kind.names.Kind))
	*metaOf(view) = MetaFromCR(meta)
	return view
}
