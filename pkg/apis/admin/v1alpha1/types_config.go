package v1alpha1

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
	// Secrets with keys, which instances get as environment variables or files.
	// +optional
	// +listType=atomic
	CryptoSecrets []CryptoSecret `json:"cryptoSecrets,omitempty"`
}

// CryptoSecret names a key of a Secret in the object's namespace.
type CryptoSecret struct {
	// The name of the Secret.
	SecretName string `json:"secretName"`
	// The key in the Secret.
	SecretKey string `json:"secretKey"`
	// The path of the folder in which instances find it as a file named after the
	// key. Function Mesh gives a key without a path to nobody, so it is needed.
	// +optional
	AsVolume string `json:"asVolume,omitempty"`
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
