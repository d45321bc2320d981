package pulsarclients

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// refusedInput is one mistake, said at both doors.
type refusedInput struct {
	what string
	// config changes members of the least FunctionConfig, and spec those of the least
	// PulsarFunction's specification, that are valid; null removes a member.
	config, spec string
	reason       string
}

const (
	// leastConfig is sent without a URL beside it.
	leastConfig = `{"className":"org.example.F","inputs":["in"],"jar":"function://public/default/f@1"}`
	leastSpec   = `{"className":"org.example.F","inputs":["in"],"java":{},"package":{"location":"function://public/default/f@1"}}`

	python     = `"jar":null,"py":"function://public/default/f@1","className":"m.C"`
	pythonSpec = `"java":null,"python":{},"className":"m.C"`
	golang     = `"jar":null,"go":"function://public/default/f@1","className":null`
	golangSpec = `"java":null,"go":{},"className":null`
	sameInBoth = "same"
)

// refusedInputs are mistakes in the order of Pulsar's checks, then some that only
// Function Mesh has.
var refusedInputs = []refusedInput{
	{"no package", `{"jar":null,"runtime":"JAVA"}`, `{"package":null}`, "Function package is not provided"},
	{"unknown built-in", `{"jar":"builtin://x"}`, `{"package":{"location":"builtin://x"}}`, "No Function x found"},
	{"URL not allowed", `{"jar":"https://example.com/f.jar"}`, `{"package":{"location":"https://example.com/f.jar"}}`,
		"Function Package url is not valid.supported url (http/https/file)"},
	{"file URL", `{"jar":"file:///etc/passwd"}`, `{"package":{"location":"file:///etc/passwd"}}`,
		"Function Package url is not valid.supported url (http/https/file)"},
	{"no class of a Python function", `{` + python + `,"className":null}`, `{` + pythonSpec + `,"className":null}`, "Function classname cannot be null"},
	{"no inputs", `{"inputs":[]}`, sameInBoth, "No input topic(s) specified for the function"},
	{"invalid input", `{"inputs":["in","a/b"]}`, sameInBoth, "Input topic a/b is invalid"},
	{"invalid pattern", `{"topicsPattern":"a/b.*"}`, sameInBoth, "Input topic a/b.* is invalid"},
	{"invalid input in inputSpecs", `{"inputSpecs":{"http://x":{}}}`, sameInBoth, "Input topic http://x is invalid"},
	{"invalid input with a serde", `{"customSerdeInputs":{"a/b":"org.example.S"}}`, sameInBoth, "Input topic a/b is invalid"},
	{"invalid output", `{"output":"a/b"}`, sameInBoth, "Output topic a/b is invalid"},
	{"invalid log topic", `{"logTopic":"a/b"}`, sameInBoth, "LogTopic topic a/b is invalid"},
	{"invalid dead letter topic", `{"deadLetterTopic":"a/b","maxMessageRetries":1}`, sameInBoth, "DeadLetter topic a/b is invalid"},
	{"no instance", `{"parallelism":0}`, sameInBoth, "Function parallelism must be a positive number"},
	{"output is an input", `{"output":"in"}`, sameInBoth,
		"Output topic in is also being used as an input topic (topics must be one or the other)"},
	{"window without a length", `{"windowConfig":{"slidingIntervalCount":1}}`, sameInBoth, "Window length is not specified"},
	{"window of two kinds", `{"windowConfig":{"windowLengthCount":1,"windowLengthDurationMs":1}}`, sameInBoth,
		"Window length for time and count are set! Please set one or the other."},
	{"negative window", `{"windowConfig":{"windowLengthCount":-2}}`, sameInBoth, "Window length must be positive [-2]"},
	{"no CPU", `{"resources":{"cpu":0}}`, `{"resources":{"requests":{"cpu":"0","memory":"1Gi"},"limits":{"cpu":"0","memory":"1Gi"}}}`,
		"The cpu allocation for the function must be positive"},
	{"negative memory", `{"resources":{"ram":-1}}`, `{"resources":{"requests":{"memory":"-1"},"limits":{"memory":"-1"}}}`,
		"The ram allocation for the function must be positive"},
	{"no disk", `{"resources":{"disk":0}}`, `{"resources":{"requests":{"memory":"1Gi"},"limits":{"memory":"1Gi"},"disk":"0"}}`,
		"The disk allocation for the function must be positive"},
	{"no time", `{"timeoutMs":0}`, sameInBoth, "Function timeout must be a positive number"},
	{"timeout with another guarantee", `{"timeoutMs":1,"processingGuarantees":"ATMOST_ONCE"}`, sameInBoth,
		"Message timeout can only be specified with processing guarantee is ATLEAST_ONCE"},
	{"retries with effectively once", `{"maxMessageRetries":1,"processingGuarantees":"EFFECTIVELY_ONCE"}`, sameInBoth,
		"MaxMessageRetries and Effectively once don't gel well"},
	{"dead letters without retries", `{"deadLetterTopic":"dead"}`, sameInBoth,
		"Dead Letter Topic specified, however max retries is set to infinity"},
	{"key order with effectively once", `{"retainKeyOrdering":true,"processingGuarantees":"EFFECTIVELY_ONCE"}`, sameInBoth,
		"When effectively once processing guarantee is specified, retain Key ordering cannot be set"},
	{"two orders", `{"retainKeyOrdering":true,"retainOrdering":true}`, sameInBoth, "Only one of retain ordering or retain key ordering can be set"},
	{"negative queue", `{"inputSpecs":{"in":{"receiverQueueSize":-1}}}`, sameInBoth, "Receiver queue size should be >= zero"},
	{"decryption without a key reader", `{"inputSpecs":{"in":{"cryptoConfig":{}}}}`, sameInBoth, "CryptoKeyReader class name required"},
	{"encryption without a key", `{"producerConfig":{"cryptoConfig":{"cryptoKeyReaderClassName":"org.example.K"}}}`, sameInBoth,
		"Must provide encryption key name for crypto key reader"},
	{"no class of a Java function", `{"className":null}`, sameInBoth, "Function class name is not provided."},
	{"schema and serde", `{"inputSpecs":{"in":{"schemaType":"json","serdeClassName":"org.example.S"}}}`, sameInBoth,
		"Only one of schemaType or serdeClassName should be set in inputSpec"},
	{"schema and serde of the output", `{"output":"out","outputSchemaType":"json","outputSerdeClassName":"org.example.S"}`, sameInBoth,
		"Only one of outputSchemaType or outputSerdeClassName should be set"},
	{"Python with effectively once", `{` + python + `,"processingGuarantees":"EFFECTIVELY_ONCE"}`,
		`{` + pythonSpec + `,"processingGuarantees":"EFFECTIVELY_ONCE"}`, "Effectively-once processing guarantees not yet supported in Python"},
	{"Python with a window", `{` + python + `,"windowConfig":{"windowLengthCount":1}}`, `{` + pythonSpec + `,"windowConfig":{"windowLengthCount":1}}`,
		"There is currently no support windowing in python"},
	{"Go with key order", `{` + golang + `,"retainKeyOrdering":true}`, `{` + golangSpec + `,"retainKeyOrdering":true}`,
		"Retain Key Orderering not yet supported in Go function"},
	{"no runtime", `{"jar":null}`, `{"java":null,"package":null}`, "Function language runtime is either not set or cannot be determined"},
	{"contradiction", `{"autoAck":false,"processingGuarantees":"ATMOST_ONCE"}`, sameInBoth,
		"When Guarantees == ATMOST_ONCE, autoAck must be equal to true. This is a contradictory configuration, autoAck will be removed later. " +
			"Please refer to PIP: https://github.com/apache/pulsar/issues/15560"},
	{"the first of several", `{"parallelism":0,"timeoutMs":0,"output":"a/b"}`, sameInBoth, "Output topic a/b is invalid"},

	{"a class that is none", `{"className":"org.example.F;reboot"}`, sameInBoth,
		`spec.className: Invalid value: "org.example.F;reboot": must be the binary name of a class, such as org.example.Outer$Inner`},
	{"a quote", `{"subName":"it's"}`, `{"subscriptionName":"it's"}`,
		"spec.subscriptionName: Invalid value: may hold no control characters and no single quotes: it becomes part of a shell command"},
	{"Go with two inputs", `{` + golang + `,"inputs":["a","b"]}`, `{` + golangSpec + `,"inputs":["a","b"]}`,
		"spec.inputs: Invalid value: a Go function consumes exactly one topic in Function Mesh, which inputs must name"},
	{"a secret that is none", `{"secrets":{"PATH":{"path":"s","key":"k"}}}`, sameInBoth,
		"spec.secrets[PATH]: Forbidden: Function Mesh uses this environment variable"},
	{"an unknown log level", `{"logLevel":"loud"}`, `{"java":{"log":{"level":"loud"}}}`,
		`spec.java.log.level: Unsupported value: "loud": supported values: "off", "trace", "debug", "info", "warn", "error", "fatal", "all", "panic"`},
	{"a dead letter topic that is never used", `{"deadLetterTopic":"dead","maxMessageRetries":0}`, sameInBoth,
		"spec.maxMessageRetries: Invalid value: 0: must be positive with a deadLetterTopic: the Function Mesh operator takes 0 for no limit"},
}

// changed returns base with the members of changes, both JSON objects. Null removes.
func changed(t *testing.T, base, changes string) map[string]any {
	t.Helper()
	result := decode(t, base)
	maps.Copy(result, decode(t, changes))
	maps.DeleteFunc(result, func(_ string, value any) bool { return value == nil })
	return result
}

func specOf(t *testing.T, object map[string]any) v1alpha1.PulsarFunctionSpec {
	t.Helper()
	var spec v1alpha1.PulsarFunctionSpec
	if err := json.Unmarshal([]byte(encode(t, object)), &spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestSameWordsOnCreate makes each mistake at both doors.
func TestSameWordsOnCreate(t *testing.T) {
	t.Parallel()
	for i, test := range refusedInputs {
		t.Run(test.what, func(t *testing.T) {
			name := identity.Name{Tenant: "words", Namespace: "create", Name: fmt.Sprintf("f%d", i)}
			got := rest().create(t, name, config(encode(t, changed(t, leastConfig, test.config))))
			expect(t, "POST", got, 400, test.reason)

			changes := test.spec
			if changes == sameInBoth {
				changes = test.config
			}
			spec := specOf(t, changed(t, leastSpec, changes))
			spec.Tenant, spec.Namespace, spec.Name = name.Tenant, name.Namespace, name.Name
			object := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: name.ObjectName()}, Spec: spec}
			_, err := world.views.Create(t.Context(), object, metav1.CreateOptions{})
			if reason, err := pulsarReason(err); err != nil || reason != test.reason {
				t.Errorf("create: the reason is %q (%v), not %q", reason, err, test.reason)
			}
		})
	}
	if names := rest().names(t, "words", "create"); len(names) > 0 {
		t.Errorf("created all the same: %v", names)
	}
}

// TestSameWordsOnUpdate makes mistakes in updates, which both doors check as they
// check creation.
func TestSameWordsOnUpdate(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "words", Namespace: "update", Name: "f"}
	someFunction(t, name)
	before := resource(t, name.ObjectName()).GetResourceVersion()
	for _, test := range []refusedInput{
		{"no instance", `{"parallelism":0}`, sameInBoth, "Function parallelism must be a positive number"},
		{"invalid output", `{"output":"a/b"}`, sameInBoth, "Output topic a/b is invalid"},
		{"output is an input", `{"output":"in"}`, sameInBoth,
			"Output topic in is also being used as an input topic (topics must be one or the other)"},
		{"dead letters without retries", `{"deadLetterTopic":"dead"}`, sameInBoth,
			"Dead Letter Topic specified, however max retries is set to infinity"},
		{"no memory", `{"resources":{"ram":0}}`, `{"resources":{"requests":{"memory":"0"},"limits":{"memory":"0"}}}`,
			"The ram allocation for the function must be positive"},
		{"built-in", `{"jar":"builtin://x"}`, `{"package":{"location":"builtin://x"}}`, "No Function x found"},
		{"a class that is none", `{"className":"a b"}`, sameInBoth,
			`spec.className: Invalid value: "a b": must be the binary name of a class, such as org.example.Outer$Inner`},
	} {
		expect(t, test.what, rest().update(t, name, config(test.config)), 400, test.reason)
		changes := test.spec
		if changes == sameInBoth {
			changes = test.config
		}
		patch := []byte(`{"spec":` + changes + `}`)
		_, err := world.views.Patch(t.Context(), name.ObjectName(), types.MergePatchType, patch, metav1.PatchOptions{})
		if reason, err := pulsarReason(err); err != nil || reason != test.reason {
			t.Errorf("%s: the reason of the patch is %q (%v), not %q", test.what, reason, err, test.reason)
		}
	}
	if after := resource(t, name.ObjectName()).GetResourceVersion(); after != before {
		t.Errorf("refused updates changed version %s to %s", before, after)
	}
}

// TestSameWordsForAPerson shows what somebody at a terminal reads: kubectl has the
// field's path beside Pulsar's words.
func TestSameWordsForAPerson(t *testing.T) {
	t.Parallel()
	const manifest = `
apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata: {name: words-for-a-person}
spec:
  tenant: words
  namespace: person
  className: org.example.F
  java: {}
  package: {location: "function://public/default/f@1"}
  inputs: [in]
`
	_, stderr, err := kubectl(t, manifest+"  parallelism: 0\n", "create", "-f", "-")
	const want = "spec.parallelism: Invalid value: 0: Function parallelism must be a positive number"
	if err == nil || !strings.Contains(stderr, want) {
		t.Errorf("kubectl says %q (%v), without %q", stderr, err, want)
	}
	mustKubectl(t, manifest, "create", "-f", "-")
	// A second object of one identity is refused at both doors in Pulsar's words.
	name := identity.Name{Tenant: "words", Namespace: "person", Name: "words-for-a-person"}
	expect(t, "POST", rest().create(t, name, config(javaConfig)), 400, "Function words-for-a-person already exists")
	object := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: "words-for-another"}, Spec: specOf(t, decode(t, leastSpec))}
	object.Spec.Tenant, object.Spec.Namespace, object.Spec.Name = name.Tenant, name.Namespace, name.Name
	_, err = world.views.Create(t.Context(), object, metav1.CreateOptions{})
	if reason, err := pulsarReason(err); err != nil || reason != "Function words-for-a-person already exists" {
		t.Errorf("create under another name: the reason is %q (%v)", reason, err)
	}
}
