package running

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// sent is what both get: some of it fails, which counts as an exception each time that it
// is delivered anew, so each is delivered once.
var sent = []string{"one", "bad", "three", "bad", "fifth"}

// TestAsPulsar has the same function on the same data run twice: by Pulsar's own worker,
// and as an instance that a pod leads to. What is said of both is compared, field by field.
func TestAsPulsar(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	pulsar, err := pulsarstandalone.Start(ctx, pulsarstandalone.Options{
		Repository: root, Dir: filepath.Join(env.ControlPlane.Dir(), "pulsar"), RunInstances: true, Logf: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pulsar.Stop)
	if err := pulsar.Upload(ctx, code, pulsar.Code.Jar); err != nil {
		t.Fatal(err)
	}

	const theirs, ours = "persistent://public/default/theirs", "persistent://public/default/ours"
	create := func(url, input string) {
		t.Helper()
		got := pulsarAdmin(t, url, of("functions", "create", "measured", "--jar", code, "--classname", "org.example.Measured",
			"--inputs", input, "--output", input+"-out", "--subs-position", "Earliest", "--processing-guarantees", "ATMOST_ONCE")...)
		if got.Exit != 0 {
			t.Fatalf("create at %s: %+v", url, got)
		}
	}
	create(pulsar.URL(), theirs)
	instance := startInstance(ctx, t, pulsar, ours)
	standIn.SetPort(objectName("measured"), instance.Port())
	create(env.ShimURL(), ours)
	for _, topic := range []string{theirs, ours} {
		if err := pulsar.Send(ctx, topic, sent...); err != nil {
			t.Fatal(err)
		}
	}
	for _, url := range []string{pulsar.URL(), env.ShimURL()} {
		eventually(t, "all messages at "+url, func(ctx context.Context) error {
			_, status, err := get(ctx, url, functions+"measured/0/status")
			if err == nil && status["numReceived"] != float64(len(sent)) {
				err = fmt.Errorf("it says %v", status)
			}
			return err
		})
	}
	for _, path := range []string{"/status", "/0/status", "/stats", "/0/stats"} {
		compare(ctx, t, pulsar.URL(), path)
	}

	// Both are stopped, and both say so alike.
	for _, url := range []string{pulsar.URL(), env.ShimURL()} {
		if got := pulsarAdmin(t, url, of("functions", "stop", "measured")...); got.Exit != 0 {
			t.Errorf("stop at %s: %+v", url, got)
		}
		if got := pulsarAdmin(t, url, of("functions", "stop", "measured")...); got.Exit == 0 {
			t.Errorf("the second stop at %s: %+v", url, got)
		}
		eventually(t, "none to run at "+url, func(ctx context.Context) error {
			_, status, err := get(ctx, url, functions+"measured/status")
			if err == nil && status["numRunning"] != 0.0 {
				err = errors.New("one runs")
			}
			return err
		})
	}
	podsOf(t, "measured", 0)
	for _, path := range []string{"/status", "/0/status", "/stats", "/0/stats"} {
		compare(ctx, t, pulsar.URL(), path)
	}
	for _, path := range []string{"/1/status", "/-1/stats"} {
		compare(ctx, t, pulsar.URL(), path)
	}
}

// startInstance starts what the pod will lead to.
func startInstance(ctx context.Context, t *testing.T, pulsar *pulsarstandalone.Pulsar, input string) *controlplane.Server {
	t.Helper()
	details, err := json.Marshal(map[string]any{
		"tenant": "public", "namespace": "default", "name": "measured", "className": "org.example.Measured", "runtime": "JAVA",
		"processingGuarantees": "ATMOST_ONCE", "autoAck": true, "parallelism": 1,
		"source": map[string]any{
			"typeClassName": "java.lang.String", "subscriptionType": "SHARED", "subscriptionPosition": "EARLIEST", "cleanupSubscription": true,
			"inputSpecs": map[string]any{input: map[string]any{}},
		},
		"sink":      map[string]any{"topic": input + "-out", "typeClassName": "java.lang.String", "forwardSourceMessageProperty": true},
		"resources": map[string]any{"cpu": 1, "ram": 1 << 30, "disk": 10 << 30}, "componentType": "FUNCTION",
	})
	if err != nil {
		t.Fatal(err)
	}
	instance, err := pulsar.StartInstance(ctx, "instance-of-measured", string(details), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(instance.Stop)
	return instance
}

// compare asks Pulsar and the shim for the same, and reports differences.
func compare(ctx context.Context, t *testing.T, url, path string) {
	t.Helper()
	theirCode, theirs, err := get(ctx, url, functions+"measured"+path)
	if err != nil {
		t.Fatal(err)
	}
	ourCode, ours, err := get(ctx, env.ShimURL(), functions+"measured"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\nPulsar: %v\nshim:   %v", path, theirs, ours)
	if theirCode != ourCode {
		t.Errorf("%s: Pulsar answers %d, the shim %d", path, theirCode, ourCode)
	}
	if diff := cmp.Diff(normal(theirs), normal(ours)); diff != "" {
		t.Errorf("%s differs (-Pulsar +shim):\n%s", path, diff)
	}
}

// lasting are the members whose numbers are of the time at which something ran. That they
// are there, and known or not, is compared all the same.
var lasting = map[string]bool{
	"averageLatency": true, "avgProcessLatency": true, "lastInvocationTime": true, "lastInvocation": true, "timestampMs": true, "workerId": true,
}

// normal makes an answer one that can be compared.
func normal(value any) any {
	switch value := value.(type) {
	case map[string]any:
		made := map[string]any{}
		for name, member := range value {
			switch {
			case name == "oneMin":
				// It is for the Go client, and not in Pulsar's answers.
			case name == "1min":
				// Which minute it is depends on when the instance started.
				made[name] = names(member)
			case lasting[name]:
				made[name] = kindOf(member)
			default:
				made[name] = normal(member)
			}
		}
		return made
	case []any:
		var made []any
		for _, element := range value {
			made = append(made, normal(element))
		}
		return made
	}
	return value
}

func names(value any) any {
	made := map[string]bool{}
	members, _ := value.(map[string]any)
	for name := range members {
		made[name] = true
	}
	return made
}

// kindOf tells what is known from what isn't.
func kindOf(value any) string {
	switch value {
	case nil:
		return "null"
	case 0.0:
		return "none"
	}
	return fmt.Sprintf("some %T", value)
}
