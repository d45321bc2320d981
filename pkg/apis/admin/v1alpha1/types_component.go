package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ComponentSpec is what functions, sources and sinks have in common.
type ComponentSpec struct {
	// The Pulsar tenant that the component belongs to. Immutable.
	// +optional
	Tenant string `json:"tenant,omitempty"`
	// The Pulsar namespace, without the tenant. Immutable.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// The component's name in Pulsar; without one the object's name. Immutable.
	// +optional
	Name string `json:"name,omitempty"`
	// The Pulsar cluster that the component runs against, one that the server is
	// configured with; without one the first of them.
	// +optional
	Cluster string `json:"cluster,omitempty"`

	// The class to run: a Java binary name or a dotted Python name. Go has none.
	// +optional
	ClassName string `json:"className,omitempty"`
	// The code.
	// +optional
	Package *Package `json:"package,omitempty"`
	// Runs the package as Java code. A function has exactly one of java, python, go
	// and generic; sources and sinks are always Java.
	// +optional
	Java *JavaRuntime `json:"java,omitempty"`
	// Flags for the runtime, kept for Pulsar's sake.
	// +optional
	RuntimeFlags string `json:"runtimeFlags,omitempty"`
	// Options for the runtime as a text, kept as given.
	// +optional
	CustomRuntimeOptions string `json:"customRuntimeOptions,omitempty"`

	// How many instances run. While the component is suspended: how many will.
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`
	// Runs no instance, and keeps the number of those that will run.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
	// The least number of instances that autoscaling leaves.
	// +optional
	MinReplicas *int32 `json:"minReplicas,omitempty"`
	// The largest number of instances that autoscaling makes. Without one there is
	// no autoscaling.
	// +optional
	MaxReplicas *int32 `json:"maxReplicas,omitempty"`
	// Tell each instance the real number of instances. A change of the number then
	// restarts them all.
	// +optional
	ShowPreciseParallelism bool `json:"showPreciseParallelism,omitempty"`
	// What each instance may use.
	// +optional
	Resources *Resources `json:"resources,omitempty"`
	// What Pulsar guarantees about each message: ATLEAST_ONCE, ATMOST_ONCE,
	// EFFECTIVELY_ONCE or MANUAL.
	// +optional
	ProcessingGuarantees ProcessingGuarantees `json:"processingGuarantees,omitempty"`
	// Secrets that an instance gets, each as an environment variable, by name.
	// +optional
	Secrets map[string]SecretRef `json:"secrets,omitempty"`

	// The topic that the component's log goes to.
	// +optional
	LogTopic string `json:"logTopic,omitempty"`
	// Who sends the log there: runtime, the instance itself, or sidecar, a container
	// beside it.
	// +optional
	LogTopicAgent string `json:"logTopicAgent,omitempty"`

	// How instances prove to Pulsar who they are.
	// +optional
	Auth *Auth `json:"auth,omitempty"`
	// How instances use TLS towards Pulsar.
	// +optional
	TLS *TLS `json:"tls,omitempty"`
	// Where the package is fetched from, where that is another Pulsar than the
	// instance works with.
	// +optional
	PackageService *PackageService `json:"packageService,omitempty"`
	// Where the component keeps state.
	// +optional
	StateConfig *StateConfig `json:"stateConfig,omitempty"`

	// How the pods of instances are made.
	// +optional
	Pod *Pod `json:"pod,omitempty"`

	// Who changes the code or the configuration in a request. It is written with the
	// change, and never read back; no client sees or sets it.
	Change *SpecChange `json:"-"`
}

// Package says where the code is and how it is called in the container.
type Package struct {
	// Where the code is fetched from: a package URL such as
	// function://tenant/namespace/name@version, an http(s) URL that the server
	// allows, or builtin://name for an entry of the catalogue, whose image has the
	// code.
	// +optional
	Location string `json:"location,omitempty"`
	// The file's name in the container. Without one it follows from the location
	// and the class. An absolute path is kept where an existing resource has one.
	// +optional
	FileName string `json:"fileName,omitempty"`
}

// Runtime is what every language runtime can be told.
type Runtime struct {
	// What the runtime writes to its log.
	// +optional
	Log *RuntimeLog `json:"log,omitempty"`
}

// JavaRuntime is what the Java runtime can be told.
type JavaRuntime struct {
	Runtime `json:",inline"`

	// Options of the Java virtual machine.
	// +optional
	// +listType=atomic
	JavaOpts []string `json:"javaOpts,omitempty"`
	// A directory of the image whose jars are on the class path.
	// +optional
	ExtraDependenciesDir string `json:"extraDependenciesDir,omitempty"`
	// The path in the image of the runtime's own jar.
	// +optional
	InstancePath string `json:"instancePath,omitempty"`
	// The class that starts the runtime, a Java binary name.
	// +optional
	EntryClass string `json:"entryClass,omitempty"`
}

// GenericRuntime runs the package with the runtime of any language.
type GenericRuntime struct {
	// The language: nodejs, python, executable or wasm.
	Language string `json:"language"`
}

// RuntimeLog is what a language runtime writes to its log.
type RuntimeLog struct {
	// The least severe level that is logged: off, trace, debug, info, warn, error,
	// fatal, all or panic.
	// +optional
	Level string `json:"level,omitempty"`
	// How lines are written: json or text.
	// +optional
	Format string `json:"format,omitempty"`
	// When the log begins a new file: TimedPolicyWithDaily, TimedPolicyWithWeekly,
	// TimedPolicyWithMonthly, SizedPolicyWith10MB, SizedPolicyWith50MB or
	// SizedPolicyWith100MB.
	// +optional
	RotatePolicy string `json:"rotatePolicy,omitempty"`
	// A configuration of the logging library, instead of the one that is made of
	// the other settings.
	// +optional
	LogConfig *LogConfig `json:"logConfig,omitempty"`
	// The format of the Java logging library's configuration: yaml, xml or ini.
	// +optional
	JavaLog4JConfigFileType string `json:"javaLog4JConfigFileType,omitempty"`
}

// LogConfig names a key of a ConfigMap in the object's namespace.
type LogConfig struct {
	// The name of the ConfigMap.
	Name string `json:"name"`
	// The key in the ConfigMap.
	Key string `json:"key"`
}

// SecretRef names a key of a Secret in the object's namespace. The names of the
// fields are those of Pulsar's Kubernetes secrets provider.
type SecretRef struct {
	// The name of the Secret.
	Path string `json:"path"`
	// The key in the Secret.
	Key string `json:"key"`
}

// ProcessingGuarantees is what Pulsar guarantees about each message.
type ProcessingGuarantees string

// The guarantees that Pulsar knows, as FunctionConfig spells them.
const (
	AtLeastOnce     ProcessingGuarantees = "ATLEAST_ONCE"
	AtMostOnce      ProcessingGuarantees = "ATMOST_ONCE"
	EffectivelyOnce ProcessingGuarantees = "EFFECTIVELY_ONCE"
	Manual          ProcessingGuarantees = "MANUAL"
)

// Resources is what one instance may use.
type Resources struct {
	// What an instance gets reserved: cpu and memory.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`
	// What an instance may use at most: cpu and memory.
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
	// Claims of the pod that an instance uses.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	Claims []corev1.ResourceClaim `json:"claims,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
	// Disk of an instance, as Pulsar's resources have it.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	Disk *resource.Quantity `json:"disk,omitempty"`
}

// ComponentStatus is what was observed of a function, source or sink.
type ComponentStatus struct {
	// The generation of the object that conditions and numbers are about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// How many instances there are.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// How many instances are ready.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// Selects the instances' pods, as a text.
	// +optional
	Selector string `json:"selector,omitempty"`
	// One word for people: what the conditions amount to.
	// +optional
	Phase string `json:"phase,omitempty"`
	// The package that spec.package.location names by a package URL, as the instances got
	// it. Later ones may get another content under the same tag: condition PackageResolved
	// says so.
	// +optional
	Package *PackageStatus `json:"package,omitempty"`
	// What was observed, one entry per type.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// PackageStatus is what is known of a package.
type PackageStatus struct {
	// The package's URL with its version.
	Location string `json:"location"`
	// The SHA-256 digest of the content in hexadecimal, where the version is one or the
	// package's metadata say so.
	// +optional
	Digest string `json:"digest,omitempty"`
	// When the content was stored.
	// +optional
	ModificationTime *metav1.Time `json:"modificationTime,omitempty"`
	// Whether the location always means the same content, since its version is the
	// content's digest. Otherwise the version is a tag.
	Pinned bool `json:"pinned"`
	// The architecture that the code of a Go function is for, as Go calls it.
	// +optional
	Architecture string `json:"architecture,omitempty"`
}

// The types of condition that an object can have.
const (
	// ConditionReady is True when everything that should run is ready, and when
	// nothing should run.
	ConditionReady = "Ready"
	// ConditionReconciling is True while what runs is on its way to the spec.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when what runs won't get to the spec without help.
	ConditionStalled = "Stalled"
	// ConditionAccepted is False when the object can't run as it is: another one has
	// its Pulsar identity, or something that it refers to is missing.
	ConditionAccepted = "Accepted"
	// ConditionReconciled is True when the operator has acted on the current spec.
	ConditionReconciled = "Reconciled"
	// ConditionAvailable is True when as many instances are ready as there should be.
	ConditionAvailable = "Available"
	// ConditionTranslated is False when the resource behind the object can't be
	// shown; its message says why. Such an object can only be deleted.
	ConditionTranslated = "Translated"
	// ConditionCredentialsValid is False when the credential by which instances prove
	// who they are is gone, can't be read or has expired. An object without one of its
	// own doesn't have the condition.
	ConditionCredentialsValid = "CredentialsValid"
	// ConditionSubscriptionRemoved is False while an object that is being deleted waits for
	// the removal of its subscription in Pulsar, which failed; its message says why. No
	// other object has the condition.
	ConditionSubscriptionRemoved = "SubscriptionRemoved"
	// ConditionPackageResolved is False when the package isn't there, or isn't what the
	// component could run, and Unknown while nobody can say. An object without a package
	// URL doesn't have the condition.
	ConditionPackageResolved = "PackageResolved"
)
