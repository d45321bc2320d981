package instances

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

// What is taken over of an answer. Pulsar's instances keep ten exceptions of each kind.
const (
	maxExceptions  = 10
	maxText        = 4 << 10
	maxUserMetrics = 1000
)

func statusOf(said *instancecontrol.FunctionStatus) *v1alpha1.InstanceStatus {
	return &v1alpha1.InstanceStatus{
		Running:                  said.GetRunning(),
		FailureException:         shorten(said.GetFailureException()),
		NumRestarts:              said.GetNumRestarts(),
		NumReceived:              said.GetNumReceived(),
		NumSuccessfullyProcessed: said.GetNumSuccessfullyProcessed(),
		NumUserExceptions:        said.GetNumUserExceptions(),
		LatestUserExceptions:     exceptions(said.GetLatestUserExceptions()),
		NumSystemExceptions:      said.GetNumSystemExceptions(),
		LatestSystemExceptions:   exceptions(said.GetLatestSystemExceptions()),
		NumSourceExceptions:      said.GetNumSourceExceptions(),
		LatestSourceExceptions:   exceptions(said.GetLatestSourceExceptions()),
		NumSinkExceptions:        said.GetNumSinkExceptions(),
		LatestSinkExceptions:     exceptions(said.GetLatestSinkExceptions()),
		AverageLatency:           finite(said.GetAverageLatency()),
		LastInvocationTime:       said.GetLastInvocationTime(),
	}
}

// exceptions takes the latest ones over, which are the last.
func exceptions(said []*instancecontrol.FunctionStatus_ExceptionInformation) []v1alpha1.InstanceException {
	if len(said) > maxExceptions {
		said = said[len(said)-maxExceptions:]
	}
	var taken []v1alpha1.InstanceException
	for _, exception := range said {
		taken = append(taken, v1alpha1.InstanceException{
			ExceptionString: shorten(exception.GetExceptionString()),
			TimestampMs:     exception.GetMsSinceEpoch(),
		})
	}
	return taken
}

func metricsOf(said *instancecontrol.MetricsData) *v1alpha1.InstanceMetrics {
	metrics := &v1alpha1.InstanceMetrics{
		InstanceCounts: v1alpha1.InstanceCounts{
			ReceivedTotal:              said.GetReceivedTotal(),
			ProcessedSuccessfullyTotal: said.GetProcessedSuccessfullyTotal(),
			SystemExceptionsTotal:      said.GetSystemExceptionsTotal(),
			UserExceptionsTotal:        said.GetUserExceptionsTotal(),
			AvgProcessLatency:          finite(said.GetAvgProcessLatency()),
		},
		OneMinute: v1alpha1.InstanceCounts{
			ReceivedTotal:              said.GetReceivedTotal_1Min(),
			ProcessedSuccessfullyTotal: said.GetProcessedSuccessfullyTotal_1Min(),
			SystemExceptionsTotal:      said.GetSystemExceptionsTotal_1Min(),
			UserExceptionsTotal:        said.GetUserExceptionsTotal_1Min(),
			AvgProcessLatency:          finite(said.GetAvgProcessLatency_1Min()),
		},
		LastInvocation: said.GetLastInvocation(),
	}
	for name, value := range said.GetUserMetrics() {
		// JSON has no word for what isn't a number.
		if math.IsNaN(value) || math.IsInf(value, 0) || len(metrics.UserMetrics) == maxUserMetrics {
			continue
		}
		if metrics.UserMetrics == nil {
			metrics.UserMetrics = map[string]float64{}
		}
		metrics.UserMetrics[shorten(name)] = value
	}
	return metrics
}

// finite returns a number if JSON has a word for it, and 0 otherwise.
func finite(value float64) float64 {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return 0
	}
	return value
}

// shorten returns no more of a text than is taken over.
func shorten(text string) string {
	if len(text) <= maxText {
		return text
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.Clone(text[:cut])
}
