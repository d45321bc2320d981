package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// SinkTranslator translates between PulsarSinks and Sinks.
type SinkTranslator = Translator[computev1alpha1.Sink, *computev1alpha1.Sink, *adminv1alpha1.PulsarSink]

// NewSinkTranslator is NewFunctionTranslator for sinks.
func NewSinkTranslator(config *configv1alpha1.FunctionMeshAPIServerConfiguration, catalogue *connectors.Catalogue) *SinkTranslator {
	return &SinkTranslator{config: config, catalogue: catalogue, kind: kind[*computev1alpha1.Sink, *adminv1alpha1.PulsarSink]{
		names:        adminv1alpha1.SinkKind,
		resourceKind: computev1alpha1.SinkKind,
		newView:      func() *adminv1alpha1.PulsarSink { return &adminv1alpha1.PulsarSink{} },
		setDefaults:  setSinkDefaults,
		toCR:         sinkToCR,
		fromCR:       sinkFromCR,
		paths:        sinkPaths,
	}}
}

// setSinkDefaults fills in a configuration, without which the operator refuses it.
func setSinkDefaults(view *adminv1alpha1.PulsarSink) {
	adminv1alpha1.SetDefaults_PulsarSink(view)
	setEmptyObject(&view.Spec.Configs)
}

func sinkToCR(view *adminv1alpha1.PulsarSink, sink *computev1alpha1.Sink) error {
	spec, cr := &view.Spec, &sink.Spec
	cr.SinkConfig = jsonObject(spec.Configs)
	cr.SinkType = spec.SinkType
	var err error
	cr.NegativeAckRedeliveryDelayMs, err = millisecondsToCR(spec.NegativeAckRedeliveryDelayMs, "spec.negativeAckRedeliveryDelayMs")
	return err
}

func sinkFromCR(sink *computev1alpha1.Sink, view *adminv1alpha1.PulsarSink) error {
	cr, spec := &sink.Spec, &view.Spec
	spec.Configs = jsonObject(cr.SinkConfig)
	spec.SinkType = cr.SinkType
	spec.NegativeAckRedeliveryDelayMs = millisecondsFromCR(cr.NegativeAckRedeliveryDelayMs)
	return nil
}
