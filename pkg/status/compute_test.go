package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)

const uid = "11111111-2222-3333-4444-555555555555"

// running returns what is observed of an object with two ready instances.
func running() Input {
	return Input{
		UID: uid, Generation: 3, OperatorGeneration: 3, Replicas: 2, Now: now,
		StatefulSet: statefulSet(2, 2),
		Pods:        []*corev1.Pod{readyPod(0), readyPod(1)},
	}
}

func statefulSet(replicas, ready int32) *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Generation: 5},
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "f"}},
		},
		Status: appsv1.StatefulSetStatus{
			ObservedGeneration: 5, Replicas: replicas, ReadyReplicas: ready, UpdatedReplicas: replicas,
			CurrentRevision: "f-new", UpdateRevision: "f-new",
		},
	}
}

func readyPod(ordinal int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("f-function-%d", ordinal),
			Labels: map[string]string{appsv1.StatefulSetRevisionLabel: "f-new"},
		},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "pulsar-function", Ready: true}},
		},
	}
}

// failing returns a pod whose container has waited for so long.
func failing(ordinal int, reason, message string, since time.Duration) *corev1.Pod {
	pod := readyPod(ordinal)
	pod.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-since)),
	}}
	pod.Status.ContainerStatuses[0].Ready = false
	pod.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
	return pod
}

func unschedulable(ordinal int, since time.Duration) *corev1.Pod {
	pod := readyPod(ordinal)
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
		Message: "0/3 nodes are available: 3 Insufficient cpu.", LastTransitionTime: metav1.NewTime(now.Add(-since)),
	}}}
	return pod
}

// text writes conditions as "Ready=True:Ready", those whose reason is None left out.
func text(conditions []metav1.Condition) string {
	var words []string
	for _, condition := range conditions {
		if condition.Reason != ReasonNone {
			words = append(words, fmt.Sprintf("%s=%s:%s", condition.Type, condition.Status, condition.Reason))
		}
	}
	return strings.Join(words, " ")
}

func TestCompute(t *testing.T) {
	const fine = "Accepted=True:Accepted Reconciled=True:Reconciled"
	for name, test := range map[string]struct {
		change     func(*Input)
		phase      string
		conditions string
		// message is part of Ready's.
		message string
		recheck time.Duration
	}{
		"running": {func(*Input) {}, PhaseRunning, "Ready=True:Ready " + fine + " Available=True:Ready", "2 of 2 instances are ready.", 0},
		"operator hasn't acted": {func(in *Input) { in.Generation = 4 }, PhaseUpdating,
			"Ready=False:Pending Reconciling=True:Progressing Accepted=True:Accepted Reconciled=Unknown:Pending Available=True:Ready", "not acted", 5 * time.Minute},
		"nothing there yet": {func(in *Input) { in.OperatorGeneration, in.StatefulSet, in.Pods = 0, nil, nil }, PhasePending,
			"Ready=False:Pending Reconciling=True:Progressing Accepted=True:Accepted Reconciled=Unknown:Pending Available=False:Pending", "not acted", 5 * time.Minute},
		"new": {func(in *Input) {
			in.Generation, in.OperatorGeneration, in.StatefulSet, in.Pods, in.Created = 1, 0, nil, nil, now.Add(-time.Minute)
		}, PhasePending, "Ready=False:Pending Reconciling=True:Progressing Accepted=True:Accepted Reconciled=Unknown:Pending Available=False:Pending", "not acted", 4 * time.Minute},
		"new for long": {func(in *Input) {
			in.Generation, in.OperatorGeneration, in.StatefulSet, in.Pods, in.Created = 1, 0, nil, nil, now.Add(-5*time.Minute)
		}, PhaseFailed, "Ready=False:OperatorSilent Stalled=True:OperatorSilent Accepted=True:Accepted Reconciled=Unknown:Pending Available=False:Pending", "its log says why", 0},
		"starting": {func(in *Input) { in.StatefulSet = statefulSet(2, 0); in.Pods = nil }, PhasePending,
			"Ready=False:NotReady Reconciling=True:Progressing " + fine + " Available=False:NotReady", "0 of 2", 0},
		"scaling up": {func(in *Input) { in.Replicas = 3 }, PhaseUpdating,
			"Ready=False:NotReady Reconciling=True:Progressing " + fine + " Available=False:NotReady", "2 of 3", 0},
		"scaling down": {func(in *Input) { in.Replicas = 1 }, PhaseUpdating,
			"Ready=False:Progressing Reconciling=True:Progressing " + fine + " Available=True:Ready", "2 of 1", 0},
		"rolling out": {func(in *Input) {
			in.StatefulSet.Status.CurrentRevision = "f-old"
			in.StatefulSet.Status.UpdatedReplicas = 1
		}, PhaseUpdating, "Ready=False:Progressing Reconciling=True:Progressing " + fine + " Available=True:Ready", "being replaced", 0},
		"StatefulSet not observed": {func(in *Input) { in.StatefulSet.Generation = 6 }, PhaseUpdating,
			"Ready=False:Progressing Reconciling=True:Progressing " + fine + " Available=True:Ready", "", 0},
		"suspended": {func(in *Input) { in.Replicas = 0; in.StatefulSet = statefulSet(0, 0); in.Pods = nil }, PhaseSuspended,
			"Ready=True:Suspended " + fine + " Available=True:Suspended", "No instance should run", 0},
		"suspending": {func(in *Input) { in.Replicas = 0 }, PhaseSuspending,
			"Ready=False:Progressing Reconciling=True:Progressing " + fine + " Available=True:Progressing", "2 have not stopped", 0},
		"crash loop": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Pods[1] = failing(1, "CrashLoopBackOff", "back-off 5m0s secret words", 0)
			in.Pods[1].Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", Message: "secret words"}
		}, PhaseDegraded, "Ready=False:CrashLoopBackOff Stalled=True:CrashLoopBackOff " + fine + " Available=False:CrashLoopBackOff",
			"Pod f-function-1, container pulsar-function: CrashLoopBackOff (last exit code 137, OOMKilled).", 0},
		"crash between": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Pods[1] = failing(1, "", "", 0)
			in.Pods[1].Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}}
		}, PhaseDegraded, "Ready=False:Error Reconciling=True:Progressing " + fine + " Available=False:Error", "last exit code 1", 0},
		"all crash": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Pods = []*corev1.Pod{failing(0, "CrashLoopBackOff", "", 0), failing(1, "CrashLoopBackOff", "", 0)}
		}, PhaseFailed, "Ready=False:CrashLoopBackOff Stalled=True:CrashLoopBackOff " + fine + " Available=False:CrashLoopBackOff", "f-function-0", 0},
		"old pod crashes while new ones come": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.StatefulSet.Status.CurrentRevision, in.StatefulSet.Status.UpdatedReplicas = "f-old", 1
			in.Pods[0] = failing(0, "CrashLoopBackOff", "", 0)
			in.Pods[0].Labels[appsv1.StatefulSetRevisionLabel] = "f-old"
		}, PhaseDegraded, "Ready=False:CrashLoopBackOff Reconciling=True:Progressing " + fine + " Available=False:CrashLoopBackOff", "f-function-0", 0},
		"image": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Pods = []*corev1.Pod{failing(0, "ImagePullBackOff", `Back-off pulling image "x:1"`, 0)}
		}, PhaseFailed, "Ready=False:ImagePullBackOff Stalled=True:ImagePullBackOff " + fine + " Available=False:ImagePullBackOff", `"x:1"`, 0},
		"no node yet": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Pods[1] = unschedulable(1, 20*time.Second)
		}, PhaseDegraded, "Ready=False:Unschedulable Reconciling=True:Progressing " + fine + " Available=False:Unschedulable", "Insufficient cpu", 40 * time.Second},
		"no node for long": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Pods[1] = unschedulable(1, 2*time.Minute)
		}, PhaseDegraded, "Ready=False:Unschedulable Stalled=True:Unschedulable " + fine + " Available=False:Unschedulable", "Insufficient cpu", 0},
		"pod misses a secret": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 1)
			in.Unchecked = "May not look."
			in.Pods[1] = failing(1, "CreateContainerConfigError", `secret "db" not found`, 0)
		}, PhaseDegraded, "Ready=False:CreateContainerConfigError Reconciling=True:Progressing Accepted=False:ReferenceNotFound Reconciled=True:Reconciled Available=False:CreateContainerConfigError", "db", time.Minute - 600},
		"secret is missing": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Pods, in.Missing = nil, []Reference{{Kind: SecretKind, Name: "db", Field: "spec.secrets"}}
		}, PhasePending, "Ready=False:NotReady Reconciling=True:Progressing Accepted=False:ReferenceNotFound Reconciled=True:Reconciled Available=False:NotReady", "0 of 2", time.Minute - 600},
		"secret is missing for long": {func(in *Input) {
			in.StatefulSet = statefulSet(2, 0)
			in.Pods, in.Missing = nil, []Reference{{Kind: SecretKind, Name: "db", Field: "spec.secrets"}}
			in.Previous = &Published{Conditions: []metav1.Condition{{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionFalse, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}}}
		}, PhaseFailed, "Ready=False:ReferenceNotFound Stalled=True:ReferenceNotFound Accepted=False:ReferenceNotFound Reconciled=True:Reconciled Available=False:NotReady", "Secret db (spec.secrets)", 0},
		"may not look, not running": {func(in *Input) {
			in.StatefulSet, in.Unchecked = statefulSet(2, 0), "May not look."
			in.Pods = nil
		}, PhasePending, "Ready=False:NotReady Reconciling=True:Progressing Accepted=Unknown:ReferencesNotChecked Reconciled=True:Reconciled Available=False:NotReady", "", 0},
		"may not look, running": {func(in *Input) { in.Unchecked = "May not look." }, PhaseRunning,
			"Ready=True:Ready " + fine + " Available=True:Ready", "", 0},
		"duplicate": {func(in *Input) {
			in.Replicas, in.StatefulSet, in.Pods = 0, statefulSet(0, 0), nil
			in.Elder = &Elder{Kind: "PulsarSink", Name: "s", Identity: "a/b/c"}
		}, PhaseDuplicate, "Ready=False:DuplicateIdentity Stalled=True:DuplicateIdentity Accepted=False:DuplicateIdentity Reconciled=True:Reconciled Available=True:Suspended",
			"a/b/c is the Pulsar identity of PulsarSink s as well", 0},
		"unmanaged": {func(in *Input) { in.Unmanaged = true; in.Generation = 4 }, PhaseDegraded,
			"Ready=False:Unmanaged Stalled=True:Unmanaged Accepted=True:Accepted Reconciled=False:Unmanaged Available=True:Ready", "leave the resource alone", 0},
		"deleted": {func(in *Input) { in.Deleted = true }, PhaseTerminating, "Ready=True:Ready " + fine + " Available=True:Ready", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			in := running()
			test.change(&in)
			published, recheck := Compute(in)
			if got := text(published.Conditions); published.Phase != test.phase || got != test.conditions {
				t.Errorf("got  %s: %s\nwant %s: %s", published.Phase, got, test.phase, test.conditions)
			}
			message := published.Condition(v1alpha1.ConditionReady).Message
			if !strings.Contains(message, test.message) {
				t.Errorf("Ready says %q, not %q", message, test.message)
			}
			// Times of conditions are in seconds, so what waits for one rounds.
			if diff := recheck - test.recheck; diff < -time.Second || diff > time.Second {
				t.Errorf("to be looked at again after %v, not %v", recheck, test.recheck)
			}
			data, err := published.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(data, "secret words") {
				t.Errorf("what a container said is published: %s", data)
			}
			for _, condition := range published.Conditions {
				if condition.ObservedGeneration != in.Generation || condition.Message == "" {
					t.Errorf("incomplete: %+v", condition)
				}
			}
			// None of these has a credential, a package URL or a subscription that is to be removed.
			if len(published.Conditions) != len(conditionTypes)-3 {
				t.Errorf("conditions are missing: %s", data)
			}
		})
	}
}

// TestTimes proves that a condition's time is that of its last change, and that
// nothing at all changes when nothing happens.
func TestTimes(t *testing.T) {
	in := running()
	first, _ := Compute(in)
	before, err := first.Encode()
	if err != nil {
		t.Fatal(err)
	}
	resource := &metav1.ObjectMeta{UID: uid, Generation: 3, Annotations: map[string]string{Annotation: before}}
	in.Previous, err = Decode(resource)
	if err != nil {
		t.Fatal(err)
	}
	in.Now = now.Add(time.Hour)
	second, _ := Compute(in)
	if after, err := second.Encode(); err != nil || after != before {
		t.Errorf("%v; got %s, had %s", err, after, before)
	}
	in.StatefulSet = statefulSet(2, 1)
	third, _ := Compute(in)
	for conditionType, want := range map[string]time.Time{
		v1alpha1.ConditionReady:      in.Now,
		v1alpha1.ConditionAvailable:  in.Now,
		v1alpha1.ConditionAccepted:   now,
		v1alpha1.ConditionReconciled: now,
	} {
		if got := third.Condition(conditionType).LastTransitionTime; !got.Time.Equal(want.Truncate(time.Second)) {
			t.Errorf("%s changed at %v, not %v", conditionType, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	in := running()
	in.StatefulSet = statefulSet(2, 0)
	in.Pods = []*corev1.Pod{failing(0, "ImagePullBackOff", strings.Repeat("é", 100_000), 0)}
	for i := range 1000 {
		in.Missing = append(in.Missing, Reference{Kind: SecretKind, Name: fmt.Sprintf("%0253d", i), Field: "spec.secrets"})
	}
	published, _ := Compute(in)
	data, err := published.Encode()
	if err != nil || len(data) > maxSize/2 {
		t.Errorf("%v, %d bytes", err, len(data))
	}
	if _, err := Decode(&metav1.ObjectMeta{UID: uid, Annotations: map[string]string{Annotation: data}}); err != nil {
		t.Error(err)
	}
	if condition := meta.FindStatusCondition(published.Conditions, v1alpha1.ConditionAccepted); !strings.Contains(condition.Message, "Secret 000") {
		t.Error(condition.Message)
	}
}

// An autoscaler reads the metrics of what the selector selects. The pod in which the
// operator removes the subscription in the end is no instance.
func TestSelector(t *testing.T) {
	published, _ := Compute(running())
	selector, err := labels.Parse(published.Selector)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		labels labels.Set
		want   bool
	}{
		"instance": {labels.Set{"name": "f", "statefulset.kubernetes.io/pod-name": "f-function-0"}, true},
		"other":    {labels.Set{"name": "g", "statefulset.kubernetes.io/pod-name": "g-function-0"}, false},
		"clean-up": {labels.Set{"name": "f", "job-name": "f-function-cleanup"}, false},
	} {
		if got := selector.Matches(test.labels); got != test.want {
			t.Errorf("%s: selected=%v by %s", name, got, published.Selector)
		}
	}
}

// TestNotServed observes an object in a namespace that doesn't serve it: it runs, and isn't
// accepted, whatever else has its name.
func TestNotServed(t *testing.T) {
	for what, change := range map[string]func(*Input){
		"alone":       func(*Input) {},
		"a duplicate": func(in *Input) { in.Elder = &Elder{Kind: "PulsarSink", Name: "s", Identity: "a/b/c"} },
		"without references": func(in *Input) {
			in.Missing = []Reference{{Kind: SecretKind, Name: "s"}}
		},
	} {
		in := running()
		in.NotServed = "Kubernetes namespace x does not serve Pulsar namespace a/b."
		change(&in)
		published, _ := Compute(in)
		accepted := meta.FindStatusCondition(published.Conditions, v1alpha1.ConditionAccepted)
		if accepted.Status != metav1.ConditionFalse || accepted.Reason != ReasonNotServed || !strings.HasPrefix(accepted.Message, in.NotServed) {
			t.Errorf("%s: it is %+v", what, accepted)
		}
	}
	in := running()
	in.NotServed = "It isn't."
	if published, _ := Compute(in); published.Phase != PhaseRunning {
		t.Errorf("what runs is %s", published.Phase)
	}
}
