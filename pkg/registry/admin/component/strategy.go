package component

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// strategy says how components are created and changed.
type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator

	scheme     *runtime.Scheme
	defaults   defaults
	validation validation.Options
	tenancy    Tenancy
	resolved   sets.Set[string]
}

var (
	_ rest.RESTCreateStrategy              = strategy{}
	_ rest.RESTUpdateStrategy              = strategy{}
	_ rest.RESTDeleteStrategy              = strategy{}
	_ rest.ResetFieldsStrategy             = strategy{}
	_ rest.GarbageCollectionDeleteStrategy = strategy{}
)

func newStrategy(config Config, defaults defaults) strategy {
	return strategy{
		ObjectTyper:   config.Scheme,
		NameGenerator: names.SimpleNameGenerator,
		scheme:        config.Scheme,
		defaults:      defaults,
		validation:    config.Validation,
		tenancy:       config.Tenancy,
		resolved:      config.Resolved,
	}
}

func (strategy) NamespaceScoped() bool { return true }

// GetResetFields implements rest.ResetFieldsStrategy: nobody owns fields of the
// status, since it is observed.
func (strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return map[fieldpath.APIVersion]*fieldpath.Set{
		fieldpath.APIVersion(v1alpha1.SchemeGroupVersion.String()): fieldpath.NewSet(fieldpath.MakePathOrDie("status")),
	}
}

// PrepareForCreate fills in what depends on the server's configuration and on the
// namespace.
func (s strategy) PrepareForCreate(ctx context.Context, obj runtime.Object) {
	component := obj.(v1alpha1.Component)
	*component.ObservedStatus() = v1alpha1.ComponentStatus{}
	if served, ok := s.tenancy.Default(ctx, genericapirequest.NamespaceValue(ctx)); ok {
		v1alpha1.SetServedDefaults(component.Common(), served.Tenant, served.Namespace)
	}
	v1alpha1.SetIdentityDefaults(component.Common(), component.GetName())
	s.defaults.create(component)
}

// PrepareForUpdate keeps what a writer can't change, and what one that leaves it out
// can't mean to change.
func (s strategy) PrepareForUpdate(_ context.Context, obj, old runtime.Object) {
	component, before := obj.(v1alpha1.Component), old.(v1alpha1.Component)
	*component.ObservedStatus() = *before.ObservedStatus().DeepCopy()
	if untranslated(before) {
		// Decoding has filled in defaults, which is no change of what can't be shown.
		shown := before.DeepCopyObject().(v1alpha1.Component)
		s.scheme.Default(shown)
		if sameSpec(component, shown) {
			copySpec(component, before)
		}
		return
	}
	keepIdentity(component.Common(), before.Common())
	v1alpha1.KeepBinding(component, before)
	s.defaults.update(component, before)
}

// keepIdentity gives a replacement that leaves the identity out the present one.
func keepIdentity(spec, before *v1alpha1.ComponentSpec) {
	for _, part := range []struct{ to, from *string }{
		{&spec.Tenant, &before.Tenant},
		{&spec.Namespace, &before.Namespace},
		{&spec.Name, &before.Name},
		{&spec.Cluster, &before.Cluster},
	} {
		if *part.to == "" {
			*part.to = *part.from
		}
	}
}

func (s strategy) Validate(ctx context.Context, obj runtime.Object) field.ErrorList {
	component := obj.(v1alpha1.Component)
	return withKeptSize(ctx, component, validation.Validate(component, s.validation))
}

func (s strategy) ValidateUpdate(ctx context.Context, obj, old runtime.Object) field.ErrorList {
	component, before := obj.(v1alpha1.Component), old.(v1alpha1.Component)
	if untranslated(before) {
		return validateUntranslated(ctx, component, before)
	}
	return withKeptSize(ctx, component, validation.ValidateUpdate(component, before, s.validation))
}

// untranslated says whether the custom resource behind an object can't be shown.
func untranslated(component v1alpha1.Component) bool {
	return meta.IsStatusConditionFalse(component.ObservedStatus().Conditions, v1alpha1.ConditionTranslated)
}

// validateUntranslated lets only the metadata of such an object change.
func validateUntranslated(ctx context.Context, component, before v1alpha1.Component) field.ErrorList {
	if sameSpec(component, before) {
		return nil
	}
	reason := meta.FindStatusCondition(before.ObservedStatus().Conditions, v1alpha1.ConditionTranslated).Message
	err := field.Invalid(field.NewPath("spec"), field.OmitValueType{}, reason+" It can't be changed here, only deleted.")
	view.SetReason(ctx, err.Error())
	return field.ErrorList{err}
}

// withKeptSize adds to what validation found that more is kept than an annotation
// should hold, and tells the reason.
func withKeptSize(ctx context.Context, component v1alpha1.Component, result validation.Result) field.ErrorList {
	if size, err := translation.KeptFieldsSize(component); err != nil || size > translation.MaxKeptFieldsSize {
		tooLarge := field.Invalid(field.NewPath("spec"), field.OmitValueType{}, fmt.Sprintf(
			"the fields that Function Mesh has no place for, such as customRuntimeOptions, may have %d bytes in all", translation.MaxKeptFieldsSize))
		result.Errors = append(result.Errors, tooLarge)
		if result.Reason == "" {
			result.Reason = tooLarge.Error()
		}
	}
	view.SetReason(ctx, result.Reason)
	return result.Errors
}

// AllowCreateOnUpdate is false: a PUT of an object that isn't there is a 404.
func (strategy) AllowCreateOnUpdate(context.Context) bool { return false }

// AllowUnconditionalUpdate is true, as for most built-in kinds: a PUT without a
// resource version means the latest.
func (strategy) AllowUnconditionalUpdate(context.Context) bool { return true }

func (strategy) Canonicalize(runtime.Object) {}

// DefaultGarbageCollectionPolicy implements rest.GarbageCollectionDeleteStrategy.
func (strategy) DefaultGarbageCollectionPolicy(context.Context) rest.GarbageCollectionPolicy {
	return rest.DeleteDependents
}
