package validation

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// pulsarRule is a change that breaks one of Pulsar's rules.
type pulsarRule struct {
	name   string
	change change
	path   string
	text   string
}

// commonRules are the rules for all runtimes, in Pulsar's order.
var commonRules = []pulsarRule{
	{"location", func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "ftp://x" },
		"spec.package.location", "Function Package url is not valid.supported url (http/https/file)"},
	{"tenant", func(f *v1alpha1.PulsarFunction) { f.Spec.Tenant = "" },
		"spec.tenant", "Function tenant cannot be null"},
	{"namespace", func(f *v1alpha1.PulsarFunction) { f.Spec.Namespace = "" },
		"spec.namespace", "Function namespace cannot be null"},
	{"name", func(f *v1alpha1.PulsarFunction) { f.Spec.Name = "" },
		"spec.name", "Function name cannot be null"},
	{"invalid input", func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = append(f.Spec.Inputs, "a/b") },
		"spec.inputs[1]", "Input topic a/b is invalid"},
	{"invalid pattern", func(f *v1alpha1.PulsarFunction) { f.Spec.TopicsPattern = "a/.*" },
		"spec.topicsPattern", "Input topic a/.* is invalid"},
	{"invalid serde input", func(f *v1alpha1.PulsarFunction) { f.Spec.CustomSerdeInputs = map[string]string{"a/c": "x.Y"} },
		"spec.customSerdeInputs[a/c]", "Input topic a/c is invalid"},
	{"invalid schema input", func(f *v1alpha1.PulsarFunction) { f.Spec.CustomSchemaInputs = map[string]string{"a/d": "{}"} },
		"spec.customSchemaInputs[a/d]", "Input topic a/d is invalid"},
	{"invalid input spec", func(f *v1alpha1.PulsarFunction) { inputSpec(f, "a/e", v1alpha1.ConsumerSpec{}) },
		"spec.inputSpecs[a/e]", "Input topic a/e is invalid"},
	{"invalid output", func(f *v1alpha1.PulsarFunction) { f.Spec.Output = "a/f" },
		"spec.output", "Output topic a/f is invalid"},
	{"invalid log topic", func(f *v1alpha1.PulsarFunction) { f.Spec.LogTopic = "a/g" },
		"spec.logTopic", "LogTopic topic a/g is invalid"},
	{"invalid dead letter topic", func(f *v1alpha1.PulsarFunction) { f.Spec.DeadLetterTopic = "a/h" },
		"spec.deadLetterTopic", "DeadLetter topic a/h is invalid"},
	{"parallelism", func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr(int32(0)) },
		"spec.parallelism", "Function parallelism must be a positive number"},
	{"output among inputs", func(f *v1alpha1.PulsarFunction) { inputSpec(f, f.Spec.Output, v1alpha1.ConsumerSpec{}) },
		"spec.output", "Output topic persistent://public/default/out is also being used as an input topic" +
			" (topics must be one or the other)"},
	{"cpu", func(f *v1alpha1.PulsarFunction) { request(f, "0", "") },
		"spec.resources.requests[cpu]", "The cpu allocation for the function must be positive"},
	{"ram", func(f *v1alpha1.PulsarFunction) { request(f, "", "-1") },
		"spec.resources.requests[memory]", "The ram allocation for the function must be positive"},
	{"ram limit", func(f *v1alpha1.PulsarFunction) {
		request(f, "", "")
		f.Spec.Resources.Limits["memory"] = resource.Quantity{}
	}, "spec.resources.limits[memory]", "The ram allocation for the function must be positive"},
	{"disk", func(f *v1alpha1.PulsarFunction) { request(f, "", ""); f.Spec.Resources.Disk = &resource.Quantity{} },
		"spec.resources.disk", "The disk allocation for the function must be positive"},
	{"timeout", func(f *v1alpha1.PulsarFunction) { f.Spec.TimeoutMs = ptr(int64(0)) },
		"spec.timeoutMs", "Function timeout must be a positive number"},
	{"timeout and guarantee", func(f *v1alpha1.PulsarFunction) {
		setIfNil(&f.Spec.TimeoutMs, 5)
		guarantee(f, v1alpha1.AtMostOnce)
	}, "spec.timeoutMs", "Message timeout can only be specified with processing guarantee is ATLEAST_ONCE"},
	{"dead letter topic without retries", func(f *v1alpha1.PulsarFunction) { setIfEmpty(&f.Spec.DeadLetterTopic, "dead") },
		"spec.deadLetterTopic", "Dead Letter Topic specified, however max retries is set to infinity"},
	{"both orderings", func(f *v1alpha1.PulsarFunction) { f.Spec.RetainOrdering, f.Spec.RetainKeyOrdering = true, true },
		"spec.retainKeyOrdering", "Only one of retain ordering or retain key ordering can be set"},
	{"receiver queue", func(f *v1alpha1.PulsarFunction) {
		inputSpec(f, "i1", v1alpha1.ConsumerSpec{ReceiverQueueSize: ptr(int32(-1))})
	}, "spec.inputSpecs[i1].receiverQueueSize", "Receiver queue size should be >= zero"},
	{"consumer key reader", func(f *v1alpha1.PulsarFunction) {
		inputSpec(f, "i2", v1alpha1.ConsumerSpec{CryptoConfig: &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: " "}})
	}, "spec.inputSpecs[i2].cryptoConfig.cryptoKeyReaderClassName", "CryptoKeyReader class name required"},
	{"payload processor", func(f *v1alpha1.PulsarFunction) {
		inputSpec(f, "i3", v1alpha1.ConsumerSpec{MessagePayloadProcessorConfig: &v1alpha1.MessagePayloadProcessorConfig{}})
	}, "spec.inputSpecs[i3].messagePayloadProcessorConfig.className", "MessagePayloadProcessor class name required"},
	{"encryption keys", func(f *v1alpha1.PulsarFunction) {
		f.Spec.ProducerConfig = &v1alpha1.ProducerConfig{
			CryptoConfig: &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: "a.B"},
		}
	}, "spec.producerConfig.cryptoConfig.encryptionKeys", "Must provide encryption key name for crypto key reader"},
}

// javaRules are those between common rules and conversion, and the conversion's.
var javaRules = []pulsarRule{
	{"class name", func(f *v1alpha1.PulsarFunction) { f.Spec.ClassName = " " },
		"spec.className", "Function class name is not provided."},
	{"schema input", func(f *v1alpha1.PulsarFunction) { schemaInput(f, "j1", "{") },
		"spec.customSchemaInputs[j1]", "Topic j1 has an incorrect schema Info"},
	{"schema and serde", func(f *v1alpha1.PulsarFunction) {
		inputSpec(f, "j2", v1alpha1.ConsumerSpec{SchemaType: "avro", SerdeClassName: "a.B"})
	}, "spec.inputSpecs[j2]", "Only one of schemaType or serdeClassName should be set in inputSpec"},
	{"output schema and serde", func(f *v1alpha1.PulsarFunction) {
		f.Spec.OutputSchemaType, f.Spec.OutputSerdeClassName = "avro", "a.B"
	}, "spec.outputSerdeClassName", "Only one of outputSchemaType or outputSerdeClassName should be set"},
	{"schema output", func(f *v1alpha1.PulsarFunction) {
		f.Spec.Output, f.Spec.CustomSchemaOutputs = "j3", map[string]string{"j3": "null"}
	},
		"spec.customSchemaOutputs[j3]", "Incorrect custom schema outputs,Topic j3 "},
	{"auto ack", func(f *v1alpha1.PulsarFunction) { f.Spec.AutoAck = ptr(false); guarantee(f, v1alpha1.AtMostOnce) },
		"spec.autoAck", "When Guarantees == ATMOST_ONCE, autoAck must be equal to true." +
			" This is a contradictory configuration, autoAck will be removed later." +
			" Please refer to PIP: https://github.com/apache/pulsar/issues/15560"},
}

var pythonRules = []pulsarRule{
	{"retries", func(f *v1alpha1.PulsarFunction) { f.Spec.MaxMessageRetries = ptr(int32(0)) },
		"spec.maxMessageRetries", "Message retries not yet supported in python"},
	{"schema input", func(f *v1alpha1.PulsarFunction) { schemaInput(f, "p1", `"x"`) },
		"spec.customSchemaInputs[p1]", "Incorrect custom schema inputs,Topic p1 "},
	{"schema output", func(f *v1alpha1.PulsarFunction) {
		f.Spec.Output, f.Spec.CustomSchemaOutputs = "p2", map[string]string{"p2": "["}
	},
		"spec.customSchemaOutputs[p2]", "Incorrect custom schema outputs,Topic p2 "},
}

var goRules = []pulsarRule{
	{"retries", func(f *v1alpha1.PulsarFunction) { f.Spec.MaxMessageRetries = ptr(int32(1)) },
		"spec.maxMessageRetries", "Message retries not yet supported in Go function"},
	{"key ordering", func(f *v1alpha1.PulsarFunction) { f.Spec.RetainKeyOrdering = true },
		"spec.retainKeyOrdering", "Retain Key Orderering not yet supported in Go function"},
	{"schema input", func(f *v1alpha1.PulsarFunction) { schemaInput(f, "g1", "1") },
		"spec.customSchemaInputs[g1]", "Incorrect custom schema inputs,Topic g1 "},
}

func inputSpec(f *v1alpha1.PulsarFunction, name string, consumer v1alpha1.ConsumerSpec) {
	if f.Spec.InputSpecs == nil {
		f.Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{}
	}
	f.Spec.InputSpecs[name] = consumer
}

func schemaInput(f *v1alpha1.PulsarFunction, name, schema string) {
	if f.Spec.CustomSchemaInputs == nil {
		f.Spec.CustomSchemaInputs = map[string]string{}
	}
	f.Spec.CustomSchemaInputs[name] = schema
}

// request changes requests of the function, with valid ones around them.
func request(f *v1alpha1.PulsarFunction, cpu, memory string) {
	if f.Spec.Resources == nil {
		f.Spec.Resources = &v1alpha1.Resources{Requests: amounts("1", "1Gi"), Limits: amounts("1", "1Gi")}
	}
	for name, quantity := range amounts(cpu, memory) {
		f.Spec.Resources.Requests[name] = quantity
	}
}

func guarantee(f *v1alpha1.PulsarFunction, guarantees v1alpha1.ProcessingGuarantees) {
	f.Spec.ProcessingGuarantees = guarantees
}

func setIfNil[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}

func setIfEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// broken applies changes to a defaulted function, so that no default repairs them.
func broken(changes ...change) *v1alpha1.PulsarFunction {
	function := made()
	for _, apply := range changes {
		apply(function)
	}
	return function
}

func allRules() map[string][]pulsarRule {
	chain := func(more []pulsarRule) []pulsarRule { return append(append([]pulsarRule{}, commonRules...), more...) }
	return map[string][]pulsarRule{"java": chain(javaRules), "python": chain(pythonRules), "go": chain(goRules)}
}

var runtimeChanges = map[string]change{"java": func(*v1alpha1.PulsarFunction) {}, "python": toPython, "go": toGo}

func TestPulsarRules(t *testing.T) {
	for runtime, rules := range allRules() {
		for _, rule := range rules {
			t.Run(runtime+"/"+rule.name, func(t *testing.T) {
				result := Validate(broken(runtimeChanges[runtime], rule.change), testOptions)
				checkResult(t, result, rule.path, rule.text)
			})
		}
	}
}

// checkResult wants the text as the detail of an error and as the reason.
func checkResult(t *testing.T, result Result, path, text string) {
	t.Helper()
	exact := false
	for _, err := range result.Errors {
		exact = exact || err.Field == path && err.Detail == text
	}
	if !exact {
		t.Errorf("errors %v lack %s: %s", result.Errors, path, text)
	}
	if result.Reason != text {
		t.Errorf("reason %q, want %q", result.Reason, text)
	}
}

// Of two broken rules the reason names the one that Pulsar checks first.
func TestPulsarOrder(t *testing.T) {
	for runtime, rules := range allRules() {
		compared, pairs := 0, 0
		for i, first := range rules {
			for _, second := range rules[i+1:] {
				pairs++
				function := broken(runtimeChanges[runtime], second.change, first.change)
				result := Validate(function, testOptions)
				if !found(result, first.path, first.text) || !found(result, second.path, second.text) {
					continue // one change undid the other
				}
				compared++
				if result.Reason != first.text {
					t.Errorf("%s: %s before %s: reason %q, want %q", runtime, first.name, second.name, result.Reason, first.text)
				}
			}
		}
		if compared*10 < pairs*9 {
			t.Errorf("%s: only %d of %d pairs could be compared", runtime, compared, pairs)
		}
	}
}
