package instances

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
)

// TestOf asks pods in all states at once: each says what is of itself, and only that.
func TestOf(t *testing.T) {
	t.Parallel()
	good := instancetest.Honest(
		&instancecontrol.FunctionStatus{Running: true, NumReceived: 7, LatestUserExceptions: []*instancecontrol.FunctionStatus_ExceptionInformation{
			{ExceptionString: "bad", MsSinceEpoch: 5}}},
		&instancecontrol.MetricsData{ReceivedTotal: 7, ReceivedTotal_1Min: 6, UserMetrics: map[string]float64{"m": 1}})
	const address = "127.0.7.1"
	stopping := pod(5, address, at(t, address, good))
	stopping.DeletionTimestamp, stopping.Finalizers = &metav1.Time{Time: time.Now()}, []string{"test/keep"}
	crashing := pod(6, address, 1)
	crashing.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	crashing.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}
	crashing.Status.Conditions[0].Status = corev1.ConditionFalse
	unaddressed := pod(7, "not-an-address", 1)
	// It has the labels and the name, but another owner.
	foreign := pod(8, address, at(t, address, good))
	foreign.OwnerReferences = controlledBy("StatefulSet", "f-function", "other")
	// It claims to be of the StatefulSet, which gives no pod such a name.
	twin := pod(0, address, at(t, address, instancetest.Honest(&instancecontrol.FunctionStatus{NumReceived: 99}, &instancecontrol.MetricsData{})))
	twin.Name = "f-function-00"
	closed := listen(t, address)
	_, closedPort := addressOf(closed)
	closed.Close()
	instances, _ := among(statefulSet(),
		pod(0, address, at(t, address, good)), pod(1, address, at(t, address, instancetest.Hung(nil))), pod(2, address, closedPort),
		stopping, crashing, unaddressed, foreign, twin)

	found, err := instances.Of(t.Context(), function(10), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	first := found[0]
	if first.Pod != "f-function-0" || !first.Ready || first.Restarts != 3 || first.Reason != "" || first.Error != "" || first.Status.NumReceived != 7 ||
		first.Status.LatestUserExceptions[0] != (v1alpha1.InstanceException{ExceptionString: "bad", TimestampMs: 5}) ||
		first.Metrics.ReceivedTotal != 7 || first.Metrics.OneMinute.ReceivedTotal != 6 || first.Metrics.UserMetrics["m"] != 1 {
		t.Errorf("a good one is %+v %+v %+v", first, first.Status, first.Metrics)
	}
	for id, want := range map[int]string{1: instancetest.Late, 2: instancetest.Unreachable, 7: notOwn} {
		if got := found[id]; got.Error != want || got.Status != nil || got.Metrics != nil || !got.Ready {
			t.Errorf("instance %d is %+v", id, got)
		}
	}
	if got := found[5]; got.Reason != "Terminating" || got.Ready || got.Status == nil {
		t.Errorf("one that stops is %+v", got)
	}
	if got := found[6]; got.Reason != "CrashLoopBackOff" || !strings.Contains(got.Message, "last exit code 137, OOMKilled") || got.Status != nil || got.Error != "" {
		t.Errorf("one that crashes is %+v", got)
	}
	for _, id := range []int{3, 4, 8, 9} {
		if got := found[id]; got.Pod != "" || got.Reason != "Pending" || got.Status != nil {
			t.Errorf("instance %d, which has no pod of its own, is %+v", id, got)
		}
	}
}

func TestForeignStatefulSet(t *testing.T) {
	set := statefulSet()
	set.OwnerReferences = controlledBy("Function", "f", "other")
	instances, client := among(set, pod(0, "127.0.7.1", 1))
	found, err := instances.Of(t.Context(), function(1), 0, 1)
	if err != nil || found[0].Pod != "" {
		t.Errorf("of another's StatefulSet it has %+v (%v)", found, err)
	}
	if err := instances.Restart(t.Context(), function(1), 0, nil); err != nil {
		t.Error(err)
	}
	if pods, err := client.CoreV1().Pods("n").List(t.Context(), metav1.ListOptions{}); err != nil || len(pods.Items) != 1 {
		t.Errorf("another's pod was deleted (%v)", err)
	}
}

func TestRestart(t *testing.T) {
	instances, client := among(statefulSet(), pod(0, "127.0.7.1", 1), pod(1, "127.0.7.1", 1))
	for range 2 {
		// It is no error that the pod is gone already.
		if err := instances.Restart(t.Context(), function(2), 1, nil); err != nil {
			t.Fatal(err)
		}
	}
	pods, err := client.CoreV1().Pods("n").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(pods.Items) != 1 || pods.Items[0].Name != "f-function-0" {
		t.Errorf("left are %v (%v)", pods, err)
	}
}

func TestWithoutPod(t *testing.T) {
	suspended, rejected := function(1), function(1)
	suspended.Spec.Suspend = true
	rejected.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, Reason: "ReferenceNotFound", Message: "Secret s"}}
	for want, component := range map[string]*v1alpha1.PulsarFunction{"Suspended": suspended, "ReferenceNotFound": rejected, "Pending": function(1)} {
		instances, _ := among()
		if found, err := instances.Of(t.Context(), component, 0, 1); err != nil || found[0].Reason != want || found[0].Message == "" {
			t.Errorf("%s: %+v (%v)", want, found, err)
		}
	}
}

func TestPortOf(t *testing.T) {
	if got := portOf(v1alpha1.FunctionKind, pod(0, "", 77)); got != 77 {
		t.Errorf("the declared port is %d", got)
	}
	if got := portOf(v1alpha1.SinkKind, pod(0, "", 77)); got != defaultPort {
		t.Errorf("without one it is %d", got)
	}
}

func TestOrdinal(t *testing.T) {
	for name, want := range map[string]int32{"f-function-0": 0, "f-function-12": 12, "f-function-00": -1, "f-function-+1": -1, "f-function--1": -1, "f-function-x": -1, "g-function-1": -1, "f-function-": -1} {
		got, ok := ordinal("f-function", name)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%s is the pod of %d", name, got)
		}
	}
}
