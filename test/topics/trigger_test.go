package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	admin "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin"
	adminconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// definition is a function that both sides have. Those of the shim consume and produce
// topics of their own.
type definition struct {
	name, className string
	inputs          []string
	pattern         string
	output          string
	// valueType is the class of inputs and outputs; texts without it.
	valueType string
	// cluster is the Pulsar cluster, where it isn't the default.
	cluster string
}

// class is that of what the function reads and answers.
func (d definition) class() string {
	if d.valueType == "" {
		return "java.lang.String"
	}
	return d.valueType
}

// topics returns a definition's topics with a prefix.
func (d definition) with(prefix string) definition {
	full := func(topic string) string { return "persistent://public/default/" + prefix + topic }
	made := definition{name: d.name, className: d.className, valueType: d.valueType, cluster: d.cluster}
	for _, input := range d.inputs {
		made.inputs = append(made.inputs, full(input))
	}
	if d.pattern != "" {
		made.pattern = full(d.pattern)
	}
	if d.output != "" {
		made.output = full(d.output)
	}
	return made
}

const theirs, ours = "theirs-", "ours-"

// create creates a function at an admin URL.
func (d definition) create(t *testing.T, url string) {
	t.Helper()
	args := []string{"functions", "create", "--tenant", "public", "--namespace", "default", "--name", d.name, "--jar", code, "--classname", d.className,
		"--subs-position", "Earliest", "--input-type-class-name", d.class(), "--output-type-class-name", d.class()}
	if len(d.inputs) > 0 {
		args = append(args, "--inputs", strings.Join(d.inputs, ","))
	}
	if d.pattern != "" {
		args = append(args, "--topics-pattern", d.pattern)
	}
	if d.output != "" {
		args = append(args, "--output", d.output)
	}
	if d.cluster != "" {
		args = append(args, "--custom-runtime-options", `{"clusterName":"`+d.cluster+`"}`)
	}
	if got := pulsarAdmin(t, url, args...); got.Exit != 0 {
		t.Fatalf("create %s at %s: %+v", d.name, url, got)
	}
}

// instance starts what runs it, where Pulsar doesn't.
func (d definition) instance(ctx context.Context, t *testing.T) *controlplane.Server {
	t.Helper()
	specs := map[string]any{}
	for _, input := range d.inputs {
		specs[input] = map[string]any{}
	}
	if d.pattern != "" {
		specs[d.pattern] = map[string]any{"isRegexPattern": true}
	}
	details, err := json.Marshal(map[string]any{
		"tenant": "public", "namespace": "default", "name": d.name, "className": d.className, "runtime": "JAVA", "autoAck": true, "parallelism": 1,
		"source": map[string]any{
			"typeClassName": d.class(), "subscriptionType": "SHARED", "subscriptionPosition": "EARLIEST", "cleanupSubscription": true, "inputSpecs": specs,
		},
		"sink":      map[string]any{"topic": d.output, "typeClassName": d.class(), "forwardSourceMessageProperty": true},
		"resources": map[string]any{"cpu": 1, "ram": 1 << 30, "disk": 10 << 30}, "componentType": "FUNCTION",
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := pulsarServer.StartInstance(ctx, "instance-of-"+d.name, string(details), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

// both has a function at Pulsar and at the shim, with an instance that runs.
func both(t *testing.T, d definition) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	d.with(theirs).create(t, pulsarServer.URL())
	server := d.with(ours).instance(ctx, t)
	standIn.SetPort(objectName(d.name), server.Port())
	d.with(ours).create(t, env.ShimURL())
	for _, prefix := range []string{theirs, ours} {
		for _, input := range d.inputs {
			eventually(t, prefix+input+" to be consumed", func(ctx context.Context) error {
				names, err := subscriptionsOf(ctx, prefix+input)
				if err == nil && len(names) == 0 {
					err = errors.New("nobody does")
				}
				return err
			})
		}
	}
	ready(t, d.name)
}

// ready waits until a pod of a function is.
func ready(t *testing.T, name string) {
	t.Helper()
	eventually(t, name+" to be ready", func(ctx context.Context) error {
		return env.Kubectl(ctx, "wait", "pod", "-l", "compute.functionmesh.io/name="+objectName(name), "--for", "condition=Ready", "--timeout", "10s").Run()
	})
}

var uploaded sync.Once

func uploadCode(t *testing.T) {
	t.Helper()
	uploaded.Do(func() {
		if err := pulsarServer.Upload(t.Context(), code, pulsarServer.Code.Jar); err != nil {
			t.Fatal(err)
		}
	})
}

// TestTriggerAsPulsar triggers functions at both, and compares what both say.
func TestTriggerAsPulsar(t *testing.T) {
	uploadCode(t)
	for _, prefix := range []string{theirs, ours} {
		administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+"parts/partitions", "3")
		administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+"pattern-1", "")
		// A topic that nobody subscribed to is removed after a while, and its schema with it.
		for _, topic := range []string{"number", "json"} {
			administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+topic, "")
			administer(t, "PUT", "/admin/v2/persistent/public/default/"+prefix+topic+"/subscription/stays", "")
		}
		administer(t, "POST", "/admin/v2/schemas/public/default/"+prefix+"number/schema", `{"type":"INT32","schema":"","properties":{}}`)
		administer(t, "POST", "/admin/v2/schemas/public/default/"+prefix+"json/schema",
			`{"type":"JSON","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}","properties":{}}`)
	}
	both(t, definition{name: "echo", className: "org.example.Slow", inputs: []string{"in"}, output: "out"})
	both(t, definition{name: "many", className: "org.example.Slow", inputs: []string{"first", "parts"}, pattern: "pattern-.*", output: "many-out"})
	both(t, definition{name: "mute", className: "org.example.Slow", inputs: []string{"mute-in"}})
	// What is refused needs no instance.
	for _, d := range []definition{
		{name: "number", className: "org.example.Slow", inputs: []string{"number"}, output: "number-out"},
		{name: "json", className: "org.example.Slow", inputs: []string{"json"}, output: "json-out"},
		{name: "patterns", className: "org.example.Slow", pattern: "none-.*", output: "patterns-out"},
	} {
		d.with(theirs).create(t, pulsarServer.URL())
		d.with(ours).create(t, env.ShimURL())
		ready(t, d.name)
	}

	const topic = "persistent://public/default/$"
	for _, step := range []struct {
		what, name string
		parts      []part
		// different says why the answers are.
		different string
		code      int
		body      string
	}{
		{what: "a text", name: "echo", parts: []part{{"data", "hello"}}, code: 200, body: "hello!"},
		{what: "a file", name: "echo", parts: []part{{"dataStream", "file"}}, code: 200, body: "file!", different: "Pulsar sends an empty message for a file"},
		{what: "both", name: "echo", parts: []part{{"data", "text"}, {"dataStream", "file"}}, code: 200, body: "file!", different: "the same"},
		{what: "letters", name: "echo", parts: []part{{"data", "grüße"}}, code: 200, body: "grüße!"},
		{what: "its topic", name: "echo", parts: []part{{"data", "x"}, {"topic", topic + "in"}}, code: 200, body: "x!"},
		{what: "nothing", name: "echo", parts: []part{{"topic", topic + "in"}}, code: 400, body: "Trigger Data is not provided"},
		{what: "nothing, and no function", name: "absent", code: 400, body: "Trigger Data is not provided", parts: []part{{"x", "y"}}},
		{what: "no function", name: "absent", parts: []part{{"data", "x"}}, code: 404, body: "Function absent doesn't exist"},
		{what: "another topic", name: "echo", parts: []part{{"data", "x"}, {"topic", topic + "out"}}, code: 400, body: "Function in trigger function has unidentified topic"},
		{what: "no topic's name", name: "echo", parts: []part{{"data", "x"}, {"topic", "a/b"}}, code: 400, body: "Function in trigger function has unidentified topic"},
		{what: "one of several", name: "many", parts: []part{{"data", "x"}, {"topic", topic + "first"}}, code: 200, body: "x!"},
		{what: "none of several", name: "many", parts: []part{{"data", "x"}}, code: 400, body: "Function in trigger function has more than 1 input topics"},
		{what: "a partitioned topic", name: "many", parts: []part{{"data", "x"}, {"topic", topic + "parts"}}, code: 200, body: "x!", different: "Pulsar compares the topic's name with the partition's"},
		{what: "by a pattern", name: "many", parts: []part{{"data", "x"}, {"topic", topic + "pattern-1"}}, code: 200, body: "x!", different: "Pulsar knows the pattern only"},
		{what: "only a pattern", name: "patterns", parts: []part{{"data", "x"}}, code: 400, body: "Function in trigger function is not ready"},
		{what: "no output", name: "mute", parts: []part{{"data", "x"}}, code: 204},
		{what: "no answer", name: "echo", parts: []part{{"data", ""}}, code: 408, body: "Request Timed Out"},
		{what: "a late answer", name: "echo", parts: []part{{"data", "11000 ms"}}, code: 408, body: "Request Timed Out"},
		{what: "no number", name: "number", parts: []part{{"data", "abc"}}, code: 400,
			body: "Failed to serialize input with error: Size of data received by IntSchema is not 4. Please checkif input data conforms with the schema of the input topic."},
		{what: "no JSON", name: "json", parts: []part{{"data", "{a"}}, code: 400, different: "Pulsar adds Java's reason",
			body: "Failed to serialize input with error: it is not JSON. Please checkif input data conforms with the schema of the input topic."},
	} {
		t.Run(step.what, func(t *testing.T) {
			ask := func(url, prefix string) answer {
				var parts []part
				for _, p := range step.parts {
					parts = append(parts, part{p.name, strings.Replace(p.text, "$", prefix, 1)})
				}
				return must[answer](t)(trigger(t.Context(), url, step.name, parts...))
			}
			began := time.Now()
			got := ask(env.ShimURL(), ours)
			lasted := time.Since(began)
			want := ask(pulsarServer.URL(), theirs)
			t.Logf("Pulsar: %+v\nshim:   %+v in %v", want, got, lasted)
			if got.code != step.code || got.body != step.body && got.reason() != step.body {
				t.Errorf("the shim answers %+v", got)
			}
			if step.different == "" && (got.code != want.code || got.reason() != want.reason() || got.kind != want.kind) {
				t.Errorf("Pulsar answers %+v, the shim %+v", want, got)
			}
		})
	}
	leavesNothing(t, "ours-out", "ours-many-out")
}

// leavesNothing checks that nobody follows an output topic any more.
func leavesNothing(t *testing.T, topics ...string) {
	t.Helper()
	for _, topic := range topics {
		eventually(t, "nobody at "+topic, func(ctx context.Context) error {
			names, err := subscriptionsOf(ctx, topic)
			if err == nil && len(names) != 0 {
				err = fmt.Errorf("there are %v", names)
			}
			return err
		})
	}
}

// TestTriggerByPulsarAdmin triggers with Pulsar's own command line at both.
func TestTriggerByPulsarAdmin(t *testing.T) {
	uploadCode(t)
	both(t, definition{name: "cli", className: "org.example.Slow", inputs: []string{"cli-in"}, output: "cli-out"})
	file := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"--trigger-value", "hello"},
		{"--trigger-file", file},
		{"--trigger-value", "hello", "--topic", "persistent://public/default/$cli-in"},
		{"--trigger-value", "hello", "--topic", "persistent://public/default/absent"},
		{"--trigger-value", ""},
		{},
	} {
		run := func(url, prefix string) string {
			command := []string{"functions", "trigger", "--tenant", "public", "--namespace", "default", "--name", "cli"}
			for _, arg := range args {
				command = append(command, strings.Replace(arg, "$", prefix, 1))
			}
			got := pulsarAdmin(t, url, command...)
			return fmt.Sprintf("%d %s %s", got.Exit, got.Out, got.Err)
		}
		got, want := run(env.ShimURL(), ours), run(pulsarServer.URL(), theirs)
		t.Logf("%v: %s", args, got)
		if slices.Contains(args, "--trigger-file") {
			// Pulsar sends an empty message for a file.
			want = "0 from a file!\n "
		}
		if got != want {
			t.Errorf("%v: Pulsar says %s, the shim %s", args, want, got)
		}
	}

	// The Go client sends the topic always, reads no answer, and knows the code.
	for _, topic := range []string{"persistent://public/default/$cli-in", "persistent://public/default/absent"} {
		run := func(url, prefix string) string {
			client := must[admin.Client](t)(admin.New(&adminconfig.Config{WebServiceURL: url, PulsarAPIVersion: adminconfig.V3}))
			text, err := client.Functions().TriggerFunction("public", "default", "cli", strings.Replace(topic, "$", prefix, 1), "hello", "")
			return fmt.Sprint(text, err)
		}
		if got, want := run(env.ShimURL(), ours), run(pulsarServer.URL(), theirs); got != want {
			t.Errorf("the Go client with topic %s: Pulsar says %s, the shim %s", topic, want, got)
		} else {
			t.Logf("the Go client with topic %s: %s", topic, got)
		}
	}
}

// TestTriggersAtOnce has each of several at once get its own answer, from a function that
// takes its time and has other messages to answer as well.
func TestTriggersAtOnce(t *testing.T) {
	uploadCode(t)
	d := definition{name: "crowd", className: "org.example.Slow", inputs: []string{"crowd-in"}, output: "crowd-out"}.with(ours)
	server := d.instance(t.Context(), t)
	standIn.SetPort(objectName(d.name), server.Port())
	d.create(t, env.ShimURL())
	ready(t, d.name)
	eventually(t, "the function to answer", func(ctx context.Context) error {
		got, err := trigger(ctx, env.ShimURL(), d.name, part{"data", "first"})
		if err == nil && got.body != "first!" {
			err = fmt.Errorf("it says %+v", got)
		}
		return err
	})
	var all sync.WaitGroup
	// As many as one namespace may have.
	for i := range 8 {
		all.Go(func() {
			value := fmt.Sprintf("100 ms for %d", i)
			got, err := trigger(t.Context(), env.ShimURL(), d.name, part{"data", value})
			if err != nil || got.code != 200 || got.body != value+"!" {
				t.Errorf("%s is answered %+v, %v", value, got, err)
			}
		})
	}
	all.Wait()

	// Who goes away leaves nothing at the output.
	leaving, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := trigger(leaving, env.ShimURL(), d.name, part{"data", "3000 ms"})
		gone <- err
	}()
	eventually(t, "somebody at the output", func(ctx context.Context) error {
		names, err := subscriptionsOf(ctx, "ours-crowd-out")
		if err == nil && len(names) != 1 {
			err = fmt.Errorf("there are %v", names)
		}
		return err
	})
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away got %v", err)
	}
	leavesNothing(t, "ours-crowd-out")

	// What is stopped is said to be, and gets no message.
	if got := pulsarAdmin(t, env.ShimURL(), "functions", "stop", "--tenant", "public", "--namespace", "default", "--name", d.name); got.Exit != 0 {
		t.Fatalf("stop: %+v", got)
	}
	got := must[answer](t)(trigger(t.Context(), env.ShimURL(), d.name, part{"data", "late"}))
	if got.code != 400 || got.reason() != "Function in trigger function is not ready" {
		t.Errorf("what is stopped answers %+v", got)
	}
	if text := must[[]byte](t)(os.ReadFile(env.Shim.Process().LogPath())); strings.Contains(string(text), "100 ms for") {
		t.Error("the shim's log has a message")
	}
}
