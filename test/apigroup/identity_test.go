package apigroup

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// connectionName is the ConfigMap by which functions reach the Pulsar cluster that
// the environment is configured with.
const connectionName = "dev-function-mesh-config"

// TestUniqueness creates a second object of one identity in Pulsar.
func TestUniqueness(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	identity := func(tenant, namespace, name string) func(*v1alpha1.PulsarFunction) {
		return func(f *v1alpha1.PulsarFunction) {
			f.Spec.Tenant, f.Spec.Namespace, f.Spec.Name = tenant, namespace, name
		}
	}
	s.create("first", identity("acme", "orders", "Echo"))
	second := newFunction("second")
	identity("acme", "orders", "Echo")(second)
	want := refusal{
		reason: metav1.StatusReasonAlreadyExists, pulsar: "Function Echo already exists",
		text: "Pulsar function acme/orders/Echo already exists as PulsarFunction first",
	}
	_, err := s.author.Create(s.ctx, second, metav1.CreateOptions{})
	checkRefusal(t, err, want)
	_, err = s.author.Create(s.ctx, second, metav1.CreateOptions{DryRun: dryRun})
	checkRefusal(t, err, want)
	_, err = s.apply("tester", "second", `
spec: {tenant: acme, namespace: orders, name: Echo, className: x.Y, java: {}, package: {location: "function://a/b/c@1"}, inputs: [persistent://a/b/c]}`, true)
	checkRefusal(t, err, want)

	// What differs in any part is another function.
	s.create("other-tenant", identity("acme2", "orders", "Echo"))
	s.create("other-namespace", identity("acme", "orders2", "Echo"))
	s.create("other-name", identity("acme", "orders", "echo"))
	// In another Kubernetes namespace this one isn't known.
	elsewhere := newSpace(t)
	elsewhere.create("first", identity("acme", "orders", "Echo"))
	// When the first is gone the name is free.
	s.check(s.author.Delete(s.ctx, "first", metav1.DeleteOptions{}))
	s.gone("first")
	s.create("second", identity("acme", "orders", "Echo"))
}

// TestUniquenessByHand has a custom resource that somebody else made: it has none
// of the server's labels.
func TestUniquenessByHand(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.createCR("by-hand", "spec: {tenant: acme, namespace: orders, name: Echo}")
	function := newFunction("second")
	function.Spec.Tenant, function.Spec.Namespace, function.Spec.Name = "acme", "orders", "Echo"
	_, err := s.author.Create(s.ctx, function, metav1.CreateOptions{})
	checkRefusal(t, err, refusal{
		reason: metav1.StatusReasonAlreadyExists, pulsar: "Function Echo already exists",
		text: "Pulsar function acme/orders/Echo already exists as PulsarFunction by-hand",
	})
}

// TestUniquenessAcrossKinds creates objects of one identity in Pulsar.
func TestUniquenessAcrossKinds(t *testing.T) {
	t.Parallel()
	for _, first := range kinds {
		t.Run(first.Kind, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			const identity = "spec: {tenant: acme, namespace: orders, name: Echo}"
			first.in(s).create("first", identity)
			for _, second := range kinds {
				k := second.in(s)
				for _, name := range []string{"second", "first"} {
					if name == "first" && first.Kind == second.Kind {
						continue
					}
					_, err := k.views.Create(s.ctx, k.object(name, identity), metav1.CreateOptions{})
					checkRefusal(t, err, refusal{
						reason: metav1.StatusReasonAlreadyExists, pulsar: second.Title + " Echo already exists",
						text: "Pulsar " + first.Type + " acme/orders/Echo already exists as " + first.Kind + " first",
					})
				}
			}
			// By hand, without the server's label.
			made := first.in(s)
			resource := made.behind("first")
			resource.SetName("by-hand")
			resource.SetLabels(nil)
			resource.SetResourceVersion("")
			s.check(unstructured.SetNestedField(resource.Object, "ByHand", "spec", "name"))
			s.check(second(made.resources.Create(s.ctx, resource, metav1.CreateOptions{})))
			other := kinds[0]
			if first.Kind == other.Kind {
				other = kinds[1]
			}
			k := other.in(s)
			_, err := k.views.Create(s.ctx, k.object("third", "spec: {tenant: acme, namespace: orders, name: ByHand}"), metav1.CreateOptions{DryRun: dryRun})
			checkRefusal(t, err, refusal{
				reason: metav1.StatusReasonAlreadyExists, pulsar: other.Title + " ByHand already exists",
				text: "Pulsar " + first.Type + " acme/orders/ByHand already exists as " + first.Kind + " by-hand",
			})
		})
	}
}

// TestConnection looks for the ConfigMap by which functions reach Pulsar.
func TestConnection(t *testing.T) {
	t.Parallel()
	t.Run("created when absent", func(t *testing.T) {
		t.Parallel()
		s := newSpace(t)
		// Side by side: all but one find it there.
		var group sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			group.Go(func() {
				_, errs[i] = s.author.Create(s.ctx, newFunction(fmt.Sprintf("echo-%d", i)), metav1.CreateOptions{})
			})
		}
		group.Wait()
		for _, err := range errs {
			s.check(err)
		}
		created, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, connectionName, metav1.GetOptions{})
		s.check(err)
		want := map[string]string{"webServiceURL": "http://localhost:8080", "brokerServiceURL": "pulsar://localhost:6650"}
		if !maps.Equal(created.Data, want) {
			t.Errorf("it says %v", created.Data)
		}
	})
	t.Run("left alone when present", func(t *testing.T) {
		t.Parallel()
		s := newSpace(t)
		present, err := s.kube.CoreV1().ConfigMaps(s.namespace).Create(s.ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: connectionName}, Data: map[string]string{"brokerServiceURL": "pulsar://mine:6650"},
		}, metav1.CreateOptions{})
		s.check(err)
		s.create("echo")
		after, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, connectionName, metav1.GetOptions{})
		s.check(err)
		if after.ResourceVersion != present.ResourceVersion {
			t.Errorf("it was written: %v", after.Data)
		}
	})
	t.Run("not for what is refused", func(t *testing.T) {
		t.Parallel()
		s := newSpace(t)
		function := newFunction("echo")
		function.Spec.Inputs = nil
		if _, err := s.author.Create(s.ctx, function, metav1.CreateOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("the create: %v", err)
		}
		if _, err := s.author.Patch(s.ctx, "absent", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the patch: %v", err)
		}
		if _, err := s.kube.CoreV1().ConfigMaps(s.namespace).Get(s.ctx, connectionName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the ConfigMap: %v", err)
		}
	})
}

// TestControllersSpec has a custom resource whose spec a FunctionMesh writes.
func TestControllersSpec(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.createCR("child", `
metadata:
  ownerReferences:
  - {apiVersion: compute.functionmesh.io/v1alpha1, kind: FunctionMesh, name: parent, uid: 00000000-0000-4000-8000-000000000001, controller: true}
`)
	_, err := s.author.Patch(s.ctx, "child", types.MergePatchType, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
	if !apierrors.IsConflict(err) {
		t.Fatalf("a change of the spec: %v", err)
	}
	const text = `Operation cannot be fulfilled on pulsarfunctions.admin.functionmesh.io "child": its spec is written by FunctionMesh parent: change it there`
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: text, pulsar: text})
	_, err = s.author.Patch(s.ctx, "child", types.MergePatchType, []byte(`{"metadata":{"labels":{"team":"blue"}}}`), metav1.PatchOptions{})
	s.check(err)
}
