package crstorage

import (
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

var (
	untranslatableResources = metrics.NewCounter(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "untranslatable_reads_total",
		Help:           "How often a custom resource was read that could not be projected to a view.",
		StabilityLevel: metrics.ALPHA,
	})
	missingDefinitions = metrics.NewCounterVec(&metrics.CounterOpts{
		Namespace:      "functionmesh_apiserver",
		Name:           "missing_crd_requests_total",
		Help:           "Requests that met a missing custom resource definition, by resource.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"resource"})
)

func init() {
	legacyregistry.MustRegister(untranslatableResources, missingDefinitions)
}
