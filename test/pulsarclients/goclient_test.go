package pulsarclients

import (
	"errors"
	"slices"
	"testing"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	pulsarrest "github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// goClient returns Pulsar's Go client. The functions API has version 3, which the
// client has to be told.
func goClient(t *testing.T, version pulsarconfig.APIVersion) pulsaradmin.Client {
	t.Helper()
	return must[pulsaradmin.Client](t)(pulsaradmin.NewClient(&pulsaradmin.Config{
		WebServiceURL: world.env.ShimURL(), PulsarAPIVersion: version,
	}))
}

// expectReason checks that an error of the Go client is a refusal in these words.
func expectReason(t *testing.T, what string, err error, code int, reason string) {
	t.Helper()
	var refused pulsarrest.Error
	if !errors.As(err, &refused) || refused.Code != code || refused.Reason != reason {
		t.Errorf("%s: the error is %v, not %d %q", what, err, code, reason)
	}
}

func expectNoError(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// goConfig is a configuration as pulsarctl fills it in: what isn't set counts as
// false with this client, and only these are Pulsar's defaults.
func goConfig(name identity.Name) *utils.FunctionConfig {
	return &utils.FunctionConfig{
		Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name,
		ClassName: "org.example.F", Jar: ptr.To("function://public/default/code@1"),
		Inputs: []string{"persistent://public/default/in"}, Output: "persistent://public/default/out",
		AutoAck: true, CleanupSubscription: true, ForwardSourceMessageProperty: true,
	}
}

func TestGoClientJavaFunction(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "go-client", Namespace: "java", Name: "everything"}
	client := goClient(t, pulsarconfig.V3).Functions()
	function := goConfig(name)
	function.Jar = ptr.To("function://public/default/code@1.0")
	function.Inputs = []string{"persistent://public/default/plain"}
	function.TopicsPattern = ptr.To("persistent://public/default/sensor-.*")
	function.CustomSerdeInputs = map[string]string{"persistent://public/default/serde": "org.example.Serde"}
	function.CustomSchemaInputs = map[string]string{
		"persistent://public/default/schema": `{"schemaType":"avro","schemaProperties":{"a":"b"}}`,
	}
	function.InputSpecs = map[string]utils.ConsumerConfig{
		"persistent://public/default/spec": {SchemaType: "json", ReceiverQueueSize: 7, ConsumerProperties: map[string]string{"k": "v"}},
	}
	function.ProducerConfig = &utils.ProducerConfig{
		MaxPendingMessages: 100, MaxPendingMessagesAcrossPartitions: 200, UseThreadLocalProducers: true,
		BatchBuilder: "KEY_BASED", CompressionType: "ZSTD",
	}
	function.OutputSchemaType = "avro"
	function.LogTopic = "persistent://public/default/log"
	function.ProcessingGuarantees = "ATLEAST_ONCE"
	function.RetainOrdering = true
	function.Parallelism = 3
	function.MaxMessageRetries = ptr.To(4)
	function.DeadLetterTopic = "persistent://public/default/dead"
	function.SubName = "sub"
	function.SubscriptionPosition = "Earliest"
	function.TimeoutMs = ptr.To(int64(5000))
	function.Resources = &utils.Resources{CPU: 0.5, RAM: 512 << 20, Disk: 20 << 30}
	function.UserConfig = map[string]any{"text": "t", "number": 5, "nested": map[string]any{"list": []int{1, 2}}}
	function.Secrets = map[string]any{"PASSWORD": map[string]string{"path": "database", "key": "password"}}
	function.RuntimeFlags = "-Dx=y"
	function.CustomRuntimeOptions = `{"a":"b"}`
	expectNoError(t, "create", client.CreateFuncWithURL(function, *function.Jar))

	got, err := client.GetFunction(name.Tenant, name.Namespace, name.Name)
	expectNoError(t, "get", err)
	if got.Parallelism != 3 || got.ClassName != "org.example.F" || got.Runtime != utils.JavaRuntime || !got.RetainOrdering ||
		*got.MaxMessageRetries != 4 || got.SubscriptionPosition != "Earliest" || *got.TimeoutMs != 5000 ||
		*got.Resources != *function.Resources || got.ProducerConfig.CompressionType != "ZSTD" || got.SubName != "sub" {
		t.Errorf("get answers %s", encode(t, got))
	}
	if len(got.InputSpecs) != 5 || !got.InputSpecs["persistent://public/default/sensor-.*"].RegexPattern ||
		got.InputSpecs["persistent://public/default/spec"].ReceiverQueueSize != 7 ||
		got.InputSpecs["persistent://public/default/schema"].SchemaProperties["a"] != "b" ||
		got.InputSpecs["persistent://public/default/serde"].SerdeClassName != "org.example.Serde" {
		t.Errorf("get answers with inputs %s", encode(t, got.InputSpecs))
	}
	expectFields(t, "the custom resource", resource(t, name.ObjectName()).Object, map[string]any{
		"spec.name": name.Name, "spec.tenant": name.Tenant, "spec.namespace": name.Namespace,
		"spec.className": "org.example.F", "spec.replicas": 3, "spec.maxMessageRetry": 4, "spec.timeout": 5000,
		"spec.java.jarLocation": "function://public/default/code@1.0", "spec.subscriptionName": "sub",
		"spec.subscriptionPosition": "earliest", "spec.retainOrdering": true, "spec.processingGuarantee": "atleast_once",
		"spec.logTopic": "persistent://public/default/log", "spec.deadLetterTopic": "persistent://public/default/dead",
		"spec.resources.requests.memory": "512Mi", "spec.resources.limits.cpu": "500m",
		"spec.secretsMap.PASSWORD": map[string]string{"path": "database", "key": "password"},
		"spec.funcConfig.number":   5,
	})
	expectUnchanged(t, client, name)

	expectNoError(t, "delete", client.DeleteFunction(name.Tenant, name.Namespace, name.Name))
	expectGone(t, name, name.ObjectName())
	_, err = client.GetFunction(name.Tenant, name.Namespace, name.Name)
	expectReason(t, "get", err, 404, "Function everything doesn't exist")
	expectReason(t, "delete", client.DeleteFunction(name.Tenant, name.Namespace, name.Name), 404, "Function everything doesn't exist")
}

type functionsClient = interface {
	GetFunction(tenant, namespace, name string) (utils.FunctionConfig, error)
	UpdateFunction(config *utils.FunctionConfig, fileName string, options *utils.UpdateOptions) error
}

// expectUnchanged writes back what was read, which changes nothing of what runs and says
// so. A producer may be another one to Pulsar, since the client leaves out members that
// Pulsar answers with: docs/compatibility.md.
func expectUnchanged(t *testing.T, client functionsClient, name identity.Name) {
	t.Helper()
	config, err := client.GetFunction(name.Tenant, name.Namespace, name.Name)
	expectNoError(t, "get", err)
	before := resource(t, view(t, name).Name)
	err = client.UpdateFunction(&config, "", utils.NewUpdateOptions())
	if err != nil || config.ProducerConfig == nil {
		expectReason(t, "update with what was read", err, 400, "Update contains no change")
	}
	after := resource(t, before.GetName())
	if got, want := encode(t, after.Object["spec"]), encode(t, before.Object["spec"]); got != want || after.GetGeneration() != before.GetGeneration() {
		t.Errorf("update with what was read made of %s %s", want, got)
	}
}

func TestGoClientOtherRuntimes(t *testing.T) {
	t.Parallel()
	client := goClient(t, pulsarconfig.V3).Functions()
	for _, runtime := range []struct {
		name, location string
		set            func(*utils.FunctionConfig, *string)
		want           map[string]any
	}{
		{"PYTHON", "function://public/default/code@2", func(c *utils.FunctionConfig, url *string) { c.Py, c.Jar, c.ClassName = url, nil, "module.Class" },
			map[string]any{"spec.python.pyLocation": "function://public/default/code@2", "spec.className": "module.Class"}},
		{"GO", "function://public/default/code@3", func(c *utils.FunctionConfig, url *string) { c.Go, c.Jar, c.ClassName = url, nil, "" },
			map[string]any{"spec.golang.goLocation": "function://public/default/code@3"}},
	} {
		name := identity.Name{Tenant: "go-client", Namespace: "others", Name: "f-" + runtime.name}
		function := goConfig(name)
		runtime.set(function, ptr.To(runtime.location))
		expectNoError(t, runtime.name, client.CreateFuncWithURL(function, runtime.location))
		got, err := client.GetFunction(name.Tenant, name.Namespace, name.Name)
		expectNoError(t, runtime.name, err)
		if got.Runtime != runtime.name {
			t.Errorf("%s: the runtime is %s", runtime.name, got.Runtime)
		}
		expectFields(t, runtime.name, resource(t, name.ObjectName()).Object, runtime.want)
		expectUnchanged(t, client, name)
	}
	names, err := client.GetFunctions("go-client", "others")
	expectNoError(t, "list", err)
	if slices.Sort(names); !slices.Equal(names, []string{"f-GO", "f-PYTHON"}) {
		t.Errorf("list answers %v", names)
	}
	if names, err = client.GetFunctions("nobody", "nothing"); err != nil || names == nil || len(names) != 0 {
		t.Errorf("list of an unknown tenant answers %v, %v", names, err)
	}
}

// TestGoClientZeroValues sends a configuration of which only the least is set: with
// this client all booleans are then false, and mean it.
func TestGoClientZeroValues(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "go-client", Namespace: "zero", Name: "f"}
	client := goClient(t, pulsarconfig.V3).Functions()
	function := &utils.FunctionConfig{
		Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, ClassName: "org.example.F", Inputs: []string{"in"},
		Jar:            ptr.To("function://public/default/code@1"),
		ProducerConfig: &utils.ProducerConfig{},
	}
	expectNoError(t, "create", client.CreateFuncWithURL(function, "function://public/default/code@1"))
	expectFields(t, "the custom resource", resource(t, name.ObjectName()).Object, map[string]any{
		"spec.autoAck": false, "spec.cleanupSubscription": false, "spec.forwardSourceMessageProperty": false,
	})
	config := rest().read(t, name)
	expectFields(t, "get", config, map[string]any{
		"autoAck": false, "cleanupSubscription": false, "forwardSourceMessageProperty": nil, "parallelism": 1,
		"retainOrdering": false, "retainKeyOrdering": false, "subscriptionPosition": "Latest",
		"producerConfig": map[string]any{"useThreadLocalProducers": false, "batchBuilder": "", "compressionType": "LZ4"},
		"resources":      map[string]any{"cpu": 1, "ram": 1 << 30, "disk": 10 << 30}, "userConfig": map[string]any{},
	})
	expectUnchanged(t, client, name)

	other := identity.Name{Tenant: "go-client", Namespace: "zero", Name: "acknowledges"}
	expectNoError(t, "create", client.CreateFuncWithURL(goConfig(other), "function://public/default/code@1"))
	update := &utils.FunctionConfig{Tenant: other.Tenant, Namespace: other.Namespace, Name: other.Name, Parallelism: 2}
	expectReason(t, "update", client.UpdateFunction(update, "", nil), 400, "AutoAck cannot be altered")
}

func TestGoClientUpdates(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "go-client", Namespace: "updates", Name: "f"}
	client := goClient(t, pulsarconfig.V3).Functions()
	function := goConfig(name)
	function.UserConfig = map[string]any{"a": 1}
	expectNoError(t, "create", client.CreateFuncWithURL(function, "function://public/default/code@1"))

	change := func(what string, change func(*utils.FunctionConfig)) error {
		t.Helper()
		update := &utils.FunctionConfig{
			Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name,
			AutoAck: true, CleanupSubscription: true, ForwardSourceMessageProperty: true,
		}
		change(update)
		return client.UpdateFunction(update, "", utils.NewUpdateOptions())
	}
	want := map[string]any{"className": "org.example.F", "parallelism": 1, "userConfig": map[string]any{"a": 1}}
	for _, test := range []struct {
		what   string
		change func(*utils.FunctionConfig)
		want   map[string]any
	}{
		{"parallelism", func(c *utils.FunctionConfig) { c.Parallelism = 4 }, map[string]any{"parallelism": 4}},
		{"userConfig", func(c *utils.FunctionConfig) { c.UserConfig = map[string]any{"b": "c"} },
			map[string]any{"userConfig": map[string]any{"b": "c"}}},
		{"resources", func(c *utils.FunctionConfig) { c.Resources = &utils.Resources{CPU: 2, RAM: 2 << 30, Disk: 10 << 30} },
			map[string]any{"resources": map[string]any{"cpu": 2, "ram": 2 << 30, "disk": 10 << 30}}},
		{"output", func(c *utils.FunctionConfig) { c.Output = "other" }, map[string]any{"output": "other"}},
		{"className", func(c *utils.FunctionConfig) { c.ClassName = "org.example.G" }, map[string]any{"className": "org.example.G"}},
		{"cleanupSubscription", func(c *utils.FunctionConfig) { c.CleanupSubscription = false }, map[string]any{"cleanupSubscription": false}},
		{"retries and dead letters", func(c *utils.FunctionConfig) {
			c.MaxMessageRetries, c.DeadLetterTopic, c.CleanupSubscription = ptr.To(2), "dead", false
		}, map[string]any{"maxMessageRetries": 2, "deadLetterTopic": "dead"}},
		{"secrets", func(c *utils.FunctionConfig) {
			c.Secrets, c.CleanupSubscription = map[string]any{"S": map[string]any{"path": "p", "key": "k"}}, false
		}, map[string]any{"secrets": map[string]any{"S": map[string]any{"path": "p", "key": "k"}}}},
	} {
		expectNoError(t, test.what, change(test.what, test.change))
		for path, value := range test.want {
			want[path] = value
		}
		expectFields(t, "after "+test.what, rest().read(t, name), want)
	}
	// A new package alone is a change.
	update := goConfig(name)
	update.Jar, update.ClassName, update.Inputs, update.Output, update.CleanupSubscription = nil, "", nil, "", false
	expectNoError(t, "package", client.UpdateFunctionWithURL(update, "function://public/default/code@2", nil))
	expectFields(t, "after package", resource(t, name.ObjectName()).Object, map[string]any{"spec.java.jarLocation": "function://public/default/code@2"})
	expectFields(t, "after package", rest().read(t, name), want)

	for _, test := range []struct {
		reason string
		change func(*utils.FunctionConfig)
	}{
		{"Input Topics cannot be altered", func(c *utils.FunctionConfig) { c.Inputs = []string{"another"} }},
		{"isRegexPattern for input topic persistent://public/default/in cannot be altered",
			func(c *utils.FunctionConfig) { c.TopicsPattern = ptr.To("persistent://public/default/in") }},
		{"Processing Guarantees cannot be altered", func(c *utils.FunctionConfig) { c.ProcessingGuarantees = "ATMOST_ONCE" }},
		{"Retain Ordering cannot be altered", func(c *utils.FunctionConfig) { c.RetainOrdering = true }},
		{"Retain Key Ordering cannot be altered", func(c *utils.FunctionConfig) { c.RetainKeyOrdering = true }},
		{"AutoAck cannot be altered", func(c *utils.FunctionConfig) { c.AutoAck = false }},
		{"Subscription Name cannot be altered", func(c *utils.FunctionConfig) { c.SubName = "another" }},
		{"Output Schema mismatch", func(c *utils.FunctionConfig) { c.OutputSchemaType = "avro" }},
		{"Output Serde mismatch", func(c *utils.FunctionConfig) { c.OutputSerdeClassName = "org.example.Serde" }},
		{"Runtime cannot be altered", func(c *utils.FunctionConfig) { c.Runtime = utils.PythonRuntime }},
		{"Function parallelism must be a positive number", func(c *utils.FunctionConfig) { c.Parallelism = -1 }},
		{"Update contains no change", func(c *utils.FunctionConfig) { c.CleanupSubscription = false }},
	} {
		expectReason(t, test.reason, change(test.reason, test.change), 400, test.reason)
	}
	expectFields(t, "after refusals", rest().read(t, name), want)

	missing := goConfig(identity.Name{Tenant: name.Tenant, Namespace: name.Namespace, Name: "missing"})
	expectReason(t, "update", client.UpdateFunction(missing, "", nil), 400, "Function missing doesn't exist")
}
