package running

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
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
	pulsar := realPulsar(t)
	const theirs, ours = "persistent://public/default/theirs", "persistent://public/default/ours"
	create := func(url, input string) {
		t.Helper()
		createAt(t, url, of("functions", "create", "measured", "--jar", code, "--classname", "org.example.Measured",
			"--inputs", input, "--output", input+"-out", "--subs-position", "Earliest", "--processing-guarantees", "ATMOST_ONCE")...)
	}
	create(pulsar.URL(), theirs)
	startInstance(ctx, t, "measured", details(t, "FUNCTION", "measured", map[string]any{
		"className": "org.example.Measured", "processingGuarantees": "ATMOST_ONCE", "source": sourceOf(ours), "sink": sinkOf(ours + "-out"),
	}))
	create(env.ShimURL(), ours)
	for _, topic := range []string{theirs, ours} {
		if err := pulsar.Send(ctx, topic, sent...); err != nil {
			t.Fatal(err)
		}
	}
	counted(t, functions+"measured/0/status", "numReceived", float64(len(sent)))
	for _, path := range []string{"/status", "/0/status", "/stats", "/0/stats"} {
		compare(ctx, t, functions+"measured"+path)
	}

	// Both are stopped, and both say so alike.
	stopBoth(t, "functions", "measured")
	for _, path := range []string{"/status", "/0/status", "/stats", "/0/stats", "/1/status", "/-1/stats"} {
		compare(ctx, t, functions+"measured"+path)
	}
}

// stopBoth stops a component at both sides, twice, and waits until none of it runs.
func stopBoth(t *testing.T, kind, name string) {
	t.Helper()
	for _, url := range []string{realPulsar(t).URL(), env.ShimURL()} {
		if got := pulsarAdmin(t, url, of(kind, "stop", name)...); got.Exit != 0 {
			t.Errorf("stop at %s: %+v", url, got)
		}
		if got := pulsarAdmin(t, url, of(kind, "stop", name)...); got.Exit == 0 {
			t.Errorf("the second stop at %s: %+v", url, got)
		}
	}
	counted(t, "/admin/v3/"+kind+"/public/default/"+name+"/status", "numRunning", 0)
	podsOf(t, name, 0)
}

// details describe a component of one instance as Function Mesh's operator does.
func details(t *testing.T, kind, name string, more map[string]any) string {
	t.Helper()
	all := map[string]any{
		"tenant": "public", "namespace": "default", "name": name, "runtime": "JAVA", "autoAck": true, "parallelism": 1,
		"processingGuarantees": "ATLEAST_ONCE", "resources": map[string]any{"cpu": 1, "ram": 1 << 30, "disk": 10 << 30}, "componentType": kind,
	}
	maps.Copy(all, more)
	return string(must[[]byte](t)(json.Marshal(all)))
}

// sourceOf and sinkOf say in details where messages come from and go to.
func sourceOf(input string) map[string]any {
	return map[string]any{
		"typeClassName": "java.lang.String", "subscriptionType": "SHARED", "subscriptionPosition": "EARLIEST", "cleanupSubscription": true,
		"inputSpecs": map[string]any{input: map[string]any{}},
	}
}

func sinkOf(output string) map[string]any {
	return map[string]any{"topic": output, "typeClassName": "java.lang.String", "forwardSourceMessageProperty": true}
}

// compare asks Pulsar and the shim for the same, and reports differences.
func compare(ctx context.Context, t *testing.T, path string) {
	t.Helper()
	theirCode, theirs, err := get(ctx, realPulsar(t).URL(), path)
	if err != nil {
		t.Fatal(err)
	}
	ourCode, ours, err := get(ctx, env.ShimURL(), path)
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
	"averageLatency": true, "avgProcessLatency": true, "lastInvocationTime": true, "lastInvocation": true, "lastReceivedTime": true,
	"timestampMs": true, "workerId": true,
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
