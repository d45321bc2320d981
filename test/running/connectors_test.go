package running

import (
	"context"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// TestConnectorsAsPulsar is TestAsPulsar for a source and a sink: what the instances of
// both sides have counted on the same data is said in the same words.
func TestConnectorsAsPulsar(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	pulsar := realPulsar(t)
	const identity = "org.apache.pulsar.functions.api.utils.IdentityFunction"
	t.Run("source", func(t *testing.T) {
		const theirs, ours = "persistent://public/default/from-theirs", "persistent://public/default/from-ours"
		create := func(url, output string) {
			t.Helper()
			createAt(t, url, of("sources", "create", "five", "--archive", code, "--classname", "org.example.Five", "--destination-topic-name", output)...)
		}
		create(pulsar.URL(), theirs)
		sink := sinkOf(ours)
		startInstance(ctx, t, "five", details(t, "SOURCE", "five", map[string]any{
			"className": identity, "source": map[string]any{"className": "org.example.Five", "typeClassName": "java.lang.String"}, "sink": sink,
		}))
		create(env.ShimURL(), ours)
		counted(t, "/admin/v3/sources/public/default/five/0/status", "numWritten", 5)
		asPulsar(ctx, t, "sources", "five")
	})
	t.Run("sink", func(t *testing.T) {
		const theirs, ours = "persistent://public/default/to-theirs", "persistent://public/default/to-ours"
		create := func(url, input string) {
			t.Helper()
			createAt(t, url, of("sinks", "create", "forgets", "--archive", code, "--classname", "org.example.Discard", "--inputs", input, "--subs-position", "Earliest")...)
		}
		create(pulsar.URL(), theirs)
		startInstance(ctx, t, "forgets", details(t, "SINK", "forgets", map[string]any{
			"className": identity, "source": sourceOf(ours), "sink": map[string]any{"className": "org.example.Discard", "typeClassName": "java.lang.String"},
		}))
		create(env.ShimURL(), ours)
		for _, topic := range []string{theirs, ours} {
			if err := pulsar.Send(ctx, topic, sent...); err != nil {
				t.Fatal(err)
			}
		}
		counted(t, "/admin/v3/sinks/public/default/forgets/0/status", "numWrittenToSink", float64(len(sent)))
		asPulsar(ctx, t, "sinks", "forgets")
	})
}

// asPulsar compares all that is said of a connector that runs, and of one that is stopped.
func asPulsar(ctx context.Context, t *testing.T, kind, name string) {
	t.Helper()
	path := "/admin/v3/" + kind + "/public/default/" + name
	paths := []string{"/status", "/0/status", "/1/status", "/-1/status"}
	for _, operation := range paths {
		compare(ctx, t, path+operation)
	}
	if got := pulsarAdmin(t, env.ShimURL(), of(kind, "status", name, "--instance-id", "0")...); got.Exit != 0 {
		t.Errorf("status of one instance: %+v", got)
	}
	stopBoth(t, kind, name)
	for _, operation := range paths {
		compare(ctx, t, path+operation)
	}
}
