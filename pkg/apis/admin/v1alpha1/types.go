package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +genclient
// +genclient:noStatus
// +genclient:method=GetScale,verb=get,subresource=scale,result=k8s.io/api/autoscaling/v1.Scale
// +genclient:method=UpdateScale,verb=update,subresource=scale,input=k8s.io/api/autoscaling/v1.Scale,result=k8s.io/api/autoscaling/v1.Scale
// +genclient:method=CreateCredential,verb=create,subresource=credential,input=PulsarCredential,result=k8s.io/apimachinery/pkg/apis/meta/v1.Status
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
	Status ComponentStatus `json:"status,omitempty"`
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
	// The function's identity in Pulsar, its code, its connection and its size.
	ComponentSpec `json:",inline"`
	// What the function consumes.
	InputConfig `json:",inline"`
	// What the function produces.
	OutputConfig `json:",inline"`

	// Runs the package as Python code.
	// +optional
	Python *Runtime `json:"python,omitempty"`
	// Runs the package as a Go program.
	// +optional
	Go *Runtime `json:"go,omitempty"`
	// Runs the package with the runtime of another language.
	// +optional
	Generic *GenericRuntime `json:"generic,omitempty"`

	// Skip to the latest message whenever an instance starts.
	// +optional
	SkipToLatest *bool `json:"skipToLatest,omitempty"`
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

	// A source of the function's own, from which it gets its messages instead of
	// from topics.
	// +optional
	SourceConfig *FunctionSource `json:"sourceConfig,omitempty"`
	// A sink of the function's own, to which its results go instead of to a topic.
	// +optional
	SinkConfig *FunctionSink `json:"sinkConfig,omitempty"`
}

// FunctionSource is a source that runs inside a function.
type FunctionSource struct {
	// The name of a built-in source, for people: the class is what runs.
	// +optional
	SourceType string `json:"sourceType,omitempty"`
	// The class of the source, a Java binary name.
	// +optional
	ClassName string `json:"className,omitempty"`
	// The class of what the source produces, a Java binary name.
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// What the source is configured with: a JSON object.
	// +optional
	Configs *runtime.RawExtension `json:"configs,omitempty"`
	// Makes it a batch source.
	// +optional
	BatchSourceConfig *BatchSourceConfig `json:"batchSourceConfig,omitempty"`
}

// FunctionSink is a sink that runs inside a function.
type FunctionSink struct {
	// The name of a built-in sink, for people: the class is what runs.
	// +optional
	SinkType string `json:"sinkType,omitempty"`
	// The class of the sink, a Java binary name.
	// +optional
	ClassName string `json:"className,omitempty"`
	// The class of what the sink takes, a Java binary name.
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// What the sink is configured with: a JSON object.
	// +optional
	Configs *runtime.RawExtension `json:"configs,omitempty"`
}
