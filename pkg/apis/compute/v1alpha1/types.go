package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
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
	Status *FunctionStatus `json:"status,omitempty"`
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
	// +optional
	Name string `json:"name,omitempty"`
	// +optional
	ClassName string `json:"className,omitempty"`
	// +optional
	Tenant string `json:"tenant,omitempty"`
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// MinReplicas is written for new Functions and never changed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:default=1
	MinReplicas *int32 `json:"minReplicas,omitempty"`
	// Image is written for new Functions and never changed.
	// +optional
	Image string `json:"image,omitempty"`
	// +optional
	Resources *Resources `json:"resources,omitempty"`
	// +optional
	SecretsMap map[string]SecretRef `json:"secretsMap,omitempty"`

	// +optional
	Input InputConf `json:"input,omitempty"`
	// +optional
	Output OutputConf `json:"output,omitempty"`
	// +optional
	LogTopic string `json:"logTopic,omitempty"`
	// FuncConfig is a JSON object.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	FuncConfig *runtime.RawExtension `json:"funcConfig,omitempty"`

	// Timeout is in milliseconds.
	// +optional
	Timeout *int32 `json:"timeout,omitempty"`
	// +optional
	AutoAck *bool `json:"autoAck,omitempty"`
	// +optional
	MaxMessageRetry *int32 `json:"maxMessageRetry,omitempty"`
	// +optional
	DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
	// +optional
	ProcessingGuarantee ProcessingGuarantee `json:"processingGuarantee,omitempty"`
	// +optional
	RetainOrdering bool `json:"retainOrdering,omitempty"`
	// +optional
	RetainKeyOrdering bool `json:"retainKeyOrdering,omitempty"`
	// ForwardSourceMessageProperty is dereferenced by the operator without a check.
	// +optional
	ForwardSourceMessageProperty *bool `json:"forwardSourceMessageProperty,omitempty"`
	// +optional
	MaxPendingAsyncRequests *int32 `json:"maxPendingAsyncRequests,omitempty"`
	// +optional
	RuntimeFlags string `json:"runtimeFlags,omitempty"`

	// +optional
	SubscriptionName string `json:"subscriptionName,omitempty"`
	// SubscriptionPosition is earliest where it is absent.
	// +optional
	SubscriptionPosition SubscriptionPosition `json:"subscriptionPosition,omitempty"`
	// +optional
	SkipToLatest *bool `json:"skipToLatest,omitempty"`
	// +optional
	CleanupSubscription *bool `json:"cleanupSubscription,omitempty"`

	// +optional
	WindowConfig *WindowConfig `json:"windowConfig,omitempty"`
	// +optional
	Pulsar *PulsarMessaging `json:"pulsar,omitempty"`

	// +optional
	Java *JavaRuntime `json:"java,omitempty"`
	// +optional
	Python *PythonRuntime `json:"python,omitempty"`
	// +optional
	Golang *GoRuntime `json:"golang,omitempty"`
	// GenericRuntime is here to be recognised. Nothing writes it.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	GenericRuntime *runtime.RawExtension `json:"genericRuntime,omitempty"`
}

// ProcessingGuarantee is what Pulsar guarantees about each message.
// +kubebuilder:validation:Enum=atleast_once;atmost_once;effectively_once;manual
type ProcessingGuarantee string

// The guarantees, as Function Mesh spells them.
const (
	AtLeastOnce     ProcessingGuarantee = "atleast_once"
	AtMostOnce      ProcessingGuarantee = "atmost_once"
	EffectivelyOnce ProcessingGuarantee = "effectively_once"
	Manual          ProcessingGuarantee = "manual"
)

// SubscriptionPosition is where a new subscription begins.
// +kubebuilder:validation:Enum=latest;earliest
type SubscriptionPosition string

// The positions, as Function Mesh spells them.
const (
	Latest   SubscriptionPosition = "latest"
	Earliest SubscriptionPosition = "earliest"
)

// +kubebuilder:pruning:PreserveUnknownFields

// Resources is the part of core/v1 ResourceRequirements that views show.
type Resources struct {
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// SecretRef names a key of a Secret.
type SecretRef struct {
	// +optional
	Key string `json:"key,omitempty"`
	// Path is the name of the Secret.
	// +optional
	Path string `json:"path,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// PulsarMessaging says how instances reach Pulsar.
type PulsarMessaging struct {
	// PulsarConfig is the name of a ConfigMap with keys webServiceURL and
	// brokerServiceURL. It changes only with the cluster.
	// +optional
	PulsarConfig string `json:"pulsarConfig,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// FunctionStatus is what the operator wrote about a Function.
type FunctionStatus struct {
	// Conditions are by component, such as StatefulSet. The operator does not keep
	// them up to date.
	Conditions map[string]ResourceCondition `json:"conditions"`
	// Replicas is what the operator asked for, not what is ready.
	Replicas int32 `json:"replicas"`
	// Selector selects the pods, as a text.
	Selector string `json:"selector"`
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// ResourceCondition is the operator's own kind of condition.
type ResourceCondition struct {
	// +optional
	Condition string `json:"condition,omitempty"`
	// +optional
	Status metav1.ConditionStatus `json:"status,omitempty"`
	// +optional
	Action string `json:"action,omitempty"`
}
