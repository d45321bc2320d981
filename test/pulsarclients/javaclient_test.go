package pulsarclients

import (
	"slices"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// command returns the arguments of an operation on a function.
func command(operation string, name identity.Name, flags ...string) []string {
	return append([]string{"functions", operation, "--tenant", name.Tenant, "--namespace", name.Namespace, "--name", name.Name}, flags...)
}

// TestJavaClient runs Pulsar's own command line. Its tests share a JVM, which runs
// one command at a time.
func TestJavaClient(t *testing.T) {
	t.Parallel()
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	if err := world.java.Fetch(); err != nil {
		t.Fatal(err)
	}
	t.Run("a Java function with everything", testJavaEverything)
	t.Run("other runtimes and windows", testJavaRuntimes)
	t.Run("a configuration file", testJavaConfigFile)
	t.Run("updates", testJavaUpdates)
	t.Run("refusals", testJavaRefusals)
	t.Run("a sink", testJavaSink)
	t.Run("a source", testJavaSource)
	t.Run("workers and connectors", testJavaWorkers)
	t.Run("upload", testJavaUpload)
	t.Run("a process per command", testJavaProcess)
	t.Run("a token over TLS", testJavaToken)
}

const fromJavaClient = "function://public/default/code@1.0"

func testJavaEverything(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "create", Name: "Everything_1"}
	expectRan(t, "create", pulsarAdmin(t, command("create", name,
		"--jar", fromJavaClient, "--classname", "org.example.F$Inner",
		"--inputs", "persistent://public/default/a,b", "--topics-pattern", "persistent://public/default/sensor-.*",
		"--custom-serde-inputs", `{"serde":"org.example.Serde"}`,
		"--custom-schema-inputs", `{"schema":"{\"schemaType\":\"avro\",\"schemaProperties\":{\"x\":\"y\"}}"}`,
		"--input-specs", `{"spec":{"schemaType":"json","receiverQueueSize":0,"consumerProperties":{"k":"v"}},"persistent://public/default/p-.*":{"isRegexPattern":true}}`,
		"--output", "out", "--schema-type", "avro", "--log-topic", "log", "--producer-config",
		`{"maxPendingMessages":100,"useThreadLocalProducers":true,"compressionType":"ZSTD","batchBuilder":"KEY_BASED"}`,
		"--processing-guarantees", "ATLEAST_ONCE", "--retain-ordering", "--subs-name", "sub", "--subs-position", "Earliest",
		"--parallelism", "3", "--cpu", "0.5", "--ram", "536870912", "--disk", "21474836480",
		"--user-config", `{"text":"ünï","number":5,"nested":{"list":[true,null]}}`,
		"--secrets", `{"PASSWORD":{"path":"database","key":"password"}}`, "--timeout-ms", "5000",
		"--max-message-retries", "4", "--dead-letter-topic", "dead", "--custom-runtime-options", `{"a":"b"}`,
		"--auto-ack", "true", "--cleanup-subscription", "--runtime-flags", "-Dx=y",
		"--forward-source-message-property", "false", "--skip-to-latest", "true",
	)...), "Created successfully")

	got := pulsarAdmin(t, command("get", name)...)
	plain := func(more map[string]any) map[string]any {
		spec := map[string]any{"isRegexPattern": false, "schemaProperties": map[string]any{}, "consumerProperties": map[string]any{}, "poolMessages": false}
		for member, value := range more {
			spec[member] = value
		}
		return spec
	}
	want := map[string]any{
		"tenant": name.Tenant, "namespace": name.Namespace, "name": name.Name, "className": "org.example.F$Inner",
		"inputSpecs": map[string]any{
			"persistent://public/default/a": plain(nil), "b": plain(nil),
			"persistent://public/default/sensor-.*": plain(map[string]any{"isRegexPattern": true}),
			"persistent://public/default/p-.*":      plain(map[string]any{"isRegexPattern": true}),
			"serde":                                 plain(map[string]any{"serdeClassName": "org.example.Serde"}),
			"schema":                                plain(map[string]any{"schemaType": "avro", "schemaProperties": map[string]any{"x": "y"}}),
			"spec":                                  plain(map[string]any{"schemaType": "json", "receiverQueueSize": 0, "consumerProperties": map[string]any{"k": "v"}}),
		},
		"output": "out", "outputSchemaType": "avro", "logTopic": "log",
		"producerConfig": map[string]any{
			"maxPendingMessages": 100, "useThreadLocalProducers": true, "compressionType": "ZSTD", "batchBuilder": "KEY_BASED",
		},
		"processingGuarantees": "ATLEAST_ONCE", "retainOrdering": true, "retainKeyOrdering": false, "subName": "sub",
		"subscriptionPosition": "Earliest", "parallelism": 3,
		"resources":  map[string]any{"cpu": 0.5, "ram": 536870912, "disk": 21474836480},
		"userConfig": map[string]any{"text": "ünï", "number": 5, "nested": map[string]any{"list": []any{true, nil}}},
		"secrets":    map[string]any{"PASSWORD": map[string]any{"path": "database", "key": "password"}},
		"timeoutMs":  5000, "maxMessageRetries": 4, "deadLetterTopic": "dead", "customRuntimeOptions": `{"a":"b"}`,
		"autoAck": true, "cleanupSubscription": true, "runtimeFlags": "-Dx=y", "runtime": "JAVA",
	}
	if got.Exit != 0 || encode(t, decode(t, got.Out)) != encode(t, decode(t, encode(t, want))) {
		t.Errorf("get: exit code %d, %s\n%s\nnot\n%s", got.Exit, got.Err, encode(t, decode(t, got.Out)), encode(t, want))
	}
	expectFields(t, "the custom resource", resource(t, name.ObjectName()).Object, map[string]any{
		"spec.name": name.Name, "spec.className": "org.example.F$Inner", "spec.java.jarLocation": fromJavaClient,
		"spec.forwardSourceMessageProperty": false, "spec.skipToLatest": true, "spec.cleanupSubscription": true,
		"spec.funcConfig.text": "ünï", "spec.subscriptionPosition": "earliest", "spec.output.sinkSchemaType": "avro",
	})
	expectRan(t, "delete", pulsarAdmin(t, command("delete", name)...), "Deleted successfully")
	expectGone(t, name, name.ObjectName())
}

func testJavaRuntimes(t *testing.T) {
	const namespace = "runtimes"
	for _, test := range []struct {
		name  string
		flags []string
		want  map[string]any
	}{
		{"python", []string{"--py", fromJavaClient, "--classname", "module.Class", "--inputs", "in", "--user-config", `{"a":"b"}`},
			map[string]any{"spec.python.pyLocation": fromJavaClient, "spec.className": "module.Class", "spec.funcConfig.a": "b"}},
		{"go", []string{"--go", fromJavaClient, "--inputs", "persistent://public/default/in", "--output", "out"},
			map[string]any{"spec.golang.goLocation": fromJavaClient, "spec.output.topic": "out"}},
		{"window", []string{"--jar", fromJavaClient, "--classname", "org.example.W", "--inputs", "in",
			"--window-length-count", "10", "--sliding-interval-count", "5"},
			map[string]any{"spec.windowConfig.windowLengthCount": 10, "spec.windowConfig.slidingIntervalCount": 5, "spec.autoAck": false}},
		{"once", []string{"--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in", "--processing-guarantees", "EFFECTIVELY_ONCE"},
			map[string]any{"spec.processingGuarantee": "effectively_once"}},
		{"manual", []string{"--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in", "--processing-guarantees", "MANUAL", "--retain-key-ordering"},
			map[string]any{"spec.processingGuarantee": "manual", "spec.retainKeyOrdering": true}},
	} {
		name := identity.Name{Tenant: "java-client", Namespace: namespace, Name: test.name}
		expectRan(t, test.name, pulsarAdmin(t, command("create", name, test.flags...)...), "Created successfully")
		expectFields(t, test.name, resource(t, name.ObjectName()).Object, test.want)
		expectRefused(t, test.name, pulsarAdmin(t, command("create", name, test.flags...)...), "Function "+test.name+" already exists")
	}
	got := pulsarAdmin(t, "functions", "list", "--tenant", "java-client", "--namespace", namespace)
	names := strings.Fields(got.Out)
	if slices.Sort(names); !slices.Equal(names, []string{"go", "manual", "once", "python", "window"}) {
		t.Errorf("list answers %q", got.Out)
	}
}

func testJavaConfigFile(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "file", Name: "f"}
	file := writeFile(t, "function.yaml", `
tenant: java-client
namespace: file
name: f
className: org.example.F
jar: `+fromJavaClient+`
inputs: [in]
inputSpecs:
  spec: {schemaType: avro, receiverQueueSize: 3}
output: out
parallelism: 2
processingGuarantees: ATMOST_ONCE
resources: {cpu: 0.25, ram: 268435456}
userConfig: {a: {b: [1, 2]}}
`)
	expectRan(t, "create", pulsarAdmin(t, "functions", "create", "--function-config-file", file), "Created successfully")
	expectFields(t, "get", rest().read(t, name), map[string]any{
		"parallelism": 2, "processingGuarantees": "ATMOST_ONCE", "userConfig": map[string]any{"a": map[string]any{"b": []int{1, 2}}},
		"resources": map[string]any{"cpu": 0.25, "ram": 268435456, "disk": 10 << 30},
	})
	// The package's URL goes along with every update from the file, and counts as a change.
	expectRan(t, "update", pulsarAdmin(t, "functions", "update", "--function-config-file", file, "--parallelism", "5"), "Updated successfully")
	config := rest().read(t, name)
	expectFields(t, "get", config, map[string]any{"parallelism": 5})
	if got := field(config, "inputSpecs", "spec", "schemaType"); got != "avro" {
		t.Errorf("an update from the file made %v of the schema", got)
	}
}

func testJavaUpdates(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "update", Name: "f"}
	someFunction(t, name)
	want := map[string]any{"className": "org.example.F", "parallelism": 1, "autoAck": true, "cleanupSubscription": true}
	for _, test := range []struct {
		flags []string
		want  map[string]any
	}{
		{[]string{"--parallelism", "4"}, map[string]any{"parallelism": 4}},
		{[]string{"--user-config", `{"a":1}`}, map[string]any{"userConfig": map[string]any{"a": 1}}},
		{[]string{"--user-config", `{}`}, map[string]any{"userConfig": map[string]any{}}},
		// The client fills in what of the resources is not given.
		{[]string{"--cpu", "2"}, map[string]any{"resources": map[string]any{"cpu": 2, "ram": 1 << 30, "disk": 10 << 30}}},
		{[]string{"--output", "other", "--log-topic", "log"}, map[string]any{"output": "other", "logTopic": "log"}},
		{[]string{"--max-message-retries", "3", "--dead-letter-topic", "dead"}, map[string]any{"maxMessageRetries": 3, "deadLetterTopic": "dead"}},
		{[]string{"--input-specs", `{"in":{"schemaType":"json"}}`}, map[string]any{"inputSpecs.in.schemaType": "json"}},
	} {
		expectRan(t, strings.Join(test.flags, " "), pulsarAdmin(t, command("update", name, test.flags...)...), "Updated successfully")
		for path, value := range test.want {
			want[path] = value
		}
		expectFields(t, "after "+strings.Join(test.flags, " "), rest().read(t, name), want)
	}
	expectRan(t, "auth data", pulsarAdmin(t, command("update", name, "--update-auth-data")...), "Updated successfully")
	expectRan(t, "package", pulsarAdmin(t, command("update", name, "--jar", "function://public/default/f@2")...), "Updated successfully")
	expectFields(t, "after a new package", resource(t, name.ObjectName()).Object,
		map[string]any{"spec.java.jarLocation": "function://public/default/f@2"})
	// What was read changes nothing when it is given back as a file.
	file := writeFile(t, "read.yaml", pulsarAdmin(t, command("get", name)...).Out)
	got := pulsarAdmin(t, "functions", "update", "--function-config-file", file)
	expectRefused(t, "update with what was read", got, "Update contains no change")
	for reason, flags := range map[string][]string{
		"Update contains no change":                      {"--parallelism", "4"},
		"Input Topics cannot be altered":                 {"--inputs", "another"},
		"Processing Guarantees cannot be altered":        {"--processing-guarantees", "ATMOST_ONCE"},
		"Retain Ordering cannot be altered":              {"--retain-ordering"},
		"AutoAck cannot be altered":                      {"--auto-ack", "false"},
		"Subscription Name cannot be altered":            {"--subs-name", "another"},
		"Function parallelism must be a positive number": {"--parallelism", "-1"},
	} {
		expectRefused(t, reason, pulsarAdmin(t, command("update", name, flags...)...), reason)
	}
	expectFields(t, "after refusals", rest().read(t, name), want)
}

func testJavaRefusals(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "refuse", Name: "f"}
	valid := func(more ...string) []string {
		return append([]string{"--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in"}, more...)
	}
	jar := writeFile(t, "code.jar", "not much of a jar")
	script := writeFile(t, "code.py", "def f(x): return x")
	for _, test := range []struct {
		what   string
		flags  []string
		reason string
	}{
		{"topic", []string{"--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in,a/b"}, "Input topic a/b is invalid"},
		{"output is input", valid("--output", "in"), "Output topic in is also being used as an input topic (topics must be one or the other)"},
		{"parallelism", valid("--parallelism", "0"), "Function parallelism must be a positive number"},
		{"resources", valid("--ram", "-1"), "The ram allocation for the function must be positive"},
		{"dead letters", valid("--dead-letter-topic", "dead"), "Dead Letter Topic specified, however max retries is set to infinity"},
		{"Python retries", []string{"--py", fromJavaClient, "--classname", "m.C", "--inputs", "in", "--max-message-retries", "1"},
			"Message retries not yet supported in python"},
		{"built-in", []string{"--jar", "builtin://nothing", "--inputs", "in"}, "No Function nothing found"},
		{"URL", []string{"--jar", "http://example.com/code.jar", "--classname", "org.example.F", "--inputs", "in"},
			"Function Package url is not valid.supported url (http/https/file)"},
		{"file", []string{"--py", script, "--classname", "m.C", "--inputs", "in"}, uploadRefusal},
		{"jar", []string{"--jar", jar, "--classname", "org.example.F", "--inputs", "in"}, uploadRefusal},
	} {
		expectRefused(t, test.what, pulsarAdmin(t, command("create", name, test.flags...)...), test.reason)
	}
	expectRefused(t, "get", pulsarAdmin(t, command("get", name)...), "Function f doesn't exist")
	expectRefused(t, "delete", pulsarAdmin(t, command("delete", name)...), "Function f doesn't exist")
	expectRefused(t, "update", pulsarAdmin(t, command("update", name, "--parallelism", "2")...), "Function f doesn't exist")
}

func testJavaUpload(t *testing.T) {
	file := writeFile(t, "code.jar", "code")
	expectRefused(t, "upload", pulsarAdmin(t, "functions", "upload", "--source-file", file, "--path", "java-client/pending/f"), uploadRefusal)
}

func testJavaProcess(t *testing.T) {
	name := identity.Name{Tenant: "java-client", Namespace: "process", Name: "f"}
	expectRan(t, "create", pulsarAdminProcess(t, command("create", name,
		"--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in")...), "Created successfully")
	if got := view(t, name).Spec.ClassName; got != "org.example.F" {
		t.Errorf("the class is %q", got)
	}
	missing := identity.Name{Tenant: name.Tenant, Namespace: name.Namespace, Name: "missing"}
	expectRefused(t, "get", pulsarAdminProcess(t, command("get", missing)...), "Function missing doesn't exist")
}

func testJavaToken(t *testing.T) {
	shim := startStrict(t, "java-shim")
	_, token := serviceAccount(t, "java-client", authorRole)
	name := identity.Name{Tenant: "java-client", Namespace: "token", Name: "f"}
	secure := []string{"--tls-trust-cert-path", shim.caFile, "--tls-enable-hostname-verification"}
	bearer := []string{"--auth-plugin", "org.apache.pulsar.client.impl.auth.AuthenticationToken", "--auth-params", "token:" + token}
	run := func(args ...[]string) javaclient.Result {
		return pulsarAdminAt(t, shim.secure.url, slices.Concat(args...)...)
	}
	create := command("create", name, "--jar", fromJavaClient, "--classname", "org.example.F", "--inputs", "in")
	expectRan(t, "create", run(secure, bearer, create), "Created successfully")
	expectRan(t, "get", run(secure, bearer, command("update", name, "--parallelism", "2")), "Updated successfully")
	expectRefused(t, "get without a token", run(secure, command("get", name)), unauthorized)
}
