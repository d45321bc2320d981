package v1alpha1

// +kubebuilder:pruning:PreserveUnknownFields

// InputConf says what a Function consumes. The operator merges its parts into one
// map by topic: topics, pattern, serdes, schemas, specs; the last one wins.
type InputConf struct {
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// +optional
	Topics []string `json:"topics,omitempty"`
	// +optional
	TopicPattern string `json:"topicPattern,omitempty"`
	// +optional
	CustomSerdeSources map[string]string `json:"customSerdeSources,omitempty"`
	// CustomSchemaSources are taken for schema types, whatever they are.
	// +optional
	CustomSchemaSources map[string]string `json:"customSchemaSources,omitempty"`
	// +optional
	SourceSpecs map[string]ConsumerConfig `json:"sourceSpecs,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// ConsumerConfig says how a topic is consumed.
type ConsumerConfig struct {
	// +optional
	SchemaType string `json:"schemaType,omitempty"`
	// +optional
	SerdeClassName string `json:"serdeClassname,omitempty"`
	// +optional
	IsRegexPattern bool `json:"isRegexPattern,omitempty"`
	// +optional
	SchemaProperties map[string]string `json:"schemaProperties,omitempty"`
	// +optional
	ConsumerProperties map[string]string `json:"consumerProperties,omitempty"`
	// +optional
	ReceiverQueueSize *int32 `json:"receiverQueueSize,omitempty"`
	// +optional
	CryptoConfig *CryptoConfig `json:"cryptoConfig,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// OutputConf says what a Function produces.
type OutputConf struct {
	// +optional
	TypeClassName string `json:"typeClassName,omitempty"`
	// +optional
	Topic string `json:"topic,omitempty"`
	// +optional
	SinkSerdeClassName string `json:"sinkSerdeClassName,omitempty"`
	// +optional
	SinkSchemaType string `json:"sinkSchemaType,omitempty"`
	// +optional
	ProducerConf *ProducerConfig `json:"producerConf,omitempty"`
	// +optional
	CustomSchemaSinks map[string]string `json:"customSchemaSinks,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// ProducerConfig says how results are produced.
type ProducerConfig struct {
	// +optional
	MaxPendingMessages *int32 `json:"maxPendingMessages,omitempty"`
	// +optional
	MaxPendingMessagesAcrossPartitions *int32 `json:"maxPendingMessagesAcrossPartitions,omitempty"`
	// +optional
	UseThreadLocalProducers bool `json:"useThreadLocalProducers,omitempty"`
	// +optional
	CryptoConfig *CryptoConfig `json:"cryptoConfig,omitempty"`
	// +optional
	BatchBuilder string `json:"batchBuilder,omitempty"`
	// +optional
	CompressionType CompressionType `json:"compressionType,omitempty"`
}

// CompressionType is how messages are compressed.
// +kubebuilder:validation:Enum=NONE;LZ4;ZLIB;ZSTD;SNAPPY
type CompressionType string

// +kubebuilder:pruning:PreserveUnknownFields

// CryptoConfig says how messages are encrypted or decrypted. Its Secrets,
// cryptoSecrets, are not here: no view shows them yet.
type CryptoConfig struct {
	// +optional
	CryptoKeyReaderClassName string `json:"cryptoKeyReaderClassName,omitempty"`
	// +optional
	CryptoKeyReaderConfig map[string]string `json:"cryptoKeyReaderConfig,omitempty"`
	// +optional
	EncryptionKeys []string `json:"encryptionKeys,omitempty"`
	// +optional
	ProducerCryptoFailureAction string `json:"producerCryptoFailureAction,omitempty"`
	// +optional
	ConsumerCryptoFailureAction string `json:"consumerCryptoFailureAction,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// WindowConfig collects messages in windows.
type WindowConfig struct {
	// ActualWindowFunctionClassName is overwritten by the operator with the
	// Function's className, but required by its definition.
	ActualWindowFunctionClassName string `json:"actualWindowFunctionClassName"`
	// +optional
	WindowLengthCount *int32 `json:"windowLengthCount,omitempty"`
	// +optional
	WindowLengthDurationMs *int64 `json:"windowLengthDurationMs,omitempty"`
	// +optional
	SlidingIntervalCount *int32 `json:"slidingIntervalCount,omitempty"`
	// +optional
	SlidingIntervalDurationMs *int64 `json:"slidingIntervalDurationMs,omitempty"`
	// +optional
	LateDataTopic string `json:"lateDataTopic,omitempty"`
	// +optional
	MaxLagMs *int64 `json:"maxLagMs,omitempty"`
	// +optional
	WatermarkEmitIntervalMs *int64 `json:"watermarkEmitIntervalMs,omitempty"`
	// +optional
	TimestampExtractorClassName string `json:"timestampExtractorClassName,omitempty"`
	// +optional
	ProcessingGuarantees WindowProcessingGuarantees `json:"processingGuarantees,omitempty"`
}

// WindowProcessingGuarantees is what a window guarantees about each message.
// +kubebuilder:validation:Enum=ATLEAST_ONCE;ATMOST_ONCE
type WindowProcessingGuarantees string

// The guarantees of a window.
const (
	WindowAtLeastOnce WindowProcessingGuarantees = "ATLEAST_ONCE"
	WindowAtMostOnce  WindowProcessingGuarantees = "ATMOST_ONCE"
)

// +kubebuilder:pruning:PreserveUnknownFields

// JavaRuntime runs Java code.
type JavaRuntime struct {
	// Jar is the file's path in the container.
	Jar string `json:"jar"`
	// JarLocation is where the file is fetched from.
	// +optional
	JarLocation string `json:"jarLocation,omitempty"`
	// +optional
	Log *RuntimeLogConfig `json:"log,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// PythonRuntime runs Python code.
type PythonRuntime struct {
	// Py is the file's path in the container.
	Py string `json:"py"`
	// PyLocation is where the file is fetched from.
	// +optional
	PyLocation string `json:"pyLocation,omitempty"`
	// +optional
	Log *RuntimeLogConfig `json:"log,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// GoRuntime runs a Go program.
type GoRuntime struct {
	// Go is the file's path in the container.
	Go string `json:"go"`
	// GoLocation is where the file is fetched from.
	// +optional
	GoLocation string `json:"goLocation,omitempty"`
	// +optional
	Log *RuntimeLogConfig `json:"log,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// RuntimeLogConfig says what a runtime writes to its log.
type RuntimeLogConfig struct {
	// +optional
	Level LogLevel `json:"level,omitempty"`
}

// LogLevel is the least severe level that is logged.
// +kubebuilder:validation:Enum=off;trace;debug;info;warn;error;fatal;all;panic
type LogLevel string
