package componentstatus

import (
	"math"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Counts is what was counted in some time. What is null is not known.
type Counts struct {
	ReceivedTotal              int64    `json:"receivedTotal"`
	ProcessedSuccessfullyTotal int64    `json:"processedSuccessfullyTotal"`
	SystemExceptionsTotal      int64    `json:"systemExceptionsTotal"`
	UserExceptionsTotal        int64    `json:"userExceptionsTotal"`
	AvgProcessLatency          *float64 `json:"avgProcessLatency"`
}

// minute is what was counted in the latest whole minute. Pulsar calls it 1min, which
// its Java client reads; its Go client has always read oneMin. Each ignores the other's.
type minute struct {
	OneMin      Counts `json:"1min"`
	OneMinForGo Counts `json:"oneMin"`
}

// Stats is what all instances of a function have counted.
type Stats struct {
	Counts
	minute
	LastInvocation *int64          `json:"lastInvocation"`
	Instances      []InstanceStats `json:"instances"`
}

// InstanceStats is what one among them has.
type InstanceStats struct {
	InstanceID int32   `json:"instanceId"`
	Metrics    Metrics `json:"metrics"`
}

// Metrics is what one instance of a function has counted.
type Metrics struct {
	Counts
	minute
	LastInvocation *int64             `json:"lastInvocation"`
	UserMetrics    map[string]float64 `json:"userMetrics"`
}

// StatsOf returns what all instances have counted: sums, and means of what is known.
func StatsOf(found *v1alpha1.PulsarInstances) Stats {
	stats := Stats{Instances: []InstanceStats{}}
	var total, lastMinute sum
	for i := range found.Instances {
		instance := &found.Instances[i]
		if !isAssigned(found, instance) {
			continue
		}
		metrics := StatsOfInstance(instance)
		stats.Instances = append(stats.Instances, InstanceStats{InstanceID: instance.ID, Metrics: metrics})
		total.add(metrics.Counts)
		lastMinute.add(metrics.OneMin)
		if last := metrics.LastInvocation; last != nil && (stats.LastInvocation == nil || *last > *stats.LastInvocation) {
			stats.LastInvocation = last
		}
	}
	stats.Counts, stats.minute = total.counts(), minuteOf(lastMinute.counts())
	return stats
}

// StatsOfInstance returns what one instance has counted, nothing if it didn't answer.
func StatsOfInstance(instance *v1alpha1.PulsarInstance) Metrics {
	said := instance.Metrics
	if said == nil {
		said = &v1alpha1.InstanceMetrics{}
	}
	metrics := Metrics{
		Counts: countsOf(said.InstanceCounts), minute: minuteOf(countsOf(said.OneMinute)),
		LastInvocation: known(said.LastInvocation), UserMetrics: said.UserMetrics,
	}
	if metrics.UserMetrics == nil {
		metrics.UserMetrics = map[string]float64{}
	}
	return metrics
}

func countsOf(said v1alpha1.InstanceCounts) Counts {
	return Counts{
		ReceivedTotal:              said.ReceivedTotal,
		ProcessedSuccessfullyTotal: said.ProcessedSuccessfullyTotal,
		SystemExceptionsTotal:      said.SystemExceptionsTotal,
		UserExceptionsTotal:        said.UserExceptionsTotal,
		AvgProcessLatency:          known(said.AvgProcessLatency),
	}
}

func minuteOf(counts Counts) minute { return minute{OneMin: counts, OneMinForGo: counts} }

// known makes null of 0, by which an instance says that it doesn't know.
func known[T int64 | float64](value T) *T {
	if value == 0 {
		return nil
	}
	return &value
}

// sum adds up counts.
type sum struct {
	of        Counts
	latency   float64
	latencies int
}

func (s *sum) add(counts Counts) {
	s.of.ReceivedTotal = addUp(s.of.ReceivedTotal, counts.ReceivedTotal)
	s.of.ProcessedSuccessfullyTotal = addUp(s.of.ProcessedSuccessfullyTotal, counts.ProcessedSuccessfullyTotal)
	s.of.SystemExceptionsTotal = addUp(s.of.SystemExceptionsTotal, counts.SystemExceptionsTotal)
	s.of.UserExceptionsTotal = addUp(s.of.UserExceptionsTotal, counts.UserExceptionsTotal)
	if counts.AvgProcessLatency != nil {
		s.latency += *counts.AvgProcessLatency
		s.latencies++
	}
}

func (s *sum) counts() Counts {
	counts := s.of
	if s.latencies > 0 {
		mean := s.latency / float64(s.latencies)
		counts.AvgProcessLatency = &mean
	}
	return counts
}

// addUp adds up numbers, none of which is negative. One that an instance made up must not
// make the sum a negative one.
func addUp(counts ...int64) int64 {
	var sum int64
	for _, count := range counts {
		sum += min(count, math.MaxInt64-sum)
	}
	return sum
}
