package instances

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

// What is taken over of an answer. Pulsar's instances keep ten exceptions of each kind.
const (
	maxExceptions  = 10
	exceptionKinds = 4
	maxText        = 4 << 10
	maxUserMetrics = 1000
	// maxFigures bounds, in bytes of JSON, the texts of all instances of one answer
	// together: it is in memory as a whole, here and at who asks. Of few instances that
	// is more than the other bounds allow.
	maxFigures = 8 << 20
	// metricSize is what a metric takes beside its name.
	metricSize = 32
	// maxLatency is more milliseconds than anything takes. Means of what is below stay
	// numbers.
	maxLatency = 1 << 53
)

// figures takes over what instances say.
type figures struct {
	// exceptionSize and metricsSize bound the text of each exception, and all metrics of
	// an instance, in bytes of JSON.
	exceptionSize, metricsSize int
}

// figuresOf returns what takes over the figures of so many instances.
func figuresOf(instances int) figures {
	each := maxFigures / max(instances, 1) / 2
	return figures{exceptionSize: each / (exceptionKinds * maxExceptions), metricsSize: each}
}

func (f figures) status(said *instancecontrol.FunctionStatus) *v1alpha1.InstanceStatus {
	return &v1alpha1.InstanceStatus{
		Running:                  said.GetRunning(),
		FailureException:         shorten(said.GetFailureException(), f.exceptionSize),
		NumRestarts:              count(said.GetNumRestarts()),
		NumReceived:              count(said.GetNumReceived()),
		NumSuccessfullyProcessed: count(said.GetNumSuccessfullyProcessed()),
		NumUserExceptions:        count(said.GetNumUserExceptions()),
		LatestUserExceptions:     f.exceptions(said.GetLatestUserExceptions()),
		NumSystemExceptions:      count(said.GetNumSystemExceptions()),
		LatestSystemExceptions:   f.exceptions(said.GetLatestSystemExceptions()),
		NumSourceExceptions:      count(said.GetNumSourceExceptions()),
		LatestSourceExceptions:   f.exceptions(said.GetLatestSourceExceptions()),
		NumSinkExceptions:        count(said.GetNumSinkExceptions()),
		LatestSinkExceptions:     f.exceptions(said.GetLatestSinkExceptions()),
		AverageLatency:           latency(said.GetAverageLatency()),
		LastInvocationTime:       count(said.GetLastInvocationTime()),
	}
}

// exceptions takes the latest ones over, which are the last.
func (f figures) exceptions(said []*instancecontrol.FunctionStatus_ExceptionInformation) []v1alpha1.InstanceException {
	if len(said) > maxExceptions {
		said = said[len(said)-maxExceptions:]
	}
	var taken []v1alpha1.InstanceException
	for _, exception := range said {
		taken = append(taken, v1alpha1.InstanceException{
			ExceptionString: shorten(exception.GetExceptionString(), f.exceptionSize),
			TimestampMs:     count(exception.GetMsSinceEpoch()),
		})
	}
	return taken
}

func (f figures) metrics(said *instancecontrol.MetricsData) *v1alpha1.InstanceMetrics {
	return &v1alpha1.InstanceMetrics{
		InstanceCounts: v1alpha1.InstanceCounts{
			ReceivedTotal:              count(said.GetReceivedTotal()),
			ProcessedSuccessfullyTotal: count(said.GetProcessedSuccessfullyTotal()),
			SystemExceptionsTotal:      count(said.GetSystemExceptionsTotal()),
			UserExceptionsTotal:        count(said.GetUserExceptionsTotal()),
			AvgProcessLatency:          latency(said.GetAvgProcessLatency()),
		},
		OneMinute: v1alpha1.InstanceCounts{
			ReceivedTotal:              count(said.GetReceivedTotal_1Min()),
			ProcessedSuccessfullyTotal: count(said.GetProcessedSuccessfullyTotal_1Min()),
			SystemExceptionsTotal:      count(said.GetSystemExceptionsTotal_1Min()),
			UserExceptionsTotal:        count(said.GetUserExceptionsTotal_1Min()),
			AvgProcessLatency:          latency(said.GetAvgProcessLatency_1Min()),
		},
		LastInvocation: count(said.GetLastInvocation()),
		UserMetrics:    f.userMetrics(said.GetUserMetrics()),
	}
}

// userMetrics takes the first ones over in the order of their names, so that it is the
// same ones each time.
func (f figures) userMetrics(said map[string]float64) map[string]float64 {
	var taken map[string]float64
	left := f.metricsSize
	for _, name := range slices.Sorted(maps.Keys(said)) {
		value := said[name]
		// JSON has no word for what isn't a number.
		if math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		name = shorten(name, maxText)
		if left -= jsonSize(name) + metricSize; left < 0 || len(taken) == maxUserMetrics {
			break
		}
		if taken == nil {
			taken = map[string]float64{}
		}
		taken[name] = value
	}
	return taken
}

// count returns a number of what happened or a time, of which none is negative.
func count(value int64) int64 { return max(value, 0) }

// latency returns a time that something can take, and 0, by which an instance says that
// it doesn't know, for any other.
func latency(value float64) float64 {
	if value > 0 && value <= maxLatency {
		return value
	}
	return 0
}

// shorten returns no more of a text than is taken over: maxText bytes, and so much that
// it takes at most so many in JSON.
func shorten(text string, size int) string {
	end := 0
	for ; end < min(len(text), maxText); end++ {
		if size -= byteSize(text[end]); size < 0 {
			break
		}
	}
	if end == len(text) {
		return text
	}
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.Clone(text[:end])
}

// jsonSize returns how many bytes a text takes in JSON.
func jsonSize(text string) int {
	size := 0
	for i := range len(text) {
		size += byteSize(text[i])
	}
	return size
}

func byteSize(char byte) int {
	switch {
	case char == '\n' || char == '\r' || char == '\t' || char == '"' || char == '\\':
		return len(`\n`)
	case char < ' ' || char == '<' || char == '>' || char == '&':
		return len(`\u0000`)
	}
	return 1
}
