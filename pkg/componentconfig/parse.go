package componentconfig

import (
	"bytes"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The defaults that the wire types themselves have, whatever the server's
// configuration says.
const (
	defaultCPU                 = 1.0
	defaultRAM                 = int64(1) << 30
	defaultDisk                = int64(10) << 30
	defaultPublishDelayMs      = int32(10)
	defaultCompressionType     = "LZ4"
	defaultCryptoFailureAction = "FAIL"
)

// isNothing tells whether data is no JSON at all, or null.
func isNothing(data []byte) bool {
	text := bytes.TrimSpace(data)
	return len(text) == 0 || string(text) == "null"
}

// ParseUpdateOptions reads the JSON text of UpdateOptions; no text at all and null
// are the defaults. The documentation of Pulsar's REST API spells the member with
// dashes, and generated clients follow it, so both spellings are taken.
func ParseUpdateOptions(data []byte) (UpdateOptions, error) {
	in, found, err := parseObject(data, "Update options")
	if err != nil || !found {
		return UpdateOptions{}, err
	}
	options := UpdateOptions{UpdateAuthData: in.flag("updateAuthData") || in.flag("update-auth-data")}
	return options, *in.err
}

func parsePosition(in object, name string) string {
	return in.enum(name, string(v1alpha1.Latest), string(v1alpha1.Earliest))
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
	pending, across := producer.int32("maxPendingMessages"), producer.int32("maxPendingMessagesAcrossPartitions")
	config := &ProducerConfig{
		MaxPendingMessages:                 nonZero(pending),
		MaxPendingMessagesAcrossPartitions: nonZero(across),
		UseThreadLocalProducers:            producer.flag("useThreadLocalProducers"),
		CryptoConfig:                       parseCryptoConfig(producer),
		BatchBuilder:                       producer.text("batchBuilder"),
		CompressionType:                    producer.enum("compressionType", "NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"),
		BatchingConfig:                     parseBatchingConfig(producer),
	}
	config.Partial = !producer.given("batchBuilder") || !producer.given("useThreadLocalProducers") || config.CompressionType == "" ||
		ptr.Equal(pending, ptr.To[int32](0)) || ptr.Equal(across, ptr.To[int32](0))
	return config
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

func orEmpty(values map[string]string) map[string]string {
	if values == nil {
		return map[string]string{}
	}
	return values
}

func nonZero[T int32 | int64](value *T) *T {
	if value == nil || *value == 0 {
		return nil
	}
	return value
}

func positive[T int32 | int64](value *T) *T {
	if value == nil || *value <= 0 {
		return nil
	}
	return value
}
