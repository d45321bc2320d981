package componentstatus

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func exception(text string, at int64) []v1alpha1.InstanceException {
	return []v1alpha1.InstanceException{{ExceptionString: text, TimestampMs: at}}
}

// answered is an instance that says something else in each field.
func answered(id int32) v1alpha1.PulsarInstance {
	return v1alpha1.PulsarInstance{
		ID: id, Pod: "p", Ready: true, Restarts: 2,
		Status: &v1alpha1.InstanceStatus{
			Running: true, FailureException: "failed", NumRestarts: 1, NumReceived: 10, NumSuccessfullyProcessed: 9,
			NumUserExceptions: 1, LatestUserExceptions: exception("user", 1),
			NumSystemExceptions: 20, LatestSystemExceptions: exception("system", 2),
			NumSourceExceptions: 300, LatestSourceExceptions: exception("source", 3),
			NumSinkExceptions: 4000, LatestSinkExceptions: exception("sink", 4),
			AverageLatency: 1.5, LastInvocationTime: 77,
		},
		Metrics: &v1alpha1.InstanceMetrics{
			InstanceCounts: v1alpha1.InstanceCounts{ReceivedTotal: 10, ProcessedSuccessfullyTotal: 9, SystemExceptionsTotal: 8,
				UserExceptionsTotal: 7, AvgProcessLatency: 6},
			OneMinute:      v1alpha1.InstanceCounts{ReceivedTotal: 5},
			LastInvocation: 77 + int64(id), UserMetrics: map[string]float64{"m": 2.5},
		},
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStatusOfAnInstance(t *testing.T) {
	stopped := v1alpha1.PulsarInstance{ID: 0, Reason: "Suspended", Message: "No instance should run."}
	broken := v1alpha1.PulsarInstance{ID: 0, Pod: "p", Restarts: 3, Reason: "CrashLoopBackOff", Message: "Pod p: CrashLoopBackOff."}
	silent := v1alpha1.PulsarInstance{ID: 0, Pod: "p", Ready: true, Error: "The instance did not answer in time."}
	for name, test := range map[string]struct {
		kind      v1alpha1.ComponentKind
		instance  v1alpha1.PulsarInstance
		suspended bool
		want      string
	}{
		"function": {v1alpha1.FunctionKind, answered(0), false,
			`{"running":true,"error":"failed","numRestarts":2,"numReceived":10,"numSuccessfullyProcessed":9,"numUserExceptions":1,` +
				`"latestUserExceptions":[{"exceptionString":"user","timestampMs":1}],"numSystemExceptions":4320,"latestSystemExceptions":[` +
				`{"exceptionString":"system","timestampMs":2},{"exceptionString":"source","timestampMs":3},{"exceptionString":"sink","timestampMs":4}],` +
				`"averageLatency":1.5,"lastInvocationTime":77,"workerId":"w"}`},
		"sink": {v1alpha1.SinkKind, answered(0), false,
			`{"running":true,"error":"failed","numRestarts":2,"numReadFromPulsar":10,"numSystemExceptions":321,"latestSystemExceptions":[` +
				`{"exceptionString":"user","timestampMs":1},{"exceptionString":"system","timestampMs":2},{"exceptionString":"source","timestampMs":3}],` +
				`"numSinkExceptions":4000,"latestSinkExceptions":[{"exceptionString":"sink","timestampMs":4}],"numWrittenToSink":9,"lastReceivedTime":77,"workerId":"w"}`},
		"source": {v1alpha1.SourceKind, answered(0), false,
			`{"running":true,"error":"failed","numRestarts":2,"numReceivedFromSource":10,"numSystemExceptions":4021,"latestSystemExceptions":[` +
				`{"exceptionString":"user","timestampMs":1},{"exceptionString":"system","timestampMs":2},{"exceptionString":"sink","timestampMs":4}],` +
				`"numSourceExceptions":300,"latestSourceExceptions":[{"exceptionString":"source","timestampMs":3}],"numWritten":9,"lastReceivedTime":77,"workerId":"w"}`},
		"without exceptions": {v1alpha1.SinkKind, v1alpha1.PulsarInstance{Pod: "p", Status: &v1alpha1.InstanceStatus{Running: true}}, false,
			`{"running":true,"error":"","numRestarts":0,"numReadFromPulsar":0,"numSystemExceptions":0,"latestSystemExceptions":[],` +
				`"numSinkExceptions":0,"latestSinkExceptions":[],"numWrittenToSink":0,"lastReceivedTime":0,"workerId":"w"}`},
		"not scheduled": {v1alpha1.SourceKind, v1alpha1.PulsarInstance{Reason: "Pending"}, false,
			`{"running":false,"error":"Source has not been scheduled","numRestarts":0,"numReceivedFromSource":0,"numSystemExceptions":0,` +
				`"numSourceExceptions":0,"numWritten":0,"lastReceivedTime":0}`},
		"stopped": {v1alpha1.FunctionKind, stopped, true,
			`{"running":false,"error":"","numRestarts":0,"numReceived":0,"numSuccessfullyProcessed":0,"numUserExceptions":0,` +
				`"numSystemExceptions":0,"averageLatency":0,"lastInvocationTime":0,"workerId":"w"}`},
		"broken": {v1alpha1.FunctionKind, broken, false,
			`{"running":false,"error":"Pod p: CrashLoopBackOff.","numRestarts":3,"numReceived":0,"numSuccessfullyProcessed":0,"numUserExceptions":0,` +
				`"numSystemExceptions":0,"averageLatency":0,"lastInvocationTime":0,"workerId":"w"}`},
		"silent": {v1alpha1.FunctionKind, silent, false,
			`{"running":false,"error":"The instance did not answer in time.","numRestarts":0,"numReceived":0,"numSuccessfullyProcessed":0,` +
				`"numUserExceptions":0,"numSystemExceptions":0,"averageLatency":0,"lastInvocationTime":0,"workerId":"w"}`},
	} {
		t.Run(name, func(t *testing.T) {
			found := &v1alpha1.PulsarInstances{Suspended: test.suspended, Instances: []v1alpha1.PulsarInstance{test.instance}}
			if got := encode(t, OfInstance(test.kind, found, &test.instance, "w")); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestStatusOfAll(t *testing.T) {
	found := &v1alpha1.PulsarInstances{Instances: []v1alpha1.PulsarInstance{answered(0), {ID: 1}, answered(2)}}
	status := Of(v1alpha1.FunctionKind, found, "w")
	if status.NumInstances != 3 || status.NumRunning != 2 || len(status.Instances) != 3 || status.Instances[2].InstanceID != 2 {
		t.Errorf("got %s", encode(t, status))
	}
	if got := encode(t, Of(v1alpha1.FunctionKind, &v1alpha1.PulsarInstances{}, "w")); got != `{"numInstances":0,"numRunning":0,"instances":[]}` {
		t.Errorf("of none: %s", got)
	}
}

func TestStats(t *testing.T) {
	const counts = `"receivedTotal":10,"processedSuccessfullyTotal":9,"systemExceptionsTotal":8,"userExceptionsTotal":7,"avgProcessLatency":6`
	minute := func(received string) string {
		text := `{"receivedTotal":` + received + `,"processedSuccessfullyTotal":0,"systemExceptionsTotal":0,"userExceptionsTotal":0,"avgProcessLatency":null}`
		return `"1min":` + text + `,"oneMin":` + text
	}
	const nothing = `"receivedTotal":0,"processedSuccessfullyTotal":0,"systemExceptionsTotal":0,"userExceptionsTotal":0,"avgProcessLatency":null`
	first := answered(0)
	if got, want := encode(t, StatsOfInstance(&first)), `{`+counts+`,`+minute("5")+`,"lastInvocation":77,"userMetrics":{"m":2.5}}`; got != want {
		t.Errorf("of an instance\ngot  %s\nwant %s", got, want)
	}
	slow := answered(1)
	slow.Metrics.AvgProcessLatency = 9
	// Who has no pod isn't there, and who doesn't answer has counted nothing.
	found := &v1alpha1.PulsarInstances{Instances: []v1alpha1.PulsarInstance{first, slow, {ID: 2}, {ID: 3, Pod: "p", Error: "silent"}}}
	got := encode(t, StatsOf(found))
	want := `{"receivedTotal":20,"processedSuccessfullyTotal":18,"systemExceptionsTotal":16,"userExceptionsTotal":14,"avgProcessLatency":7.5,` +
		minute("10") + `,"lastInvocation":78,"instances":[` +
		`{"instanceId":0,"metrics":` + encode(t, StatsOfInstance(&first)) + `},` +
		`{"instanceId":1,"metrics":` + encode(t, StatsOfInstance(&slow)) + `},` +
		`{"instanceId":3,"metrics":{` + nothing + `,` + minute("0") + `,"lastInvocation":null,"userMetrics":{}}}]}`
	if got != want {
		t.Errorf("of all\ngot  %s\nwant %s", got, want)
	}
	if got, want := encode(t, StatsOf(&v1alpha1.PulsarInstances{})), `{`+nothing+`,`+minute("0")+`,"lastInvocation":null,"instances":[]}`; got != want {
		t.Errorf("of none\ngot  %s\nwant %s", got, want)
	}
}

// TestNumbersTooLargeToAdd proves that what one instance makes up spoils no more than the
// sums, and these are still numbers that nothing else was taken from.
func TestNumbersTooLargeToAdd(t *testing.T) {
	liar := v1alpha1.PulsarInstance{ID: 1, Pod: "p", Metrics: &v1alpha1.InstanceMetrics{
		InstanceCounts: v1alpha1.InstanceCounts{ReceivedTotal: math.MaxInt64}, OneMinute: v1alpha1.InstanceCounts{ReceivedTotal: math.MaxInt64}},
		Status: &v1alpha1.InstanceStatus{NumSystemExceptions: math.MaxInt64, NumSourceExceptions: 1, NumSinkExceptions: 1, NumUserExceptions: 1}}
	stats := StatsOf(&v1alpha1.PulsarInstances{Instances: []v1alpha1.PulsarInstance{answered(0), liar, liar, answered(2)}})
	if stats.ReceivedTotal != math.MaxInt64 || stats.OneMin.ReceivedTotal != math.MaxInt64 || stats.ProcessedSuccessfullyTotal != 18 {
		t.Errorf("the sums are %s", encode(t, stats))
	}
	for _, kind := range []v1alpha1.ComponentKind{v1alpha1.FunctionKind, v1alpha1.SourceKind, v1alpha1.SinkKind} {
		status := encode(t, OfInstance(kind, &v1alpha1.PulsarInstances{}, &liar, "w"))
		if !strings.Contains(status, `"numSystemExceptions":9223372036854775807`) {
			t.Errorf("the status of a %s is %s", kind.Type, status)
		}
	}
}
