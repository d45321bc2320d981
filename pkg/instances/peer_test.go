package instances

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// listen opens a port on an address of 127.0.0.0/8.
func listen(t testing.TB, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// at starts a peer on an address, and returns its port.
func at(t testing.TB, address string, peer instancetest.Peer) int {
	t.Helper()
	listener := listen(t, address)
	t.Cleanup(peer(listener))
	return listener.Addr().(*net.TCPAddr).Port
}

const crUID, setUID = types.UID("11111111-2222-3333-4444-555555555555"), types.UID("66666666-2222-3333-4444-555555555555")

// function is a function with so many instances.
func function(parallelism int32) *v1alpha1.PulsarFunction {
	f := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "f", UID: translation.ViewUID(crUID)}}
	f.Spec.Parallelism = ptr.To(parallelism)
	return f
}

func controlledBy(kind, name string, uid types.UID) []metav1.OwnerReference {
	return []metav1.OwnerReference{{Kind: kind, Name: name, UID: uid, Controller: ptr.To(true)}}
}

// statefulSet is the one that the operator makes of it.
func statefulSet() *appsv1.StatefulSet {
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "f-function", UID: setUID, OwnerReferences: controlledBy("Function", "f", crUID)},
		Spec:       appsv1.StatefulSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"name": "f"}}},
	}
}

// pod is one of its pods, which runs at an address and declares a port.
func pod(id int, address string, port int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "n", Name: fmt.Sprintf("f-function-%d", id), UID: types.UID(fmt.Sprint("pod-", id)), Labels: map[string]string{"name": "f"},
			OwnerReferences: controlledBy("StatefulSet", "f-function", setUID),
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "sidecar", Ports: []corev1.ContainerPort{{Name: portName, ContainerPort: 1}}},
			{Name: "pulsar-function", Ports: []corev1.ContainerPort{{Name: "other", ContainerPort: 2}, {Name: portName, ContainerPort: int32(port)}}},
		}},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: address,
			Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "pulsar-function", Ready: true, RestartCount: 3,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}},
		},
	}
}

// loopback is where pods are in these tests.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

// among returns an Instances for which these objects exist.
func among(objects ...runtime.Object) (*Instances, *fake.Clientset) {
	client := fake.NewClientset(objects...)
	return New(client, []netip.Prefix{loopback}, nil), client
}
