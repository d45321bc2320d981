package connectors

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	reloads = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "connectors_file_loads_total",
		Help:           "How often a new content of the connectors file was read, by result.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"result"})
	fileInvalid = metrics.NewGauge(&metrics.GaugeOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "connectors_file_invalid",
		Help:           "1 while the connectors file can't be accepted and an earlier content of it stays in force.",
		StabilityLevel: metrics.ALPHA,
	})
	knownEntries = metrics.NewGauge(&metrics.GaugeOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "connectors",
		Help:           "How many built-in connectors and functions the catalogue has.",
		StabilityLevel: metrics.ALPHA,
	})
)

func init() {
	legacyregistry.MustRegister(reloads, fileInvalid, knownEntries)
}
