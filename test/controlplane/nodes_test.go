package controlplane

import (
	"context"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// TestNodes shares one control plane with nodes.
func TestNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	began := time.Now()
	cp, err := Start(ctx, Options{BinDir: binDir(), Dir: t.TempDir(), Nodes: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer cp.Stop()
	t.Logf("%5.1f s: ready", time.Since(began).Seconds())

	failure := PodFailure{Reason: "CreateContainerConfigError", Message: `configmap "pulsar" not found`}
	broken := createBroken(t, cp, failure)
	createSet(t, cp)
	t.Run("StatefulSet", func(t *testing.T) { testStatefulSet(t, cp) })
	t.Run("failing pod", func(t *testing.T) { testFailPod(t, cp) })
	t.Run("replaced pod", func(t *testing.T) { testReplacedPod(t, cp) })
	t.Run("Deployment and Service", func(t *testing.T) { testDeployment(t, cp) })
	for _, pod := range broken {
		t.Run("fails from the start", func(t *testing.T) { testFailFromStart(t, cp, pod, failure) })
	}
	t.Run("stop", func(t *testing.T) { testStop(t, cp) })
}

var setLabels = map[string]string{"app": "set"}

func podTemplate(labels map[string]string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "main:1"}, {Name: "sidecar", Image: "sidecar:1"}}},
	}
}

// createSet creates a StatefulSet of three pods, named set-0 to set-2.
func createSet(t *testing.T, cp *ControlPlane) {
	t.Helper()
	replicas := int32(3)
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "set"}, Spec: appsv1.StatefulSetSpec{
		Replicas:            &replicas,
		PodManagementPolicy: appsv1.ParallelPodManagement,
		Selector:            &metav1.LabelSelector{MatchLabels: setLabels},
		Template:            podTemplate(setLabels),
	}}
	if _, err := cp.Client().AppsV1().StatefulSets(metav1.NamespaceDefault).Create(t.Context(), set, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// waitForSet waits until so many of the StatefulSet's three pods are ready, and
// returns its pods by name.
func waitForSet(t *testing.T, cp *ControlPlane, ready int32) map[string]corev1.Pod {
	t.Helper()
	eventually(t, "the StatefulSet's ready replicas", func() bool {
		set, err := cp.Client().AppsV1().StatefulSets(metav1.NamespaceDefault).Get(t.Context(), "set", metav1.GetOptions{})
		return err == nil && set.Status.Replicas == 3 && set.Status.ReadyReplicas == ready
	})
	list, err := cp.Client().CoreV1().Pods(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{LabelSelector: "app=set"})
	if err != nil {
		t.Fatal(err)
	}
	pods := map[string]corev1.Pod{}
	for _, pod := range list.Items {
		pods[pod.Name] = pod
	}
	return pods
}

// condition returns a pod's condition of a type, an empty one if it has none.
func condition(pod corev1.Pod, conditionType corev1.PodConditionType) corev1.PodCondition {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == conditionType {
			return condition
		}
	}
	return corev1.PodCondition{}
}

func testStatefulSet(t *testing.T, cp *ControlPlane) {
	addresses := map[string]bool{}
	for name, pod := range waitForSet(t, cp, 3) {
		if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP == "" || pod.Status.HostIP == "" {
			t.Errorf("%s is %s with address %q on %q", name, pod.Status.Phase, pod.Status.PodIP, pod.Status.HostIP)
		}
		addresses[pod.Status.PodIP] = true
	}
	if len(addresses) != 3 {
		t.Errorf("the three pods have the addresses %v", addresses)
	}
}

func testFailPod(t *testing.T, cp *ControlPlane) {
	before := waitForSet(t, cp, 3)["set-1"].Status.PodIP
	for _, test := range []struct {
		failure PodFailure
		phase   corev1.PodPhase
	}{
		{PodFailure{Reason: "CrashLoopBackOff", Message: `back-off 5m0s restarting "main": it's broken`, Restarts: 5}, corev1.PodRunning},
		// From one failure to another.
		{PodFailure{Reason: "CrashLoopBackOff", Message: "back-off 5m0s", Restarts: 6}, corev1.PodRunning},
		{PodFailure{Reason: "ImagePullBackOff"}, corev1.PodPending},
	} {
		if err := cp.FailPod(t.Context(), metav1.NamespaceDefault, "set-1", test.failure); err != nil {
			t.Fatal(err)
		}
		var pod corev1.Pod
		eventually(t, "the pod to fail", func() bool {
			pod = waitForSet(t, cp, 2)["set-1"]
			waiting := pod.Status.ContainerStatuses[0].State.Waiting
			return waiting != nil && *waiting == corev1.ContainerStateWaiting{Reason: test.failure.Reason, Message: test.failure.Message}
		})
		main, sidecar := pod.Status.ContainerStatuses[0], pod.Status.ContainerStatuses[1]
		last := main.LastTerminationState.Terminated
		if pod.Status.Phase != test.phase || int(main.RestartCount) != test.failure.Restarts || main.Ready || !sidecar.Ready ||
			(last != nil) != (test.failure.Restarts > 0) || (last != nil && last.ExitCode != 1) {
			t.Errorf("after %+v the pod is %s, its containers %+v", test.failure, pod.Status.Phase, pod.Status.ContainerStatuses)
		}
		if ready := condition(pod, corev1.PodReady); ready.Status != corev1.ConditionFalse || ready.Reason != "ContainersNotReady" {
			t.Errorf("after %+v the pod's Ready is %+v", test.failure, ready)
		}
	}
	if err := cp.RecoverPod(t.Context(), metav1.NamespaceDefault, "set-1"); err != nil {
		t.Fatal(err)
	}
	pod := waitForSet(t, cp, 3)["set-1"]
	if ready := condition(pod, corev1.PodReady); pod.Status.Phase != corev1.PodRunning || ready.Reason != "" || ready.Message != "" {
		t.Errorf("the recovered pod is %s, Ready is %+v", pod.Status.Phase, ready)
	}
	if now := pod.Status.PodIP; now != before {
		t.Errorf("the pod had address %q, now %q", before, now)
	}
}

func testReplacedPod(t *testing.T, cp *ControlPlane) {
	if err := cp.FailPod(t.Context(), metav1.NamespaceDefault, "set-0", PodFailure{Reason: "CrashLoopBackOff", Restarts: 1}); err != nil {
		t.Fatal(err)
	}
	waitForSet(t, cp, 2)
	if err := cp.Client().CoreV1().Pods(metav1.NamespaceDefault).Delete(t.Context(), "set-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	waitForSet(t, cp, 3)
}

// createBroken creates pods that fail from the start: several, since kwok would
// choose at random if both its stage and ours were as good for a new pod.
func createBroken(t *testing.T, cp *ControlPlane, failure PodFailure) []*corev1.Pod {
	t.Helper()
	var created []*corev1.Pod
	for range 8 {
		pod, err := cp.Client().CoreV1().Pods(metav1.NamespaceDefault).Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "broken-", Annotations: failure.Annotations()},
			Spec:       podTemplate(nil).Spec,
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		created = append(created, pod)
	}
	return created
}

// testFailFromStart looks at all that happened to a pod since it was created:
// it was never ready.
func testFailFromStart(t *testing.T, cp *ControlPlane, created *corev1.Pod, failure PodFailure) {
	pods := cp.Client().CoreV1().Pods(metav1.NamespaceDefault)
	var latest *corev1.Pod
	eventually(t, "the pod to have a status", func() bool {
		var err error
		latest, err = pods.Get(t.Context(), created.Name, metav1.GetOptions{})
		return err == nil && len(latest.Status.ContainerStatuses) > 0
	})
	if waiting := latest.Status.ContainerStatuses[0].State.Waiting; waiting == nil || waiting.Message != failure.Message || latest.Status.PodIP == "" {
		t.Errorf("the pod's container waits for %+v, its address is %q", waiting, latest.Status.PodIP)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	watch, err := pods.Watch(ctx, metav1.ListOptions{
		FieldSelector:   fields.OneTermEqualSelector("metadata.name", created.Name).String(),
		ResourceVersion: created.ResourceVersion,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			t.Fatalf("the watch ended with %v", event.Object)
		}
		if condition(*pod, corev1.PodReady).Status == corev1.ConditionTrue {
			t.Error("the pod was ready")
		}
		if pod.ResourceVersion == latest.ResourceVersion {
			return
		}
	}
	t.Error("the watch ended too early")
}

// testDeployment proves that the controllers of Deployments, ReplicaSets and
// EndpointSlices work, too.
func testDeployment(t *testing.T, cp *ControlPlane) {
	labels := map[string]string{"app": "deployment"}
	meta := metav1.ObjectMeta{Name: "deployment"}
	client := cp.Client()
	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 80}}}}
	if _, err := client.CoreV1().Services(metav1.NamespaceDefault).Create(t.Context(), service, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: podTemplate(labels),
	}}
	if _, err := client.AppsV1().Deployments(metav1.NamespaceDefault).Create(t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	selector := metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=deployment"}
	eventually(t, "the Service to have an endpoint", func() bool {
		slices, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault).List(t.Context(), selector)
		if err != nil || len(slices.Items) != 1 || len(slices.Items[0].Endpoints) != 1 {
			return false
		}
		ready := slices.Items[0].Endpoints[0].Conditions.Ready
		return ready != nil && *ready
	})
}

func testStop(t *testing.T, cp *ControlPlane) {
	pids := pidsOf(cp)
	cp.Stop()
	for name, pid := range pids {
		if runs(pid, name) {
			t.Errorf("%s still runs", name)
		}
	}
	select {
	case exit := <-cp.Unexpected():
		t.Errorf("reported as unexpected: %v", exit)
	default:
	}
}
