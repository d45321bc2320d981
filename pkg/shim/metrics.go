package shim

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
)

const metricsSubsystem = "pulsar_admin_shim"

// codeAborted is the code of answers that broke off, whatever code they began with: who
// looks for failures doesn't look at what succeeded.
const codeAborted = "aborted"

// The label operation is a name of the route table, so a caller can't invent
// values for it.
var (
	requestsTotal = metrics.NewCounterVec(&metrics.CounterOpts{
		Subsystem:      metricsSubsystem,
		Name:           "requests_total",
		Help:           "REST requests by operation and status code, which is aborted for answers that broke off.",
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

func observeRequest(operation string, status int, aborted bool, duration time.Duration) {
	code := strconv.Itoa(status)
	if aborted {
		code = codeAborted
	}
	requestsTotal.WithLabelValues(operation, code).Inc()
	requestDuration.WithLabelValues(operation, code).Observe(duration.Seconds())
}
