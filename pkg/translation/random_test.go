package translation

import (
	"fmt"
	"math/rand"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/randfill"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

func testConfig() *configv1alpha1.FunctionMeshAPIServerConfiguration {
	return &configv1alpha1.FunctionMeshAPIServerConfiguration{
		PulsarClusters: []configv1alpha1.PulsarCluster{
			{Name: "standalone", ServiceURL: "pulsar://localhost:6650", WebServiceURL: "http://localhost:8080"},
			{Name: "Other.Cluster", ConfigMapName: "other-config"},
		},
		RunnerImages: configv1alpha1.RunnerImages{
			Java: "example.org/java-runner:1", Python: "example.org/python-runner:1", Go: "example.org/go-runner:1",
		},
		PackageDirectory: "/pulsar",
		DefaultResources: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("1"),
			corev1.ResourceMemory: resource.MustParse("1Gi"),
		},
	}
}

// Texts, some of them awkward for JSON, paths and shells.
var texts = []string{
	"a", "public/default", "persistent://public/default/in-.*", "persistent://acme/orders/topic", `quo"te`,
	"uni\u00e7ode \u2603", "sp ace", "under_score", "with.dots", "[B", "a$b", "{not json", "UPPER",
}

var levels = []string{"off", "trace", "debug", "info", "warn", "error", "fatal", "all", "panic"}
var quantities = []string{"1", "100m", "1Gi", "1100M", "0", "1.5", "3e3", "500k"}
var objects = []string{
	`{}`, `{"n":null,"i":9007199254740993,"l":[],"o":{},"s":"x","f":1.5,"b":false}`, `{"nested":{"list":[1,{"a":"b"}]}}`,
}

func pick[T any](r *rand.Rand, values []T) T { return values[r.Intn(len(values))] }

func maybe[T any](r *rand.Rand, value T) *T {
	if r.Intn(3) == 0 {
		return nil
	}
	return &value
}

func randomUID(r *rand.Rand) types.UID {
	return types.UID(fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x",
		r.Uint32(), r.Intn(1<<16), r.Intn(1<<12), r.Intn(1<<12), r.Int63n(1<<48)))
}

// filler fills what both sides have with values that both can hold.
func filler(r *rand.Rand) *randfill.Filler {
	return randfill.NewWithSeed(r.Int63()).NilChance(0.4).NumElements(1, 3).Funcs(
		func(s *string, c randfill.Continue) {
			if *s = ""; c.Intn(3) > 0 {
				*s = pick(c.Rand, texts) + fmt.Sprint(c.Intn(100))
			}
		},
		func(n *int32, c randfill.Continue) { *n = c.Int31() },
		func(n *int64, c randfill.Continue) { *n = int64(c.Int31()) },
		func(q *resource.Quantity, c randfill.Continue) { *q = resource.MustParse(pick(c.Rand, quantities)) },
		func(raw *runtime.RawExtension, c randfill.Continue) { raw.Raw = []byte(pick(c.Rand, objects)) },
		func(list *corev1.ResourceList, c randfill.Continue) {
			*list = nil
			for _, name := range []corev1.ResourceName{"cpu", "memory", "ephemeral-storage", "example.org/gpu"} {
				if c.Intn(3) == 0 {
					if *list == nil {
						*list = corev1.ResourceList{}
					}
					(*list)[name] = resource.MustParse(pick(c.Rand, quantities))
				}
			}
		},
		optional[int32],
		optional[int64],
		optional[resource.Quantity],
		optional[runtime.RawExtension],
		optional[adminv1alpha1.ProducerConfig],
		optional[adminv1alpha1.RuntimeLog],
		optional[adminv1alpha1.WindowConfig],
		fillMeta,
		fillWindow,
		fillProducer,
		func(level *computev1alpha1.LogLevel, c randfill.Continue) {
			*level = computev1alpha1.LogLevel(pick(c.Rand, levels))
		},
		func(compression *computev1alpha1.CompressionType, c randfill.Continue) {
			*compression = pick(c.Rand, []computev1alpha1.CompressionType{"", "NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"})
		},
		func(log *adminv1alpha1.RuntimeLog, c randfill.Continue) { log.Level = pick(c.Rand, levels) },
	)
}

// optional fills pointers to what has a function of its own: without it, they would
// never be nil.
func optional[T any](pointer **T, c randfill.Continue) {
	if *pointer = nil; c.Intn(5) > 1 {
		*pointer = new(T)
		c.Fill(*pointer)
	}
}

// fillProducer gives producers a compression that exists.
func fillProducer(producer *adminv1alpha1.ProducerConfig, c randfill.Continue) {
	c.FillNoCustom(producer)
	producer.CompressionType = pick(c.Rand, []string{"", "NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"})
}

func fillWindow(window *adminv1alpha1.WindowConfig, c randfill.Continue) {
	c.FillNoCustom(window)
	if window.MaxLagMs != nil && c.Intn(2) == 0 {
		*window.MaxLagMs = 0
	}
}

func fillMeta(meta *metav1.ObjectMeta, c randfill.Continue) {
	r := c.Rand
	*meta = metav1.ObjectMeta{
		Name:              fmt.Sprintf("name-%d", r.Intn(1000)),
		Namespace:         "team",
		UID:               randomUID(r),
		ResourceVersion:   fmt.Sprint(r.Intn(1000)),
		Generation:        r.Int63n(5),
		CreationTimestamp: metav1.Unix(1_700_000_000+r.Int63n(1e6), 0),
		Labels:            randomKeys(r, "label.example.org/x", "plain"),
		Annotations:       randomKeys(r, "foreign.example.org/note", "note"),
	}
	if r.Intn(4) == 0 {
		deleted := metav1.Unix(1_800_000_000, 0)
		meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = &deleted, maybe(r, int64(30))
	}
	if r.Intn(2) == 0 {
		meta.Finalizers = []string{"example.org/hold", "cleanup.subscription.finalizer"}[:1+r.Intn(2)]
		meta.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: "admin.functionmesh.io/v1alpha1", Kind: "PulsarFunction", Name: "parent", UID: randomUID(r),
			Controller: maybe(r, true), BlockOwnerDeletion: maybe(r, false),
		}}
	}
	if r.Intn(2) == 0 {
		meta.ManagedFields = []metav1.ManagedFieldsEntry{{
			Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply, APIVersion: "admin.functionmesh.io/v1alpha1",
			Time: &metav1.Time{Time: time.Unix(1_700_000_001, 0)}, FieldsType: "FieldsV1",
			FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:className":{}}}`), Subresource: pick(r, []string{"", "status"}),
		}}
	}
}

// randomKeys has some of the keys, and some by which tools claim objects.
func randomKeys(r *rand.Rand, keys ...string) map[string]string {
	values := map[string]string{}
	for claim := range claimKeys {
		keys = append(keys, claim)
	}
	for _, prefix := range claimPrefixes {
		keys = append(keys, prefix+"name")
	}
	for _, key := range keys {
		if r.Intn(3) == 0 {
			values[key] = fmt.Sprintf("value-%d", r.Intn(100))
		}
	}
	return emptyAsNil(values)
}

// randomView returns a view as a server would store it: defaulted, with one
// runtime.
func randomView(r *rand.Rand, translator *FunctionTranslator) *adminv1alpha1.PulsarFunction {
	view := &adminv1alpha1.PulsarFunction{}
	filler(r).Fill(view)
	view.TypeMeta = metav1.TypeMeta{APIVersion: adminv1alpha1.SchemeGroupVersion.String(), Kind: "PulsarFunction"}
	view.Status = adminv1alpha1.ComponentStatus{}
	spec := &view.Spec
	runtime := &adminv1alpha1.Runtime{}
	filler(r).NilChance(0).Fill(runtime)
	if runtime.Log != nil {
		runtime.Log = &adminv1alpha1.RuntimeLog{Level: runtime.Log.Level}
	}
	spec.Java, spec.Python, spec.Go, spec.Generic = nil, nil, nil, nil
	switch r.Intn(3) {
	case 0:
		spec.Java = &adminv1alpha1.JavaRuntime{Runtime: *runtime}
	case 1:
		spec.Python = runtime
	default:
		spec.Go = runtime
	}
	spec.Pod, spec.Auth, spec.TLS, spec.PackageService, spec.StateConfig = nil, nil, nil, nil, nil
	spec.Suspend, spec.MaxReplicas, spec.ShowPreciseParallelism, spec.LogTopicAgent = false, nil, false, ""
	spec.SourceConfig, spec.SinkConfig = nil, nil
	if spec.Resources != nil {
		spec.Resources.Claims = nil
	}
	spec.ProcessingGuarantees = pick(r, []adminv1alpha1.ProcessingGuarantees{
		"", adminv1alpha1.AtLeastOnce, adminv1alpha1.AtMostOnce, adminv1alpha1.EffectivelyOnce, adminv1alpha1.Manual,
	})
	spec.SubscriptionPosition = pick(r, []adminv1alpha1.SubscriptionPosition{"", adminv1alpha1.Latest, adminv1alpha1.Earliest})
	spec.Cluster = pick(r, []string{"", "standalone", "Other.Cluster", "gone"})
	if spec.Package != nil {
		spec.Package.Location = pick(r, []string{"", "function://public/default/count@v1", "https://example.org/a/b.jar"})
		spec.Package.FileName = pick(r, []string{"", "file", "b.jar", "count.jar", "/opt/elsewhere/file.py", "examples/file.jar"})
	}
	for topic := range spec.CustomSchemaInputs {
		if r.Intn(2) == 0 {
			spec.CustomSchemaInputs[topic] = `{"schemaType":"avro","schemaProperties":{"a":"b"},"receiverQueueSize":5}`
		}
	}
	normalize(spec)
	adminv1alpha1.SetIdentityDefaults(&spec.ComponentSpec, view.Name)
	translator.setDefaults(view)
	return view
}

// normalize removes structs that mean nothing when they are empty, and a guarantee
// that validation refuses for windows.
func normalize(spec *adminv1alpha1.PulsarFunctionSpec) {
	if _, ok := windowGuaranteesToCR[spec.ProcessingGuarantees]; spec.WindowConfig != nil && !ok {
		spec.ProcessingGuarantees = adminv1alpha1.AtMostOnce
	}
	if spec.Package != nil && *spec.Package == (adminv1alpha1.Package{}) {
		spec.Package = nil
	}
	if spec.ProducerConfig != nil && *spec.ProducerConfig == (adminv1alpha1.ProducerConfig{}) {
		spec.ProducerConfig = nil
	}
	if spec.Resources != nil && len(spec.Resources.Requests)+len(spec.Resources.Limits) == 0 && spec.Resources.Disk == nil {
		spec.Resources = nil
	}
}

// randomCR returns a Function as somebody else may have written it, as JSON: with
// fields that nobody here knows at every level, and much that is absent.
func randomCR(r *rand.Rand) map[string]any {
	cr := &computev1alpha1.Function{}
	filler(r).Fill(cr)
	cr.APIVersion, cr.Kind = computev1alpha1.SchemeGroupVersion.String(), computev1alpha1.FunctionKind
	spec := &cr.Spec
	spec.GenericRuntime = nil
	spec.Java, spec.Python, spec.Golang = nil, nil, nil
	switch r.Intn(3) {
	case 0:
		filler(r).NilChance(0.3).Fill(&spec.Java)
		if spec.Java == nil {
			spec.Java = &computev1alpha1.JavaRuntime{Jar: "/pulsar/file.jar"}
		}
	case 1:
		spec.Python = &computev1alpha1.PythonRuntime{Py: "relative.py", PyLocation: pick(r, texts)}
	default:
		spec.Golang = &computev1alpha1.GoRuntime{Go: pick(r, []string{"", "/pulsar/go", "/pulsar/sub/go"})}
	}
	spec.SubscriptionPosition = pick(r, []computev1alpha1.SubscriptionPosition{"", computev1alpha1.Latest, computev1alpha1.Earliest})
	spec.ProcessingGuarantee = pick(r, []computev1alpha1.ProcessingGuarantee{
		"", computev1alpha1.AtLeastOnce, computev1alpha1.AtMostOnce, computev1alpha1.EffectivelyOnce, computev1alpha1.Manual,
	})
	if spec.WindowConfig != nil {
		spec.WindowConfig.ProcessingGuarantees = pick(r, []computev1alpha1.WindowProcessingGuarantees{
			"", computev1alpha1.WindowAtLeastOnce, computev1alpha1.WindowAtMostOnce,
		})
	}
	raw := toJSONMap(cr)
	addUnknown(r, raw, "spec")
	metadata := raw["metadata"].(map[string]any)
	addKey(metadata, "annotations", storedKey("argocd.argoproj.io/tracking-id"), "the view's")
	addKey(metadata, "annotations", ReservedPrefix+"status", "the server's")
	addKey(metadata, "labels", "app.kubernetes.io/instance", "the resource's")
	if r.Intn(2) == 0 {
		metadata["finalizers"] = []any{"foregroundDeletion", "example.org/hold"}
	}
	return raw
}

const unknownKey = "unknownField"

// addUnknown puts a field that nobody knows into every struct under the given
// member.
func addUnknown(r *rand.Rand, parent map[string]any, name string) {
	object, ok := parent[name].(map[string]any)
	if !ok {
		return
	}
	switch name {
	case "funcConfig", "secretsMap", "customSerdeSources", "customSchemaSources", "customSchemaSinks",
		"schemaProperties", "consumerProperties", "cryptoKeyReaderConfig", "limits", "requests",
		"labels", "annotations", "nodeSelector", "config", "configs", "discoveryTriggererConfig",
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
