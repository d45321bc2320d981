package status

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

// watching waits until a watch of one object delivers what condition accepts.
func watching(ctx context.Context, t *testing.T, namespace, name, resourceVersion string) func(what string, condition func(*v1alpha1.PulsarFunction) bool) {
	t.Helper()
	watch, err := views.AdminV1alpha1().PulsarFunctions(namespace).Watch(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", name).String(),
		ResourceVersion: resourceVersion,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watch.Stop)
	return func(what string, condition func(*v1alpha1.PulsarFunction) bool) {
		t.Helper()
		timer := time.NewTimer(limit)
		defer timer.Stop()
		for {
			select {
			case event, open := <-watch.ResultChan():
				view, ok := event.Object.(*v1alpha1.PulsarFunction)
				if !open || !ok {
					t.Fatalf("the watch ended with %v", event.Object)
				}
				if condition(view) {
					return
				}
			case <-timer.C:
				t.Fatalf("a watcher did not see %s", what)
			}
		}
	}
}

// kubectlWait runs kubectl wait for a condition of a function.
func kubectlWait(ctx context.Context, t *testing.T, namespace, name, condition string) {
	t.Helper()
	output, err := env.Kubectl(ctx, "wait", "--namespace", namespace, "--for=condition="+condition,
		"--timeout="+limit.String(), "pulsarfunction/"+name).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl wait for %s: %v: %s", condition, err, output)
	}
}

// TestLife follows a function from its creation: its pods come up, one breaks and
// recovers, it is scaled and suspended, all seen in one watch and by kubectl wait.
func TestLife(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	created := create(ctx, t, namespace, newFunction("life", 2))
	sees := watching(ctx, t, namespace, "life", created.ResourceVersion)

	kubectlWait(ctx, t, namespace, "life", "Ready")
	sees("it ready", func(view *v1alpha1.PulsarFunction) bool {
		return meta.IsStatusConditionTrue(view.Status.Conditions, v1alpha1.ConditionReady)
	})
	view := waitFor(ctx, t, namespace, "life", v1alpha1.ConditionReady, "Ready")
	if status := view.Status; status.Phase != "Running" || status.Replicas != 2 || status.ReadyReplicas != 2 ||
		!strings.Contains(status.Selector, "compute.functionmesh.io/name=life") || !strings.HasSuffix(status.Selector, ",statefulset.kubernetes.io/pod-name") || status.ObservedGeneration != view.Generation {
		t.Errorf("a ready function has the status %+v", status)
	}

	failure := controlplane.PodFailure{Reason: "CrashLoopBackOff", Message: "back-off 5m0s", Restarts: 3}
	if err := env.ControlPlane.FailPod(ctx, namespace, "life-function-1", failure); err != nil {
		t.Fatal(err)
	}
	sees("it stalled", func(view *v1alpha1.PulsarFunction) bool {
		stalled := meta.FindStatusCondition(view.Status.Conditions, v1alpha1.ConditionStalled)
		return stalled != nil && stalled.Status == metav1.ConditionTrue && stalled.Reason == "CrashLoopBackOff" &&
			strings.Contains(stalled.Message, "Pod life-function-1, container pulsar-function: CrashLoopBackOff")
	})
	kubectlWait(ctx, t, namespace, "life", "Stalled")
	kubectlWait(ctx, t, namespace, "life", "Available=false")
	output, err := env.Kubectl(ctx, "get", "--namespace", namespace, "pulsarfunctions").CombinedOutput()
	if err != nil || !strings.Contains(string(output), "Degraded") {
		t.Errorf("%v: kubectl get says %s", err, output)
	}
	if err := env.ControlPlane.RecoverPod(ctx, namespace, "life-function-1"); err != nil {
		t.Fatal(err)
	}
	kubectlWait(ctx, t, namespace, "life", "Ready")
	kubectlWait(ctx, t, namespace, "life", "Stalled=false")

	functions := views.AdminV1alpha1().PulsarFunctions(namespace)
	scaled, err := functions.Patch(ctx, "life", types.MergePatchType, []byte(`{"spec":{"parallelism":3}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Before anything is published of the new generation.
	if reconciling := meta.FindStatusCondition(scaled.Status.Conditions, v1alpha1.ConditionReconciling); reconciling == nil ||
		reconciling.Status != metav1.ConditionTrue || scaled.Status.ObservedGeneration >= scaled.Generation {
		t.Errorf("the answer to a change has the status %+v", scaled.Status)
	}
	sees("three instances", func(view *v1alpha1.PulsarFunction) bool {
		return view.Status.ReadyReplicas == 3 && meta.IsStatusConditionTrue(view.Status.Conditions, v1alpha1.ConditionReady)
	})
	stop := []byte(`{"spec":{"replicas":0}}`)
	if _, err := env.Dynamic().Resource(operator.Resource("functions")).Namespace(namespace).
		Patch(ctx, "life", types.MergePatchType, stop, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if view := waitFor(ctx, t, namespace, "life", v1alpha1.ConditionReady, "Suspended"); view.Status.Phase != "Suspended" || view.Status.Replicas != 0 {
		t.Errorf("a suspended function has the status %+v", view.Status)
	}

	eventually(ctx, t, "the events", func() error {
		output, err := env.Kubectl(ctx, "describe", "--namespace", namespace, "pulsarfunction", "life").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, output)
		}
		_, events, _ := strings.Cut(string(output), "Events:")
		for _, want := range []string{"Ready", "CrashLoopBackOff", "Recovered", "Suspended"} {
			if !strings.Contains(events, want) {
				return fmt.Errorf("no event %s in %s", want, events)
			}
		}
		return nil
	})
}

// TestQuiet proves that nothing is written where nothing has changed.
func TestQuiet(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	create(ctx, t, namespace, newFunction("quiet", 1))
	create(ctx, t, namespace, newFunction("busy", 1))
	waitFor(ctx, t, namespace, "busy", v1alpha1.ConditionReady, "Ready")
	before := waitFor(ctx, t, namespace, "quiet", v1alpha1.ConditionReady, "Ready").ResourceVersion
	began := time.Now()
	pods := env.ControlPlane.Client().CoreV1().Pods(namespace)
	for i, broken := range []bool{true, false, true} {
		// News of a pod that say nothing, and then news of another that do: when
		// those are published, the former have been looked at.
		note := fmt.Sprintf(`{"metadata":{"annotations":{"note":"%d"}}}`, i)
		if _, err := pods.Patch(ctx, "quiet-function-0", types.MergePatchType, []byte(note), metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
		reason := "Ready"
		if broken {
			reason = "CrashLoopBackOff"
			if err := env.ControlPlane.FailPod(ctx, namespace, "busy-function-0", controlplane.PodFailure{Reason: reason, Restarts: 1}); err != nil {
				t.Fatal(err)
			}
		} else if err := env.ControlPlane.RecoverPod(ctx, namespace, "busy-function-0"); err != nil {
			t.Fatal(err)
		}
		waitFor(ctx, t, namespace, "busy", v1alpha1.ConditionReady, reason)
	}
	if after := getCR(ctx, t, "functions", namespace, "quiet"); after.GetResourceVersion() != before {
		t.Errorf("was written: version %s became %s: %v", before, after.GetResourceVersion(), after.GetAnnotations())
	}
	// A write of the same text would leave the version as it was.
	since := func(name string) (count int, err error) {
		times, err := patches(namespace, name)
		for _, written := range times {
			if written.After(began) {
				count++
			}
		}
		return count, err
	}
	eventually(ctx, t, "the audit log", func() error {
		if count, err := since("busy"); err != nil || count < 3 {
			return fmt.Errorf("only %d writes (%v)", count, err)
		}
		return nil
	})
	if count, err := since("quiet"); err != nil || count > 0 {
		t.Errorf("was written %d times: %v", count, err)
	}
}

// TestInterval proves, by kube-apiserver's audit log, that an object is written at
// most once a second, however often its pods change.
func TestInterval(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	create(ctx, t, namespace, newFunction("flapping", 1))
	waitFor(ctx, t, namespace, "flapping", v1alpha1.ConditionReady, "Ready")
	var times []time.Time
	changed := 0
	// The pod changes several times a second; four writes take three.
	eventually(ctx, t, "some writes", func() error {
		reason := "CrashLoopBackOff"
		if changed%2 == 1 {
			reason = "ImagePullBackOff"
		}
		if err := env.ControlPlane.FailPod(ctx, namespace, "flapping-function-0", controlplane.PodFailure{Reason: reason, Restarts: changed % 2}); err != nil {
			return err
		}
		changed++
		var err error
		if times, err = patches(namespace, "flapping"); err == nil && len(times) < 4 {
			err = fmt.Errorf("only %d writes", len(times))
		}
		return err
	})
	t.Logf("%d changes, %d writes", changed, len(times))
	for i := range times[1:] {
		if apart := times[i+1].Sub(times[i]); apart < time.Second {
			t.Errorf("two writes were %v apart", apart)
		}
	}
}

// TestEarlyOperator has a StatefulSet and pods with the labels that the first operators
// gave them, and later ones leave.
func TestEarlyOperator(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	function := newFunction("old", 1)
	function.Labels = map[string]string{operator.Early: "true"}
	create(ctx, t, namespace, function)
	waitFor(ctx, t, namespace, "old", v1alpha1.ConditionReady, "Ready")
	failure := controlplane.PodFailure{Reason: "CrashLoopBackOff", Message: "back-off 5m0s", Restarts: 3}
	if err := env.ControlPlane.FailPod(ctx, namespace, "old-function-0", failure); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, namespace, "old", v1alpha1.ConditionStalled, "CrashLoopBackOff")
}
