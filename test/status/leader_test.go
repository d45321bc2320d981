package status

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func leader(ctx context.Context) (string, error) {
	lease, err := env.ControlPlane.Client().CoordinationV1().Leases(devenv.SystemNamespace).
		Get(ctx, "functionmesh-apiserver", metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	return ptr.Deref(lease.Spec.HolderIdentity, ""), nil
}

// TestFailover stops the server that leads, and then kills the one that took over:
// each time another one goes on publishing.
func TestFailover(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	first := env.APIServer
	create(ctx, t, namespace, newFunction("led", 1))
	waitFor(ctx, t, namespace, "led", v1alpha1.ConditionReady, "Ready")
	before, err := leader(ctx)
	if err != nil || before == "" {
		t.Fatalf("%v: the leader is %q", err, before)
	}
	second, err := env.StartAPIServer(ctx, devenv.APIServerOptions{Name: "functionmesh-apiserver-second"})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := leader(ctx); err != nil || now != before {
		t.Fatalf("%v: the leader was %q, is %q", err, before, now)
	}
	if err := env.Route(ctx, second); err != nil {
		t.Fatal(err)
	}
	first.Stop()
	successor := waitForLeader(ctx, t, before, "")
	breakPod(ctx, t, namespace, "led-function-0")
	waitFor(ctx, t, namespace, "led", v1alpha1.ConditionReady, "CrashLoopBackOff")

	if err := first.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := env.Route(ctx, first); err != nil {
		t.Fatal(err)
	}
	second.Process().Kill()
	waitForLeader(ctx, t, successor, before)
	if err := env.ControlPlane.RecoverPod(ctx, namespace, "led-function-0"); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, namespace, "led", v1alpha1.ConditionReady, "Ready")
}

// waitForLeader waits until somebody leads who is none of the given, and returns
// whom.
func waitForLeader(ctx context.Context, t *testing.T, none, ofThese string) string {
	t.Helper()
	var now string
	eventually(ctx, t, "another leader", func() error {
		var err error
		if now, err = leader(ctx); err == nil && (now == "" || now == none || now == ofThese) {
			err = errors.New("the leader is " + now)
		}
		return err
	})
	return now
}

// breakPod makes the only container of a pod crash.
func breakPod(ctx context.Context, t *testing.T, namespace, pod string) {
	t.Helper()
	if err := env.ControlPlane.FailPod(ctx, namespace, pod, controlplane.PodFailure{Reason: "CrashLoopBackOff", Restarts: 1}); err != nil {
		t.Fatal(err)
	}
}

// TestMissingDefinition removes the definition of one kind: the others' statuses are
// published, by a server that never knew the kind, and its own when it is back.
func TestMissingDefinition(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	definitions := env.Dynamic().Resource(crdResource)
	if err := definitions.Delete(ctx, "sinks.compute.functionmesh.io", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	before, err := leader(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := env.APIServer.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	waitForLeader(ctx, t, before, "")
	createCR(ctx, t, "functions", namespace, newCR("Function", "alone", "alone", 1))
	waitForCR(ctx, t, "functions", namespace, "alone", v1alpha1.ConditionReady, "Ready")
	if err := env.ApplyCRDs(ctx); err != nil {
		t.Fatal(err)
	}
	createCR(ctx, t, "sinks", namespace, newCR("Sink", "back", "back", 1))
	waitForCR(ctx, t, "sinks", namespace, "back", v1alpha1.ConditionReady, "Ready")
}
