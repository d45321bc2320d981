package crstorage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// listed is how many resources the benchmarked list has.
const listed = 5000

func benchmarkProjection() projection {
	translator := translation.NewFunctionTranslator(&configv1alpha1.FunctionMeshAPIServerConfiguration{
		PulsarClusters:   []configv1alpha1.PulsarCluster{{Name: "pulsar"}},
		PackageDirectory: "/pulsar",
	}, nil)
	return typedProjection[computev1alpha1.Function, *computev1alpha1.Function, *v1alpha1.PulsarFunction]{translator: translator}
}

// resource is a Function as kube-apiserver stores it, with what others wrote into it.
func resource(i int) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"compute.functionmesh.io/v1alpha1","kind":"Function",
		"metadata":{"name":"f-%d","namespace":"default","uid":"635cc095-d40e-4698-95e0-%012d","resourceVersion":"%d",
			"labels":{"team":"orders"},"annotations":{"note":%q},
			"managedFields":[{"manager":"functionmesh-apiserver","operation":"Update","fieldsV1":{"f:spec":{"f:className":{},"f:input":{"f:topics":{}}}}}]},
		"spec":{"name":"f-%d","tenant":"public","namespace":"default","clusterName":"pulsar","className":"org.example.F","replicas":1,
			"input":{"topics":["persistent://public/default/in"]},"output":{"topic":"persistent://public/default/out"},
			"java":{"jar":"/pulsar/f.jar","jarLocation":"function://public/default/f@1"},
			"funcConfig":{"a":1,"b":{"c":[1,2,3]}},"subscriptionPosition":"latest","cleanupSubscription":true,
			"pod":{"env":[{"name":"A","value":"1"}]}}}`, i, i, i+1, bytes.Repeat([]byte("x"), 1024), i)
}

// BenchmarkViewList projects a list: what this server adds to a list's time.
func BenchmarkViewList(b *testing.B) {
	items := make([]json.RawMessage, listed)
	for i := range items {
		items[i] = resource(i)
	}
	raw, err := json.Marshal(map[string]any{"metadata": map[string]string{"resourceVersion": "1"}, "items": items})
	if err != nil {
		b.Fatal(err)
	}
	projection := benchmarkProjection()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		views, _, err := projection.viewList(raw)
		if err != nil || len(views) != listed {
			b.Fatalf("%d views, %v", len(views), err)
		}
	}
}

// BenchmarkUpdate does what an update costs beside its two requests.
func BenchmarkUpdate(b *testing.B) {
	raw := resource(1)
	projection := benchmarkProjection()
	b.ReportAllocs()
	for b.Loop() {
		view, err := projection.view(raw)
		if err != nil {
			b.Fatal(err)
		}
		before, err := projection.cr(view, false)
		if err != nil {
			b.Fatal(err)
		}
		changed := view.DeepCopyObject().(*v1alpha1.PulsarFunction)
		changed.Spec.Output = "persistent://public/default/elsewhere"
		after, err := projection.cr(changed, false)
		if err != nil {
			b.Fatal(err)
		}
		stored, err := fromJSON(raw)
		if err != nil {
			b.Fatal(err)
		}
		if !delta.Apply(stored, before, after, projection.containers()) {
			b.Fatal("nothing changed")
		}
	}
}
