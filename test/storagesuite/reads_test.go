package storagesuite

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/storage"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const readsNamespace = "reads"

// put creates a custom resource as somebody else would.
func (b backend) put(t *testing.T, name string, resource map[string]any) {
	t.Helper()
	object := &unstructured.Unstructured{Object: resource}
	object.SetGroupVersionKind(b.resource.GroupVersion().WithKind(b.kind))
	object.SetName(name)
	object.SetNamespace(readsNamespace)
	_, err := adminClient(t).Resource(b.resource).Namespace(readsNamespace).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// checkReads checks that get, list and watch show the same of each object.
func checkReads(t *testing.T, want int, get func(name string) (runtime.Object, error), list runtime.Object, watcher watch.Interface) {
	t.Helper()
	defer watcher.Stop()
	items, err := meta.ExtractList(list)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != want {
		t.Fatalf("the list has %d objects, want %d", len(items), want)
	}
	watched := map[string]runtime.Object{}
	for range items {
		event, open := <-watcher.ResultChan()
		if !open || event.Type != watch.Added {
			t.Fatalf("the watch sends %v", event)
		}
		watched[nameOf(t, event.Object)] = event.Object
	}
	for _, item := range items {
		name := nameOf(t, item)
		got, err := get(name)
		if err != nil {
			t.Errorf("%s is listed, but: %v", name, err)
			continue
		}
		if diff := cmp.Diff(got, item); diff != "" {
			t.Errorf("%s: the list differs from get (-get +list):\n%s", name, diff)
		}
		if diff := cmp.Diff(got, watched[name]); diff != "" {
			t.Errorf("%s: the watch differs from get (-get +watch):\n%s", name, diff)
		}
	}
}

func nameOf(t *testing.T, object runtime.Object) string {
	t.Helper()
	accessor, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	return accessor.GetName()
}

// oddResources are such as we don't write.
var oddResources = map[string]string{
	"silent":       `{}`,
	"no-runtime":   `{spec: {className: a.B, input: {topics: [in]}}}`,
	"unknown":      `{spec: {java: {jar: a.jar}, futureField: {deep: [1, {a: b}]}}}`,
	"foreign":      `{metadata: {labels: {app.kubernetes.io/managed-by: Helm}, annotations: {a: b}, finalizers: [example.org/stay]}, spec: {java: {jar: a.jar}}}`,
	"broken-kept":  `{metadata: {annotations: {` + translation.KeptFieldsAnnotation + `: "{"}}, spec: {java: {jar: a.jar}}}`,
	"owned":        `{metadata: {ownerReferences: [{apiVersion: compute.functionmesh.io/v1alpha1, kind: FunctionMesh, name: mesh, uid: 5bd7d1b5-0000-4000-8000-000000000000, controller: true}]}, spec: {golang: {go: main}}}`,
	"two-runtimes": `{spec: {java: {jar: a.jar}, python: {py: a.py}}}`,
}

// TestReadsAgree is about resources that we write, and odd ones. A list is decoded
// as a whole, the others one by one.
func TestReadsAgree(t *testing.T) {
	forEachKind(t, func(t *testing.T, kind componentKind) {
		served := newREST(t, kind)
		ctx, cancel := context.WithTimeout(genericapirequest.WithNamespace(t.Context(), readsNamespace), patience)
		defer cancel()
		texts := maps.Clone(oddResources)
		files, err := filepath.Glob(filepath.Join("../../pkg/translation/testdata/golden", kind.Type, "*.cr.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no golden resources: %v", err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts["golden-"+filepath.Base(file)] = string(data)
		}
		for name, text := range texts {
			resource := map[string]any{}
			if err := yaml.Unmarshal([]byte(text), &resource); err != nil {
				t.Fatal(err)
			}
			kind.behind.put(t, name, resource)
		}
		// The finalizer would keep the object from being deleted.
		t.Cleanup(func() { kind.behind.release(t, "foreign") })

		list, err := served.List(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		watcher, err := served.Watch(ctx, &metainternalversion.ListOptions{ResourceVersion: "0"})
		if err != nil {
			t.Fatal(err)
		}
		checkReads(t, len(texts), func(name string) (runtime.Object, error) { return served.get(ctx, kind.named(name)) }, list, watcher)
	})
}

// release removes the finalizers of a resource.
func (b backend) release(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := adminClient(t).Resource(b.resource).Namespace(readsNamespace)
	object, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	object.SetFinalizers(nil)
	if _, err := client.Update(ctx, object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestReadsOfWrongTypesAgree is about a list that can't be decoded as a whole, since
// a resource in it has a field of a wrong type. A definition without a schema lets
// that happen, as one that became stricter does.
func TestReadsOfWrongTypesAgree(t *testing.T) {
	store := newStorage(t, namespacedPods)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	resources := map[string]map[string]any{
		"right":      {"spec": map[string]any{"pod": map[string]any{"name": "right", "namespace": readsNamespace}}},
		"no-pod":     {"spec": map[string]any{}},
		"wrong-type": {"spec": map[string]any{"pod": "text"}},
		"wrong-spec": {"spec": []any{"a"}},
	}
	for name, resource := range resources {
		namespacedPods.put(t, name, resource)
	}
	list := &example.PodList{}
	key := keyPrefix + "/" + readsNamespace
	if err := store.GetList(ctx, key, storage.ListOptions{Predicate: storage.Everything, Recursive: true}, list); err != nil {
		t.Fatal(err)
	}
	watcher, err := store.Watch(ctx, key, storage.ListOptions{ResourceVersion: "0", Predicate: storage.Everything, Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	checkReads(t, len(resources), func(name string) (runtime.Object, error) {
		pod := &example.Pod{}
		return pod, store.Get(ctx, key+"/"+name, storage.GetOptions{}, pod)
	}, list, watcher)
}
