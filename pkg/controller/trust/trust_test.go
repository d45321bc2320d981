package trust

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/util/cert"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// A Secret is looked at once in a while, however often its object changes, and at once
// when the certificates do.
func TestLookAtSecretOnce(t *testing.T) {
	name := translation.TrustSecretName(v1alpha1.SinkKind, "echo")
	sink := &unstructured.Unstructured{}
	if err := json.Unmarshal([]byte(`{"apiVersion":"compute.functionmesh.io/v1alpha1","kind":"Sink",
		"metadata":{"namespace":"default","name":"echo","uid":"1"},
		"spec":{"clusterName":"pulsar","pulsar":{"tlsConfig":{"enabled":true,"certSecretName":"`+name+`","certSecretKey":"ca.crt"}}}}`), sink); err != nil {
		t.Fatal(err)
	}
	lists := map[schema.GroupVersionResource]string{}
	for _, kind := range component.Kinds {
		lists[computev1alpha1.SchemeGroupVersion.WithResource(kind.CRResource)] = kind.CRKind + "List"
	}
	client := fake.NewClientset()
	informers, err := component.NewInformers(dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, sink), client)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go informers.Run(ctx)
	if !informers.WaitForSync(ctx) {
		t.Fatal("nothing is known")
	}
	file := filepath.Join(t.TempDir(), "ca.crt")
	write := func() {
		certificate, _, err := cert.GenerateSelfSignedCertKey("a", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()
	keeper := New(informers, client, map[string]string{"pulsar": file})
	key := work.Key{Resource: computev1alpha1.SinkResource, Namespace: "default", Name: "echo"}
	for round := range 2 {
		client.ClearActions()
		for range 3 {
			if next, err := keeper.Reconcile(ctx, key); err != nil || next < again {
				t.Fatalf("again in %s, %v", next, err)
			}
		}
		reads := 0
		for _, action := range client.Actions() {
			if action.Matches("get", "secrets") {
				reads++
			}
		}
		wanted, _ := os.ReadFile(file)
		secret, err := client.CoreV1().Secrets("default").Get(ctx, name, metav1.GetOptions{})
		if err != nil || string(secret.Data[translation.TrustKey]) != string(wanted) || reads != 1 {
			t.Errorf("round %d: %d reads, %v", round, reads, err)
		}
		write()
	}
}
