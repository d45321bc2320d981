package validation

import (
	"encoding/json"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The values that the schema of the Function resource has, as Pulsar spells them.
var (
	processingGuarantees = []v1alpha1.ProcessingGuarantees{
		v1alpha1.AtLeastOnce, v1alpha1.AtMostOnce, v1alpha1.EffectivelyOnce, v1alpha1.Manual,
	}
	subscriptionPositions  = []v1alpha1.SubscriptionPosition{v1alpha1.Earliest, v1alpha1.Latest}
	compressionTypes       = []string{"NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"}
	producerFailureActions = []string{"FAIL", "SEND"}
	consumerFailureActions = []string{"FAIL", "DISCARD", "CONSUME"}
	logLevels              = []string{"off", "trace", "debug", "info", "warn", "error", "fatal", "all", "panic"}
)

// checkEnum checks a value that may be absent.
func checkEnum[T ~string](c *checks, path *field.Path, value T, supported []T) {
	if value != "" && !slices.Contains(supported, value) {
		c.own(field.NotSupported(path, T(shortened(string(value))), supported))
	}
}

func logLevelOf(runtime *v1alpha1.Runtime) string {
	if runtime == nil || runtime.Log == nil {
		return ""
	}
	return runtime.Log.Level
}

// checkValues checks values of which Pulsar's clients can't make wrong ones.
func (c *checks) checkValues() {
	checkEnum(c, c.child("processingGuarantees"), c.spec.ProcessingGuarantees, processingGuarantees)
	checkEnum(c, c.child("subscriptionPosition"), c.spec.SubscriptionPosition, subscriptionPositions)
	seen := map[string]bool{}
	for i, input := range c.spec.Inputs {
		if seen[input] {
			c.own(field.Duplicate(c.child("inputs").Index(i), shortened(input)))
		}
		seen[input] = true
	}
	c.checkUserConfig()
	c.checkProducer()
	for _, name := range sortedKeys(c.spec.InputSpecs) {
		consumer, path := c.spec.InputSpecs[name], c.child("inputSpecs").Key(name)
		c.checkCrypto(path, consumer.CryptoConfig)
		if processor := consumer.MessagePayloadProcessorConfig; processor != nil && !isBlank(processor.ClassName) {
			c.checkClassName(path.Child("messagePayloadProcessorConfig", "className"), processor.ClassName, false)
		}
	}
	if window := c.spec.WindowConfig; window != nil {
		if late := (topic{window.LateDataTopic, c.child("windowConfig", "lateDataTopic")}); late.name != "" {
			c.checkOwnTopic(late)
		}
		if window.TimestampExtractorClassName != "" {
			c.checkClassName(c.child("windowConfig", "timestampExtractorClassName"), window.TimestampExtractorClassName, false)
		}
	}
	if pending := c.spec.MaxPendingAsyncRequests; pending != nil && *pending <= 0 {
		c.own(field.Invalid(c.child("maxPendingAsyncRequests"), *pending, "must be positive"))
	}
	if timeout := c.spec.TimeoutMs; timeout != nil && *timeout > math.MaxInt32 {
		c.own(field.Invalid(c.child("timeoutMs"), *timeout, "Function Mesh takes no timeout above 2147483647 ms (24 days)"))
	}
}

// checkUserConfig checks that the configuration is a JSON object. Errors don't
// repeat it: it may hold what only the function should know.
func (c *checks) checkUserConfig() {
	if c.spec.UserConfig == nil || len(c.spec.UserConfig.Raw) == 0 {
		return
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(c.spec.UserConfig.Raw, &object); err != nil || object == nil {
		c.own(field.Invalid(c.child("userConfig"), omitted, "must be a JSON object"))
	}
}

func (c *checks) checkProducer() {
	producer := c.spec.ProducerConfig
	if producer == nil {
		return
	}
	path := c.child("producerConfig")
	c.checkNotNegative(path.Child("maxPendingMessages"), producer.MaxPendingMessages)
	c.checkNotNegative(path.Child("maxPendingMessagesAcrossPartitions"), producer.MaxPendingMessagesAcrossPartitions)
	checkEnum(c, path.Child("compressionType"), producer.CompressionType, compressionTypes)
	c.checkCrypto(path, producer.CryptoConfig)
	if batching := producer.BatchingConfig; batching != nil {
		path := path.Child("batchingConfig")
		c.checkNotNegative(path.Child("batchingMaxPublishDelayMs"), batching.BatchingMaxPublishDelayMs)
		c.checkNotNegative(path.Child("roundRobinRouterBatchingPartitionSwitchFrequency"),
			batching.RoundRobinRouterBatchingPartitionSwitchFrequency)
		c.checkNotNegative(path.Child("batchingMaxMessages"), batching.BatchingMaxMessages)
		c.checkNotNegative(path.Child("batchingMaxBytes"), batching.BatchingMaxBytes)
	}
}

func (c *checks) checkNotNegative(path *field.Path, value *int32) {
	if value != nil && *value < 0 {
		c.own(field.Invalid(path, *value, "may not be negative"))
	}
}

func (c *checks) checkCrypto(path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto == nil {
		return
	}
	path = path.Child("cryptoConfig")
	if !isBlank(crypto.CryptoKeyReaderClassName) {
		c.checkClassName(path.Child("cryptoKeyReaderClassName"), crypto.CryptoKeyReaderClassName, false)
	}
	checkEnum(c, path.Child("producerCryptoFailureAction"), crypto.ProducerCryptoFailureAction, producerFailureActions)
	checkEnum(c, path.Child("consumerCryptoFailureAction"), crypto.ConsumerCryptoFailureAction, consumerFailureActions)
}
