// Package pulsarfunction serves PulsarFunctions: what is particular to the kind, over
// what all views of custom resources have in common.
package pulsarfunction

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// strategy says how PulsarFunctions are created and changed.
type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator

	translator *translation.FunctionTranslator
	validation validation.Options
}

var (
	_ rest.RESTCreateStrategy              = strategy{}
	_ rest.RESTUpdateStrategy              = strategy{}
	_ rest.RESTDeleteStrategy              = strategy{}
	_ rest.ResetFieldsStrategy             = strategy{}
	_ rest.GarbageCollectionDeleteStrategy = strategy{}
)

func (strategy) NamespaceScoped() bool { return true }

// GetResetFields implements rest.ResetFieldsStrategy: nobody owns fields of the
// status, since it is observed.
func (strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return map[fieldpath.APIVersion]*fieldpath.Set{
		fieldpath.APIVersion(v1alpha1.SchemeGroupVersion.String()): fieldpath.NewSet(fieldpath.MakePathOrDie("status")),
	}
}

// PrepareForCreate fills in what depends on the server's configuration.
func (s strategy) PrepareForCreate(_ context.Context, obj runtime.Object) {
	function := obj.(*v1alpha1.PulsarFunction)
	function.Status = v1alpha1.ComponentStatus{}
	v1alpha1.SetIdentityDefaults(&function.Spec.ComponentSpec, function.Name)
	s.translator.Default(function)
}

// PrepareForUpdate keeps what a writer can't change, and what one that leaves it out
// can't mean to change.
func (s strategy) PrepareForUpdate(_ context.Context, obj, old runtime.Object) {
	function, before := obj.(*v1alpha1.PulsarFunction), old.(*v1alpha1.PulsarFunction)
	function.Status = before.Status
	if untranslated(before) {
		// Decoding has filled in defaults, which is no change of what can't be shown.
		shown := before.DeepCopy()
		v1alpha1.SetDefaults_PulsarFunction(shown)
		if equality.Semantic.DeepEqual(function.Spec, shown.Spec) {
			function.Spec = before.Spec
		}
		return
	}
	keepIdentity(&function.Spec.ComponentSpec, &before.Spec.ComponentSpec)
	s.translator.DefaultUpdate(function, before)
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
	function := obj.(*v1alpha1.PulsarFunction)
	return withKeptSize(ctx, function, validation.Validate(function, s.validation))
}

func (s strategy) ValidateUpdate(ctx context.Context, obj, old runtime.Object) field.ErrorList {
	function, before := obj.(*v1alpha1.PulsarFunction), old.(*v1alpha1.PulsarFunction)
	if untranslated(before) {
		return validateUntranslated(ctx, function, before)
	}
	return withKeptSize(ctx, function, validation.ValidateUpdate(function, before, s.validation))
}

// untranslated says whether the Function behind an object can't be shown.
func untranslated(function *v1alpha1.PulsarFunction) bool {
	return meta.IsStatusConditionFalse(function.Status.Conditions, v1alpha1.ConditionTranslated)
}

// validateUntranslated lets only the metadata of such an object change.
func validateUntranslated(ctx context.Context, function, before *v1alpha1.PulsarFunction) field.ErrorList {
	if equality.Semantic.DeepEqual(function.Spec, before.Spec) {
		return nil
	}
	reason := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionTranslated).Message
	err := field.Invalid(field.NewPath("spec"), field.OmitValueType{}, reason+" It can't be changed here, only deleted.")
	view.SetReason(ctx, err.Error())
	return field.ErrorList{err}
}

// withKeptSize adds to what validation found that more is kept than an annotation
// should hold, and tells the reason.
func withKeptSize(ctx context.Context, function *v1alpha1.PulsarFunction, result validation.Result) field.ErrorList {
	if size, err := translation.KeptFieldsSize(function); err != nil || size > translation.MaxKeptFieldsSize {
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

func (strategy) WarningsOnCreate(_ context.Context, obj runtime.Object) []string {
	function := obj.(*v1alpha1.PulsarFunction)
	warnings := append(validation.Warnings(function), translation.KeptFieldWarnings(function)...)
	if identity.IsPackageURL(location(function)) {
		warnings = append(warnings, unresolvedPackage)
	}
	if spec := &function.Spec; spec.Java != nil &&
		(spec.InputTypeClassName == translation.DefaultTypeClassName || spec.OutputTypeClassName == translation.DefaultTypeClassName) {
		warnings = append(warnings, unknownTypes)
	}
	return warnings
}

func (strategy) WarningsOnUpdate(_ context.Context, obj, old runtime.Object) []string {
	function, before := obj.(*v1alpha1.PulsarFunction), old.(*v1alpha1.PulsarFunction)
	warnings := append(validation.Warnings(function), validation.UpdateWarnings(function, before)...)
	warnings = append(warnings, translation.KeptFieldWarnings(function)...)
	if location(function) != location(before) && identity.IsPackageURL(location(function)) {
		warnings = append(warnings, unresolvedPackage)
	}
	return warnings
}

// unresolvedPackage is the warning for a package that nobody has looked at.
const unresolvedPackage = "spec.package.location: no package service is configured, so it was not checked that the package exists"

// unknownTypes is the warning for a Java function whose types nobody has named.
// Pulsar's own worker reads them from the package.
const unknownTypes = "spec.inputTypeClassName, spec.outputTypeClassName: [B, bytes, where they are not given: " +
	"name the classes if the function takes or returns something else, since the package is not looked into"

func location(function *v1alpha1.PulsarFunction) string {
	if function.Spec.Package == nil {
		return ""
	}
	return function.Spec.Package.Location
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

// alreadyExists is the refusal of a second object of one Pulsar identity.
func alreadyExists(function, existing *v1alpha1.PulsarFunction) error {
	spec := &function.Spec
	err := apierrors.NewAlreadyExists(v1alpha1.Resource("pulsarfunctions"), function.Name)
	err.ErrStatus.Message = "Pulsar function " + spec.Tenant + "/" + spec.Namespace + "/" + spec.Name +
		" already exists as PulsarFunction " + existing.Name
	return view.WithPulsarReason(err, alreadyExistsReason(spec))
}

// alreadyExistsReason is Pulsar's text for it.
func alreadyExistsReason(spec *v1alpha1.PulsarFunctionSpec) string {
	return "Function " + spec.Name + " already exists"
}
