package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
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
		containers: []delta.Container{
			container("spec", "python", "log"),
			container("spec", "golang", "log"),
		},
	}}
}

func functionToCR(view *adminv1alpha1.PulsarFunction, function *computev1alpha1.Function) error {
	spec, cr := &view.Spec, &function.Spec
	cr.FuncConfig = jsonObject(spec.UserConfig)
	cr.MaxPendingAsyncRequests = spec.MaxPendingAsyncRequests
	cr.SkipToLatest = spec.SkipToLatest
	cr.SourceConfig = functionSourceToCR(spec.SourceConfig)
	cr.SinkConfig = functionSinkToCR(spec.SinkConfig)
	claimsToCR(spec.Pod, cr)
	windowToCR(spec, cr)
	return nil
}

func functionFromCR(function *computev1alpha1.Function, view *adminv1alpha1.PulsarFunction) error {
	cr, spec := &function.Spec, &view.Spec
	spec.UserConfig = jsonObject(cr.FuncConfig)
	if cr.WindowConfig != nil {
		spec.UserConfig = withoutMembers(spec.UserConfig, operatorWindow)
	}
	spec.MaxPendingAsyncRequests = cr.MaxPendingAsyncRequests
	spec.SkipToLatest = cr.SkipToLatest
	spec.SourceConfig = functionSourceFromCR(cr.SourceConfig)
	spec.SinkConfig = functionSinkFromCR(cr.SinkConfig)
	claimsFromCR(cr, &spec.ComponentSpec)
	return windowFromCR(cr.WindowConfig, spec)
}

func functionSourceToCR(view *adminv1alpha1.FunctionSource) *computev1alpha1.FunctionSourceConfig {
	if view == nil {
		return nil
	}
	return &computev1alpha1.FunctionSourceConfig{
		SourceType:        view.SourceType,
		ClassName:         view.ClassName,
		TypeClassName:     view.TypeClassName,
		Configs:           jsonObject(view.Configs),
		BatchSourceConfig: batchSourceToCR(view.BatchSourceConfig),
	}
}

func functionSourceFromCR(cr *computev1alpha1.FunctionSourceConfig) *adminv1alpha1.FunctionSource {
	if cr == nil {
		return nil
	}
	return &adminv1alpha1.FunctionSource{
		SourceType:        cr.SourceType,
		ClassName:         cr.ClassName,
		TypeClassName:     cr.TypeClassName,
		Configs:           jsonObject(cr.Configs),
		BatchSourceConfig: batchSourceFromCR(cr.BatchSourceConfig),
	}
}

func functionSinkToCR(view *adminv1alpha1.FunctionSink) *computev1alpha1.FunctionSinkConfig {
	if view == nil {
		return nil
	}
	return &computev1alpha1.FunctionSinkConfig{
		SinkType: view.SinkType, ClassName: view.ClassName, TypeClassName: view.TypeClassName, Configs: jsonObject(view.Configs),
	}
}

func functionSinkFromCR(cr *computev1alpha1.FunctionSinkConfig) *adminv1alpha1.FunctionSink {
	if cr == nil {
		return nil
	}
	return &adminv1alpha1.FunctionSink{
		SinkType: cr.SinkType, ClassName: cr.ClassName, TypeClassName: cr.TypeClassName, Configs: jsonObject(cr.Configs),
	}
}
