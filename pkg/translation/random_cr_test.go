package translation

import (
	"math/rand"
	"strings"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// randomCR returns a custom resource as somebody else may have written it, as JSON:
// with fields that nobody here knows at every level, and much that is absent.
func randomCR(r *rand.Rand, kind testedKind) map[string]any {
	cr := kind.newCR()
	filler(r).Fill(cr)
	cr.GetObjectKind().SetGroupVersionKind(computev1alpha1.SchemeGroupVersion.WithKind(strings.TrimPrefix(kind.names().Kind, "Pulsar")))
	spec := cr.Common()
	spec.GenericRuntime = nil
	spec.Java, spec.Python, spec.Golang = nil, nil, nil
	number := 1
	if kind.names() == adminv1alpha1.FunctionKind {
		number = 4
	}
	switch r.Intn(number) {
	case 0:
		filler(r).NilChance(0.3).Fill(&spec.Java)
		if spec.Java == nil {
			spec.Java = &computev1alpha1.JavaRuntime{Jar: pick(r, []string{"/pulsar/file.jar", "connectors/elastic.nar", "connectors/pulsar-io-kafka-2.nar"})}
		}
	case 1:
		spec.Python = &computev1alpha1.PythonRuntime{Py: "relative.py", PyLocation: pick(r, texts)}
	case 2:
		spec.GenericRuntime = &computev1alpha1.GenericRuntime{FunctionFile: pick(r, texts), Language: "nodejs"}
	default:
		spec.Golang = &computev1alpha1.GoRuntime{Go: pick(r, []string{"", "/pulsar/go", "/pulsar/sub/go"})}
	}
	spec.Replicas = maybe(r, r.Int31n(3))
	spec.Image = pick(r, []string{"", "example.org/java-runner:1", "example.org/kafka:2.10.1", "example.org/own:1"})
	spec.LogTopicAgent = pick(r, []computev1alpha1.LogTopicAgent{"", computev1alpha1.LogRuntime, computev1alpha1.LogSidecar})
	spec.ProcessingGuarantee = pick(r, []computev1alpha1.ProcessingGuarantee{
		"", computev1alpha1.AtLeastOnce, computev1alpha1.AtMostOnce, computev1alpha1.EffectivelyOnce, computev1alpha1.Manual,
	})
	if consume := cr.Consume(); consume != nil {
		consume.SubscriptionPosition = pick(r, []computev1alpha1.SubscriptionPosition{"", computev1alpha1.Latest, computev1alpha1.Earliest})
	}
	if function, ok := cr.(*computev1alpha1.Function); ok && function.Spec.WindowConfig != nil {
		function.Spec.WindowConfig.ProcessingGuarantees = pick(r, []computev1alpha1.WindowProcessingGuarantees{
			"", computev1alpha1.WindowAtLeastOnce, computev1alpha1.WindowAtMostOnce,
		})
	}
	raw := toJSONMap(cr)
	addUnknown(r, raw, "spec")
	addCredentials(raw)
	metadata := raw["metadata"].(map[string]any)
	addKey(metadata, "annotations", storedKey("argocd.argoproj.io/tracking-id"), "the view's")
	addKey(metadata, "annotations", ReservedPrefix+"status", "the server's")
	addKey(metadata, "labels", "app.kubernetes.io/instance", "the resource's")
	if r.Intn(3) == 0 {
		addKey(metadata, "annotations", SuspendedParallelismAnnotation, pick(r, []string{"4", "0", "x"}))
	}
	if r.Intn(3) == 0 {
		addKey(metadata, "annotations", KeptFieldsAnnotation, pick(r, []string{
			`{"version":1,"disk":"1Gi"}`, `{"version":2,"future":true}`, "{", `{"version":1,"customRuntimeOptions":"{\"runnerImage\":\"x\"}"}`,
		}))
	}
	if r.Intn(2) == 0 {
		metadata["finalizers"] = []any{"foregroundDeletion", "example.org/hold"}
	}
	return raw
}

// addCredentials adds what no view shows of them.
func addCredentials(raw map[string]any) {
	spec := raw["spec"].(map[string]any)
	pulsar, ok := spec["pulsar"].(map[string]any)
	if !ok {
		return
	}
	credential := map[string]any{"genericAuth": map[string]any{"clientAuthenticationPlugin": "p", "clientAuthenticationParameters": "s"}}
	pulsar["cleanupAuthConfig"] = credential
	if auth, ok := pulsar["authConfig"].(map[string]any); ok {
		auth["genericAuth"] = credential["genericAuth"]
	}
}

const unknownKey = "unknownField"

// addUnknown puts a field that nobody knows into every struct under the given
// member.
func addUnknown(r *rand.Rand, parent map[string]any, name string) {
	if list, ok := parent[name].([]any); ok {
		for _, item := range list {
			addUnknown(r, map[string]any{name: item}, name)
		}
		return
	}
	object, ok := parent[name].(map[string]any)
	if !ok {
		return
	}
	switch name {
	case "funcConfig", "sinkConfig", "sourceConfig", "hard", "minAllowed", "maxAllowed", "secretsMap", "customSerdeSources", "customSchemaSources", "customSchemaSinks",
		"schemaProperties", "consumerProperties", "cryptoKeyReaderConfig", "limits", "requests",
		"labels", "annotations", "nodeSelector", "userAnnotations", "config", "configs", "discoveryTriggererConfig",
		"matchLabels", "volumeAttributes", "options":
		return
	case "sourceSpecs":
	default:
		object[unknownKey] = map[string]any{"kept": []any{int64(r.Intn(100)), nil}}
	}
	for member := range object {
		if member != unknownKey {
			addUnknown(r, object, member)
		}
	}
}

func addKey(parent map[string]any, name, key, value string) {
	values, ok := parent[name].(map[string]any)
	if !ok {
		values = map[string]any{}
		parent[name] = values
	}
	values[key] = value
}
