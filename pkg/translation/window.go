package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// Pulsar runs a window function with the guarantee manual, since the window
// acknowledges its messages itself, and has the author's guarantee in the window.
// Its worker turns one into the other; the operator doesn't, so it is done here.
var (
	windowGuaranteesToCR = map[adminv1alpha1.ProcessingGuarantees]computev1alpha1.WindowProcessingGuarantees{
		adminv1alpha1.AtLeastOnce: computev1alpha1.WindowAtLeastOnce,
		adminv1alpha1.AtMostOnce:  computev1alpha1.WindowAtMostOnce,
	}
	windowGuaranteesFromCR = inverse(windowGuaranteesToCR)
)

// windowToCR writes every part of a window that the operator dereferences, and the
// class that its definition requires. A guarantee that windows don't have stays in
// the spec, and the window's is then absent.
func windowToCR(view *adminv1alpha1.PulsarFunctionSpec, cr *computev1alpha1.FunctionSpec) {
	window := view.WindowConfig
	if window == nil {
		return
	}
	cr.WindowConfig = &computev1alpha1.WindowConfig{
		ActualWindowFunctionClassName: view.ClassName,
		WindowLengthCount:             window.WindowLengthCount,
		WindowLengthDurationMs:        window.WindowLengthDurationMs,
		SlidingIntervalCount:          window.SlidingIntervalCount,
		SlidingIntervalDurationMs:     window.SlidingIntervalDurationMs,
		LateDataTopic:                 window.LateDataTopic,
		MaxLagMs:                      window.MaxLagMs,
		WatermarkEmitIntervalMs:       window.WatermarkEmitIntervalMs,
		TimestampExtractorClassName:   window.TimestampExtractorClassName,
	}
	if window.TimestampExtractorClassName != "" && window.MaxLagMs != nil && *window.MaxLagMs == 0 {
		// No lag is what the runtime takes for an absent one, and Pulsar's default, but
		// the operator's webhook refuses the number.
		cr.WindowConfig.MaxLagMs = nil
	}
	if guarantees, ok := windowGuaranteesToCR[view.ProcessingGuarantees]; ok {
		cr.WindowConfig.ProcessingGuarantees = guarantees
		cr.ProcessingGuarantee = computev1alpha1.Manual
	}
}

// windowFromCR translates a window, after the guarantee outside of it: that one
// counts where the window has none.
func windowFromCR(cr *computev1alpha1.WindowConfig, view *adminv1alpha1.PulsarFunctionSpec) error {
	if cr == nil {
		return nil
	}
	view.WindowConfig = &adminv1alpha1.WindowConfig{
		WindowLengthCount:           cr.WindowLengthCount,
		WindowLengthDurationMs:      cr.WindowLengthDurationMs,
		SlidingIntervalCount:        cr.SlidingIntervalCount,
		SlidingIntervalDurationMs:   cr.SlidingIntervalDurationMs,
		LateDataTopic:               cr.LateDataTopic,
		MaxLagMs:                    cr.MaxLagMs,
		WatermarkEmitIntervalMs:     cr.WatermarkEmitIntervalMs,
		TimestampExtractorClassName: cr.TimestampExtractorClassName,
	}
	if cr.ProcessingGuarantees == "" {
		return nil
	}
	guarantees, err := lookUp(windowGuaranteesFromCR, cr.ProcessingGuarantees, "spec.windowConfig.processingGuarantees")
	view.ProcessingGuarantees = guarantees
	return err
}
