package validation

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// change makes something of a valid function.
type change func(*v1alpha1.PulsarFunction)

var testOptions = Options{
	AllowedPackageURLs: []*regexp.Regexp{
		regexp.MustCompile(`https://packages\.example\.com/.*`),
		regexp.MustCompile(`http://a|http://ab\.example/x`),
	},
	Clusters: []string{"main", "other"},
}

// newFunction returns a valid Java function before defaulting.
func newFunction() *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: "word-count", Namespace: "team"},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.WordCount",
				Package:   &v1alpha1.Package{Location: "function://public/default/word-count@v1"},
				Java:      &v1alpha1.JavaRuntime{},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs: []string{"persistent://public/default/in"},
			},
			OutputConfig: v1alpha1.OutputConfig{
				Output: "persistent://public/default/out",
			},
		},
	}
}

func toPython(f *v1alpha1.PulsarFunction) {
	f.Spec.Java, f.Spec.Python, f.Spec.ClassName = nil, &v1alpha1.Runtime{}, "word_count.WordCount"
}

func toGo(f *v1alpha1.PulsarFunction) {
	f.Spec.Java, f.Spec.Go, f.Spec.ClassName = nil, &v1alpha1.Runtime{}, ""
}

// made applies changes to a valid function and defaults it, as the server does.
func made(changes ...change) *v1alpha1.PulsarFunction {
	function := newFunction()
	for _, apply := range changes {
		apply(function)
	}
	v1alpha1.SetDefaults_PulsarFunction(function)
	v1alpha1.SetIdentityDefaults(&function.Spec.ComponentSpec, function.Name)
	return function
}

func ptr[T any](value T) *T { return &value }

func raw(text string) *runtime.RawExtension { return &runtime.RawExtension{Raw: []byte(text)} }

func amounts(cpu, memory string) corev1.ResourceList {
	list := corev1.ResourceList{}
	if cpu != "" {
		list[corev1.ResourceCPU] = resource.MustParse(cpu)
	}
	if memory != "" {
		list[corev1.ResourceMemory] = resource.MustParse(memory)
	}
	return list
}

func resources(cpu, memory string) change {
	return func(f *v1alpha1.PulsarFunction) {
		f.Spec.Resources = &v1alpha1.Resources{Requests: amounts(cpu, memory), Limits: amounts("", memory)}
	}
}

// found tells whether there is an error with this path and detail. The detail of
// an error may be longer.
func found(result Result, path, detail string) bool {
	for _, err := range result.Errors {
		if err.Field == path && strings.Contains(err.Error(), detail) {
			return true
		}
	}
	return false
}

func TestValidFunctions(t *testing.T) {
	for name, changes := range map[string][]change{
		"java":               {},
		"python":             {toPython},
		"python with hyphen": {toPython, func(f *v1alpha1.PulsarFunction) { f.Spec.ClassName = "word-count.WordCount" }},
		"go":                 {toGo},
		"go with a log topic and an empty configuration": {toGo, func(f *v1alpha1.PulsarFunction) {
			f.Spec.LogTopic, f.Spec.UserConfig = "persistent://public/default/log", raw("{}")
		}},
		"go with its topic in two places": {toGo, func(f *v1alpha1.PulsarFunction) {
			f.Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{f.Spec.Inputs[0]: {SchemaType: "string"}}
		}},
		"all sorts of inputs": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Inputs = []string{"in", "public/default/in-2"}
			f.Spec.TopicsPattern = "persistent://public/default/in-.*"
			f.Spec.CustomSerdeInputs = map[string]string{"serde": "org.example.Serde"}
			f.Spec.CustomSchemaInputs = map[string]string{"schema": `{"schemaType": "avro", "schemaProperties": {"a": "b"}}`}
			f.Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{"spec": {
				SchemaType: "json", ReceiverQueueSize: ptr(int32(0)),
				CryptoConfig: &v1alpha1.CryptoConfig{
					CryptoKeyReaderClassName: "org.example.Keys", CryptoKeyReaderConfig: map[string]string{"uri": "file:///k"},
					ConsumerCryptoFailureAction: "DISCARD",
				},
				MessagePayloadProcessorConfig: &v1alpha1.MessagePayloadProcessorConfig{ClassName: "org.example.Payload"},
			}}
		}},
		"a producer": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.ProducerConfig = &v1alpha1.ProducerConfig{
				CompressionType: "ZSTD", BatchBuilder: "KEY_BASED", MaxPendingMessages: ptr(int32(0)),
				CryptoConfig: &v1alpha1.CryptoConfig{
					CryptoKeyReaderClassName: "org.example.Keys", EncryptionKeys: []string{"k1"}, ProducerCryptoFailureAction: "SEND",
				},
				BatchingConfig: &v1alpha1.BatchingConfig{BatchBuilder: "DEFAULT", BatchingMaxMessages: ptr(int32(10))},
			}
			f.Spec.CustomSchemaOutputs = map[string]string{f.Spec.Output: `{"schemaProperties": {}}`}
		}},
		"a window": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.WindowConfig = &v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(10))}
			f.Spec.ProcessingGuarantees = v1alpha1.AtMostOnce
		}},
		"a window by event time": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.WindowConfig = &v1alpha1.WindowConfig{
				WindowLengthDurationMs: ptr(int64(1000)), SlidingIntervalDurationMs: ptr(int64(500)), MaxLagMs: ptr(int64(1)),
				TimestampExtractorClassName: "org.example.Time", LateDataTopic: "late",
			}
		}},
		"retries and a dead letter topic": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.MaxMessageRetries, f.Spec.DeadLetterTopic, f.Spec.TimeoutMs = ptr(int32(3)), "dead", ptr(int64(1000))
		}},
		"endless retries":  {func(f *v1alpha1.PulsarFunction) { f.Spec.MaxMessageRetries = ptr(int32(-1)) }},
		"effectively once": {func(f *v1alpha1.PulsarFunction) { f.Spec.ProcessingGuarantees = v1alpha1.EffectivelyOnce }},
		"manual": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.ProcessingGuarantees, f.Spec.AutoAck = v1alpha1.Manual, ptr(false)
		}},
		"resources": {resources("500m", "1Gi")},
		"other resources": {func(f *v1alpha1.PulsarFunction) {
			list := amounts("1", "1Gi")
			list["ephemeral-storage"], list["nvidia.com/gpu"] = resource.MustParse("1Gi"), resource.MustParse("1")
			f.Spec.Resources = &v1alpha1.Resources{Requests: list, Limits: list, Disk: ptr(resource.MustParse("1Gi"))}
		}},
		"disk alone": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Resources = &v1alpha1.Resources{Disk: ptr(resource.MustParse("1Gi"))}
		}},
		"secrets": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Secrets = map[string]v1alpha1.SecretRef{"PASSWORD": {Path: "db.credentials", Key: "pass_word.1"}}
		}},
		"configuration": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.UserConfig = raw(`{"q": "it's", "n": 9007199254740993, "nested": {"a": [null]}}`)
		}},
		"names": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Tenant, f.Spec.Namespace, f.Spec.Name, f.Spec.Cluster = "a-b=c:d.e_F", "n", "Word.Count_2", "other"
		}},
		"a file name":             {func(f *v1alpha1.PulsarFunction) { f.Spec.Package.FileName = "word-count_1.0.jar" }},
		"an allowed URL":          {func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "https://packages.example.com/a/b-1.0.jar" }},
		"an allowed URL, longest": {func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "http://ab.example/x" }},
		"a package of a sink":     {func(f *v1alpha1.PulsarFunction) { f.Spec.Package.Location = "sink://public/default/x" }},
		"a log level": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Java.Log = &v1alpha1.RuntimeLog{Level: "debug"}
		}},
		"the identity label": {func(f *v1alpha1.PulsarFunction) {
			name := identity.Name{Tenant: "public", Namespace: "default", Name: "word-count"}
			f.Labels = map[string]string{identity.LabelIdentity: name.Label(), "team": "x"}
		}},
		"a void function": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.OutputTypeClassName, f.Spec.OutputSchemaType, f.Spec.OutputSerdeClassName = "java.lang.Void", "avro", "a.B"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			function := made(changes...)
			for door, result := range map[string]Result{
				"create": Validate(function, testOptions),
				"update": ValidateUpdate(function, function.DeepCopy(), testOptions),
			} {
				if len(result.Errors) > 0 || result.Reason != "" {
					t.Errorf("%s: errors %v, reason %q; want none", door, result.Errors, result.Reason)
				}
			}
		})
	}
}

// Rules that Pulsar doesn't have are its runtime's, which Pulsar asks last.
func TestReasonPrefersPulsarsTexts(t *testing.T) {
	function := made(func(f *v1alpha1.PulsarFunction) {
		f.Spec.Cluster = "unknown"
		f.Spec.Output = "a/b"
	})
	result := Validate(function, testOptions)
	if want := "Output topic a/b is invalid"; result.Reason != want {
		t.Errorf("reason %q, want %q", result.Reason, want)
	}
	if !found(result, "spec.cluster", `supported values: "main", "other"`) {
		t.Errorf("errors %v lack the cluster", result.Errors)
	}
}

func TestReasonOfOwnRules(t *testing.T) {
	result := Validate(made(func(f *v1alpha1.PulsarFunction) { f.Spec.Cluster = "unknown" }), testOptions)
	want := `spec.cluster: Unsupported value: "unknown": supported values: "main", "other"`
	if result.Reason != want {
		t.Errorf("reason %q, want %q", result.Reason, want)
	}
}

func TestErrorsDoNotRepeatConfiguration(t *testing.T) {
	const secret = "s3cr3t"
	function := made(func(f *v1alpha1.PulsarFunction) {
		f.Spec.UserConfig = raw(`["` + secret + `"]`)
		f.Spec.Package.Location = "https://user:" + secret + "@packages.example.com/x.jar"
		f.Spec.CustomSchemaInputs = map[string]string{"in-2": secret}
		f.Spec.CustomSchemaOutputs = map[string]string{"out": secret}
		f.Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{"in": {
			ConsumerProperties: map[string]string{"p": "'" + secret},
			CryptoConfig:       &v1alpha1.CryptoConfig{CryptoKeyReaderConfig: map[string]string{"k": "'" + secret}},
		}}
	})
	result := Validate(function, testOptions)
	if len(result.Errors) < 6 {
		t.Fatalf("errors %v, want at least 6", result.Errors)
	}
	if text := result.Errors.ToAggregate().Error() + result.Reason; strings.Contains(text, secret) {
		t.Errorf("%q repeats what may be secret", text)
	}
}

func TestSizeIsBounded(t *testing.T) {
	long := strings.Repeat("x", maxSpecBytes)
	many := func(n int) []string {
		topics := make([]string, n)
		for i := range topics {
			topics[i] = "/"
		}
		return topics
	}
	for name, test := range map[string]struct {
		change change
		path   string
	}{
		"user config": {func(f *v1alpha1.PulsarFunction) { f.Spec.UserConfig = raw(`{"a":"` + long + `"}`) }, "spec"},
		"a text":      {func(f *v1alpha1.PulsarFunction) { f.Spec.Output = long }, "spec"},
		"no JSON":     {func(f *v1alpha1.PulsarFunction) { f.Spec.UserConfig = raw(long) }, "spec"},
		"inputs":      {func(f *v1alpha1.PulsarFunction) { f.Spec.Inputs = many(maxEntries + 1) }, "spec.inputs"},
		"secrets": {func(f *v1alpha1.PulsarFunction) {
			f.Spec.Secrets = map[string]v1alpha1.SecretRef{}
			for i := range maxEntries + 1 {
				f.Spec.Secrets["A"+strings.Repeat("x", i%40)+string(rune('a'+i/40))] = v1alpha1.SecretRef{}
			}
		}, "spec.secrets"},
	} {
		t.Run(name, func(t *testing.T) {
			result := Validate(made(test.change), testOptions)
			if len(result.Errors) != 1 || result.Errors[0].Field != test.path {
				t.Errorf("%d errors, %.300v; want one for %s", len(result.Errors), result.Errors, test.path)
			}
			if len(result.Reason) == 0 || len(result.Reason) > 1000 {
				t.Errorf("reason of %d characters", len(result.Reason))
			}
		})
	}
}

func TestAllErrorsAreCollected(t *testing.T) {
	result := Validate(made(func(f *v1alpha1.PulsarFunction) {
		f.Spec.Inputs = []string{"a/b", "c/d"}
		f.Spec.LogTopic = "e/f"
		f.Spec.Parallelism = ptr(int32(0))
		f.Spec.ProcessingGuarantees = "SOMETIMES"
	}), testOptions)
	var fields []string
	for _, err := range result.Errors {
		fields = append(fields, err.Field)
	}
	want := []string{"spec.inputs[0]", "spec.inputs[1]", "spec.logTopic", "spec.parallelism", "spec.processingGuarantees"}
	if !slices.Equal(fields, want) {
		t.Errorf("errors for %v, want %v", fields, want)
	}
}
