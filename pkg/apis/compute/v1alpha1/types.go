package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:pruning:PreserveUnknownFields

// Function is a Pulsar function that the Function Mesh operator runs.
type Function struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec FunctionSpec `json:"spec,omitempty"`
	// Status is absent until the operator has seen the Function.
	// +optional
	Status *Status `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true

// FunctionList is a list of Functions.
type FunctionList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Function `json:"items"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// FunctionSpec says what the operator runs.
type FunctionSpec struct {
	CommonSpec  `json:",inline"`
	ConsumeSpec `json:",inline"`
	ProduceSpec `json:",inline"`

	// FuncConfig is a JSON object.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	FuncConfig *runtime.RawExtension `json:"funcConfig,omitempty"`
	// +optional
	MaxPendingAsyncRequests *int32 `json:"maxPendingAsyncRequests,omitempty"`
	// +optional
	SkipToLatest *bool `json:"skipToLatest,omitempty"`
	// +optional
	WindowConfig *WindowConfig `json:"windowConfig,omitempty"`
	// +optional
	SourceConfig *FunctionSourceConfig `json:"sourceConfig,omitempty"`
	// +optional
	SinkConfig *FunctionSinkConfig `json:"sinkConfig,omitempty"`

	// +optional
	VolumeClaimTemplates []VolumeClaimTemplate `json:"volumeClaimTemplates,omitempty"`
	// +optional
	PersistentVolumeClaimRetentionPolicy *VolumeClaimRetentionPolicy `json:"persistentVolumeClaimRetentionPolicy,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// FunctionSourceConfig is a source that runs inside a Function.
type FunctionSourceConfig struct {
	// +optional
	SourceType string `json:"sourceType,omitempty"`
	// +optional
	ClassName string `json:"className,omitempty"`
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Configs *runtime.RawExtension `json:"configs,omitempty"`
	// +optional
	BatchSourceConfig *BatchSourceConfig `json:"batchSourceConfig,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// FunctionSinkConfig is a sink that runs inside a Function.
type FunctionSinkConfig struct {
	// +optional
	SinkType string `json:"sinkType,omitempty"`
	// +optional
	ClassName string `json:"className,omitempty"`
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Configs *runtime.RawExtension `json:"configs,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:pruning:PreserveUnknownFields

// Source is a Pulsar IO source that the Function Mesh operator runs.
type Source struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec SourceSpec `json:"spec,omitempty"`
	// Status is absent until the operator has seen the Source.
	// +optional
	Status *Status `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true

// SourceList is a list of Sources.
type SourceList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Source `json:"items"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// SourceSpec says what the operator runs.
type SourceSpec struct {
	CommonSpec  `json:",inline"`
	ProduceSpec `json:",inline"`

	// SourceConfig is a JSON object. Without it and without a BatchSourceConfig the
	// operator crashes.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	SourceConfig *runtime.RawExtension `json:"sourceConfig,omitempty"`
	// +optional
	BatchSourceConfig *BatchSourceConfig `json:"batchSourceConfig,omitempty"`
	// SourceType is ignored by the operator.
	// +optional
	SourceType string `json:"sourceType,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// BatchSourceConfig makes a batch source of a source.
type BatchSourceConfig struct {
	DiscoveryTriggererClassName string `json:"discoveryTriggererClassName"`
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	DiscoveryTriggererConfig *runtime.RawExtension `json:"discoveryTriggererConfig,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:pruning:PreserveUnknownFields

// Sink is a Pulsar IO sink that the Function Mesh operator runs.
type Sink struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec SinkSpec `json:"spec,omitempty"`
	// Status is absent until the operator has seen the Sink.
	// +optional
	Status *Status `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:object:root=true

// SinkList is a list of Sinks.
type SinkList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Sink `json:"items"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// SinkSpec says what the operator runs.
type SinkSpec struct {
	CommonSpec  `json:",inline"`
	ConsumeSpec `json:",inline"`

	// SinkConfig is a JSON object, which the operator's webhook asks for.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	SinkConfig *runtime.RawExtension `json:"sinkConfig,omitempty"`
	// NegativeAckRedeliveryDelayMs is in milliseconds.
	// +optional
	NegativeAckRedeliveryDelayMs *int32 `json:"negativeAckRedeliveryDelayMs,omitempty"`
	// SinkType is ignored by the operator.
	// +optional
	SinkType string `json:"sinkType,omitempty"`
}
