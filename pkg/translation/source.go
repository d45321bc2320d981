package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// SourceTranslator translates between PulsarSources and Sources.
type SourceTranslator = Translator[computev1alpha1.Source, *computev1alpha1.Source, *adminv1alpha1.PulsarSource]

// NewSourceTranslator is NewFunctionTranslator for sources.
func NewSourceTranslator(config *configv1alpha1.FunctionMeshAPIServerConfiguration, catalogue *connectors.Catalogue) *SourceTranslator {
	return &SourceTranslator{config: config, catalogue: catalogue, kind: kind[*computev1alpha1.Source, *adminv1alpha1.PulsarSource]{
		names:        adminv1alpha1.SourceKind,
		resourceKind: computev1alpha1.SourceKind,
		newView:      func() *adminv1alpha1.PulsarSource { return &adminv1alpha1.PulsarSource{} },
		setDefaults:  setSourceDefaults,
		toCR:         sourceToCR,
		fromCR:       sourceFromCR,
		paths:        sourcePaths,
	}}
}

// setSourceDefaults fills in a configuration, without which the operator crashes.
func setSourceDefaults(view *adminv1alpha1.PulsarSource) {
	adminv1alpha1.SetDefaults_PulsarSource(view)
	setEmptyObject(&view.Spec.Configs)
}

func sourceToCR(view *adminv1alpha1.PulsarSource, source *computev1alpha1.Source) error {
	spec, cr := &view.Spec, &source.Spec
	cr.SourceConfig = jsonObject(spec.Configs)
	cr.SourceType = spec.SourceType
	cr.BatchSourceConfig = batchSourceToCR(spec.BatchSourceConfig)
	return nil
}

func sourceFromCR(source *computev1alpha1.Source, view *adminv1alpha1.PulsarSource) error {
	cr, spec := &source.Spec, &view.Spec
	spec.Configs = jsonObject(cr.SourceConfig)
	if cr.BatchSourceConfig != nil {
		spec.Configs = withoutMembers(spec.Configs, operatorBatchConfig, operatorBatchClass)
		setEmptyObject(&spec.Configs)
	}
	spec.SourceType = cr.SourceType
	spec.BatchSourceConfig = batchSourceFromCR(cr.BatchSourceConfig)
	return nil
}

func batchSourceToCR(view *adminv1alpha1.BatchSourceConfig) *computev1alpha1.BatchSourceConfig {
	if view == nil {
		return nil
	}
	return &computev1alpha1.BatchSourceConfig{
		DiscoveryTriggererClassName: view.DiscoveryTriggererClassName,
		DiscoveryTriggererConfig:    jsonObject(view.DiscoveryTriggererConfig),
	}
}

func batchSourceFromCR(cr *computev1alpha1.BatchSourceConfig) *adminv1alpha1.BatchSourceConfig {
	if cr == nil {
		return nil
	}
	return &adminv1alpha1.BatchSourceConfig{
		DiscoveryTriggererClassName: cr.DiscoveryTriggererClassName,
		DiscoveryTriggererConfig:    jsonObject(cr.DiscoveryTriggererConfig),
	}
}
