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

// PulsarSource is a Pulsar IO source that runs on Kubernetes: it brings data from
// another system into a topic. It is a view of a Function Mesh Source resource:
// both have the same name, labels, annotations and resource version, and a change
// of one is a change of the other.
type PulsarSource struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. It is that of the Source resource, except the UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What runs, and where its messages go.
	// +optional
	Spec PulsarSourceSpec `json:"spec,omitempty"`
	// What was observed of the source. Read-only.
	// +optional
	Status ComponentStatus `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarSourceList is a list of PulsarSources.
type PulsarSourceList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// The sources.
	Items []PulsarSource `json:"items"`
}

// PulsarSourceSpec says what a source is. Field names are those of Pulsar's
// SourceConfig, or of FunctionConfig where it has a name for the same: output is
// SourceConfig's topicName, outputSerdeClassName its serdeClassName, and
// outputSchemaType its schemaType.
type PulsarSourceSpec struct {
	// The source's identity in Pulsar, its code, its connection and its size.
	ComponentSpec `json:",inline"`
	// What the source produces.
	OutputConfig `json:",inline"`

	// What the source is configured with: a JSON object.
	// +optional
	Configs *runtime.RawExtension `json:"configs,omitempty"`
	// Makes it a batch source, which is told by a trigger when to look for data.
	// +optional
	BatchSourceConfig *BatchSourceConfig `json:"batchSourceConfig,omitempty"`
	// The name of the built-in source that it was made from, for people: the
	// package's location is what counts.
	// +optional
	SourceType string `json:"sourceType,omitempty"`
}

// BatchSourceConfig says when a batch source looks for data.
type BatchSourceConfig struct {
	// The class of the trigger, a Java binary name.
	DiscoveryTriggererClassName string `json:"discoveryTriggererClassName"`
	// What the trigger is configured with: a JSON object.
	// +optional
	DiscoveryTriggererConfig *runtime.RawExtension `json:"discoveryTriggererConfig,omitempty"`
}

// +genclient
// +genclient:noStatus
// +genclient:method=GetScale,verb=get,subresource=scale,result=k8s.io/api/autoscaling/v1.Scale
// +genclient:method=UpdateScale,verb=update,subresource=scale,input=k8s.io/api/autoscaling/v1.Scale,result=k8s.io/api/autoscaling/v1.Scale
// +genclient:method=CreateCredential,verb=create,subresource=credential,input=PulsarCredential,result=k8s.io/apimachinery/pkg/apis/meta/v1.Status
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarSink is a Pulsar IO sink that runs on Kubernetes: it brings data from
// topics into another system. It is a view of a Function Mesh Sink resource: both
// have the same name, labels, annotations and resource version, and a change of
// one is a change of the other.
type PulsarSink struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. It is that of the Sink resource, except the UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What runs, and where its messages come from.
	// +optional
	Spec PulsarSinkSpec `json:"spec,omitempty"`
	// What was observed of the sink. Read-only.
	// +optional
	Status ComponentStatus `json:"status,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarSinkList is a list of PulsarSinks.
type PulsarSinkList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// The sinks.
	Items []PulsarSink `json:"items"`
}

// PulsarSinkSpec says what a sink is. Field names are those of Pulsar's
// SinkConfig, or of FunctionConfig where it has a name for the same:
// subscriptionName is SinkConfig's sourceSubscriptionName, customSerdeInputs its
// topicToSerdeClassName, and customSchemaInputs its topicToSchemaType.
type PulsarSinkSpec struct {
	// The sink's identity in Pulsar, its code, its connection and its size.
	ComponentSpec `json:",inline"`
	// What the sink consumes.
	InputConfig `json:",inline"`

	// What the sink is configured with: a JSON object.
	// +optional
	Configs *runtime.RawExtension `json:"configs,omitempty"`
	// Milliseconds after which a message that the sink refused comes again.
	// +optional
	NegativeAckRedeliveryDelayMs *int64 `json:"negativeAckRedeliveryDelayMs,omitempty"`
	// The name of the built-in sink that it was made from, for people: the
	// package's location is what counts.
	// +optional
	SinkType string `json:"sinkType,omitempty"`
	// A function that each message goes through before the sink gets it.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	TransformFunction *TransformFunction `json:"transformFunction,omitempty"`
	// Properties of the schema per input topic, as Pulsar's SinkConfig has them.
	// Has no effect, in Pulsar neither: inputSpecs can say it.
	// +optional
	TopicToSchemaProperties map[string]string `json:"topicToSchemaProperties,omitempty"`
}

// TransformFunction is a function inside a sink.
type TransformFunction struct {
	// Where the code is: builtin://name or a package URL.
	// +optional
	Location string `json:"location,omitempty"`
	// The class, a Java binary name.
	// +optional
	ClassName string `json:"className,omitempty"`
	// What the function is configured with, as the text that Pulsar takes.
	// +optional
	Config string `json:"config,omitempty"`
}

// +genclient
// +genclient:nonNamespaced
// +genclient:noStatus
// +genclient:onlyVerbs=get,list,watch
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarConnector is an entry of the catalogue of built-in connectors and
// functions, which builtin://name refers to. Read-only: the server reads the
// catalogue from its connectors file.
type PulsarConnector struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. The name is the entry's.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// What the entry stands for.
	// +optional
	Spec PulsarConnectorSpec `json:"spec,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarConnectorList is a list of PulsarConnectors.
type PulsarConnectorList struct {
	metav1.TypeMeta `json:",inline"`
	// Standard list metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// The connectors.
	Items []PulsarConnector `json:"items"`
}

// PulsarConnectorSpec says what builtin://name stands for.
type PulsarConnectorSpec struct {
	// The name as it stands behind builtin://, which can have characters that a
	// Kubernetes name can't.
	// +optional
	Name string `json:"name,omitempty"`
	// The connector's id, from which the archive's name follows where jarFullName
	// is not given.
	// +optional
	ID string `json:"id,omitempty"`
	// What the connector is for.
	// +optional
	Description string `json:"description,omitempty"`
	// The connector's version.
	// +optional
	Version string `json:"version,omitempty"`
	// The image that runs it.
	// +optional
	Image string `json:"image,omitempty"`
	// The path of the archive in the image.
	// +optional
	Archive string `json:"archive,omitempty"`
	// The class of the source. Without one it can't be a source.
	// +optional
	SourceClass string `json:"sourceClass,omitempty"`
	// The class of the sink. Without one it can't be a sink.
	// +optional
	SinkClass string `json:"sinkClass,omitempty"`
	// The class of the function. Without one it can't be a function.
	// +optional
	FunctionClass string `json:"functionClass,omitempty"`
	// The class that the source's configs are read into.
	// +optional
	SourceConfigClass string `json:"sourceConfigClass,omitempty"`
	// The class that the sink's configs are read into.
	// +optional
	SinkConfigClass string `json:"sinkConfigClass,omitempty"`
	// The class of what the source produces, where it is not [B.
	// +optional
	SourceTypeClassName string `json:"sourceTypeClassName,omitempty"`
	// The class of what the sink takes, where it is not [B.
	// +optional
	SinkTypeClassName string `json:"sinkTypeClassName,omitempty"`
	// The class of messages, as older files have it.
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// The schema type of topics for which none is given.
	// +optional
	DefaultSchemaType string `json:"defaultSchemaType,omitempty"`
	// The serde class of topics for which none is given.
	// +optional
	DefaultSerdeClassName string `json:"defaultSerdeClassName,omitempty"`
	// What the connector can be configured with.
	// +optional
	// +listType=atomic
	ConfigFields []ConfigField `json:"configFields,omitempty"`
}

// ConfigField is one thing that a connector can be configured with: Pulsar's
// ConfigFieldDefinition.
type ConfigField struct {
	// The name of the member of configs.
	FieldName string `json:"fieldName"`
	// The type, as Java has it.
	// +optional
	TypeName string `json:"typeName,omitempty"`
	// What is known of it, such as required, defaultValue and help.
	// +optional
	Attributes map[string]string `json:"attributes,omitempty"`
}
