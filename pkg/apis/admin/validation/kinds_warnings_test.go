package validation

import (
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestWarningsOfKinds(t *testing.T) {
	for name, component := range map[string]v1alpha1.Component{"sink": newSink(), "source": newSource()} {
		if warnings := Warnings(component); len(warnings) > 0 {
			t.Errorf("a plain %s has the warnings %q", name, warnings)
		}
	}
	state := func(state v1alpha1.StateConfig) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) { s.StateConfig = &state })
	}
	outputSchemas := func(schemas map[string]string) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Output, s.CustomSchemaOutputs = "out", schemas })
	}
	provider := &v1alpha1.StateProvider{ClassName: "a.B", Config: raw(`{}`)}
	for name, test := range map[string]struct {
		component v1alpha1.Component
		want      string
	}{
		"quote in configs": {newSink(func(s *sinkSpec) { s.Configs = raw(`{"a":"it's"}`) }), "spec.configs: holds a single quote"},
		"quote in a trigger": {newSource(func(s *sourceSpec) {
			s.BatchSourceConfig = &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.B", DiscoveryTriggererConfig: raw(`{"a":"'"}`)}
		}), "spec.batchSourceConfig.discoveryTriggererConfig: holds a single quote"},
		"no topic":      {newSource(func(s *sourceSpec) { s.Output = "" }), "spec.output: what the source produces goes nowhere"},
		"batch builder": {newSource(func(s *sourceSpec) { s.ProducerConfig = &v1alpha1.ProducerConfig{BatchBuilder: "x"} }), "spec.producerConfig.batchBuilder"},
		"auto ack":      {newSink(func(s *sinkSpec) { s.AutoAck = ptr(false) }), "MANUAL"},
		"pull policy":   {newSink(func(s *sinkSpec) { s.Pod = &v1alpha1.Pod{ImagePullPolicy: corev1.PullAlways} }), "spec.pod.imagePullPolicy: has no effect"},
		"log agent":     {newSink(func(s *sinkSpec) { s.LogTopicAgent = "sidecar" }), "spec.logTopicAgent: has no effect without a logTopic"},
		"filebeat": {newSink(func(s *sinkSpec) {
			s.LogTopic, s.LogTopicAgent, s.Pod = "l", "runtime", &v1alpha1.Pod{FilebeatImage: "x"}
		}), "spec.pod.filebeatImage: has no effect"},
		"HPA without bounds": {newSink(func(s *sinkSpec) { s.Pod = &v1alpha1.Pod{HPA: &v1alpha1.HorizontalPodAutoscaling{}} }), "spec.pod.hpa: has no effect without maxReplicas"},
		"rules and metrics": {newSink(func(s *sinkSpec) {
			s.MaxReplicas = ptr(int32(2))
			s.Pod = &v1alpha1.Pod{HPA: &v1alpha1.HorizontalPodAutoscaling{BuiltinRules: []string{"x"}, Metrics: []autoscalingv2.MetricSpec{{}}}}
		}), "metrics and behavior have no effect beside builtinRules"},
		"liveness":  {newSink(func(s *sinkSpec) { s.Pod = &v1alpha1.Pod{Liveness: &v1alpha1.Liveness{FailureThreshold: 3}} }), "spec.pod.liveness: no checks are made"},
		"retention": {withPod(v1alpha1.Pod{PersistentVolumeClaimRetentionPolicy: &v1alpha1.VolumeClaimRetentionPolicy{}}), "has no effect without volumeClaimTemplates"},
		"ini":       {newSink(func(s *sinkSpec) { s.Java.Log = &v1alpha1.RuntimeLog{JavaLog4JConfigFileType: "ini"} }), "spec.java.log.javaLog4JConfigFileType: Function Mesh makes no"},
		"python's log4j": {made(toPython, spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Python.Log = &v1alpha1.RuntimeLog{JavaLog4JConfigFileType: "xml"}
		})), "is only for Java"},
		"go's log config": {made(toGo, spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Go.Log = &v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{}}
		})), "spec.go.log.logConfig"},
		"python's state": {made(toPython, state(v1alpha1.StateConfig{JavaProvider: provider})), "spec.stateConfig.javaProvider: is only for Java"},
		"inner batch source": {made(spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.SourceConfig = &v1alpha1.FunctionSource{ClassName: "a.B", BatchSourceConfig: &v1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.B"}}
		})), "spec.sourceConfig.batchSourceConfig: Function Mesh does not pass it on"},
		"schema of another output": {made(outputSchemas(map[string]string{"elsewhere": `{"schemaProperties":{}}`})),
			"spec.customSchemaOutputs[elsewhere]: has no effect"},
		"schema type": {made(outputSchemas(map[string]string{"out": `{"schemaType":"avro"}`})),
			"spec.customSchemaOutputs[out]: only its properties count"},
		"go's schema": {made(toGo, outputSchemas(map[string]string{"out": `{"schemaType":"avro"}`})),
			"does not tell Go functions about spec.customSchemaOutputs"},
		"source's schema": {newSource(func(s *sourceSpec) { s.CustomSchemaOutputs = map[string]string{s.Output: `{"schemaProperties":{}}`} }),
			"spec.customSchemaOutputs: Function Mesh does not pass it on for a source"},
		"state config": {made(state(v1alpha1.StateConfig{JavaProvider: provider})), "spec.stateConfig.javaProvider.config: Function Mesh does not pass it on"},
	} {
		t.Run(name, func(t *testing.T) {
			if warnings := Warnings(test.component); len(warnings) != 1 || !strings.Contains(warnings[0], test.want) {
				t.Errorf("warnings %q, want one with %q", warnings, test.want)
			}
		})
	}
}

func TestUpdateWarningsOfKinds(t *testing.T) {
	for name, test := range map[string]struct {
		component, old v1alpha1.Component
		want           []string
	}{
		"same": {newSink(), newSink(), nil},
		"subscription": {newSink(func(s *sinkSpec) { s.SubscriptionName = "s" }), newSink(),
			[]string{`the sink leaves subscription "public/default/to-db" and what waits there, and begins "s" at Latest`}},
		"input": {newSink(func(s *sinkSpec) { s.Inputs = []string{"other"} }), newSink(), []string{`the sink leaves subscription "public/default/to-db" on in,`}},
		"cleanup": {newSink(func(s *sinkSpec) { s.CleanupSubscription = ptr(false) }), newSink(),
			[]string{"will stay when the sink is deleted"}},
		"ordering":        {newSink(func(s *sinkSpec) { s.RetainOrdering = true }), newSink(), []string{"changes from Shared to Failover"}},
		"source's topic":  {newSource(func(s *sourceSpec) { s.Output = "other" }), newSource(), nil},
		"source promises": {newSource(func(s *sourceSpec) { s.ProcessingGuarantees = v1alpha1.EffectivelyOnce }), newSource(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			warnings := UpdateWarnings(test.component, test.old)
			if len(warnings) != len(test.want) {
				t.Fatalf("warnings %q, want %d", warnings, len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(warnings[i], want) {
					t.Errorf("warning %q lacks %q", warnings[i], want)
				}
			}
		})
	}
}

// What was always dangerous stays, and isn't exchanged for something as dangerous.
func TestUpdateOfDangerousParts(t *testing.T) {
	for name, make := range map[string]func(string) v1alpha1.Component{
		"variable": func(url string) v1alpha1.Component {
			return variable(corev1.EnvVar{Name: "brokerServiceURL", Value: url})
		},
		"label": func(value string) v1alpha1.Component {
			return withPod(v1alpha1.Pod{Labels: map[string]string{"app": value}})
		},
		"option": func(option string) v1alpha1.Component {
			return newSink(func(s *sinkSpec) { s.Java.JavaOpts = []string{"$" + option} })
		},
		"URL": func(url string) v1alpha1.Component {
			return newSource(func(s *sourceSpec) { s.StateConfig = &v1alpha1.StateConfig{ServiceURL: "$" + url} })
		},
		"class": func(name string) v1alpha1.Component { return newSink(func(s *sinkSpec) { s.ClassName = "; " + name }) },
		"file": func(name string) v1alpha1.Component {
			return newSink(func(s *sinkSpec) { s.Package.FileName = "/" + name })
		},
		"transform": func(name string) v1alpha1.Component {
			return newSink(func(s *sinkSpec) { s.TransformFunction = &v1alpha1.TransformFunction{Location: name} })
		},
		"built-in": func(name string) v1alpha1.Component {
			return newSink(func(s *sinkSpec) { s.Package.Location = "builtin://" + name })
		},
	} {
		if result := ValidateUpdate(make("a"), make("a"), catalogueOptions()); len(result.Errors) > 0 {
			t.Errorf("%s: errors %v, want none for what was always so", name, result.Errors)
		}
		if result := ValidateUpdate(make("b"), make("a"), catalogueOptions()); len(result.Errors) == 0 || result.Reason == "" {
			t.Errorf("%s: no error for another value", name)
		}
	}
}
