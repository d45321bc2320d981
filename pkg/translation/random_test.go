package translation

import (
	"fmt"
	"math/rand"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
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
		// What only a request has that changes a credential.
		func(resolved **adminv1alpha1.ResolvedCredential, _ randfill.Continue) { *resolved = nil },
		func(bound **adminv1alpha1.CredentialBinding, _ randfill.Continue) { *bound = nil },
		func(change **adminv1alpha1.SpecChange, _ randfill.Continue) { *change = nil },
		optional[adminv1alpha1.ProducerConfig],
		optional[adminv1alpha1.RuntimeLog],
		optional[adminv1alpha1.WindowConfig],
		fillMeta,
		fillWindow,
		fillProducer,
		fillLogConfig,
		func(value *intstr.IntOrString, c randfill.Continue) { *value = intstr.FromInt32(c.Int31n(100)) },
		func(value *metav1.LabelSelector, c randfill.Continue) {
			value.MatchLabels = map[string]string{"a": pick(c.Rand, texts)}
		},
		func(list *[]corev1.EnvVar, c randfill.Continue) {
			fillNamed(list, c, func(e *corev1.EnvVar, name string) { e.Name = name })
		},
		func(list *[]corev1.Volume, c randfill.Continue) {
			fillNamed(list, c, func(e *corev1.Volume, name string) { e.Name = name })
		},
		func(list *[]corev1.VolumeMount, c randfill.Continue) {
			fillNamed(list, c, func(e *corev1.VolumeMount, name string) { e.MountPath = name })
		},
		func(list *[]corev1.Container, c randfill.Continue) {
			fillNamed(list, c, func(e *corev1.Container, name string) { e.Name = name })
		},
		func(list *[]corev1.LocalObjectReference, c randfill.Continue) {
			fillNamed(list, c, func(e *corev1.LocalObjectReference, name string) { e.Name = name })
		},
		func(format *computev1alpha1.LogFormat, c randfill.Continue) {
			*format = pick(c.Rand, []computev1alpha1.LogFormat{"", "json", "text"})
		},
		func(policy *computev1alpha1.RotatePolicy, c randfill.Continue) {
			*policy = pick(c.Rand, []computev1alpha1.RotatePolicy{"", "TimedPolicyWithDaily", "SizedPolicyWith10MB"})
		},
		func(file *computev1alpha1.JavaLog4JConfigFileType, c randfill.Continue) {
			*file = pick(c.Rand, []computev1alpha1.JavaLog4JConfigFileType{"", "yaml", "xml", "ini"})
		},
		func(level *computev1alpha1.LogLevel, c randfill.Continue) {
			*level = computev1alpha1.LogLevel(pick(c.Rand, levels))
		},
		func(compression *computev1alpha1.CompressionType, c randfill.Continue) {
			*compression = pick(c.Rand, []computev1alpha1.CompressionType{"", "NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"})
		},
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

// fillNamed fills a list of things with names of their own.
func fillNamed[T any](list *[]T, c randfill.Continue, name func(*T, string)) {
	*list = nil
	for i := range c.Intn(3) {
		var item T
		c.FillNoCustom(&item)
		name(&item, fmt.Sprintf("name-%d", i+c.Intn(2)*10))
		*list = append(*list, item)
	}
}

func fillLogConfig(log *adminv1alpha1.RuntimeLog, c randfill.Continue) {
	c.FillNoCustom(log)
	log.Level = pick(c.Rand, levels)
	log.Format = pick(c.Rand, []string{"", "json", "text"})
	log.RotatePolicy = pick(c.Rand, []string{"", "TimedPolicyWithDaily", "SizedPolicyWith10MB"})
	log.JavaLog4JConfigFileType = pick(c.Rand, []string{"", "yaml", "xml", "ini"})
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

// randomView returns a view as a server would store it: defaulted, with one runtime.
func randomView(r *rand.Rand, kind testedKind) adminv1alpha1.Component {
	view := kind.newView()
	filler(r).Fill(view)
	view.GetObjectKind().SetGroupVersionKind(adminv1alpha1.SchemeGroupVersion.WithKind(kind.names().Kind))
	*view.ObservedStatus() = adminv1alpha1.ComponentStatus{}
	spec := view.Common()
	setRuntimes(view, randomRuntime(r, kind))
	spec.ProcessingGuarantees = pick(r, []adminv1alpha1.ProcessingGuarantees{
		"", adminv1alpha1.AtLeastOnce, adminv1alpha1.AtMostOnce, adminv1alpha1.EffectivelyOnce, adminv1alpha1.Manual,
	})
	spec.Cluster = pick(r, []string{"", "standalone", "Other.Cluster", "gone"})
	spec.LogTopicAgent = pick(r, []string{"", "runtime", "sidecar"})
	spec.Parallelism = maybe(r, 1+r.Int31n(9))
	spec.CustomRuntimeOptions = pick(r, []string{
		"", "no JSON", `{"unknown":1}`, `{"serviceAccountName":"a","env":{"a":"b"},"logLevel":"INFO","managed":false}`,
		`{"maxReplicas":100,"hpaSpec":{"builtinCPURule":"AverageUtilizationCPUPercent80"},"runnerImage":"x:1","unknown":[]}`,
	})
	if spec.Package != nil {
		spec.Package.Location = pick(r, []string{"", "function://public/default/count@v1", "https://example.org/a/b.jar", "builtin://kafka", "builtin://gone"})
		spec.Package.FileName = pick(r, []string{"", "file", "b.jar", "count.jar", "/opt/elsewhere/file.py", "examples/file.jar"})
	}
	if spec.Pod != nil {
		spec.Pod.Image = pick(r, []string{"", "example.org/java-runner:1", "example.org/kafka:2.10.1", "example.org/own:1"})
	}
	if input := view.Input(); input != nil {
		input.SubscriptionPosition = pick(r, []adminv1alpha1.SubscriptionPosition{"", adminv1alpha1.Latest, adminv1alpha1.Earliest})
		for topic := range input.CustomSchemaInputs {
			if r.Intn(2) == 0 {
				input.CustomSchemaInputs[topic] = `{"schemaType":"avro","schemaProperties":{"a":"b"},"receiverQueueSize":5}`
			}
		}
	}
	normalize(view)
	kind.defaulted(view)
	settleOptions(kind, view)
	return view
}

func randomRuntime(r *rand.Rand, kind testedKind) runtimes {
	var blocks runtimes
	full := filler(r).NilChance(0)
	number := 1
	if kind.names() == adminv1alpha1.FunctionKind {
		number = 4
	}
	switch r.Intn(number) {
	case 0:
		full.Fill(&blocks.java)
	case 1:
		full.Fill(&blocks.python)
	case 2:
		full.Fill(&blocks.golang)
	default:
		blocks.generic = &adminv1alpha1.GenericRuntime{Language: pick(r, []string{"nodejs", "python"})}
	}
	return blocks
}

// normalize removes structs that mean nothing when they are empty, and what
// validation refuses.
func normalize(view adminv1alpha1.Component) {
	spec := view.Common()
	if function, ok := view.(*adminv1alpha1.PulsarFunction); ok {
		if _, known := windowGuaranteesToCR[spec.ProcessingGuarantees]; function.Spec.WindowConfig != nil && !known {
			spec.ProcessingGuarantees = adminv1alpha1.AtMostOnce
		}
	}
	if spec.Package != nil && *spec.Package == (adminv1alpha1.Package{}) {
		spec.Package = nil
	}
	if spec.Package != nil && strings.HasPrefix(spec.Package.Location, "builtin://") {
		spec.Package.FileName = ""
		// What runs is found again by its archive, which only Java has.
		if location := spec.Package.Location; spec.Java == nil || location == "builtin://gone" {
			spec.Package = nil
		}
	}
	if output := view.Output(); output != nil && output.ProducerConfig != nil {
		output.ProducerConfig = emptyStructAsNil(output.ProducerConfig)
	}
	if spec.Resources != nil {
		spec.Resources = emptyStructAsNil(spec.Resources)
	}
	if spec.LogTopic == "" && kindDefaultAgent(view) == spec.LogTopicAgent {
		spec.LogTopicAgent = ""
	}
	if spec.Auth != nil {
		spec.Auth = emptyStructAsNil(spec.Auth)
	}
	if spec.PackageService != nil && spec.PackageService.Auth != nil {
		spec.PackageService.Auth = emptyStructAsNil(spec.PackageService.Auth)
	}
	normalizeRuntimes(view)
	pod := spec.Pod
	if pod == nil {
		return
	}
	if view.ComponentKind() != adminv1alpha1.FunctionKind {
		pod.VolumeClaimTemplates, pod.PersistentVolumeClaimRetentionPolicy = nil, nil
	}
	if pod.HPA != nil {
		pod.HPA = emptyStructAsNil(pod.HPA)
	}
	spec.Pod = emptyStructAsNil(pod)
}

func normalizeRuntimes(view adminv1alpha1.Component) {
	blocks := runtimesOf(view)
	for _, runtime := range []*adminv1alpha1.Runtime{blocks.python, blocks.golang} {
		if runtime != nil && runtime.Log != nil {
			runtime.Log = emptyStructAsNil(runtime.Log)
		}
	}
	if java := blocks.java; java != nil && java.Log != nil {
		java.Log = emptyStructAsNil(java.Log)
	}
}

func kindDefaultAgent(view adminv1alpha1.Component) string {
	if view.ComponentKind() == adminv1alpha1.FunctionKind {
		return "runtime"
	}
	return "sidecar"
}

// settleOptions makes the text of options one that is shown as it is.
func settleOptions(kind testedKind, view adminv1alpha1.Component) {
	cr, err := kind.toCR(view)
	if err != nil {
		panic(err)
	}
	back, err := kind.fromCR(cr)
	if err != nil {
		panic(err)
	}
	view.Common().CustomRuntimeOptions = back.Common().CustomRuntimeOptions
}
