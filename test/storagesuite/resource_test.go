package storagesuite

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
)

const suiteGroup = "suite.functionmesh.io"

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// backend is a kind of custom resource in the control plane.
type backend struct {
	resource   schema.GroupVersionResource
	kind       string
	namespaced bool
}

var (
	// namespacedPods and clusterPods are behind the suites' pods. There are two, since
	// some suites are about pods without a namespace.
	namespacedPods = backend{resource: suiteResource("pods"), kind: "SuitePod", namespaced: true}
	clusterPods    = backend{resource: suiteResource("clusterpods"), kind: "SuiteClusterPod"}
)

func suiteResource(plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: suiteGroup, Version: "v1", Resource: plural}
}

func adminClient(t testing.TB) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(plane.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// install creates the definition of a suite's resource, unless it is there.
func (b backend) install(t testing.TB) {
	t.Helper()
	scope := "Cluster"
	if b.namespaced {
		scope = "Namespaced"
	}
	applyDefinition(t, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": b.resource.GroupResource().String()},
		"spec": map[string]any{
			"group": suiteGroup,
			"scope": scope,
			"names": map[string]any{"plural": b.resource.Resource, "singular": strings.ToLower(b.kind), "kind": b.kind},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type":                                 "object",
					"x-kubernetes-preserve-unknown-fields": true,
				}},
			}},
		},
	}})
	b.awaitServed(t)
}

// applyDefinition installs a custom resource definition.
func applyDefinition(t testing.TB, definition *unstructured.Unstructured) {
	t.Helper()
	client := adminClient(t).Resource(definitions)
	if _, err := client.Apply(t.Context(), definition.GetName(), definition, metav1.ApplyOptions{FieldManager: "storagesuite"}); err != nil {
		t.Fatal(err)
	}
}

// awaitServed waits until a resource is served, as its definition's condition says
// a moment before.
func (b backend) awaitServed(t testing.TB) {
	t.Helper()
	client := adminClient(t).Resource(b.resource)
	eventually(t, b.resource.String()+" to be served", func() bool {
		_, err := client.List(t.Context(), metav1.ListOptions{Limit: 1})
		return err == nil
	})
}

// clear deletes all resources of the kind.
func (b backend) clear(t testing.TB) {
	t.Helper()
	// A cleanup runs when the test's own context has ended.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := adminClient(t).Resource(b.resource)
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	namespaces := map[string]bool{}
	for i := range list.Items {
		namespaces[list.Items[i].GetNamespace()] = true
	}
	for namespace := range namespaces {
		if err := client.Namespace(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// client returns the client with which the storage under test reaches the resource.
func (b backend) client(t testing.TB) *crstorage.Client {
	t.Helper()
	client, err := crstorage.NewClient(plane.AdminConfig(), b.resource, b.kind)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
