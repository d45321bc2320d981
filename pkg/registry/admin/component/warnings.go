package component

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// unresolvedPackage is the warning for a package that nobody has looked at.
const unresolvedPackage = "spec.package.location: no package service is configured, so it was not checked that the package exists"

// WarningsOnCreate implements rest.RESTCreateStrategy.
func (s strategy) WarningsOnCreate(_ context.Context, obj runtime.Object) []string {
	component := obj.(v1alpha1.Component)
	warnings := append(validation.Warnings(component), translation.KeptFieldWarnings(component)...)
	if s.unresolved(component) {
		warnings = append(warnings, unresolvedPackage)
	}
	if unknown := unknownTypes(component); unknown != "" {
		warnings = append(warnings, unknown)
	}
	return warnings
}

// WarningsOnUpdate implements rest.RESTUpdateStrategy.
func (s strategy) WarningsOnUpdate(_ context.Context, obj, old runtime.Object) []string {
	component, before := obj.(v1alpha1.Component), old.(v1alpha1.Component)
	warnings := append(validation.Warnings(component), validation.UpdateWarnings(component, before)...)
	warnings = append(warnings, translation.KeptFieldWarnings(component)...)
	if location(component) != location(before) && s.unresolved(component) {
		warnings = append(warnings, unresolvedPackage)
	}
	return warnings
}

// unresolved tells whether nobody is going to look at a component's package.
func (s strategy) unresolved(component v1alpha1.Component) bool {
	spec := component.Common()
	return identity.IsPackageURL(location(component)) && (spec.PackageService != nil || !s.resolved.Has(spec.Cluster))
}

// unknownTypes is the warning for Java code whose types nobody has named, neither its
// author nor the catalogue. Pulsar's own worker reads them from the package.
func unknownTypes(component v1alpha1.Component) string {
	if component.Common().Java == nil || strings.HasPrefix(location(component), connectors.Prefix) {
		return ""
	}
	var fields []string
	if input := component.Input(); input != nil && input.InputTypeClassName == translation.DefaultTypeClassName {
		fields = append(fields, "spec.inputTypeClassName")
	}
	if output := component.Output(); output != nil && output.OutputTypeClassName == translation.DefaultTypeClassName {
		fields = append(fields, "spec.outputTypeClassName")
	}
	if len(fields) == 0 {
		return ""
	}
	return strings.Join(fields, ", ") + ": " + translation.DefaultTypeClassName + ", bytes, where they are not given: " +
		"name the classes if the " + component.ComponentKind().Type + " takes or makes something else, since the package is not looked into"
}

func location(component v1alpha1.Component) string {
	if pkg := component.Common().Package; pkg != nil {
		return pkg.Location
	}
	return ""
}
