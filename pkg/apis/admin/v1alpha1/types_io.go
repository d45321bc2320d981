package v1alpha1

// InputConfig says what a function or a sink consumes, and how.
type InputConfig struct {
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
	// Schema per input topic, each the JSON text of a Pulsar ConsumerConfig or, for
	// a sink, a schema type, as older tools wrote it. inputSpecs says the same with
	// types.
	// +optional
	CustomSchemaInputs map[string]string `json:"customSchemaInputs,omitempty"`
	// How each input topic, or pattern of topics, is consumed, by its name.
	// +optional
	InputSpecs map[string]ConsumerSpec `json:"inputSpecs,omitempty"`
	// The class of the messages that come in, a Java binary name.
	// +optional
	InputTypeClassName string `json:"inputTypeClassName,omitempty"`

	// The name of the subscription on the input topics. Without one it is
	// tenant/namespace/name. A new name starts a new subscription: the backlog of
	// the old one is not processed.
	// +optional
	SubscriptionName string `json:"subscriptionName,omitempty"`
	// Where a new subscription begins: Latest or Earliest.
	// +optional
	SubscriptionPosition SubscriptionPosition `json:"subscriptionPosition,omitempty"`
	// Remove the subscription when the object is deleted.
	// +optional
	CleanupSubscription *bool `json:"cleanupSubscription,omitempty"`
	// Process the messages of a topic in order: one active consumer per topic.
	// +optional
	RetainOrdering bool `json:"retainOrdering,omitempty"`
	// Process the messages of a key in order.
	// +optional
	RetainKeyOrdering bool `json:"retainKeyOrdering,omitempty"`
	// Acknowledge each message when it has been processed.
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
}

// OutputConfig says what a function or a source produces, and how.
type OutputConfig struct {
	// The topic that messages go to. Without one the results of a function are
	// dropped.
	// +optional
	Output string `json:"output,omitempty"`
	// The serde class of what is produced.
	// +optional
	OutputSerdeClassName string `json:"outputSerdeClassName,omitempty"`
	// The schema type of what is produced, such as avro, json or a schema class.
	// +optional
	OutputSchemaType string `json:"outputSchemaType,omitempty"`
	// Schema per output topic, each the JSON text of a Pulsar ConsumerConfig.
	// Pulsar uses the entry of the output topic.
	// +optional
	CustomSchemaOutputs map[string]string `json:"customSchemaOutputs,omitempty"`
	// The class of what is produced, a Java binary name.
	// +optional
	OutputTypeClassName string `json:"outputTypeClassName,omitempty"`
	// How messages are produced.
	// +optional
	ProducerConfig *ProducerConfig `json:"producerConfig,omitempty"`
	// Copy the properties of an input message to the result.
	// +optional
	ForwardSourceMessageProperty *bool `json:"forwardSourceMessageProperty,omitempty"`
}

// SubscriptionPosition is where a new subscription begins.
type SubscriptionPosition string

// The positions that Pulsar knows, as FunctionConfig spells them.
const (
	Latest   SubscriptionPosition = "Latest"
	Earliest SubscriptionPosition = "Earliest"
)
