package work

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	errorsTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "loop_errors_total",
		Help:           "How often a background loop could not do its work on an object, by loop.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"loop"})
	conflicts = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "loop_conflicts_total",
		Help:           "How often a background loop's write was late and is repeated, by loop.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"loop"})
	writes = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "loop_writes_total",
		Help:           "Custom resources that background loops changed, by loop.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"loop"})
)

func init() {
	legacyregistry.MustRegister(errorsTotal, conflicts, writes)
}
