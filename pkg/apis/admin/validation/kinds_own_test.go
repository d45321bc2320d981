package validation

import (
	"fmt"
	"math"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// refusal is a component that is refused, and where and why.
type refusal struct {
	component  v1alpha1.Component
	path, text string
}

// checkRefusals wants each component to be refused, when it is new and when what is
// wrong with it is what an update changes.
func checkRefusals(t *testing.T, refusals map[string]refusal) {
	t.Helper()
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			var before v1alpha1.Component
			switch test.component.ComponentKind() {
			case v1alpha1.SinkKind:
				before = newSink()
			case v1alpha1.SourceKind:
				before = newSource()
			default:
				before = made()
			}
			for door, result := range map[string]Result{
				"create": Validate(test.component, catalogueOptions()),
				"update": ValidateUpdate(test.component, before, catalogueOptions()),
			} {
				if !found(result, test.path, test.text) {
					t.Errorf("%s: errors %v lack %s: %s", door, result.Errors, test.path, test.text)
				}
				if result.Reason == "" {
					t.Errorf("%s: no reason", door)
				}
			}
			again := test.component.DeepCopyObject().(v1alpha1.Component)
			if result := ValidateUpdate(again, test.component, catalogueOptions()); len(result.Errors) > 0 {
				t.Errorf("an update that changes nothing has the errors %v", result.Errors)
			}
		})
	}
}

func TestOwnRulesForSinks(t *testing.T) {
	consumer := func(consumer v1alpha1.ConsumerSpec) v1alpha1.Component {
		return newSink(func(s *sinkSpec) { s.InputSpecs = map[string]v1alpha1.ConsumerSpec{"x": consumer} })
	}
	checkRefusals(t, map[string]refusal{
		"no class":                {newSink(func(s *sinkSpec) { s.ClassName = " " }), "spec.className", "the class of the sink is needed"},
		"python class":            {newSink(func(s *sinkSpec) { s.ClassName = "a-b.C" }), "spec.className", "binary name of a class"},
		"no java":                 {newSink(func(s *sinkSpec) { s.Java = nil }), "spec.java", "a sink is always Java"},
		"configs":                 {newSink(func(s *sinkSpec) { s.Configs = raw(`[1]`) }), "spec.configs", "must be a JSON object"},
		"null configs":            {newSink(func(s *sinkSpec) { s.Configs = raw(`null`) }), "spec.configs", "must be a JSON object"},
		"dead letter topic":       {newSink(func(s *sinkSpec) { s.DeadLetterTopic, s.MaxMessageRetries = "a/b", ptr(int32(1)) }), "spec.deadLetterTopic", "no valid topic name"},
		"dead letters in slashes": {newSink(func(s *sinkSpec) { s.DeadLetterTopic, s.MaxMessageRetries = "dead/", ptr(int32(1)) }), "spec.deadLetterTopic", "slashes around it"},
		"endless retries":         {newSink(func(s *sinkSpec) { s.DeadLetterTopic = "dead" }), "spec.deadLetterTopic", "max retries is set to infinity"},
		"no retries":              {newSink(func(s *sinkSpec) { s.DeadLetterTopic, s.MaxMessageRetries = "dead", ptr(int32(0)) }), "spec.maxMessageRetries", "must be positive with a deadLetterTopic"},
		"once with retries": {newSink(func(s *sinkSpec) {
			s.ProcessingGuarantees, s.MaxMessageRetries = v1alpha1.EffectivelyOnce, ptr(int32(1))
		}), "spec.maxMessageRetries", "don't gel well"},
		"once with timeout": {newSink(func(s *sinkSpec) { s.ProcessingGuarantees, s.TimeoutMs = v1alpha1.EffectivelyOnce, ptr(int64(1)) }), "spec.timeoutMs", "no timeout with EFFECTIVELY_ONCE"},
		"long timeout":      {newSink(func(s *sinkSpec) { s.TimeoutMs = ptr(int64(math.MaxInt32) + 1) }), "spec.timeoutMs", "2147483647"},
		"long delay":        {newSink(func(s *sinkSpec) { s.NegativeAckRedeliveryDelayMs = ptr(int64(math.MaxInt32) + 1) }), "spec.negativeAckRedeliveryDelayMs", "2147483647"},
		"negative delay":    {newSink(func(s *sinkSpec) { s.NegativeAckRedeliveryDelayMs = ptr(int64(-1)) }), "spec.negativeAckRedeliveryDelayMs", "2147483647"},
		"receiver queue":    {consumer(v1alpha1.ConsumerSpec{ReceiverQueueSize: ptr(int32(-1))}), "spec.inputSpecs[x].receiverQueueSize", "should be >= zero"},
		"key reader":        {consumer(v1alpha1.ConsumerSpec{CryptoConfig: &v1alpha1.CryptoConfig{}}), "spec.inputSpecs[x].cryptoConfig.cryptoKeyReaderClassName", "class name required"},
		"custom schema":     {newSink(func(s *sinkSpec) { s.CustomSchemaInputs = map[string]string{"x": "{"} }), "spec.customSchemaInputs[x]", "a schema type or the JSON text"},
		"transform class":   {newSink(func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{ClassName: "a b"} }), "spec.transformFunction.className", "binary name of a class"},
		"sink type":         {newSink(func(s *sinkSpec) { s.SinkType = "it's" }), "spec.sinkType", "no single quotes"},
		"claims": {newSink(func(s *sinkSpec) {
			s.Pod = &v1alpha1.Pod{VolumeClaimTemplates: []v1alpha1.VolumeClaimTemplate{claim("x")}}
		}), "spec.pod.volumeClaimTemplates", "only functions have claims"},
		"retention": {newSink(func(s *sinkSpec) {
			s.Pod = &v1alpha1.Pod{PersistentVolumeClaimRetentionPolicy: &v1alpha1.VolumeClaimRetentionPolicy{}}
		}), "spec.pod.persistentVolumeClaimRetentionPolicy", "only functions have claims"},
		"unknown log agent":    {newSink(func(s *sinkSpec) { s.LogTopicAgent = "SIDECAR" }), "spec.logTopicAgent", `"runtime", "sidecar"`},
		"memory without limit": {newSink(func(s *sinkSpec) { s.Resources = &v1alpha1.Resources{Requests: amounts("1", "1Gi")} }), "spec.resources.limits[memory]", "both a request and a limit"},
	})
}

func TestOwnRulesForSources(t *testing.T) {
	producer := func(crypto v1alpha1.CryptoConfig) v1alpha1.Component {
		return newSource(func(s *sourceSpec) { s.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: &crypto} })
	}
	checkRefusals(t, map[string]refusal{
		"no class": {newSource(func(s *sourceSpec) { s.ClassName = "" }), "spec.className", "the class of the source is needed"},
		"no java":  {newSource(func(s *sourceSpec) { s.Java = nil }), "spec.java", "a source is always Java"},
		"configs":  {newSource(func(s *sourceSpec) { s.Configs = raw(`"x"`) }), "spec.configs", "must be a JSON object"},
		"trigger class": {newSource(func(s *sourceSpec) {
			s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a b"}
		}), "spec.batchSourceConfig.discoveryTriggererClassName", "binary name of a class"},
		"trigger config": {newSource(func(s *sourceSpec) {
			s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.B", DiscoveryTriggererConfig: raw(`1`)}
		}), "spec.batchSourceConfig.discoveryTriggererConfig", "must be a JSON object"},
		"key reader":    {producer(v1alpha1.CryptoConfig{EncryptionKeys: []string{"k"}}), "spec.producerConfig.cryptoConfig.cryptoKeyReaderClassName", "class name required"},
		"keys":          {producer(v1alpha1.CryptoConfig{CryptoKeyReaderClassName: "a.B"}), "spec.producerConfig.cryptoConfig.encryptionKeys", "Must provide encryption key name"},
		"batch builder": {newSource(func(s *sourceSpec) { s.ProducerConfig = &v1alpha1.ProducerConfig{BatchBuilder: "it's"} }), "spec.producerConfig.batchBuilder", "no single quotes"},
		"source type":   {newSource(func(s *sourceSpec) { s.SourceType = "a\nb" }), "spec.sourceType", "no control characters"},
	})
}

func TestOwnRulesForFunctions(t *testing.T) {
	inner := func(source *v1alpha1.FunctionSource, sink *v1alpha1.FunctionSink) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) { s.SourceConfig, s.SinkConfig = source, sink })
	}
	undefaulted := func(window v1alpha1.WindowConfig) v1alpha1.Component {
		f := made()
		f.Spec.AutoAck, f.Spec.WindowConfig = ptr(false), &window
		return f
	}
	toGeneric := func(language string) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Java, s.Generic = nil, &v1alpha1.GenericRuntime{Language: language}
		})
	}
	checkRefusals(t, map[string]refusal{
		"language":              {made(toGeneric("ruby; id")), "spec.generic.language", `"nodejs", "python", "executable", "wasm"`},
		"no language":           {made(toGeneric("")), "spec.generic.language", "the language decides"},
		"generic with a window": {made(toGeneric("nodejs"), window(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1))})), "spec.windowConfig", "only a Java function has windows"},
		"generic, class":        {made(toGeneric("nodejs"), spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = "a;b" })), "spec.className", "binary name"},
		"generic, no package":   {made(toGeneric("nodejs"), noPackage), "spec.package.location", "Function Package is not provided"},
		"generic and java":      {made(spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Generic = &v1alpha1.GenericRuntime{Language: "wasm"} })), "spec.generic", "may not be set together with java"},
		"blank python class":    {made(toPython, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = " " })), "spec.className", "dotted Python name"},
		"long python class":     {made(toPython, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = strings.Repeat("a", maxTextBytes+1) })), "spec.className", "Too long"},
		"go class":              {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.ClassName = "it's" })), "spec.className", "no single quotes"},

		"no sliding count":    {undefaulted(v1alpha1.WindowConfig{WindowLengthCount: ptr(int32(1))}), "spec.windowConfig.slidingIntervalCount", "crashes without it"},
		"no sliding duration": {undefaulted(v1alpha1.WindowConfig{WindowLengthDurationMs: ptr(int64(1))}), "spec.windowConfig.slidingIntervalDurationMs", "crashes without it"},
		"no lag":              {undefaulted(v1alpha1.WindowConfig{}), "spec.windowConfig.maxLagMs", "crashes without it"},
		"no watermark":        {undefaulted(v1alpha1.WindowConfig{}), "spec.windowConfig.watermarkEmitIntervalMs", "crashes without it"},

		"own source without class": {made(inner(&v1alpha1.FunctionSource{}, nil)), "spec.sourceConfig.className", "the class of the source is needed"},
		"own source, class":        {made(inner(&v1alpha1.FunctionSource{ClassName: "a b"}, nil)), "spec.sourceConfig.className", "binary name"},
		"own source, configs":      {made(inner(&v1alpha1.FunctionSource{ClassName: "a.B", Configs: raw(`1`)}, nil)), "spec.sourceConfig.configs", "must be a JSON object"},
		"own source, type":         {made(inner(&v1alpha1.FunctionSource{SourceType: "it's"}, nil)), "spec.sourceConfig.sourceType", "no single quotes"},
		"own source, type class":   {made(inner(&v1alpha1.FunctionSource{ClassName: "a.B", TypeClassName: "it's"}, nil)), "spec.sourceConfig.typeClassName", "no single quotes"},
		"own batch source":         {made(inner(&v1alpha1.FunctionSource{ClassName: "a.B", BatchSourceConfig: &v1alpha1.BatchSourceConfig{}}, nil)), "spec.sourceConfig.batchSourceConfig.discoveryTriggererClassName", "Discovery Trigger"},
		"own batch source, config": {made(inner(&v1alpha1.FunctionSource{ClassName: "a.B", BatchSourceConfig: &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.B", DiscoveryTriggererConfig: raw(`1`)}}, nil)), "spec.sourceConfig.batchSourceConfig.discoveryTriggererConfig", "must be a JSON object"},
		"own source in python":     {made(toPython, inner(&v1alpha1.FunctionSource{ClassName: "a.B"}, nil)), "spec.sourceConfig", "only a Java function has a source"},
		"own sink without class":   {made(inner(nil, &v1alpha1.FunctionSink{})), "spec.sinkConfig.className", "the class of the sink is needed"},
		"own sink, class":          {made(inner(nil, &v1alpha1.FunctionSink{ClassName: "a b"})), "spec.sinkConfig.className", "binary name"},
		"own sink, configs":        {made(inner(nil, &v1alpha1.FunctionSink{ClassName: "a.B", Configs: raw(`1`)})), "spec.sinkConfig.configs", "must be a JSON object"},
		"own sink, type":           {made(inner(nil, &v1alpha1.FunctionSink{SinkType: "it's"})), "spec.sinkConfig.sinkType", "no single quotes"},
		"own sink, type class":     {made(inner(nil, &v1alpha1.FunctionSink{ClassName: "a.B", TypeClassName: "it's"})), "spec.sinkConfig.typeClassName", "no single quotes"},

		"go, auth":  {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Auth = &v1alpha1.Auth{SecretName: "x"} })), "spec.auth", "gets none"},
		"go, tls":   {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.TLS = &v1alpha1.TLS{Enabled: true} })), "spec.tls", "gets none"},
		"go, state": {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.StateConfig = &v1alpha1.StateConfig{ServiceURL: "bk://x:1"} })), "spec.stateConfig", "no state for a Go function"},
	})
}

func TestReplicas(t *testing.T) {
	numbers := func(parallelism, least, most int32) v1alpha1.Component {
		return newSink(func(s *sinkSpec) {
			s.Parallelism = ptr(parallelism)
			if least != -9 {
				s.MinReplicas = &least
			}
			if most != -9 {
				s.MaxReplicas = &most
			}
		})
	}
	const absent = -9
	checkRefusals(t, map[string]refusal{
		"no least":                {numbers(1, 0, absent), "spec.minReplicas", "must be positive"},
		"least above parallelism": {numbers(1, 2, absent), "spec.minReplicas", "may not be more than parallelism, 1"},
		"least above most":        {numbers(3, 3, 2), "spec.minReplicas", "may not be more than maxReplicas, 2"},
		"no most":                 {numbers(1, absent, 0), "spec.maxReplicas", "must be positive"},
		"most below parallelism":  {numbers(3, absent, 2), "spec.maxReplicas", "may not be less than parallelism, 3"},
	})
	suspended := newSink(func(s *sinkSpec) { s.Parallelism, s.MaxReplicas, s.Suspend = ptr(int32(2)), ptr(int32(4)), true })
	if result := Validate(suspended, testOptions); len(result.Errors) > 0 {
		t.Errorf("suspended: errors %v, want none", result.Errors)
	}
	suspended.Spec.Parallelism = ptr(int32(0))
	checkResult(t, Validate(suspended, testOptions), "spec.parallelism", "Sink parallelism must be a positive number")
}

func TestDisabledKind(t *testing.T) {
	options := Options{DisabledKinds: []v1alpha1.ComponentKind{v1alpha1.SinkKind}}
	broken := newSink(func(s *sinkSpec) { s.Package = nil })
	checkResult(t, Validate(broken, options), "spec", "Sink API is disabled")
	checkResult(t, ValidateUpdate(newSink(func(s *sinkSpec) { s.Inputs = []string{"other"} }), newSink(), options), "spec", "Sink API is disabled")
	labelled := newSink()
	labelled.Labels = map[string]string{"a": "b"}
	if result := ValidateUpdate(labelled, newSink(), options); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none for a label", result.Errors)
	}
	if result := Validate(newSource(), options); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none for a source", result.Errors)
	}
	for _, test := range []struct {
		component v1alpha1.Component
		want      string
	}{{made(), "Function API is disabled"}, {newSource(), "Source API is disabled"}} {
		result := Validate(test.component, Options{DisabledKinds: v1alpha1.ComponentKinds})
		if result.Reason != test.want {
			t.Errorf("reason %q, want %q", result.Reason, test.want)
		}
	}
}

func TestBoundsOfResources(t *testing.T) {
	options := testOptions
	options.MinResources, options.MaxResources = amounts("0.5", "1Gi"), amounts("2", "4Gi")
	sized := func(requests, limits corev1.ResourceList) v1alpha1.Component {
		return newSink(func(s *sinkSpec) { s.Resources = &v1alpha1.Resources{Requests: requests, Limits: limits} })
	}
	const cpu, ram = "spec.resources.requests[cpu]", "spec.resources.requests[memory]"
	for name, test := range map[string]struct {
		component  v1alpha1.Component
		path, text string
	}{
		"little cpu": {sized(amounts("0.25", "1Gi"), amounts("2", "1Gi")), cpu, "Per instance CPU requested, 0.25, for function is less than the minimum required, 0.5"},
		"no cpu":     {sized(amounts("", "1Gi"), amounts("2", "1Gi")), cpu, "Per instance CPU requested is not specified. Must specify CPU requested for function to be at least 0.5"},
		"much cpu":   {sized(amounts("3", "1Gi"), nil), cpu, "Per instance CPU requested, 3.0, for function is greater than the maximum required, 2.0"},
		"little ram": {sized(amounts("1", "512Mi"), amounts("2", "1Gi")), ram, "Per instance RAM requested, 536870912, for function is less than the minimum required, 1073741824"},
		"no ram":     {sized(amounts("1", ""), nil), ram, "Per instance RAM requested is not specified. Must specify RAM requested for function to be at least 1073741824"},
		"much ram":   {sized(amounts("1", "8Gi"), nil), ram, "Per instance RAM requested, 8589934592, for function is greater than the maximum required, 4294967296"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "Sink to-db cannot be admitted:- " + test.text
			checkResult(t, Validate(test.component, options), test.path, text)
			// Whatever else Pulsar finds comes first.
			test.component.(*v1alpha1.PulsarSink).Spec.AutoAck = ptr(false)
			test.component.(*v1alpha1.PulsarSink).Spec.ProcessingGuarantees = v1alpha1.AtMostOnce
			if result := Validate(test.component, options); !strings.HasPrefix(result.Reason, "When Guarantees") {
				t.Errorf("reason %q", result.Reason)
			}
		})
	}
	for name, component := range map[string]v1alpha1.Component{
		"least": sized(amounts("500m", "1Gi"), amounts("500m", "1Gi")), "most": sized(amounts("2", "4Gi"), amounts("2", "4Gi")),
	} {
		if result := Validate(component, options); len(result.Errors) > 0 {
			t.Errorf("%s: errors %v, want none", name, result.Errors)
		}
	}
	for _, limits := range []corev1.ResourceList{amounts("3", "1Gi"), amounts("1", "8Gi")} {
		result := Validate(sized(amounts("1", "1Gi"), limits), options)
		if len(result.Errors) != 1 || !strings.Contains(result.Errors[0].Detail, "the server allows no more than") {
			t.Errorf("limits %v: errors %v", limits, result.Errors)
		}
	}
	small := sized(amounts("0.25", "512Mi"), amounts("0.25", "512Mi"))
	if result := ValidateUpdate(small.DeepCopyObject().(v1alpha1.Component), small, options); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none for what was always too small", result.Errors)
	}
}

func TestUpdateFreezesSinksAndSources(t *testing.T) {
	result := ValidateUpdate(newSource(func(s *sourceSpec) { s.Name = "x" }), newSource(), testOptions)
	if len(result.Errors) != 1 || !found(result, "spec.name", "is immutable: delete the source and create another") {
		t.Errorf("errors %v", result.Errors)
	}
	language := func(language string) *v1alpha1.PulsarFunction {
		return made(spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Java, s.Generic = nil, &v1alpha1.GenericRuntime{Language: language}
		}))
	}
	if result := ValidateUpdate(language("wasm"), language("nodejs"), testOptions); len(result.Errors) != 1 || !found(result, "spec.generic.language", "is immutable") {
		t.Errorf("errors %v", result.Errors)
	}
}

// Every list and map is bounded, whatever it is in.
func TestEntriesAreBounded(t *testing.T) {
	labels := map[string]string{}
	for i := range maxEntries + 1 {
		labels[fmt.Sprint("k", i)] = ""
	}
	for path, component := range map[string]v1alpha1.Component{
		"spec.java.javaOpts": newSink(func(s *sinkSpec) { s.Java.JavaOpts = make([]string, maxEntries+1) }),
		"spec.pod.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels": newSource(func(s *sourceSpec) {
			s.Pod = &v1alpha1.Pod{Affinity: affinity(labels)}
		}),
		"spec.inputSpecs[x].schemaProperties": newSink(func(s *sinkSpec) {
			s.InputSpecs = map[string]v1alpha1.ConsumerSpec{"x": {SchemaProperties: labels}}
		}),
		"spec.topicToSchemaProperties": newSink(func(s *sinkSpec) { s.TopicToSchemaProperties = labels }),
	} {
		result := Validate(component, testOptions)
		if len(result.Errors) != 1 || result.Errors[0].Field != path {
			t.Errorf("%d errors, %.300v; want one for %s", len(result.Errors), result.Errors, path)
		}
	}
	long := strings.Repeat("x", maxSpecBytes)
	for name, component := range map[string]v1alpha1.Component{
		"sink":   newSink(func(s *sinkSpec) { s.Configs = raw(`{"a":"` + long + `"}`) }),
		"source": newSource(func(s *sourceSpec) { s.Configs = raw(long) }),
		"text":   newSource(func(s *sourceSpec) { s.CustomRuntimeOptions = long }),
	} {
		if result := Validate(component, testOptions); len(result.Errors) != 1 || result.Errors[0].Field != "spec" || len(result.Reason) > 1000 {
			t.Errorf("%s: %d errors, %.300v; want one for spec", name, len(result.Errors), result.Errors)
		}
	}
}
