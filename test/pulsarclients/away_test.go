package pulsarclients

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestAPIServerAway stops the API server behind a shim: callers hear that they may
// try again, the shim says that it isn't ready, and all is well when it comes back.
func TestAPIServerAway(t *testing.T) {
	t.Parallel()
	server := must[*controlplane.Server](t)(world.env.StartAPIServer(t.Context(), devenv.APIServerOptions{Name: "going-apiserver"}))
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{Name: "lonely-shim", APIServer: server}))
	t.Cleanup(shim.Stop)
	lonely := &api{url: shimURL("http", shim.Port()), client: http.DefaultClient}
	name := identity.Name{Tenant: "away", Namespace: "n", Name: "f"}
	expectOK(t, "create", lonely.create(t, name, config(javaConfig)))

	server.Stop()
	const reason = "The API server is not available. Please try again in a little while."
	expect(t, "get", lonely.get(t, name), 503, reason)
	expect(t, "update", lonely.update(t, name, config(`{"parallelism":2}`)), 503, reason)
	expect(t, "list", lonely.send(t, http.MethodGet, "/admin/v3/functions/away/n", "", nil), 503, reason)
	eventually(t, "the shim not to be ready", func(context.Context) error {
		if got := lonely.send(t, http.MethodGet, "/readyz", "", nil); got.code != 503 || got.body != "not ready: the API server can't be reached\n" {
			return fmt.Errorf("it answers %s", got)
		}
		return nil
	})
	if got := lonely.send(t, http.MethodGet, "/healthz", "", nil); got.code != 200 {
		t.Errorf("a shim without an API server is not healthy: %s", got)
	}

	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	expectOK(t, "update", lonely.update(t, name, config(`{"parallelism":2}`)))
	eventually(t, "the shim to be ready", func(context.Context) error {
		if got := lonely.send(t, http.MethodGet, "/readyz", "", nil); got.code != 200 {
			return fmt.Errorf("it answers %s", got)
		}
		return nil
	})
}

// TestManyFunctions lists more functions than a page holds.
func TestManyFunctions(t *testing.T) {
	t.Parallel()
	const number, workers = 520, 8
	template := makeResource(t, many(0))
	numbers := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := range numbers {
				object := template.DeepCopy()
				object.SetName(fmt.Sprintf("many-%d", i))
				object.SetResourceVersion("")
				object.SetUID("")
				err := unstructured.SetNestedField(object.Object, fmt.Sprintf("f%03d", i), "spec", "name")
				if err == nil {
					_, err = world.resources.Create(t.Context(), object, metav1.CreateOptions{})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	want := []string{"f000"}
	for i := 1; i < number; i++ {
		numbers <- i
		want = append(want, fmt.Sprintf("f%03d", i))
	}
	close(numbers)
	group.Wait()
	if names := rest().names(t, "many", "pages"); !slices.Equal(names, want) {
		t.Errorf("list answers with %d names, not with %d", len(names), number)
	}
	// They would only slow the other tests down.
	err := world.resources.DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "test=many"})
	if err != nil {
		t.Error(err)
	}
}

func many(i int) string {
	return fmt.Sprintf(`
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata: {name: many-%d, labels: {test: many}}
spec:
  name: f%03d
  tenant: many
  namespace: pages
  className: org.example.F
  replicas: 1
  input: {topics: [in]}
  java: {jar: code.jar, jarLocation: "function://public/default/code@1"}
  pulsar: {pulsarConfig: some-config}
`, i, i)
}

// TestUnreadableResource leaves a resource that can't be told as a function out of
// Pulsar's answers, and it doesn't break them.
func TestUnreadableResource(t *testing.T) {
	t.Parallel()
	makeResource(t, `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata: {name: unreadable}
spec:
  name: f
  tenant: away
  namespace: unreadable
  input: {topics: [in]}
`)
	name := identity.Name{Tenant: "away", Namespace: "unreadable", Name: "readable"}
	someFunction(t, name)
	seen := must[*v1alpha1.PulsarFunction](t)(world.views.Get(t.Context(), "unreadable", metav1.GetOptions{}))
	if !meta.IsStatusConditionFalse(seen.Status.Conditions, v1alpha1.ConditionTranslated) {
		t.Errorf("its conditions are %s", encode(t, seen.Status.Conditions))
	}
	if names := rest().names(t, name.Tenant, name.Namespace); !slices.Equal(names, []string{"readable"}) {
		t.Errorf("list answers %v", names)
	}
	unreadable := identity.Name{Tenant: name.Tenant, Namespace: name.Namespace, Name: "f"}
	expect(t, "get", rest().get(t, unreadable), 404, "Function f doesn't exist")
}
