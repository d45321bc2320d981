package pulsarclients

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// historicDir has a resource of each shape that others have made over the years.
const historicDir = "../../pkg/translation/testdata/historic"

// TestHistoricResources puts each through both doors: REST finds it by its name in
// Pulsar, and writing back what was read changes nothing of it, whichever way.
func TestHistoricResources(t *testing.T) {
	files := must[[]string](t)(filepath.Glob(filepath.Join(historicDir, "*.yaml")))
	if len(files) == 0 {
		t.Fatal("there are none")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			resource := &unstructured.Unstructured{}
			if err := yaml.Unmarshal(must[[]byte](t)(os.ReadFile(file)), &resource.Object); err != nil {
				t.Fatal(err)
			}
			testHistoric(t, resource)
		})
	}
}

func testHistoric(t *testing.T, resource *unstructured.Unstructured) {
	kind := kindBefore(t, resource.GetKind())
	plural := strings.TrimPrefix(kind.Resource, "pulsar")
	resources := world.env.Dynamic().Resource(functionResources.GroupVersion().WithResource(plural)).Namespace(kubernetesNamespace)
	views := world.env.Dynamic().Resource(v1alpha1.SchemeGroupVersion.WithResource(kind.Resource)).Namespace(kubernetesNamespace)
	ctx, name := t.Context(), resource.GetName()
	get := func(views interface {
		Get(context.Context, string, metav1.GetOptions, ...string) (*unstructured.Unstructured, error)
	}) *unstructured.Unstructured {
		t.Helper()
		return must[*unstructured.Unstructured](t)(views.Get(ctx, name, metav1.GetOptions{}))
	}
	before := must[*unstructured.Unstructured](t)(resources.Create(ctx, resource, metav1.CreateOptions{FieldManager: "somebody-else"}))
	view := get(views)
	expectUnchanged := func(how string) {
		t.Helper()
		if got, want := foreign(get(resources)), foreign(before); encode(t, got) != encode(t, want) {
			t.Errorf("after an update %s the resource is\n%s\nnot\n%s", how, encode(t, got), encode(t, want))
		}
		if got := get(views); encode(t, got.Object["spec"]) != encode(t, view.Object["spec"]) {
			t.Errorf("after an update %s the view's spec is\n%s\nnot\n%s", how, encode(t, got.Object["spec"]), encode(t, view.Object["spec"]))
		}
	}

	// By REST.
	path := "/admin/v3/" + plural
	for _, part := range []string{"tenant", "namespace", "name"} {
		path += "/" + field(view.Object, "spec", part).(string)
	}
	var read answer
	eventually(t, path+" to be found", func(context.Context) error {
		if read = rest().send(t, http.MethodGet, path, "", nil); read.code != http.StatusOK {
			return fmt.Errorf("get answers %s", read)
		}
		return nil
	})
	body, contentType := encodeForm(t, part{name: kind.Type + "Config", content: read.body})
	expect(t, "update with what was read", rest().send(t, http.MethodPut, path, contentType, body), 400, "Update contains no change")
	expectUnchanged("by REST")

	// As an object of Kubernetes.
	unversioned := view.DeepCopy()
	unversioned.SetResourceVersion("")
	must[*unstructured.Unstructured](t)(views.Update(ctx, unversioned, metav1.UpdateOptions{}))
	expectUnchanged("of the object")
	owned := metav1.GetControllerOf(resource) != nil
	unversioned.Object["spec"].(map[string]any)["logTopic"] = "log"
	switch _, err := views.Update(ctx, unversioned, metav1.UpdateOptions{}); {
	case owned && (!apierrors.IsConflict(err) || !strings.Contains(err.Error(), metav1.GetControllerOf(resource).Name)):
		t.Errorf("a change of what somebody else writes: %v", err)
	case !owned && err != nil:
		t.Errorf("a change: %v", err)
	case !owned && field(get(resources).Object, "spec", "logTopic") != "log":
		t.Error("a change did nothing")
	}

	if removed := rest().send(t, http.MethodDelete, path, "", nil); removed.code != http.StatusNoContent {
		t.Errorf("delete: %s", removed)
	}
	eventually(t, "the end of "+name, func(ctx context.Context) error {
		if _, err := resources.Get(ctx, name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %v", err)
		}
		return nil
	})
}

// kindBefore returns the kind whose objects are stored in resources of a kind.
func kindBefore(t *testing.T, kind string) v1alpha1.ComponentKind {
	t.Helper()
	for _, candidate := range v1alpha1.ComponentKinds {
		if candidate.Kind == "Pulsar"+kind {
			return candidate
		}
	}
	t.Fatalf("no kind is stored in a %s", kind)
	panic("unreachable")
}

// foreign returns what of a resource isn't ours, nor kube-apiserver's.
func foreign(resource *unstructured.Unstructured) map[string]any {
	annotations, labels := resource.GetAnnotations(), resource.GetLabels()
	for _, entries := range []map[string]string{annotations, labels} {
		for key := range entries {
			if strings.HasPrefix(key, v1alpha1.GroupName+"/") {
				delete(entries, key)
			}
		}
	}
	return map[string]any{
		"labels": labels, "annotations": annotations, "owners": resource.GetOwnerReferences(), "finalizers": resource.GetFinalizers(),
		"generation": resource.GetGeneration(), "spec": resource.Object["spec"], "status": resource.Object["status"],
	}
}
