package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +genclient
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarFunction is an Apache Pulsar function that runs on Kubernetes. It is a
// view of a Function Mesh Function resource: both have the same name, labels,
// annotations and resource version, and a change of one is a change of the other.
type PulsarFunction struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. It is that of the Function resource, except the UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What runs, where its messages come from and where they go.
	// +optional
	Spec PulsarFunctionSpec `json:"spec,omitempty"`
	// What was observed of the function. Read-only.
	// +optional
	Status PulsarFunctionStatus `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarFunctionList is a list of PulsarFunctions.
type PulsarFunctionList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// The functions.
	Items []PulsarFunction `json:"items"`
}

// PulsarFunctionSpec says what a function is. Field names are those of Pulsar's
// FunctionConfig wherever it has the field.
type PulsarFunctionSpec struct {
	// The function's identity in Pulsar, its connection and its size.
	ComponentSpec `json:",inline"`

	// Topics to consume. A topic that needs more than its name stands in
	// inputSpecs; one that stands in both is consumed once, as inputSpecs says.
	// +optional
	// +listType=set
	Inputs []string `json:"inputs,omitempty"`
	// A pattern of topics to consume, such as persistent://public/default/in-.*.
	// +optional
	TopicsPattern string `json:"topicsPattern,omitempty"`
	// Serde class per input topic. inputSpecs can say the same and more.
	// +optional
	CustomSerdeInputs map[string]string `json:"customSerdeInputs,omitempty"`
	// Schema per input topic, each the JSON text of a Pulsar ConsumerConfig, as
	// older tools wrote it. inputSpecs says the same with types.
	// +optional
	CustomSchemaInputs map[string]string `json:"customSchemaInputs,omitempty"`
	// How each input topic, or pattern of topics, is consumed, by its name.
	// +optional
	InputSpecs map[string]ConsumerSpec `json:"inputSpecs,omitempty"`
	// The class of the messages that come in, a Java binary name.
	// +optional
	InputTypeClassName string `json:"inputTypeClassName,omitempty"`

	// The topic that results go to. Without one the results are dropped.
	// +optional
	Output string `json:"output,omitempty"`
	// The serde class of the results.
	// +optional
	OutputSerdeClassName string `json:"outputSerdeClassName,omitempty"`
	// The schema type of the results, such as avro, json or a schema class.
	// +optional
	OutputSchemaType string `json:"outputSchemaType,omitempty"`
	// Schema per output topic, each the JSON text of a Pulsar ConsumerConfig.
	// Pulsar uses the entry of the output topic.
	// +optional
	CustomSchemaOutputs map[string]string `json:"customSchemaOutputs,omitempty"`
	// The class of the results, a Java binary name.
	// +optional
	OutputTypeClassName string `json:"outputTypeClassName,omitempty"`
	// How the results are produced.
	// +optional
	ProducerConfig *ProducerConfig `json:"producerConfig,omitempty"`

	// The name of the subscription on the input topics. Without one it is
	// tenant/namespace/name. A new name starts a new subscription: the backlog of
	// the old one is not processed.
	// +optional
	SubscriptionName string `json:"subscriptionName,omitempty"`
	// Where a new subscription begins: Latest or Earliest.
	// +optional
	SubscriptionPosition SubscriptionPosition `json:"subscriptionPosition,omitempty"`
	// Skip to the latest message whenever an instance starts.
	// +optional
	SkipToLatest *bool `json:"skipToLatest,omitempty"`
	// Remove the subscription when the function is deleted.
	// +optional
	CleanupSubscription *bool `json:"cleanupSubscription,omitempty"`
	// Process the messages of a topic in order: one active consumer per topic.
	// +optional
	RetainOrdering bool `json:"retainOrdering,omitempty"`
	// Process the messages of a key in order.
	// +optional
	RetainKeyOrdering bool `json:"retainKeyOrdering,omitempty"`
	// Acknowledge each message when the function returns.
	// +optional
	AutoAck *bool `json:"autoAck,omitempty"`
	// Milliseconds after which a message that was not acknowledged comes again.
	// +optional
	TimeoutMs *int64 `json:"timeoutMs,omitempty"`
	// How often a message that failed is tried again. Absent means for ever.
	// +optional
	MaxMessageRetries *int32 `json:"maxMessageRetries,omitempty"`
	// The topic for messages that failed maxMessageRetries times.
	// +optional
	DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
	// Copy the properties of an input message to the result.
	// +optional
	ForwardSourceMessageProperty *bool `json:"forwardSourceMessageProperty,omitempty"`
	// How many asynchronous results an instance may wait for at once.
	// +optional
	MaxPendingAsyncRequests *int32 `json:"maxPendingAsyncRequests,omitempty"`

	// Collect messages in windows, which the function gets as a collection.
	// +optional
	WindowConfig *WindowConfig `json:"windowConfig,omitempty"`
	// Free configuration that the function reads from its context: a JSON object.
	// +optional
	UserConfig *runtime.RawExtension `json:"userConfig,omitempty"`
	// Let the function use a Pulsar admin client.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	ExposePulsarAdminClientEnabled *bool `json:"exposePulsarAdminClientEnabled,omitempty"`
}

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
	// Runs the package as Java code. Exactly one of java, python and go is set.
	// +optional
	Java *Runtime `json:"java,omitempty"`
	// Runs the package as Python code.
	// +optional
	Python *Runtime `json:"python,omitempty"`
	// Runs the package as a Go program.
	// +optional
	Go *Runtime `json:"go,omitempty"`
	// Flags for the runtime, kept for Pulsar's sake.
	// +optional
	RuntimeFlags string `json:"runtimeFlags,omitempty"`
	// Options for the runtime as a text, kept as given.
	// Has no effect yet.
	// +optional
	CustomRuntimeOptions string `json:"customRuntimeOptions,omitempty"`

	// How many instances run.
	// +optional
	Parallelism *int32 `json:"parallelism,omitempty"`
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
}

// Package says where the code is and how it is called in the container.
type Package struct {
	// Where the code is fetched from: a package URL such as
	// function://tenant/namespace/name@version, or an http(s) URL that the server
	// allows.
	// +optional
	Location string `json:"location,omitempty"`
	// The file's name in the container. Without one it follows from the location
	// and the class. An absolute path is kept where an existing Function has one.
	// +optional
	FileName string `json:"fileName,omitempty"`
}

// Runtime is what a language runtime can be told.
type Runtime struct {
	// What the runtime writes to its log.
	// +optional
	Log *RuntimeLog `json:"log,omitempty"`
}

// RuntimeLog is what a language runtime writes to its log.
type RuntimeLog struct {
	// The least severe level that is logged: off, trace, debug, info, warn, error,
	// fatal, all or panic.
	// +optional
	Level string `json:"level,omitempty"`
}

// SecretRef names a key of a Secret in the object's namespace. The names of the
// fields are those of Pulsar's Kubernetes secrets provider.
type SecretRef struct {
	// The name of the Secret.
	Path string `json:"path"`
	// The key in the Secret.
	Key string `json:"key"`
}
