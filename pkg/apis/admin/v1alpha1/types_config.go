package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProcessingGuarantees is what Pulsar guarantees about each message.
type ProcessingGuarantees string

// The guarantees that Pulsar knows, as FunctionConfig spells them.
const (
	AtLeastOnce     ProcessingGuarantees = "ATLEAST_ONCE"
	AtMostOnce      ProcessingGuarantees = "ATMOST_ONCE"
	EffectivelyOnce ProcessingGuarantees = "EFFECTIVELY_ONCE"
	Manual          ProcessingGuarantees = "MANUAL"
)

// SubscriptionPosition is where a new subscription begins.
type SubscriptionPosition string

// The positions that Pulsar knows, as FunctionConfig spells them.
const (
	Latest   SubscriptionPosition = "Latest"
	Earliest SubscriptionPosition = "Earliest"
)

// Resources is what one instance may use.
type Resources struct {
	// What an instance gets reserved: cpu and memory.
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`
	// What an instance may use at most: cpu and memory.
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
	// Disk of an instance, as Pulsar's resources have it.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	Disk *resource.Quantity `json:"disk,omitempty"`
}

// ConsumerSpec says how an input topic is consumed: Pulsar's ConsumerConfig.
type ConsumerSpec struct {
	// The schema type, such as avro or json, or a schema class.
	// +optional
	SchemaType string `json:"schemaType,omitempty"`
	// The serde class, where no schema type is given.
	// +optional
	SerdeClassName string `json:"serdeClassName,omitempty"`
	// The name is a pattern of topics.
	// +optional
	RegexPattern bool `json:"regexPattern,omitempty"`
	// Properties of the schema.
	// +optional
	SchemaProperties map[string]string `json:"schemaProperties,omitempty"`
	// Properties of the consumer.
	// +optional
	ConsumerProperties map[string]string `json:"consumerProperties,omitempty"`
	// How many messages a consumer fetches ahead.
	// +optional
	ReceiverQueueSize *int32 `json:"receiverQueueSize,omitempty"`
	// How messages are decrypted.
	// +optional
	CryptoConfig *CryptoConfig `json:"cryptoConfig,omitempty"`
	// A class that processes the payload of each message.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	MessagePayloadProcessorConfig *MessagePayloadProcessorConfig `json:"messagePayloadProcessorConfig,omitempty"`
	// Take messages from a pool.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	PoolMessages bool `json:"poolMessages,omitempty"`
}

// MessagePayloadProcessorConfig names a class that processes message payloads.
type MessagePayloadProcessorConfig struct {
	// The class, a Java binary name.
	// +optional
	ClassName string `json:"className,omitempty"`
	// What the class is configured with.
	// +optional
	Config map[string]string `json:"config,omitempty"`
}

// ProducerConfig says how results are produced.
type ProducerConfig struct {
	// How many messages may wait for the broker, per partition.
	// +optional
	MaxPendingMessages *int32 `json:"maxPendingMessages,omitempty"`
	// How many messages may wait for the broker over all partitions.
	// +optional
	MaxPendingMessagesAcrossPartitions *int32 `json:"maxPendingMessagesAcrossPartitions,omitempty"`
	// Use a producer per thread.
	// +optional
	UseThreadLocalProducers bool `json:"useThreadLocalProducers,omitempty"`
	// How messages are encrypted.
	// +optional
	CryptoConfig *CryptoConfig `json:"cryptoConfig,omitempty"`
	// How messages are put into batches: DEFAULT or KEY_BASED.
	// +optional
	BatchBuilder string `json:"batchBuilder,omitempty"`
	// How messages are compressed: NONE, LZ4, ZLIB, ZSTD or SNAPPY. Without one
	// Function Mesh uses LZ4.
	// +optional
	CompressionType string `json:"compressionType,omitempty"`
	// When a batch is sent.
	// Has no effect yet: Function Mesh has no place for it.
	// +optional
	BatchingConfig *BatchingConfig `json:"batchingConfig,omitempty"`
}

// BatchingConfig says when a batch of messages is sent.
type BatchingConfig struct {
	// Put messages into batches.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`
	// Milliseconds that a message may wait for its batch.
	// +optional
	BatchingMaxPublishDelayMs *int32 `json:"batchingMaxPublishDelayMs,omitempty"`
	// After how many publish delays a round-robin router goes to the next partition.
	// +optional
	RoundRobinRouterBatchingPartitionSwitchFrequency *int32 `json:"roundRobinRouterBatchingPartitionSwitchFrequency,omitempty"`
	// How many messages a batch may hold.
	// +optional
	BatchingMaxMessages *int32 `json:"batchingMaxMessages,omitempty"`
	// How many bytes a batch may hold.
	// +optional
	BatchingMaxBytes *int32 `json:"batchingMaxBytes,omitempty"`
	// How messages are put into batches: DEFAULT or KEY_BASED.
	// +optional
	BatchBuilder string `json:"batchBuilder,omitempty"`
}

// CryptoConfig says how messages are encrypted or decrypted end to end.
type CryptoConfig struct {
	// The class that reads keys, a Java binary name.
	// +optional
	CryptoKeyReaderClassName string `json:"cryptoKeyReaderClassName,omitempty"`
	// What that class is configured with.
	// +optional
	CryptoKeyReaderConfig map[string]string `json:"cryptoKeyReaderConfig,omitempty"`
	// The names of the keys to encrypt with.
	// +optional
	// +listType=atomic
	EncryptionKeys []string `json:"encryptionKeys,omitempty"`
	// What a producer does when it can't encrypt: FAIL or SEND.
	// +optional
	ProducerCryptoFailureAction string `json:"producerCryptoFailureAction,omitempty"`
	// What a consumer does when it can't decrypt: FAIL, DISCARD or CONSUME.
	// +optional
	ConsumerCryptoFailureAction string `json:"consumerCryptoFailureAction,omitempty"`
}

// WindowConfig collects messages in windows, by number or by time. A sliding
// interval that is not given is the window's length.
type WindowConfig struct {
	// How many messages a window holds.
	// +optional
	WindowLengthCount *int32 `json:"windowLengthCount,omitempty"`
	// Milliseconds that a window covers.
	// +optional
	WindowLengthDurationMs *int64 `json:"windowLengthDurationMs,omitempty"`
	// After how many messages the window slides.
	// +optional
	SlidingIntervalCount *int32 `json:"slidingIntervalCount,omitempty"`
	// Milliseconds after which the window slides.
	// +optional
	SlidingIntervalDurationMs *int64 `json:"slidingIntervalDurationMs,omitempty"`
	// The topic for messages that came too late.
	// +optional
	LateDataTopic string `json:"lateDataTopic,omitempty"`
	// Milliseconds that a message may be late.
	// +optional
	MaxLagMs *int64 `json:"maxLagMs,omitempty"`
	// Milliseconds between watermarks.
	// +optional
	WatermarkEmitIntervalMs *int64 `json:"watermarkEmitIntervalMs,omitempty"`
	// The class that reads a message's time, a Java binary name.
	// +optional
	TimestampExtractorClassName string `json:"timestampExtractorClassName,omitempty"`
}

// PulsarFunctionStatus is what was observed of a function.
type PulsarFunctionStatus struct {
	// The generation of the Function that the Function Mesh operator has acted on.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// How many instances the operator asked for when it last acted.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// One word for people: what the conditions amount to.
	// +optional
	Phase string `json:"phase,omitempty"`
	// What was observed, one entry per type.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// The types of condition that an object can have.
const (
	// ConditionTranslated is False when the Function behind the object can't be
	// shown; its message says why. Such an object can only be deleted.
	ConditionTranslated = "Translated"
	// ConditionReconciled is True when the operator has acted on the current spec.
	ConditionReconciled = "Reconciled"
	// ConditionPackageResolved is Unknown while no package service is configured
	// that could say whether the package exists.
	ConditionPackageResolved = "PackageResolved"
)
