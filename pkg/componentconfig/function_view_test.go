package componentconfig

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
)

func TestDefaults(t *testing.T) {
	window := func(text string) *WindowConfig { return mustParse(t, `{"windowConfig":`+text+`}`).WindowConfig }
	for name, test := range map[string]struct {
		text string
		want FunctionConfig
	}{
		"nothing given": {`{"tenant":"x","namespace":"y","name":"z"}`, FunctionConfig{}},
		"jar before py": {`{"jar":"a","py":"b","runtime":"GO"}`, FunctionConfig{Jar: "a", Py: "b", Runtime: "JAVA"}},
		"py before go":  {`{"py":"b","go":"c"}`, FunctionConfig{Py: "b", Go: "c", Runtime: "PYTHON"}},
		"go":            {`{"go":"c"}`, FunctionConfig{Go: "c", Runtime: "GO"}},
		"no code":       {`{"runtime":"PYTHON"}`, FunctionConfig{Runtime: "PYTHON"}},
		"built-in":      {`{"functionType":"x"}`, FunctionConfig{FunctionType: "x", Runtime: "JAVA"}},
		"window by count": {
			`{"windowConfig":{"windowLengthCount":10},"autoAck":true}`,
			FunctionConfig{Inputs: Inputs{AutoAck: ptr.To(false)}, WindowConfig: window(`{"windowLengthCount":10,"slidingIntervalCount":10}`)},
		},
		"window by time": {
			`{"windowConfig":{"windowLengthDurationMs":9,"timestampExtractorClassName":"e"}}`,
			FunctionConfig{Inputs: Inputs{AutoAck: ptr.To(false)}, WindowConfig: window(
				`{"windowLengthDurationMs":9,"slidingIntervalDurationMs":9,"timestampExtractorClassName":"e","maxLagMs":0,"watermarkEmitIntervalMs":1000}`)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := mustParse(t, test.text)
			config.setIdentity(testName)
			config.setDefaults()
			want := test.want
			want.Tenant, want.Namespace, want.Name = "t", "n", "f"
			want.Parallelism, want.MaxPendingAsyncRequests = ptr.To(int32(1)), ptr.To(int32(1000))
			want.ForwardSourceMessageProperty = ptr.To(true)
			expectEqual(t, config, &want)
		})
	}
	config := mustParse(t, `{"parallelism":0,"maxPendingAsyncRequests":5,"forwardSourceMessageProperty":false}`)
	config.setDefaults()
	if *config.Parallelism != 0 || *config.MaxPendingAsyncRequests != 5 || *config.ForwardSourceMessageProperty {
		t.Errorf("a given value was replaced: %+v", config)
	}
}

// minimal is the view of `{}` as it is created.
func minimal(change func(*v1alpha1.PulsarFunctionSpec)) *v1alpha1.PulsarFunction {
	function := &v1alpha1.PulsarFunction{Spec: v1alpha1.PulsarFunctionSpec{
		ComponentSpec: v1alpha1.ComponentSpec{Tenant: "t", Namespace: "n", Name: "f", Parallelism: ptr.To(int32(1))},
		OutputConfig: v1alpha1.OutputConfig{
			ForwardSourceMessageProperty: ptr.To(true),
		},
		MaxPendingAsyncRequests: ptr.To(int32(1000)),
	}}
	change(&function.Spec)
	return function
}

func resources(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func TestCreate(t *testing.T) {
	type spec = v1alpha1.PulsarFunctionSpec
	for name, test := range map[string]struct {
		text string
		want func(*spec)
	}{
		"inputs in all five ways": {
			`{"inputs":["b","a","b"],"topicsPattern":"p.*","customSerdeInputs":{"s":"S","a":"lost"},
			  "customSchemaInputs":{"c":"{\"schemaType\":\"avro\",\"schemaProperties\":{\"x\":\"y\"},\"regexPattern\":true}"},
			  "inputSpecs":{"a":{},"i":{"consumerProperties":{"k":"v"},"receiverQueueSize":0,"poolMessages":true}}}`,
			func(s *spec) {
				s.Inputs = []string{"b", "a"}
				s.InputSpecs = map[string]v1alpha1.ConsumerSpec{
					"p.*": {RegexPattern: true},
					"s":   {SerdeClassName: "S"},
					"c":   {SchemaType: "avro", SchemaProperties: map[string]string{"x": "y"}},
					"i":   {ConsumerProperties: map[string]string{"k": "v"}, ReceiverQueueSize: ptr.To(int32(0)), PoolMessages: true},
				}
			},
		},
		"a Go function's topics stand in inputs": {
			`{"go":"x","inputSpecs":{"a":{"schemaType":"json"},"p":{"regexPattern":true}}}`,
			func(s *spec) {
				s.Go = &v1alpha1.Runtime{}
				s.Inputs = []string{"a"}
				s.InputSpecs = map[string]v1alpha1.ConsumerSpec{"a": {SchemaType: "json"}, "p": {RegexPattern: true}}
			},
		},
		"a client's file name stays with the client": {`{"jar":"../x.jar"}`, func(s *spec) { s.Java = &v1alpha1.JavaRuntime{} }},
		"a built-in jar":        {`{"jar":"builtin://x"}`, func(s *spec) { s.Java, s.Package = &v1alpha1.JavaRuntime{}, &v1alpha1.Package{Location: "builtin://x"} }},
		"a built-in type":       {`{"functionType":"x"}`, func(s *spec) { s.Java, s.Package = &v1alpha1.JavaRuntime{}, &v1alpha1.Package{Location: "builtin://x"} }},
		"another runtime's URL": {`{"jar":"x.jar","py":"function://t/n/p@1"}`, func(s *spec) { s.Java = &v1alpha1.JavaRuntime{} }},
		"a package URL in py": {`{"py":"function://t/n/p@1"}`, func(s *spec) {
			s.Python, s.Package = &v1alpha1.Runtime{}, &v1alpha1.Package{Location: "function://t/n/p@1"}
		}},
		"an http URL in go": {`{"go":"http://h/x"}`, func(s *spec) { s.Go, s.Package = &v1alpha1.Runtime{}, &v1alpha1.Package{Location: "http://h/x"} }},
		"the log level":     {`{"py":"x","logLevel":"DEBUG"}`, func(s *spec) { s.Python = &v1alpha1.Runtime{Log: &v1alpha1.RuntimeLog{Level: "debug"}} }},
		"resources": {`{"resources":{"cpu":0.25,"ram":536870912}}`, func(s *spec) {
			s.Resources = &v1alpha1.Resources{Requests: resources("250m", "512Mi"), Limits: resources("250m", "512Mi")}
		}},
		"a disk that isn't the default": {`{"resources":{"cpu":null,"ram":null,"disk":5}}`, func(s *spec) {
			s.Resources = &v1alpha1.Resources{Disk: resource.NewQuantity(5, resource.BinarySI)}
		}},
		"no resources":         {`{"resources":{"cpu":null,"ram":null,"disk":null}}`, func(*spec) {}},
		"retries for ever":     {`{"maxMessageRetries":-1,"deadLetterTopic":"d"}`, func(s *spec) { s.DeadLetterTopic = "d" }},
		"no retries":           {`{"maxMessageRetries":0}`, func(s *spec) { s.MaxMessageRetries = ptr.To(int32(0)) }},
		"a timeout to refuse":  {`{"timeoutMs":0}`, func(s *spec) { s.TimeoutMs = ptr.To(int64(0)) }},
		"the Go client's zero": {`{"exposePulsarAdminClientEnabled":false,"skipToLatest":false,"autoAck":false,"producerConfig":{"batchBuilder":""}}`, func(s *spec) { s.SkipToLatest, s.AutoAck = ptr.To(false), ptr.To(false) }},
		"an admin client":      {`{"exposePulsarAdminClientEnabled":true}`, func(s *spec) { s.ExposePulsarAdminClientEnabled = ptr.To(true) }},
		"the older place of the batch builder": {
			`{"batchBuilder":"KEY_BASED","producerConfig":{"maxPendingMessages":3,"batchBuilder":"DEFAULT"}}`,
			func(s *spec) {
				s.ProducerConfig = &v1alpha1.ProducerConfig{MaxPendingMessages: ptr.To(int32(3)), BatchBuilder: "KEY_BASED"}
			},
		},
		"userConfig": {`{"userConfig":{"n":9007199254740993,"f":5.0,"o":{"l":[null,true]}}}`, func(s *spec) {
			s.UserConfig = &runtime.RawExtension{Raw: []byte(`{"f":5.0,"n":9007199254740993,"o":{"l":[null,true]}}`)}
		}},
		"everything else": {
			`{"className":"a.B","output":"o","outputSerdeClassName":"os","outputSchemaType":"ot","outputTypeClassName":"oc","inputTypeClassName":"ic",
			  "customSchemaOutputs":{"o":"{}","x":"not used"},"logTopic":"l","processingGuarantees":"MANUAL","retainOrdering":true,"retainKeyOrdering":true,
			  "secrets":{"s":{"path":"p","key":"k"}},"subName":"sub","subscriptionPosition":"Earliest","cleanupSubscription":false,"timeoutMs":7,
			  "maxMessageRetries":2,"deadLetterTopic":"d","runtimeFlags":"rf","customRuntimeOptions":"{}","maxPendingAsyncRequests":8,"parallelism":3,
			  "forwardSourceMessageProperty":false,"skipToLatest":true}`,
			func(s *spec) {
				s.ClassName, s.Output, s.OutputSerdeClassName, s.OutputSchemaType = "a.B", "o", "os", "ot"
				s.OutputTypeClassName, s.InputTypeClassName = "oc", "ic"
				s.CustomSchemaOutputs = map[string]string{"o": "{}", "x": "not used"}
				s.LogTopic, s.ProcessingGuarantees, s.RetainOrdering, s.RetainKeyOrdering = "l", v1alpha1.Manual, true, true
				s.Secrets = map[string]v1alpha1.SecretRef{"s": {Path: "p", Key: "k"}}
				s.SubscriptionName, s.SubscriptionPosition = "sub", v1alpha1.Earliest
				s.CleanupSubscription, s.TimeoutMs = ptr.To(false), ptr.To(int64(7))
				s.MaxMessageRetries, s.DeadLetterTopic = ptr.To(int32(2)), "d"
				s.RuntimeFlags, s.CustomRuntimeOptions = "rf", "{}"
				s.MaxPendingAsyncRequests, s.Parallelism = ptr.To(int32(8)), ptr.To(int32(3))
				s.ForwardSourceMessageProperty, s.SkipToLatest = ptr.To(false), ptr.To(true)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := functionForm.Create([]byte(test.text), testName, "")
			if err != nil {
				t.Fatal(err)
			}
			expectEqual(t, got, minimal(test.want))
		})
	}
}

func TestCreatePackageURLWins(t *testing.T) {
	for _, code := range []string{`{"jar":"builtin://x"}`, `{"jar":"x.jar"}`, `{"jar":"http://h/x.jar"}`} {
		function, err := functionForm.Create([]byte(code), testName, "function://t/n/p@1")
		if err != nil {
			t.Fatal(err)
		}
		expectEqual(t, function.Common().Package, &v1alpha1.Package{Location: "function://t/n/p@1"})
	}
}

func TestCreateRefuses(t *testing.T) {
	_, err := functionForm.Create([]byte(`{"resources":{"cpu":1e30}}`), testName, "")
	expectReason(t, err, "resources.cpu is too large")
	_, err = functionForm.Create([]byte(`{"inputs":["in"],"customSchemaInputs":{"in":"{\"schemaType\":\"x\"}","other":"{}"}}`), testName, "")
	expectReason(t, err, "custom schema inputs,Topic other has no schemaType")
}

// TestAnEmptyPatternIsATopic checks that the API server gets to see it, and that only
// a create says so.
func TestAnEmptyPatternIsATopic(t *testing.T) {
	function := created(t, functionForm, `{"jar":"x","inputs":["in"],"topicsPattern":""}`)
	expectEqual(t, function.Spec.InputSpecs, map[string]v1alpha1.ConsumerSpec{"": {RegexPattern: true}})
	sink := created(t, sinkForm, `{"inputs":["in"],"topicsPattern":""}`)
	expectEqual(t, sink.Spec.InputSpecs, map[string]v1alpha1.ConsumerSpec{"": {RegexPattern: true}})
	if mustUpdate(t, created(t, functionForm, `{"jar":"x","inputs":["in"]}`), `{"topicsPattern":""}`, "") {
		t.Error("an empty pattern is a change")
	}
}

// TestSchemasThatCannotBeRead checks that the API server gets to see them, since it
// refuses them in Pulsar's order of checks.
func TestSchemasThatCannotBeRead(t *testing.T) {
	for _, text := range []string{`avro`, ``, `null`, `[]`, `{"schemaType":"avro"} x`, `{"regexPattern":"maybe"}`} {
		value, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		function := created(t, functionForm, fmt.Sprintf(`{"jar":"x","output":"out","inputs":["in"],
			"customSchemaInputs":{"in":%s,"other":"{\"schemaType\":\"avro\"}"},"customSchemaOutputs":{"out":%s}}`, value, value))
		expectEqual(t, function.Spec.CustomSchemaInputs, map[string]string{"in": text})
		expectEqual(t, function.Spec.CustomSchemaOutputs, map[string]string{"out": text})
		expectEqual(t, function.Spec.InputSpecs, map[string]v1alpha1.ConsumerSpec{"other": {SchemaType: "avro"}})
		var reason string
		if result := validation.Validate(function, validation.Options{}); len(result.Errors) > 0 {
			reason = result.Errors.ToAggregate().Error()
		}
		for _, want := range []string{"Topic in has an incorrect schema Info", "Incorrect custom schema outputs,Topic out "} {
			if !strings.Contains(reason, want) {
				t.Errorf("%q: validation doesn't say %q but %s", text, want, reason)
			}
		}
	}
}

func TestTypeNamesInCustomRuntimeOptions(t *testing.T) {
	const options = `"customRuntimeOptions":"{\"inputTypeClassName\":\"a.In\",\"outputTypeClassName\":\"a.Out\",\"x\":1}"`
	expect := func(what string, function *v1alpha1.PulsarFunction, input, output string) {
		t.Helper()
		if function.Spec.InputTypeClassName != input || function.Spec.OutputTypeClassName != output {
			t.Errorf("%s: got %q, %q", what, function.Spec.InputTypeClassName, function.Spec.OutputTypeClassName)
		}
	}
	function := stored(t, `{"jar":"x","inputs":["in"],`+options+`}`)
	expect("create", function, "a.In", "a.Out")
	if want := `{"inputTypeClassName":"a.In","outputTypeClassName":"a.Out","x":1}`; function.Spec.CustomRuntimeOptions != want {
		t.Errorf("the options became %s", function.Spec.CustomRuntimeOptions)
	}
	expect("create that says otherwise", stored(t, `{"jar":"x","inputs":["in"],"inputTypeClassName":"b.In",`+options+`}`), "b.In", "a.Out")
	expect("create with nothing in it", stored(t, `{"jar":"x","inputs":["in"],"inputTypeClassName":"b.In","outputTypeClassName":"b.Out","customRuntimeOptions":"{}"}`),
		"b.In", "b.Out")

	function = stored(t, `{"jar":"x","inputs":["in"],"inputTypeClassName":"b.In","outputTypeClassName":"b.Out"}`)
	mustUpdate(t, function, `{`+options+`}`, "")
	expect("update", function, "a.In", "a.Out")
	function.Spec.InputTypeClassName = "c.In"
	mustUpdate(t, function, `{"customRuntimeOptions":"{\"inputTypeClassName\":\"a.In\",\"outputTypeClassName\":\"d.Out\"}"}`, "")
	expect("update of one", function, "a.In", "d.Out")
	mustUpdate(t, function, `{"customRuntimeOptions":"{}"}`, "")
	expect("update without", function, "a.In", "d.Out")
}

func TestCPUIsExact(t *testing.T) {
	for given, want := range map[float64]float64{0.25: 0.25, 0.1: 0.1, 0.07: 0.07, 1: 1, 2.5: 2.5, 1.001: 1.001, 64: 64, 1.0 / 3: 0.334, 0.0001: 0.001, 0: 0, -1: -1} {
		quantity, err := cpuQuantity(given)
		if err != nil {
			t.Errorf("%v: %v", given, err)
		}
		read := throughJSON(t, minimal(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Resources = &v1alpha1.Resources{Requests: corev1.ResourceList{corev1.ResourceCPU: quantity}}
		}))
		if got := *fromFunction(read).Resources.CPU; got != want {
			t.Errorf("%v came back as %v, want %v", given, got, want)
		}
	}
}
