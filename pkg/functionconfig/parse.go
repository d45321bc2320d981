package functionconfig

import (
	"bytes"

	"k8s.io/utils/ptr"
)

// The defaults that the wire types themselves have, whatever the server's
// configuration says.
const (
	defaultCPU               = 1.0
	defaultRAM               = int64(1) << 30
	defaultDisk              = int64(10) << 30
	defaultPublishDelayMs    = int32(10)
	defaultCompressionType   = "LZ4"
	configIsNotProvided      = "Function config is not provided"
	updateOptionsDescription = "Update options"
)

// CheckProvided returns an *Error when data is no config at all, or null. It is the
// one thing about a config that Pulsar looks at before it asks whether the caller may
// do anything.
func CheckProvided(data []byte) error {
	if text := bytes.TrimSpace(data); len(text) == 0 || string(text) == "null" {
		return &Error{Reason: configIsNotProvided}
	}
	return nil
}

// Parse reads the JSON text of a FunctionConfig.
//
// It is as tolerant as Pulsar: unknown members are ignored, null is absent, an
// unknown constant is null, 5.0 is a whole number, and resources that are given in
// part are completed. Every error is an *Error that names the member; none quotes a
// value.
func Parse(data []byte) (*FunctionConfig, error) {
	in, found, err := parseObject(data, "Function config")
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, &Error{Reason: configIsNotProvided}
	}
	config := parseConfig(in)
	if *in.err != nil {
		return nil, *in.err
	}
	return config, nil
}

// ParseUpdateOptions reads the JSON text of UpdateOptions; no text at all and null
// are the defaults. The documentation of Pulsar's REST API spells the member with
// dashes, and generated clients follow it, so both spellings are taken.
func ParseUpdateOptions(data []byte) (UpdateOptions, error) {
	in, found, err := parseObject(data, updateOptionsDescription)
	if err != nil || !found {
		return UpdateOptions{}, err
	}
	options := UpdateOptions{UpdateAuthData: in.flag("updateAuthData") || in.flag("update-auth-data")}
	return options, *in.err
}

func parseConfig(in object) *FunctionConfig {
	config := &FunctionConfig{
		Tenant:                         in.text("tenant"),
		Namespace:                      in.text("namespace"),
		Name:                           in.text("name"),
		ClassName:                      in.text("className"),
		Inputs:                         in.texts("inputs"),
		CustomSerdeInputs:              in.textMap("customSerdeInputs"),
		TopicsPattern:                  in.text("topicsPattern"),
		CustomSchemaInputs:             in.textMap("customSchemaInputs"),
		InputSpecs:                     parseInputSpecs(in),
		InputTypeClassName:             in.text("inputTypeClassName"),
		Output:                         in.text("output"),
		ProducerConfig:                 parseProducerConfig(in),
		OutputSchemaType:               in.text("outputSchemaType"),
		OutputSerdeClassName:           in.text("outputSerdeClassName"),
		OutputTypeClassName:            in.text("outputTypeClassName"),
		CustomSchemaOutputs:            in.textMap("customSchemaOutputs"),
		BatchBuilder:                   in.text("batchBuilder"),
		LogTopic:                       in.text("logTopic"),
		LogLevel:                       in.text("logLevel"),
		ProcessingGuarantees:           in.enum("processingGuarantees", "ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "MANUAL"),
		RetainOrdering:                 in.boolean("retainOrdering"),
		RetainKeyOrdering:              in.boolean("retainKeyOrdering"),
		ForwardSourceMessageProperty:   in.boolean("forwardSourceMessageProperty"),
		Secrets:                        parseSecrets(in),
		Runtime:                        in.enum("runtime", runtimeJava, runtimePython, runtimeGo),
		Jar:                            in.text("jar"),
		Py:                             in.text("py"),
		Go:                             in.text("go"),
		FunctionType:                   in.text("functionType"),
		AutoAck:                        in.boolean("autoAck"),
		MaxMessageRetries:              in.int32("maxMessageRetries"),
		DeadLetterTopic:                in.text("deadLetterTopic"),
		SubName:                        in.text("subName"),
		SubscriptionPosition:           in.enum("subscriptionPosition", "Latest", "Earliest"),
		SkipToLatest:                   in.boolean("skipToLatest"),
		CleanupSubscription:            in.boolean("cleanupSubscription"),
		TimeoutMs:                      in.int64("timeoutMs"),
		Parallelism:                    in.int32("parallelism"),
		Resources:                      parseResources(in),
		WindowConfig:                   parseWindowConfig(in),
		RuntimeFlags:                   in.text("runtimeFlags"),
		CustomRuntimeOptions:           in.text("customRuntimeOptions"),
		MaxPendingAsyncRequests:        in.int32("maxPendingAsyncRequests"),
		ExposePulsarAdminClientEnabled: in.boolean("exposePulsarAdminClientEnabled"),
	}
	if userConfig, found := in.object("userConfig"); found {
		config.UserConfig = userConfig.members
	}
	return config
}

func parseInputSpecs(in object) map[string]ConsumerConfig {
	specs, found := in.object("inputSpecs")
	if !found {
		return nil
	}
	result := make(map[string]ConsumerConfig, len(specs.members))
	for _, topic := range specs.names() {
		// A topic that is mapped to null is named all the same.
		spec, _ := specs.object(topic)
		spec.err = in.err
		result[topic] = parseConsumerConfig(spec)
	}
	return result
}

func parseConsumerConfig(in object) ConsumerConfig {
	config := ConsumerConfig{
		SchemaType:     in.text("schemaType"),
		SerdeClassName: in.text("serdeClassName"),
		// isRegexPattern is what pulsar-admin shows and takes on its command line.
		RegexPattern:       in.flag("regexPattern") || in.flag("isRegexPattern"),
		SchemaProperties:   orEmpty(in.textMap("schemaProperties")),
		ConsumerProperties: orEmpty(in.textMap("consumerProperties")),
		ReceiverQueueSize:  in.int32("receiverQueueSize"),
		CryptoConfig:       parseCryptoConfig(in),
		PoolMessages:       in.flag("poolMessages"),
	}
	if processor, found := in.object("messagePayloadProcessorConfig"); found {
		config.MessagePayloadProcessorConfig = &MessagePayloadProcessorConfig{
			ClassName: processor.text("className"),
			Config:    processor.strictTextMap("config"),
		}
	}
	return config
}

// parseProducerConfig reads zeros as absent, as Pulsar's own answers have them: the
// Go client always sends every member.
func parseProducerConfig(in object) *ProducerConfig {
	producer, found := in.object("producerConfig")
	if !found {
		return nil
	}
	return &ProducerConfig{
		MaxPendingMessages:                 nonZero(producer.int32("maxPendingMessages")),
		MaxPendingMessagesAcrossPartitions: nonZero(producer.int32("maxPendingMessagesAcrossPartitions")),
		UseThreadLocalProducers:            producer.flag("useThreadLocalProducers"),
		CryptoConfig:                       parseCryptoConfig(producer),
		BatchBuilder:                       producer.text("batchBuilder"),
		CompressionType:                    producer.enum("compressionType", "NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"),
		BatchingConfig:                     parseBatchingConfig(producer),
	}
}

func parseBatchingConfig(in object) *BatchingConfig {
	batching, found := in.object("batchingConfig")
	if !found {
		return nil
	}
	config := &BatchingConfig{
		Enabled:                   batching.boolean("enabled"),
		BatchingMaxPublishDelayMs: positive(batching.int32("batchingMaxPublishDelayMs")),
		RoundRobinRouterBatchingPartitionSwitchFrequency: positive(batching.int32("roundRobinRouterBatchingPartitionSwitchFrequency")),
		BatchingMaxMessages: positive(batching.int32("batchingMaxMessages")),
		BatchingMaxBytes:    positive(batching.int32("batchingMaxBytes")),
		BatchBuilder:        batching.text("batchBuilder"),
	}
	completeBatching(config)
	return config
}

func completeBatching(config *BatchingConfig) {
	if config.Enabled == nil {
		config.Enabled = ptr.To(true)
	}
	if config.BatchingMaxPublishDelayMs == nil {
		config.BatchingMaxPublishDelayMs = ptr.To(defaultPublishDelayMs)
	}
}

func parseCryptoConfig(in object) *CryptoConfig {
	crypto, found := in.object("cryptoConfig")
	if !found {
		return nil
	}
	return &CryptoConfig{
		CryptoKeyReaderClassName:    crypto.text("cryptoKeyReaderClassName"),
		CryptoKeyReaderConfig:       crypto.strictTextMap("cryptoKeyReaderConfig"),
		EncryptionKeys:              crypto.texts("encryptionKeys"),
		ProducerCryptoFailureAction: crypto.enum("producerCryptoFailureAction", "FAIL", "SEND"),
		ConsumerCryptoFailureAction: crypto.enum("consumerCryptoFailureAction", "FAIL", "DISCARD", "CONSUME"),
	}
}

// parseResources completes what is given in part, because Pulsar's Resources have
// their defaults from the start. Only an explicit null stays absent.
func parseResources(in object) *Resources {
	resources, found := in.object("resources")
	if !found {
		return nil
	}
	result := &Resources{CPU: resources.float("cpu"), RAM: resources.int64("ram"), Disk: resources.int64("disk")}
	if _, given := resources.members["cpu"]; !given {
		result.CPU = ptr.To(defaultCPU)
	}
	if _, given := resources.members["ram"]; !given {
		result.RAM = ptr.To(defaultRAM)
	}
	if _, given := resources.members["disk"]; !given {
		result.Disk = ptr.To(defaultDisk)
	}
	return result
}

func parseWindowConfig(in object) *WindowConfig {
	window, found := in.object("windowConfig")
	if !found {
		return nil
	}
	return &WindowConfig{
		WindowLengthCount:           window.int32("windowLengthCount"),
		WindowLengthDurationMs:      window.int64("windowLengthDurationMs"),
		SlidingIntervalCount:        window.int32("slidingIntervalCount"),
		SlidingIntervalDurationMs:   window.int64("slidingIntervalDurationMs"),
		LateDataTopic:               window.text("lateDataTopic"),
		MaxLagMs:                    window.int64("maxLagMs"),
		WatermarkEmitIntervalMs:     window.int64("watermarkEmitIntervalMs"),
		TimestampExtractorClassName: window.text("timestampExtractorClassName"),
	}
}

// parseSecrets takes the one shape that a reference to a Kubernetes Secret has.
// Anything else would be dropped on the way to the pod, so it is refused here,
// without showing what may be the secret itself.
func parseSecrets(in object) map[string]Secret {
	secrets, found := in.object("secrets")
	if !found {
		return nil
	}
	result := make(map[string]Secret, len(secrets.members))
	for _, name := range secrets.names() {
		members, _ := secrets.members[name].(map[string]any)
		path, _ := members["path"].(string)
		key, _ := members["key"].(string)
		if path == "" || key == "" {
			secrets.fail(name, `an object that names a Kubernetes Secret and one of its keys: {"path": "secret", "key": "key"}`)
			return nil
		}
		result[name] = Secret{Path: path, Key: key}
	}
	return result
}

func orEmpty(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}

func nonZero(value *int32) *int32 {
	if value == nil || *value == 0 {
		return nil
	}
	return value
}

func positive(value *int32) *int32 {
	if value == nil || *value <= 0 {
		return nil
	}
	return value
}
