package validation

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

var testCatalogue = connectors.NewCatalogue([]v1alpha1.PulsarConnectorSpec{
	{Name: "kafka", SourceClass: "org.example.KafkaSource", SinkClass: "org.example.KafkaSink"},
	{Name: "kinesis", SinkClass: "org.example.KinesisSink"},
	{Name: "debezium-mysql", SourceClass: "org.example.Debezium"},
	{Name: "exclamation", FunctionClass: "org.example.Exclamation"},
	{Name: "redis", SinkClass: "org.example.Redis"},
	{Name: "jdbc", SinkClass: "org.example.Jdbc"},
	{Name: "nothing"},
})

func catalogueOptions() Options {
	options := testOptions
	options.Catalogue = testCatalogue
	return options
}

// newSink and newSource return valid ones, changed and defaulted.
func newSink(changes ...func(*v1alpha1.PulsarSinkSpec)) *v1alpha1.PulsarSink {
	sink := &v1alpha1.PulsarSink{
		ObjectMeta: metav1.ObjectMeta{Name: "to-db", Namespace: "team"},
		Spec: v1alpha1.PulsarSinkSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Sink", Package: &v1alpha1.Package{Location: "sink://public/default/to-db@v1"},
			},
			InputConfig: v1alpha1.InputConfig{Inputs: []string{"in"}},
		},
	}
	v1alpha1.SetDefaults_PulsarSink(sink)
	v1alpha1.SetIdentityDefaults(&sink.Spec.ComponentSpec, sink.Name)
	for _, apply := range changes {
		apply(&sink.Spec)
	}
	return sink
}

func newSource(changes ...func(*v1alpha1.PulsarSourceSpec)) *v1alpha1.PulsarSource {
	source := &v1alpha1.PulsarSource{
		ObjectMeta: metav1.ObjectMeta{Name: "from-db", Namespace: "team"},
		Spec: v1alpha1.PulsarSourceSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Source", Package: &v1alpha1.Package{Location: "source://public/default/from-db@v1"},
			},
			OutputConfig: v1alpha1.OutputConfig{Output: "out"},
		},
	}
	v1alpha1.SetDefaults_PulsarSource(source)
	v1alpha1.SetIdentityDefaults(&source.Spec.ComponentSpec, source.Name)
	for _, apply := range changes {
		apply(&source.Spec)
	}
	return source
}

// kindRule is a change of a spec that breaks a rule of Pulsar.
type kindRule[S any] struct {
	name   string
	change func(*S)
	path   string
	text   string
}

type (
	sinkSpec   = v1alpha1.PulsarSinkSpec
	sourceSpec = v1alpha1.PulsarSourceSpec
)

func tooLittle(spec *v1alpha1.ComponentSpec, name string) {
	if spec.Resources == nil {
		spec.Resources = &v1alpha1.Resources{Requests: amounts("1", "1Gi"), Limits: amounts("1", "1Gi")}
	}
	if name == "disk" {
		spec.Resources.Disk = &resource.Quantity{}
		return
	}
	for resource, quantity := range amounts("0", "0") {
		if string(resource) == name {
			spec.Resources.Requests[resource] = quantity
		}
	}
}

// sinkRules are the rules for sinks in Pulsar's order.
var sinkRules = []kindRule[sinkSpec]{
	{"location", func(s *sinkSpec) { s.Package = &v1alpha1.Package{Location: "ftp://x"} }, "spec.package.location",
		"Function Package url is not valid.supported url (http/https/file)"},
	{"transform function", func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{Location: "builtin://nope"} },
		"spec.transformFunction.location", "Built-in SINK is not available"},
	{"tenant", func(s *sinkSpec) { s.Tenant = "" }, "spec.tenant", "Sink tenant cannot be null"},
	{"namespace", func(s *sinkSpec) { s.Namespace = "" }, "spec.namespace", "Sink namespace cannot be null"},
	{"name", func(s *sinkSpec) { s.Name = "" }, "spec.name", "Sink name cannot be null"},
	{"input", func(s *sinkSpec) { s.Inputs = append(s.Inputs, "a/b") }, "spec.inputs[1]", "Input topic a/b is invalid"},
	{"pattern", func(s *sinkSpec) { s.TopicsPattern = "a/c" }, "spec.topicsPattern", "Input topic a/c is invalid"},
	{"serde input", func(s *sinkSpec) { s.CustomSerdeInputs = map[string]string{"a/d": "x.Y"} },
		"spec.customSerdeInputs[a/d]", "Input topic a/d is invalid"},
	{"schema input", func(s *sinkSpec) { s.CustomSchemaInputs = map[string]string{"a/e": "avro"} },
		"spec.customSchemaInputs[a/e]", "Input topic a/e is invalid"},
	{"log topic", func(s *sinkSpec) { s.LogTopic = "a/f" }, "spec.logTopic", "LogTopic topic a/f is invalid"},
	{"parallelism", func(s *sinkSpec) { s.Parallelism = ptr(int32(0)) }, "spec.parallelism", "Sink parallelism must be a positive number"},
	{"cpu", func(s *sinkSpec) { tooLittle(&s.ComponentSpec, "cpu") }, "spec.resources.requests[cpu]",
		"The cpu allocation for the function must be positive"},
	{"ram", func(s *sinkSpec) { tooLittle(&s.ComponentSpec, "memory") }, "spec.resources.requests[memory]",
		"The ram allocation for the function must be positive"},
	{"disk", func(s *sinkSpec) { tooLittle(&s.ComponentSpec, "disk") }, "spec.resources.disk",
		"The disk allocation for the function must be positive"},
	{"timeout", func(s *sinkSpec) { s.TimeoutMs = ptr(int64(-1)) }, "spec.timeoutMs", "Sink timeout must be a positive number"},
	{"schema and serde", func(s *sinkSpec) {
		s.InputSpecs = map[string]v1alpha1.ConsumerSpec{"x": {SchemaType: "avro", SerdeClassName: "a.B"}}
	}, "spec.inputSpecs[x]", "Only one of serdeClassName or schemaType should be set"},
	{"both orderings", func(s *sinkSpec) { s.RetainOrdering, s.RetainKeyOrdering = true, true }, "spec.retainKeyOrdering",
		"Only one of retain ordering or retain key ordering can be set"},
	{"auto ack", func(s *sinkSpec) { s.AutoAck, s.ProcessingGuarantees = ptr(false), v1alpha1.AtMostOnce }, "spec.autoAck",
		"When Guarantees == ATMOST_ONCE, autoAck must be equal to true." +
			" This is a contradictory configuration, autoAck will be removed later." +
			" Please refer to PIP: https://github.com/apache/pulsar/issues/15560"},
}

// sourceRules are the rules for sources in Pulsar's order.
var sourceRules = []kindRule[sourceSpec]{
	{"location", func(s *sourceSpec) { s.Package = &v1alpha1.Package{Location: "ftp://x"} }, "spec.package.location",
		"Function Package url is not valid.supported url (http/https/file)"},
	{"tenant", func(s *sourceSpec) { s.Tenant = "" }, "spec.tenant", "Source tenant cannot be null"},
	{"namespace", func(s *sourceSpec) { s.Namespace = "" }, "spec.namespace", "Source namespace cannot be null"},
	{"name", func(s *sourceSpec) { s.Name = "" }, "spec.name", "Source name cannot be null"},
	{"topic", func(s *sourceSpec) { s.Output = "a/b" }, "spec.output", "Topic name is invalid"},
	{"log topic", func(s *sourceSpec) { s.LogTopic = "a/f" }, "spec.logTopic", "LogTopic topic a/f is invalid"},
	{"parallelism", func(s *sourceSpec) { s.Parallelism = ptr(int32(0)) }, "spec.parallelism", "Source parallelism must be a positive number"},
	{"cpu", func(s *sourceSpec) { tooLittle(&s.ComponentSpec, "cpu") }, "spec.resources.requests[cpu]",
		"The cpu allocation for the function must be positive"},
	{"ram", func(s *sourceSpec) { tooLittle(&s.ComponentSpec, "memory") }, "spec.resources.requests[memory]",
		"The ram allocation for the function must be positive"},
	{"trigger", func(s *sourceSpec) { s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{} },
		"spec.batchSourceConfig.discoveryTriggererClassName", "BatchSourceConfig does not specify Discovery Trigger ClassName"},
	{"schema and serde", func(s *sourceSpec) { s.OutputSchemaType, s.OutputSerdeClassName = "avro", "a.B" },
		"spec.outputSerdeClassName", "Only one of serdeClassName or schemaType should be set"},
}

// checkRules checks each rule alone, and of each two the order.
func checkRules[S any](t *testing.T, rules []kindRule[S], make func(...func(*S)) v1alpha1.Component) {
	for i, first := range rules {
		t.Run(first.name, func(t *testing.T) {
			checkResult(t, Validate(make(first.change), catalogueOptions()), first.path, first.text)
			for _, second := range rules[i+1:] {
				result := Validate(make(second.change, first.change), catalogueOptions())
				if !found(result, second.path, second.text) {
					t.Errorf("beside %s: errors %v", second.name, result.Errors)
				}
				if result.Reason != first.text {
					t.Errorf("before %s: reason %q, want %q", second.name, result.Reason, first.text)
				}
			}
		})
	}
}

func TestPulsarRulesForSinks(t *testing.T) {
	checkRules(t, sinkRules, func(changes ...func(*sinkSpec)) v1alpha1.Component { return newSink(changes...) })
}

func TestPulsarRulesForSources(t *testing.T) {
	checkRules(t, sourceRules, func(changes ...func(*sourceSpec)) v1alpha1.Component { return newSource(changes...) })
}

// The rules whose breach excludes that of others.
func TestPulsarSpecialRulesForConnectors(t *testing.T) {
	for name, test := range map[string]struct {
		component  v1alpha1.Component
		path, text string
	}{
		"sink without package": {newSink(func(s *sinkSpec) { s.Package, s.Inputs = nil, nil }), "spec.package.location", "Sink package is not provided"},
		"sink without inputs": {newSink(func(s *sinkSpec) { s.Inputs, s.LogTopic = nil, "a/b" }), "spec.inputs",
			"Must specify at least one topic of input via topicToSerdeClassName, topicsPattern, topicToSchemaType or inputSpecs"},
		"sink, unknown built-in": {newSink(func(s *sinkSpec) { s.Package.Location, s.Inputs = "builtin://kafkaa", nil }), "spec.package.location", "Built-in sink is not available"},
		"sink, built-in of another kind": {newSink(func(s *sinkSpec) { s.Package.Location = "builtin://debezium-mysql" }), "spec.package.location",
			"Built-in sink is not available"},
		"sink, bad package": {newSink(func(s *sinkSpec) { s.Package.Location = "sink://a/b" }), "spec.package.location", "Invalid package name 'sink://a/b'"},
		"sink once with key ordering": {newSink(func(s *sinkSpec) {
			s.RetainKeyOrdering, s.RetainOrdering, s.ProcessingGuarantees = true, true, v1alpha1.EffectivelyOnce
		}), "spec.retainKeyOrdering", "When effectively once processing guarantee is specified, retain Key ordering cannot be set"},
		"transform elsewhere": {newSink(func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{Location: "x.jar"} }),
			"spec.transformFunction.location", "Function Package url is not valid.supported url (http/https/file)"},
		"transform, bad package": {newSink(func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{Location: "function://a/b"} }),
			"spec.transformFunction.location", "Invalid package name 'function://a/b'"},
		"transform, built-in connector": {newSink(func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{Location: "builtin://kafka"} }),
			"spec.transformFunction.location", "Built-in SINK is not available"},
		"source without package":           {newSource(func(s *sourceSpec) { s.Package, s.Output = nil, "a/b" }), "spec.package.location", "Source package is not provided"},
		"source, unknown built-in":         {newSource(func(s *sourceSpec) { s.Package.Location = "builtin" }), "spec.package.location", "Built-in source is not available"},
		"source, built-in of another kind": {newSource(func(s *sourceSpec) { s.Package.Location = "builtin://kinesis" }), "spec.package.location", "Built-in source is not available"},
		"source, blank trigger": {newSource(func(s *sourceSpec) {
			s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: " "}
		}), "spec.batchSourceConfig.discoveryTriggererClassName", "BatchSourceConfig does not specify Discovery Trigger ClassName"},
		"function, built-in connector": {made(location("builtin://kafka")), "spec.package.location", "No Function kafka found"},
	} {
		t.Run(name, func(t *testing.T) {
			checkResult(t, Validate(test.component, catalogueOptions()), test.path, test.text)
		})
	}
}

func TestUnknownBuiltinNamesTheNearest(t *testing.T) {
	for name, test := range map[string]struct {
		component v1alpha1.Component
		want      string
	}{
		"sink": {newSink(func(s *sinkSpec) { s.Package.Location = "builtin://kafak" }),
			"the catalogue has no sink of this name; the nearest are builtin://kafka, builtin://jdbc, builtin://redis"},
		"source": {newSource(func(s *sourceSpec) { s.Package.Location = "builtin://debezium-postgres" }),
			"no source of this name; the nearest are builtin://debezium-mysql, builtin://kafka"},
		"function": {made(location("builtin://exclamations")), "no function of this name; the nearest are builtin://exclamation"},
	} {
		t.Run(name, func(t *testing.T) {
			result := Validate(test.component, catalogueOptions())
			if !found(result, "spec.package.location", test.want) {
				t.Errorf("errors %v lack %q", result.Errors, test.want)
			}
		})
	}
	if result := Validate(newSink(func(s *sinkSpec) { s.Package.Location = "builtin://kafka" }), testOptions); !found(result, "spec.package.location", "no sink of this name") {
		t.Errorf("without a catalogue: errors %v", result.Errors)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		from, to string
		want     int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kafka", "kafak", 2}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := editDistance(test.from, test.to); got != test.want {
			t.Errorf("from %q to %q: %d, want %d", test.from, test.to, got, test.want)
		}
	}
}

func TestValidSinksAndSources(t *testing.T) {
	for name, component := range map[string]v1alpha1.Component{
		"sink":          newSink(),
		"source":        newSource(),
		"built-in sink": newSink(func(s *sinkSpec) { s.Package.Location, s.ClassName = "builtin://kafka", "" }),
		"built-in source": newSource(func(s *sourceSpec) {
			s.Package.Location, s.ClassName, s.SourceType = "builtin://kafka", "", "kafka"
		}),
		"built-in function":      made(location("builtin://exclamation"), func(f *v1alpha1.PulsarFunction) { f.Spec.ClassName = "" }),
		"source without a topic": newSource(func(s *sourceSpec) { s.Output = "" }),
		"batch source": newSource(func(s *sourceSpec) {
			s.Configs = raw(`{"a": 1}`)
			s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.Trigger", DiscoveryTriggererConfig: raw(`{"b": "c"}`)}
		}),
		"full sink": newSink(func(s *sinkSpec) {
			s.Configs, s.TimeoutMs, s.NegativeAckRedeliveryDelayMs = raw(`{"a": null}`), ptr(int64(0)), ptr(int64(5))
			s.MaxMessageRetries, s.DeadLetterTopic, s.LogTopic = ptr(int32(2)), "dead", "log"
			s.CustomSchemaInputs = map[string]string{"a": "avro", "b": `{"schemaType": "json"}`}
			s.TransformFunction = &v1alpha1.TransformFunction{Location: "builtin://exclamation", ClassName: "a.B", Config: `{"it's": "free"}`}
			s.TopicToSchemaProperties = map[string]string{"a": "b"}
		}),
		"transform of a package": newSink(func(s *sinkSpec) {
			s.TransformFunction = &v1alpha1.TransformFunction{Location: "function://public/default/x@1"}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			for door, result := range map[string]Result{
				"create": Validate(component, catalogueOptions()),
				"update": ValidateUpdate(component, component.DeepCopyObject().(v1alpha1.Component), catalogueOptions()),
			} {
				if len(result.Errors) > 0 || result.Reason != "" {
					t.Errorf("%s: errors %v, reason %q; want none", door, result.Errors, result.Reason)
				}
			}
		})
	}
}
