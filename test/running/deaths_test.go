package running

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// TestDeaths has one of two instances, Pulsar's own, stopped by signals as a node does that
// runs out of something: the status says so of that one, and no longer than it is so.
func TestDeaths(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	realPulsar(t)
	instance := startInstance(ctx, t, "mortal", details(t, "FUNCTION", "mortal", map[string]any{
		"className": "org.example.Measured", "source": sourceOf("persistent://public/default/mortal"), "sink": sinkOf("persistent://public/default/mortal-out"),
	}))
	createFunction(t, "mortal", 2)
	podsOf(t, "mortal", 2)
	// A Java instance takes its port on all addresses, so that the other one needs another.
	port := freePort(t)
	patchSet(t, "mortal", fmt.Sprintf(`[{"op":"add","path":"/spec/updateStrategy","value":{"type":"RollingUpdate","rollingUpdate":{"partition":1}}},`+
		`{"op":"replace","path":"/spec/template/spec/containers/0/ports/0/containerPort","value":%d}]`, port))
	eventually(t, "the pods to lead to two ports", func(context.Context) error {
		pods := podsOf(t, "mortal", 2)
		if first, second := pods[0].Spec.Containers[0].Ports[0].ContainerPort, pods[1].Spec.Containers[0].Ports; int(first) != instance.Port() ||
			len(second) != 1 || int(second[0].ContainerPort) != port {
			return fmt.Errorf("they lead to %d and %v", first, second)
		}
		return nil
	})
	putAt(t, &podsOf(t, "mortal", 2)[1], port, counting(1, 5))

	is := func(running bool, text string) {
		t.Helper()
		eventually(t, fmt.Sprintf("the first to say %q", text), func(ctx context.Context) error {
			var said status
			if err := getOf(ctx, "mortal", "status", &said); err != nil {
				return err
			}
			count := 1
			if running {
				count = 2
			}
			if len(said.Instances) != 2 || said.NumRunning != count {
				return fmt.Errorf("it says %+v", said)
			}
			first, second := said.Instances[0].Status, said.Instances[1].Status
			if first.Running != running || first.Error != text || !second.Running || second.NumReceived != 5 || second.Error != "" {
				return fmt.Errorf("it says %+v", said)
			}
			return nil
		})
	}
	is(true, "")
	signal := func(signal syscall.Signal) {
		t.Helper()
		if err := instance.Process().Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	is(false, instancetest.Late)
	signal(syscall.SIGCONT)
	is(true, "")
	instance.Process().Kill()
	is(false, instancetest.Unreachable)
	if got := pulsarAdmin(t, env.ShimURL(), of("functions", "status", "mortal")...); got.Exit != 0 || !strings.Contains(got.Out, instancetest.Unreachable) ||
		!strings.Contains(got.Out, `"numRunning" : 1`) {
		t.Errorf("pulsar-admin says %+v", got)
	}
	if err := instance.Start(ctx); err != nil {
		t.Fatal(err)
	}
	is(true, "")
}

// TestFewerPods proves that instances without a pod are said to be what they are in
// Pulsar where nobody was found to run them, and count as instances.
func TestFewerPods(t *testing.T) {
	port := freePort(t)
	standIn.SetPort(objectName("fewer"), port)
	createFunction(t, "fewer", 3)
	podsOf(t, "fewer", 3)
	patchSet(t, "fewer", `[{"op":"replace","path":"/spec/replicas","value":1}]`)
	putAt(t, &podsOf(t, "fewer", 1)[0], port, counting(0, 7))
	const missing = `{"running":false,"error":"Function has not been scheduled","numRestarts":0,"numReceived":0,"numSuccessfullyProcessed":0,` +
		`"numUserExceptions":0,"numSystemExceptions":0,"averageLatency":0,"lastInvocationTime":0}`
	const nothing = `"receivedTotal":0,"processedSuccessfullyTotal":0,"systemExceptionsTotal":0,"userExceptionsTotal":0,"avgProcessLatency":null`
	var first map[string]any
	if err := getOf(t.Context(), "fewer", "0/status", &first); err != nil || first["running"] != true || first["numReceived"] != 7.0 {
		t.Errorf("the first is %v (%v)", first, err)
	}
	for path, want := range map[string]string{
		"status": `{"numInstances":3,"numRunning":1,"instances":[{"instanceId":0,"status":` + encoded(t, first) + `},` +
			`{"instanceId":1,"status":` + missing + `},{"instanceId":2,"status":` + missing + `}]}`,
		"2/status": missing,
		"2/stats":  `{` + nothing + `,"1min":{` + nothing + `},"oneMin":{` + nothing + `},"lastInvocation":null,"userMetrics":{}}`,
	} {
		var got, wanted any
		if err := getOf(t.Context(), "fewer", path, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", path, diff)
		}
	}
	var measured stats
	if err := getOf(t.Context(), "fewer", "stats", &measured); err != nil || measured.ReceivedTotal != 7 || len(measured.Instances) != 1 || measured.Instances[0].InstanceID != 0 {
		t.Errorf("the stats are %+v (%v)", measured, err)
	}
}

func encoded(t *testing.T, value any) string {
	t.Helper()
	return string(must[[]byte](t)(json.Marshal(value)))
}

// patchSet changes the StatefulSet of a function, beside what made it.
func patchSet(t *testing.T, name, patch string) {
	t.Helper()
	sets := env.ControlPlane.Client().AppsV1().StatefulSets(namespace)
	must[*appsv1.StatefulSet](t)(sets.Patch(t.Context(), objectName(name)+"-function", types.JSONPatchType, []byte(patch), metav1.PatchOptions{}))
}
