package pulsarclients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// TestFromPulsarToKubernetes creates a function with Pulsar's client, and sees,
// changes and deletes it with Kubernetes'.
func TestFromPulsarToKubernetes(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "doors", Namespace: "pulsar", Name: "Word_Count"}
	client := goClient(t, pulsarconfig.V3).Functions()
	function := goConfig(name)
	function.UserConfig = map[string]any{"a": "b"}
	expectNoError(t, "create", client.CreateFuncWithURL(function, "function://public/default/code@1"))

	objectName := name.ObjectName()
	seen := must[*v1alpha1.PulsarFunction](t)(world.views.Get(t.Context(), objectName, metav1.GetOptions{}))
	spec := &seen.Spec
	if spec.Tenant != name.Tenant || spec.Namespace != name.Namespace || spec.Name != name.Name || spec.Java == nil ||
		spec.ClassName != "org.example.F" || spec.Package.Location != "function://public/default/code@1" ||
		!slices.Equal(spec.Inputs, []string{"persistent://public/default/in"}) || string(spec.UserConfig.Raw) != `{"a":"b"}` {
		t.Errorf("the PulsarFunction is %s", encode(t, spec))
	}
	if len(seen.ManagedFields) != 1 || seen.ManagedFields[0].Manager != "pulsar-admin-shim" {
		t.Errorf("the managed fields are %s", encode(t, seen.ManagedFields))
	}

	// What only Kubernetes' side can say survives an update from Pulsar's.
	patch := []byte(`{"metadata":{"labels":{"team":"a"},"annotations":{"note":"b"}},"spec":{"parallelism":3,"skipToLatest":true,` +
		`"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"2","memory":"2Gi"}}}}`)
	must[*v1alpha1.PulsarFunction](t)(world.views.Patch(t.Context(), objectName, types.MergePatchType, patch, metav1.PatchOptions{}))
	got, err := client.GetFunction(name.Tenant, name.Namespace, name.Name)
	expectNoError(t, "get", err)
	if got.Parallelism != 3 || got.Resources.RAM != 1<<30 {
		t.Errorf("Pulsar's client reads %s", encode(t, got))
	}
	got.Parallelism, got.LogTopic = 5, "log"
	expectNoError(t, "update", client.UpdateFunction(&got, "", nil))
	seen = must[*v1alpha1.PulsarFunction](t)(world.views.Get(t.Context(), objectName, metav1.GetOptions{}))
	if seen.Labels["team"] != "a" || seen.Annotations["note"] != "b" || !ptr.Deref(seen.Spec.SkipToLatest, false) ||
		*seen.Spec.Parallelism != 5 || seen.Spec.LogTopic != "log" || seen.Spec.Resources.Limits.Memory().String() != "2Gi" {
		t.Errorf("after an update the PulsarFunction is %s", encode(t, seen))
	}
	mustKubectl(t, "", "delete", "pulsarfunction", objectName)
	expectGone(t, name, objectName)
}

// TestFromKubernetesToPulsar creates a function under a name of the author's choice
// with kubectl, and sees, changes and deletes it with Pulsar's client.
func TestFromKubernetesToPulsar(t *testing.T) {
	t.Parallel()
	const objectName = "doors-free-name"
	name := identity.Name{Tenant: "doors", Namespace: "kubernetes", Name: "Free"}
	mustKubectl(t, `
apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata:
  name: `+objectName+`
  labels: {team: a}
spec:
  tenant: doors
  namespace: kubernetes
  name: Free
  className: module.Class
  python: {log: {level: debug}}
  package: {location: "function://public/default/code@1"}
  inputSpecs: {in: {schemaType: json}}
  output: out
  maxPendingAsyncRequests: 7
`, "apply", "-f", "-")
	client := goClient(t, pulsarconfig.V3).Functions()
	names, err := client.GetFunctions(name.Tenant, name.Namespace)
	if err != nil || !slices.Equal(names, []string{"Free"}) {
		t.Errorf("list answers %v, %v", names, err)
	}
	got, err := client.GetFunction(name.Tenant, name.Namespace, name.Name)
	if err != nil || got.Runtime != utils.PythonRuntime || got.InputSpecs["in"].SchemaType != "json" || got.ClassName != "module.Class" {
		t.Fatalf("get answers %s, %v", encode(t, got), err)
	}
	expectReason(t, "create of the same name", client.CreateFuncWithURL(goConfig(name), "function://public/default/code@1"),
		400, "Function Free already exists")

	expectOK(t, "update", rest().update(t, name, config(`{"parallelism":2,"userConfig":{"n":1}}`)))
	seen := view(t, name)
	if seen.Name != objectName || *seen.Spec.Parallelism != 2 || seen.Labels["team"] != "a" ||
		seen.Spec.Python.Log.Level != "debug" || *seen.Spec.MaxPendingAsyncRequests != 7 {
		t.Errorf("after an update the PulsarFunction is %s", encode(t, seen))
	}
	expectUnchanged(t, client, name)
	expectNoError(t, "delete", client.DeleteFunction(name.Tenant, name.Namespace, name.Name))
	expectGone(t, name, objectName)
	// The name is free again, for the other door too.
	expectNoError(t, "create", client.CreateFuncWithURL(goConfig(name), "function://public/default/code@1"))
	if got := view(t, name).Name; got != name.ObjectName() {
		t.Errorf("the object is %s", got)
	}
}

// TestDefaultIdentity leaves the identity out, for which each door has Pulsar's
// defaults.
func TestDefaultIdentity(t *testing.T) {
	t.Parallel()
	const objectName = "doors-default-identity"
	mustKubectl(t, `
apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata: {name: `+objectName+`}
spec:
  className: org.example.F
  java: {}
  package: {location: "function://public/default/code@1"}
  inputs: [in]
`, "create", "-f", "-")
	name := identity.Name{Tenant: "public", Namespace: "default", Name: objectName}
	expectFields(t, "get", rest().read(t, name), map[string]any{"tenant": "public", "namespace": "default", "name": objectName})
	expectOK(t, "delete", rest().remove(t, name))
	expectGone(t, name, objectName)
}

// TestWatch sees what happens at Pulsar's door live at Kubernetes'.
func TestWatch(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "doors", Namespace: "watch", Name: "f"}
	list := must[*v1alpha1.PulsarFunctionList](t)(world.views.List(t.Context(), metav1.ListOptions{}))
	ctx, cancel := context.WithTimeoutCause(t.Context(), waitTimeout, errors.New("no event in time"))
	defer cancel()
	watcher := must[watch.Interface](t)(world.views.Watch(ctx, metav1.ListOptions{
		ResourceVersion: list.ResourceVersion, FieldSelector: "metadata.name=" + name.ObjectName(),
	}))
	defer watcher.Stop()
	expectEvent := func(want string) {
		t.Helper()
		select {
		case event := <-watcher.ResultChan():
			function, ok := event.Object.(*v1alpha1.PulsarFunction)
			if !ok {
				t.Fatalf("instead of %s came %v", want, event)
			}
			if got := fmt.Sprintf("%s %s x%d", event.Type, function.Spec.Name, *function.Spec.Parallelism); got != want {
				t.Errorf("instead of %s came %s", want, got)
			}
		case <-ctx.Done():
			t.Fatalf("%s: %v", want, context.Cause(ctx))
		}
	}
	someFunction(t, name)
	expectEvent("ADDED f x1")
	expectOK(t, "update", rest().update(t, name, config(`{"parallelism":2}`)))
	expectEvent("MODIFIED f x2")
	// A refused update is no event: the next is that of the update after it.
	expect(t, "refused update", rest().update(t, name, config(`{"parallelism":-1}`)), 400, "Function parallelism must be a positive number")
	expect(t, "empty update", rest().update(t, name, config(`{"parallelism":2}`)), 400, "Update contains no change")
	expectOK(t, "update", rest().update(t, name, config(`{"parallelism":3}`)))
	expectEvent("MODIFIED f x3")
	expectOK(t, "delete", rest().remove(t, name))
	expectEvent("DELETED f x3")
}

// TestFinalizer keeps an object that Pulsar's clients have deleted: to them it is
// gone at once, and a function of its name comes into being as soon as it can.
func TestFinalizer(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "doors", Namespace: "finalizer", Name: "f"}
	someFunction(t, name)
	patchFinalizers := func(finalizers string) {
		t.Helper()
		patch := []byte(`{"metadata":{"finalizers":` + finalizers + `}}`)
		must[*v1alpha1.PulsarFunction](t)(world.views.Patch(t.Context(), name.ObjectName(), types.MergePatchType, patch, metav1.PatchOptions{}))
	}
	patchFinalizers(`["example.org/test"]`)
	body, contentType := encodeForm(t, config(javaConfig))
	inBackground := func(method string) <-chan answer {
		answers := make(chan answer, 1)
		go func() {
			result, err := rest().try(t, method, functionPath(name), contentType, body)
			if err != nil {
				t.Error(err)
			}
			answers <- result
		}()
		return answers
	}
	deleted := inBackground(http.MethodDelete)
	eventually(t, "the function to be gone for Pulsar", func(context.Context) error {
		if got := rest().get(t, name); got.reason != "Function f doesn't exist" {
			return fmt.Errorf("get answers %s", got)
		}
		return nil
	})
	must[*v1alpha1.PulsarFunction](t)(world.views.Get(t.Context(), name.ObjectName(), metav1.GetOptions{}))
	expect(t, "update", rest().update(t, name, config(`{"parallelism":2}`)), 400, "Function f doesn't exist")
	expect(t, "delete again", rest().remove(t, name), 404, "Function f doesn't exist")
	if names := rest().names(t, name.Tenant, name.Namespace); len(names) != 0 {
		t.Errorf("list answers %v", names)
	}
	created := inBackground(http.MethodPost)
	patchFinalizers(`[]`)
	expectOK(t, "delete", <-deleted)
	expectOK(t, "create", <-created)
	expectFields(t, "get", rest().read(t, name), map[string]any{"name": "f"})
}
