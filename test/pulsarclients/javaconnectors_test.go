package pulsarclients

import (
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// commandOf is command for sinks and sources.
func commandOf(kind v1alpha1.ComponentKind, operation string, name identity.Name, flags ...string) []string {
	return append([]string{kind.Type + "s", operation, "--tenant", name.Tenant, "--namespace", name.Namespace, "--name", name.Name}, flags...)
}

func testJavaSink(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "sinks", Name: "Everything_1"}
	run := func(operation string, flags ...string) javaclient.Result {
		return pulsarAdmin(t, commandOf(v1alpha1.SinkKind, operation, name, flags...)...)
	}
	create := []string{
		"--archive", sinkURL, "--classname", "org.example.Sink", "--inputs", "a,b", "--topics-pattern", "persistent://public/default/p-.*",
		"--input-specs", `{"spec":{"schemaType":"json","receiverQueueSize":7}}`, "--subs-name", "sub", "--subs-position", "Earliest",
		"--max-redeliver-count", "3", "--dead-letter-topic", "dead", "--retain-ordering", "--parallelism", "2", "--cpu", "0.5", "--ram", "536870912",
		"--sink-config", `{"url":"u","size":5}`, "--timeout-ms", "5000", "--negative-ack-redelivery-delay-ms", "100", "--auto-ack", "true",
	}
	expectRan(t, "create", run("create", create...), "Created successfully")
	expectRefused(t, "create again", run("create", create...), "Sink Everything_1 already exists")
	got := run("get")
	if got.Exit != 0 {
		t.Fatalf("get: %s", got.Err)
	}
	expectFields(t, "get", decode(t, got.Out), map[string]any{
		"className": "org.example.Sink", "sourceSubscriptionName": "sub", "sourceSubscriptionPosition": "Earliest", "maxMessageRetries": 3,
		"deadLetterTopic": "dead", "retainOrdering": true, "parallelism": 2, "timeoutMs": 5000, "negativeAckRedeliveryDelayMs": 100, "autoAck": true,
		"configs.size": 5, "inputSpecs.spec.receiverQueueSize": 7, "inputSpecs.a.isRegexPattern": false, "archive": nil, "resources.ram": 536870912,
	})
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SinkKind, name).Object, map[string]any{
		"spec.name": name.Name, "spec.java.jarLocation": sinkURL, "spec.replicas": 2, "spec.sinkConfig.url": "u", "spec.deadLetterTopic": "dead",
	})
	expectRan(t, "update", run("update", "--parallelism", "3", "--subs-position", "Earliest"), "Updated successfully")
	expectRefused(t, "update without a change", run("update", "--subs-position", "Earliest"), "Update contains no change")
	expectRefused(t, "update of inputs", run("update", "--inputs", "c"), "Input Topics cannot be altered")
	expectRefused(t, "update of the guarantees", run("update", "--processing-guarantees", "ATMOST_ONCE"), "Processing Guarantees cannot be altered")
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SinkKind, name).Object, map[string]any{"spec.replicas": 3, "spec.sinkConfig.url": "u"})
	list := pulsarAdmin(t, "sinks", "list", "--tenant", name.Tenant, "--namespace", name.Namespace)
	if !strings.Contains(list.Out, `"`+name.Name+`"`) {
		t.Errorf("list answers %q", list.Out)
	}
	expectRan(t, "delete", run("delete"), "Deleted successfully")
	expectRefused(t, "get", run("get"), "Sink Everything_1 doesn't exist")
	expectRefused(t, "update", run("update", "--parallelism", "2"), "Sink Everything_1 doesn't exist")
}

func testJavaSource(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "sources", Name: "Everything_1"}
	run := func(operation string, flags ...string) javaclient.Result {
		return pulsarAdmin(t, commandOf(v1alpha1.SourceKind, operation, name, flags...)...)
	}
	expectRan(t, "create", run("create", "--archive", sourceURL, "--classname", "org.example.Source", "--destination-topic-name", "out",
		"--producer-config", `{"maxPendingMessages":5}`, "--schema-type", "json", "--parallelism", "2", "--source-config", `{"size":5}`,
		"--batch-source-config", `{"discoveryTriggererClassName":"org.example.Trigger","discoveryTriggererConfig":{"x":"y"}}`), "Created successfully")
	got := run("get")
	if got.Exit != 0 {
		t.Fatalf("get: %s", got.Err)
	}
	expectFields(t, "get", decode(t, got.Out), map[string]any{
		"className": "org.example.Source", "topicName": "out", "schemaType": "json", "parallelism": 2, "configs.size": 5, "archive": nil,
		"producerConfig.maxPendingMessages": 5, "batchSourceConfig.discoveryTriggererConfig.x": "y",
	})
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SourceKind, name).Object, map[string]any{
		"spec.name": name.Name, "spec.java.jarLocation": sourceURL, "spec.output.topic": "out",
		"spec.batchSourceConfig.discoveryTriggererClassName": "org.example.Trigger",
	})
	const trigger = `{"discoveryTriggererClassName":"org.example.Trigger","discoveryTriggererConfig":{"x":"y"}}`
	expectRefused(t, "update that forgets the trigger", run("update", "--parallelism", "3"),
		"Sources cannot be update between regular sources and batchsource")
	expectRan(t, "update", run("update", "--parallelism", "3", "--batch-source-config", trigger), "Updated successfully")
	expectRefused(t, "update without a change", run("update", "--parallelism", "3", "--batch-source-config", trigger), "Update contains no change")
	expectRan(t, "delete", run("delete"), "Delete source successfully")
	expectRefused(t, "delete again", run("delete"), "Source Everything_1 doesn't exist")
}

func testJavaWorkers(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"functions-worker", "get-cluster"}, `"workerId"`},
		{[]string{"functions-worker", "get-cluster-leader"}, `"workerId"`},
		{[]string{"functions-worker", "get-function-assignments"}, "localhost"},
		{[]string{"functions-worker", "function-stats"}, ""},
		{[]string{"sinks", "reload"}, ""},
	} {
		got := pulsarAdmin(t, test.args...)
		if got.Exit != 0 || !strings.Contains(got.Out, test.want) {
			t.Errorf("%v: exit code %d, %q, %s", test.args, got.Exit, got.Out, got.Err)
		}
	}
	expectRefused(t, "rebalance", pulsarAdmin(t, "functions-worker", "rebalance"),
		"Kubernetes schedules the instances: there are none on workers that could be moved. To empty a node use kubectl drain")
	// The command line asks for the list before it creates a sink of a type.
	got := pulsarAdmin(t, "sinks", "create", "--sink-type", "nothing", "--inputs", "in", "--name", "s")
	if want := "Invalid sink type 'nothing' -- Available sinks are: ["; got.Exit != 1 || !strings.HasPrefix(got.Err, want) || !strings.Contains(got.Err, "elastic-search") {
		t.Errorf("a type that isn't there: exit code %d, %s", got.Exit, got.Err)
	}
}
