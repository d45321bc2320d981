package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// Defaults of Pulsar's functions worker that don't depend on the server's
// configuration.
const (
	DefaultTenant                  = "public"
	DefaultNamespace               = "default"
	DefaultParallelism             = int32(1)
	DefaultMaxPendingAsyncRequests = int32(1000)
	defaultWatermarkIntervalMs     = int64(1000)
)

func addDefaultingFuncs(scheme *runtime.Scheme) error {
	return RegisterDefaults(scheme)
}

// SetDefaults_PulsarFunction fills in what Pulsar's worker fills in before it
// checks a function. The identity is not among it: see SetIdentityDefaults.
func SetDefaults_PulsarFunction(function *PulsarFunction) {
	spec := &function.Spec
	setCommonDefaults(&spec.ComponentSpec)
	setDefaultPointer(&spec.MaxPendingAsyncRequests, DefaultMaxPendingAsyncRequests)
	if spec.WindowConfig != nil {
		setWindowDefaults(spec.WindowConfig)
		// A window function acknowledges by itself when a window is done.
		spec.AutoAck = ptr.To(false)
	}
	setInputDefaults(&spec.InputConfig)
	setOutputDefaults(&spec.OutputConfig)
}

// SetDefaults_PulsarSource does the same for a source.
func SetDefaults_PulsarSource(source *PulsarSource) {
	setCommonDefaults(&source.Spec.ComponentSpec)
	setOutputDefaults(&source.Spec.OutputConfig)
	setDefaultJava(&source.Spec.ComponentSpec)
}

// SetDefaults_PulsarSink does the same for a sink.
func SetDefaults_PulsarSink(sink *PulsarSink) {
	setCommonDefaults(&sink.Spec.ComponentSpec)
	setInputDefaults(&sink.Spec.InputConfig)
	setDefaultJava(&sink.Spec.ComponentSpec)
}

// setDefaultJava says what sources and sinks always are.
func setDefaultJava(spec *ComponentSpec) {
	if spec.Java == nil {
		spec.Java = &JavaRuntime{}
	}
}

func setCommonDefaults(spec *ComponentSpec) {
	setDefault(&spec.ProcessingGuarantees, AtLeastOnce)
	setDefaultPointer(&spec.Parallelism, DefaultParallelism)
}

func setInputDefaults(input *InputConfig) {
	setDefault(&input.SubscriptionPosition, Latest)
	setDefaultPointer(&input.CleanupSubscription, true)
	setDefaultPointer(&input.AutoAck, true)
}

func setOutputDefaults(output *OutputConfig) {
	setDefaultPointer(&output.ForwardSourceMessageProperty, true)
}

// SetServedDefaults fills in what a new component leaves out of its Pulsar namespace
// where its Kubernetes namespace serves just one.
func SetServedDefaults(spec *ComponentSpec, tenant, namespace string) {
	if spec.Tenant == "" || spec.Tenant == tenant {
		setDefault(&spec.Tenant, tenant)
		setDefault(&spec.Namespace, namespace)
	}
}

// SetIdentityDefaults fills in the identity of a new component. It isn't done where
// a request is decoded, since a replacement that leaves the identity out means the
// one that the object has, and since objectName isn't known before it is generated.
func SetIdentityDefaults(spec *ComponentSpec, objectName string) {
	setDefault(&spec.Tenant, DefaultTenant)
	setDefault(&spec.Namespace, DefaultNamespace)
	setDefault(&spec.Name, objectName)
}

// setWindowDefaults fills every number of a window: the operator dereferences
// them without a check.
func setWindowDefaults(window *WindowConfig) {
	if window.WindowLengthCount != nil {
		setDefaultPointer(&window.SlidingIntervalCount, *window.WindowLengthCount)
	}
	if window.WindowLengthDurationMs != nil {
		setDefaultPointer(&window.SlidingIntervalDurationMs, *window.WindowLengthDurationMs)
	}
	setDefaultPointer(&window.MaxLagMs, 0)
	setDefaultPointer(&window.WatermarkEmitIntervalMs, defaultWatermarkIntervalMs)
}

func setDefault[T ~string](field *T, value T) {
	if *field == "" {
		*field = value
	}
}

func setDefaultPointer[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
