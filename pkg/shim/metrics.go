package shim

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

const metricsSubsystem = "pulsar_admin_shim"

// The label operation is a name of the route table, so a caller can't invent
// values for it.
var (
	requestsTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Subsystem:      metricsSubsystem,
		Name:           "requests_total",
		Help:           "REST requests by operation and status code.",
		StabilityLevel: metrics.ALPHA,
	}, []string{"operation", "code"})
	requestDuration = metrics.NewHistogramVec(&metrics.HistogramOpts{
		Subsystem:      metricsSubsystem,
		Name:           "request_duration_seconds",
		Help:           "Time from a REST request's arrival to the end of its answer, by operation and status code.",
		Buckets:        []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		StabilityLevel: metrics.ALPHA,
	}, []string{"operation", "code"})
	requestsInFlight = metrics.NewGauge(&metrics.GaugeOpts{
		Subsystem:      metricsSubsystem,
		Name:           "requests_in_flight",
		Help:           "REST requests that are being answered.",
		StabilityLevel: metrics.ALPHA,
	})

	registerMetrics = sync.OnceFunc(func() {
		legacyregistry.MustRegister(requestsTotal, requestDuration, requestsInFlight)
	})
)

func observeRequest(operation string, code int, duration time.Duration) {
	requestsTotal.WithLabelValues(operation, strconv.Itoa(code)).Inc()
	requestDuration.WithLabelValues(operation, strconv.Itoa(code)).Observe(duration.Seconds())
}
