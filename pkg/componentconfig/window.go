package componentconfig

import (
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What lag and watermark are when a window doesn't say.
const (
	defaultMaxLagMs                = int64(0)
	defaultWatermarkEmitIntervalMs = int64(1000)
)

// setDefaults fills in what Pulsar's worker fills in: a window slides by its
// length, and lag and watermark matter only to a window that reads messages' times.
// Function Mesh needs both in any case, and so the view has them always; where they
// are no more than that filling, Pulsar's clients don't get to see them.
func (w *WindowConfig) setDefaults() {
	if w.SlidingIntervalCount == nil {
		w.SlidingIntervalCount = w.WindowLengthCount
	}
	if w.SlidingIntervalDurationMs == nil {
		w.SlidingIntervalDurationMs = w.WindowLengthDurationMs
	}
	if w.TimestampExtractorClassName != "" {
		if w.MaxLagMs == nil {
			w.MaxLagMs = ptr.To(defaultMaxLagMs)
		}
		if w.WatermarkEmitIntervalMs == nil {
			w.WatermarkEmitIntervalMs = ptr.To(defaultWatermarkEmitIntervalMs)
		}
		return
	}
	if ptr.Equal(w.MaxLagMs, ptr.To(defaultMaxLagMs)) {
		w.MaxLagMs = nil
	}
	if ptr.Equal(w.WatermarkEmitIntervalMs, ptr.To(defaultWatermarkEmitIntervalMs)) {
		w.WatermarkEmitIntervalMs = nil
	}
}

// complete returns a window as GET shows it, with the members that only the server
// sets: the class that is called with each window and the guarantee.
func (w WindowConfig) complete(className, guarantees string) *WindowConfig {
	w.setDefaults()
	w.ActualWindowFunctionClassName = className
	w.ProcessingGuarantees = guarantees
	return &w
}

func parseWindowConfig(in object) *WindowConfig {
	window, found := in.object("windowConfig")
	if !found {
		return nil
	}
	return &WindowConfig{
		WindowLengthCount:           window.int32("windowLengthCount"),
		WindowLengthDurationMs:      window.int64("windowLengthDurationMs"),
		SlidingIntervalCount:        window.int32("slidingIntervalCount"),
		SlidingIntervalDurationMs:   window.int64("slidingIntervalDurationMs"),
		LateDataTopic:               window.text("lateDataTopic"),
		MaxLagMs:                    window.int64("maxLagMs"),
		WatermarkEmitIntervalMs:     window.int64("watermarkEmitIntervalMs"),
		TimestampExtractorClassName: window.text("timestampExtractorClassName"),
	}
}

func windowToView(window *WindowConfig) *v1alpha1.WindowConfig {
	if window == nil {
		return nil
	}
	return &v1alpha1.WindowConfig{
		WindowLengthCount:           window.WindowLengthCount,
		WindowLengthDurationMs:      window.WindowLengthDurationMs,
		SlidingIntervalCount:        window.SlidingIntervalCount,
		SlidingIntervalDurationMs:   window.SlidingIntervalDurationMs,
		LateDataTopic:               window.LateDataTopic,
		MaxLagMs:                    window.MaxLagMs,
		WatermarkEmitIntervalMs:     window.WatermarkEmitIntervalMs,
		TimestampExtractorClassName: window.TimestampExtractorClassName,
	}
}

func windowFromView(view *v1alpha1.WindowConfig, className, guarantees string) *WindowConfig {
	if view == nil {
		return nil
	}
	return WindowConfig{
		WindowLengthCount:           view.WindowLengthCount,
		WindowLengthDurationMs:      view.WindowLengthDurationMs,
		SlidingIntervalCount:        view.SlidingIntervalCount,
		SlidingIntervalDurationMs:   view.SlidingIntervalDurationMs,
		LateDataTopic:               view.LateDataTopic,
		MaxLagMs:                    view.MaxLagMs,
		WatermarkEmitIntervalMs:     view.WatermarkEmitIntervalMs,
		TimestampExtractorClassName: view.TimestampExtractorClassName,
	}.complete(className, guarantees)
}

// applyWindow writes the members that an update changed.
func applyWindow(spec *v1alpha1.PulsarFunctionSpec, existing, merged *WindowConfig) {
	if equalities.DeepEqual(existing, merged) {
		return
	}
	if spec.WindowConfig == nil || existing == nil {
		spec.WindowConfig = windowToView(merged)
		return
	}
	view := spec.WindowConfig
	change(&view.WindowLengthCount, existing.WindowLengthCount, merged.WindowLengthCount)
	change(&view.WindowLengthDurationMs, existing.WindowLengthDurationMs, merged.WindowLengthDurationMs)
	change(&view.SlidingIntervalCount, existing.SlidingIntervalCount, merged.SlidingIntervalCount)
	change(&view.SlidingIntervalDurationMs, existing.SlidingIntervalDurationMs, merged.SlidingIntervalDurationMs)
	change(&view.LateDataTopic, existing.LateDataTopic, merged.LateDataTopic)
	change(&view.MaxLagMs, existing.MaxLagMs, merged.MaxLagMs)
	change(&view.WatermarkEmitIntervalMs, existing.WatermarkEmitIntervalMs, merged.WatermarkEmitIntervalMs)
	change(&view.TimestampExtractorClassName, existing.TimestampExtractorClassName, merged.TimestampExtractorClassName)
}
