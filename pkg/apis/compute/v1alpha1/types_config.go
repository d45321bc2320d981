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

// CryptoConfig says how messages are encrypted or decrypted.
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
	// +optional
	CryptoSecrets []CryptoSecret `json:"cryptoSecrets,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// CryptoSecret names a key of a Secret with a key.
type CryptoSecret struct {
	SecretName string `json:"secretName"`
	SecretKey  string `json:"secretKey"`
	// AsVolume is the path of a file that has the key.
	// +optional
	AsVolume string `json:"asVolume,omitempty"`
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
	ExtraDependenciesDir string `json:"extraDependenciesDir,omitempty"`
	// +optional
	JavaOpts []string `json:"javaOpts,omitempty"`
	// +optional
	InstancePath string `json:"instancePath,omitempty"`
	// +optional
	EntryClass string `json:"entryClass,omitempty"`
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

// GenericRuntime runs code of any language.
type GenericRuntime struct {
	// FunctionFile is the file's path in the container.
	FunctionFile string `json:"functionFile"`
	// FunctionFileLocation is where the file is fetched from.
	// +optional
	FunctionFileLocation string `json:"functionFileLocation,omitempty"`
	Language             string `json:"language"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// RuntimeLogConfig says what a runtime writes to its log.
type RuntimeLogConfig struct {
	// +optional
	Level LogLevel `json:"level,omitempty"`
	// +optional
	Format LogFormat `json:"format,omitempty"`
	// +optional
	RotatePolicy RotatePolicy `json:"rotatePolicy,omitempty"`
	// +optional
	LogConfig *LogConfig `json:"logConfig,omitempty"`
	// +optional
	JavaLog4JConfigFileType JavaLog4JConfigFileType `json:"javaLog4JConfigFileType,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// LogConfig names a key of a ConfigMap.
type LogConfig struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// LogLevel is the least severe level that is logged.
// +kubebuilder:validation:Enum=off;trace;debug;info;warn;error;fatal;all;panic
type LogLevel string

// LogFormat is how lines are written.
// +kubebuilder:validation:Enum=json;text
type LogFormat string

// RotatePolicy is when the log begins a new file.
// +kubebuilder:validation:Enum=TimedPolicyWithDaily;TimedPolicyWithWeekly;TimedPolicyWithMonthly;SizedPolicyWith10MB;SizedPolicyWith50MB;SizedPolicyWith100MB
type RotatePolicy string

// JavaLog4JConfigFileType is the format of a configuration of the logging library.
// +kubebuilder:validation:Enum=yaml;xml;ini
type JavaLog4JConfigFileType string
