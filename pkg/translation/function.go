package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// FunctionTranslator translates between PulsarFunctions and Functions.
type FunctionTranslator = Translator[computev1alpha1.Function, *computev1alpha1.Function, *adminv1alpha1.PulsarFunction]

// NewFunctionTranslator returns a translator that knows the clusters, images,
// directory and resources of config, which must be complete, and the built-in
// functions of catalogue, which can be nil. It doesn't change config.
func NewFunctionTranslator(config *configv1alpha1.FunctionMeshAPIServerConfiguration, catalogue *connectors.Catalogue) *FunctionTranslator {
	return &FunctionTranslator{config: config, catalogue: catalogue, kind: kind[*computev1alpha1.Function, *adminv1alpha1.PulsarFunction]{
		names:        adminv1alpha1.FunctionKind,
		resourceKind: computev1alpha1.FunctionKind,
		newView:      func() *adminv1alpha1.PulsarFunction { return &adminv1alpha1.PulsarFunction{} },
		setDefaults:  adminv1alpha1.SetDefaults_PulsarFunction,
		toCR:         functionToCR,
		fromCR:       functionFromCR,
		paths:        functionPaths,
		containers: [][]string{
			{"spec", "python", "log"},
			{"spec", "golang", "log"},
		},
	}}
}

func functionToCR(view *adminv1alpha1.PulsarFunction, function *computev1alpha1.Function) error {
	spec, cr := &view.Spec, &function.Spec
	cr.FuncConfig = jsonObject(spec.UserConfig)
	cr.MaxPendingAsyncRequests = spec.MaxPendingAsyncRequests
	cr.SkipToLatest = spec.SkipToLatest
	windowToCR(spec, cr)
	return nil
}

func functionFromCR(function *computev1alpha1.Function, view *adminv1alpha1.PulsarFunction) error {
	cr, spec := &function.Spec, &view.Spec
	spec.UserConfig = jsonObject(cr.FuncConfig)
	spec.MaxPendingAsyncRequests = cr.MaxPendingAsyncRequests
	spec.SkipToLatest = cr.SkipToLatest
	return windowFromCR(cr.WindowConfig, spec)
}
