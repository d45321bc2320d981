package packages

import (
	"context"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

// An object is published when there is an answer that it wasn't published with, also where
// another object asked.
func TestPublishNewAnswers(t *testing.T) {
	r, _, clock := newResolver(t, map[string]string{"a/b/c/latest/metadata": `{"createTime":1000}`, "a/b/c/latest": "text"})
	sinkOf := func(name string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": computev1alpha1.SchemeGroupVersion.String(), "kind": computev1alpha1.SinkKind,
			"metadata": map[string]any{"namespace": "here", "name": name, "uid": name},
			"spec": map[string]any{
				"java":   map[string]any{"jar": "c.jar", "jarLocation": "function://a/b/c"},
				"pulsar": map[string]any{"pulsarConfig": "pulsar-config"},
			},
		}}
	}
	lists := map[schema.GroupVersionResource]string{}
	for _, kind := range component.Kinds {
		lists[computev1alpha1.SchemeGroupVersion.WithResource(kind.CRResource)] = kind.CRKind + "List"
	}
	informers, err := component.NewInformers(dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, sinkOf("one"), sinkOf("two")), fake.NewClientset())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go informers.Run(ctx)
	if !informers.WaitForSync(ctx) {
		t.Fatal("nothing is known")
	}
	published := map[string]int{}
	r.config.Informers, r.config.Publish = informers, func(key work.Key) { published[key.Name]++ }
	reconcile := func(name string) {
		if _, err := r.Reconcile(ctx, work.Key{Resource: computev1alpha1.SinkResource, Namespace: "here", Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{1, 2} {
		for range 3 {
			reconcile("one")
			reconcile("two")
		}
		if published["one"] != want || published["two"] != want {
			t.Errorf("published %v, want %d of each", published, want)
		}
		clock.Step(5 * time.Minute)
	}
}
