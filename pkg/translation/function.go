package translation

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// FunctionTranslator translates between PulsarFunctions and Functions.
type FunctionTranslator struct {
	config *configv1alpha1.FunctionMeshAPIServerConfiguration
}

// NewFunctionTranslator returns a translator that knows the clusters, images,
// directory and resources of config, which must be complete. It doesn't change
// config.
func NewFunctionTranslator(config *configv1alpha1.FunctionMeshAPIServerConfiguration) *FunctionTranslator {
	return &FunctionTranslator{config: config}
}

// ToCR returns the part of a Function that a view determines. What an update
// doesn't change in the view is the same in the results for the old and the new
// view, so that their difference is what has to be written. view isn't changed;
// what it leaves out of what each Function must have is filled in.
//
// An error means a view that validation should have refused.
func (t *FunctionTranslator) ToCR(view *adminv1alpha1.PulsarFunction) (*computev1alpha1.Function, error) {
	view = view.DeepCopy()
	adminv1alpha1.SetIdentityDefaults(&view.Spec.ComponentSpec, view.Name)
	t.setDefaults(view)
	meta, err := MetaToCR(view.ObjectMeta)
	if err != nil {
		return nil, err
	}
	name := identity.Name{Tenant: view.Spec.Tenant, Namespace: view.Spec.Namespace, Name: view.Spec.Name}
	setKey(&meta.Labels, identity.LabelIdentity, name.Label())
	kept, err := encodeKeptFields(view)
	if err != nil {
		return nil, err
	}
	if kept != "" {
		setKey(&meta.Annotations, KeptFieldsAnnotation, kept)
	}
	spec, err := t.specToCR(&view.Spec)
	if err != nil {
		return nil, err
	}
	return &computev1alpha1.Function{
		TypeMeta: metav1.TypeMeta{
			APIVersion: computev1alpha1.SchemeGroupVersion.String(),
			Kind:       computev1alpha1.FunctionKind,
		},
		ObjectMeta: meta,
		Spec:       *spec,
	}, nil
}

// Complete adds to a new Function what views don't say and updates leave alone:
// the image, minReplicas and, where the author asked for none, resources.
func (t *FunctionTranslator) Complete(cr *computev1alpha1.Function) {
	spec := &cr.Spec
	if spec.Image == "" {
		spec.Image = t.image(spec)
	}
	if spec.MinReplicas == nil {
		minReplicas := adminv1alpha1.DefaultParallelism
		spec.MinReplicas = &minReplicas
	}
	if spec.Resources == nil {
		spec.Resources = &computev1alpha1.Resources{}
	}
	t.completeResources(&spec.Resources.Requests, &spec.Resources.Limits)
}

// FromCR returns the view of a Function: its effective values, the operator's
// defaults where the Function is silent. An error means that the Function can't be
// shown; its text says why and is fit for users.
func (t *FunctionTranslator) FromCR(cr *computev1alpha1.Function) (*adminv1alpha1.PulsarFunction, error) {
	view := &adminv1alpha1.PulsarFunction{
		TypeMeta:   functionViewType(),
		ObjectMeta: MetaFromCR(cr.ObjectMeta),
	}
	if err := t.specFromCR(cr, &view.Spec); err != nil {
		return nil, err
	}
	if err := decodeKeptFields(cr.Annotations[KeptFieldsAnnotation], view); err != nil {
		return nil, err
	}
	adminv1alpha1.SetIdentityDefaults(&view.Spec.ComponentSpec, view.Name)
	adminv1alpha1.SetDefaults_PulsarFunction(view)
	view.Status = componentStatus(&cr.ObjectMeta, cr.Status, &view.Spec.ComponentSpec)
	return view, nil
}

// Untranslatable returns the view of a Function that FromCR refused with cause: its
// metadata, and a condition that says why there is no more.
func (t *FunctionTranslator) Untranslatable(meta metav1.ObjectMeta, cause error) *adminv1alpha1.PulsarFunction {
	if cause == nil {
		cause = errors.New("unknown")
	}
	view := &adminv1alpha1.PulsarFunction{
		TypeMeta:   functionViewType(),
		ObjectMeta: MetaFromCR(meta),
	}
	view.Status.Phase = PhaseNotTranslatable
	if meta.DeletionTimestamp != nil {
		view.Status.Phase = PhaseTerminating
	}
	view.Status.Conditions = []metav1.Condition{{
		Type:               adminv1alpha1.ConditionTranslated,
		Status:             metav1.ConditionFalse,
		ObservedGeneration: meta.Generation,
		LastTransitionTime: meta.CreationTimestamp,
		Reason:             ReasonNotTranslatable,
		Message:            fmt.Sprintf("The Function behind this object can't be shown: %v.", cause),
	}}
	return view
}

// MetaToCR returns the metadata of the Function behind a view: of one that can't be
// shown, it is all that can be written.
func (t *FunctionTranslator) MetaToCR(view *adminv1alpha1.PulsarFunction) (metav1.ObjectMeta, error) {
	return MetaToCR(view.ObjectMeta)
}

// Containers returns the paths of the maps in a Function that only give structure:
// absent and empty mean the same. Inner ones come first.
func (t *FunctionTranslator) Containers() [][]string {
	return [][]string{
		{"metadata", "labels"},
		{"metadata", "annotations"},
		{"spec", "output", "producerConf"},
		{"spec", "input"},
		{"spec", "output"},
		{"spec", "pulsar"},
		{"spec", "resources"},
		{"spec", "java", "log"},
		{"spec", "python", "log"},
		{"spec", "golang", "log"},
	}
}

// SelectorToCR returns a selector that selects the Functions of the views that
// selector selects.
func (t *FunctionTranslator) SelectorToCR(selector labels.Selector) labels.Selector {
	return SelectorToCR(selector)
}

func functionViewType() metav1.TypeMeta {
	return metav1.TypeMeta{
		APIVersion: adminv1alpha1.SchemeGroupVersion.String(),
		Kind:       "PulsarFunction",
	}
}
