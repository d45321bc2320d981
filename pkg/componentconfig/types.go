package componentconfig

// Error is a refusal in Pulsar's words: the REST answer is 400 with this reason.
type Error struct {
	// Reason is the text for the client.
	Reason string
}

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }

// ErrNoChange is Pulsar's answer to an update that changes nothing.
var ErrNoChange = &Error{Reason: "Update contains no change"}

// ConsumerConfig says how an input topic is consumed.
type ConsumerConfig struct {
	SchemaType                    string                         `json:"schemaType,omitempty"`
	SerdeClassName                string                         `json:"serdeClassName,omitempty"`
	RegexPattern                  bool                           `json:"regexPattern"`
	SchemaProperties              map[string]string              `json:"schemaProperties"`
	ConsumerProperties            map[string]string              `json:"consumerProperties"`
	ReceiverQueueSize             *int32                         `json:"receiverQueueSize,omitempty"`
	CryptoConfig                  *CryptoConfig                  `json:"cryptoConfig,omitempty"`
	MessagePayloadProcessorConfig *MessagePayloadProcessorConfig `json:"messagePayloadProcessorConfig,omitempty"`
	PoolMessages                  bool                           `json:"poolMessages"`
}

// MessagePayloadProcessorConfig names a class that processes message payloads.
type MessagePayloadProcessorConfig struct {
	ClassName string            `json:"className,omitempty"`
	Config    map[string]string `json:"config,omitempty"`
}

// ProducerConfig says how results are produced.
type ProducerConfig struct {
	MaxPendingMessages                 *int32          `json:"maxPendingMessages,omitempty"`
	MaxPendingMessagesAcrossPartitions *int32          `json:"maxPendingMessagesAcrossPartitions,omitempty"`
	UseThreadLocalProducers            bool            `json:"useThreadLocalProducers"`
	CryptoConfig                       *CryptoConfig   `json:"cryptoConfig,omitempty"`
	BatchBuilder                       string          `json:"batchBuilder"`
	CompressionType                    string          `json:"compressionType,omitempty"`
	BatchingConfig                     *BatchingConfig `json:"batchingConfig,omitempty"`
	// Partial says that it isn't written as Pulsar answers with one. Pulsar takes that
	// for a change, whatever it says.
	Partial bool `json:"-"`
}

// BatchingConfig says when a batch of messages is sent.
type BatchingConfig struct {
	Enabled                                          *bool  `json:"enabled,omitempty"`
	BatchingMaxPublishDelayMs                        *int32 `json:"batchingMaxPublishDelayMs,omitempty"`
	RoundRobinRouterBatchingPartitionSwitchFrequency *int32 `json:"roundRobinRouterBatchingPartitionSwitchFrequency,omitempty"`
	BatchingMaxMessages                              *int32 `json:"batchingMaxMessages,omitempty"`
	BatchingMaxBytes                                 *int32 `json:"batchingMaxBytes,omitempty"`
	BatchBuilder                                     string `json:"batchBuilder,omitempty"`
}

// CryptoConfig says how messages are encrypted or decrypted end to end.
type CryptoConfig struct {
	CryptoKeyReaderClassName    string            `json:"cryptoKeyReaderClassName,omitempty"`
	CryptoKeyReaderConfig       map[string]string `json:"cryptoKeyReaderConfig,omitempty"`
	EncryptionKeys              []string          `json:"encryptionKeys"`
	ProducerCryptoFailureAction string            `json:"producerCryptoFailureAction,omitempty"`
	ConsumerCryptoFailureAction string            `json:"consumerCryptoFailureAction,omitempty"`
}

// Resources is what one instance gets: CPU in cores, the others in bytes.
type Resources struct {
	CPU  *float64 `json:"cpu,omitempty"`
	RAM  *int64   `json:"ram,omitempty"`
	Disk *int64   `json:"disk,omitempty"`
}

// WindowConfig collects messages in windows. The last two members are set by the
// server only: what a client sends for them is ignored.
type WindowConfig struct {
	WindowLengthCount             *int32 `json:"windowLengthCount,omitempty"`
	WindowLengthDurationMs        *int64 `json:"windowLengthDurationMs,omitempty"`
	SlidingIntervalCount          *int32 `json:"slidingIntervalCount,omitempty"`
	SlidingIntervalDurationMs     *int64 `json:"slidingIntervalDurationMs,omitempty"`
	LateDataTopic                 string `json:"lateDataTopic,omitempty"`
	MaxLagMs                      *int64 `json:"maxLagMs,omitempty"`
	WatermarkEmitIntervalMs       *int64 `json:"watermarkEmitIntervalMs,omitempty"`
	TimestampExtractorClassName   string `json:"timestampExtractorClassName,omitempty"`
	ActualWindowFunctionClassName string `json:"actualWindowFunctionClassName,omitempty"`
	ProcessingGuarantees          string `json:"processingGuarantees,omitempty"`
}

// Secret names a key of a Kubernetes Secret, as Pulsar's Kubernetes secrets
// provider has it.
type Secret struct {
	Path string `json:"path"`
	Key  string `json:"key"`
}

// UpdateOptions is what an update can ask for besides a new configuration.
type UpdateOptions struct {
	// UpdateAuthData binds the function to the caller's credential anew. Alone it
	// makes an update one that changes something.
	UpdateAuthData bool
}
