package collection

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var removed = metrics.NewCounter(&metrics.CounterOpts{
	Namespace:      "functionmesh_apiserver",
	Name:           "packages_removed_total",
	Help:           "Packages that were removed since nothing named them.",
	StabilityLevel: metrics.ALPHA,
})

func init() {
	legacyregistry.MustRegister(removed)
}
