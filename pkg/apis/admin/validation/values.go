package validation

import (
	"encoding/json"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The values that the schema of the Function Mesh resources has, as Pulsar spells
// them.
var (
	processingGuarantees = []v1alpha1.ProcessingGuarantees{
		v1alpha1.AtLeastOnce, v1alpha1.AtMostOnce, v1alpha1.EffectivelyOnce, v1alpha1.Manual,
	}
	subscriptionPositions  = []v1alpha1.SubscriptionPosition{v1alpha1.Earliest, v1alpha1.Latest}
	logTopicAgents         = []string{"runtime", "sidecar"}
	compressionTypes       = []string{"NONE", "LZ4", "ZLIB", "ZSTD", "SNAPPY"}
	producerFailureActions = []string{"FAIL", "SEND"}
	consumerFailureActions = []string{"FAIL", "DISCARD", "CONSUME"}
)

// checkEnum checks a value that may be absent.
func checkEnum[T ~string](c *checks, path *field.Path, value T, supported []T) {
	if value != "" && !slices.Contains(supported, value) {
		c.own(field.NotSupported(path, T(shortened(string(value))), supported))
	}
}

// checkEnumPointer is checkEnum for a value of which absence is no empty text.
func checkEnumPointer[T ~string](c *checks, path *field.Path, value *T, supported []T) {
	if value != nil && !slices.Contains(supported, *value) {
		c.own(field.NotSupported(path, T(shortened(string(*value))), supported))
	}
}

// checkValues checks values of which Pulsar's clients can't make wrong ones.
func (c *checks) checkValues() {
	checkEnum(c, c.child("processingGuarantees"), c.spec.ProcessingGuarantees, processingGuarantees)
	checkEnum(c, c.child("subscriptionPosition"), c.input.SubscriptionPosition, subscriptionPositions)
	checkEnum(c, c.child("logTopicAgent"), c.spec.LogTopicAgent, logTopicAgents)
	seen := map[string]bool{}
	for i, input := range c.input.Inputs {
		if seen[input] {
			c.own(field.Duplicate(c.child("inputs").Index(i), shortened(input)))
		}
		seen[input] = true
	}
	for _, raw := range c.rawConfigs() {
		c.checkRawConfig(c.child(raw.path[0], raw.path[1:]...), raw)
	}
	c.checkProducer()
	for _, name := range sortedKeys(c.input.InputSpecs) {
		consumer, path := c.input.InputSpecs[name], c.child("inputSpecs").Key(name)
		c.checkCrypto(path, consumer.CryptoConfig)
		if processor := consumer.MessagePayloadProcessorConfig; processor != nil {
			c.checkOptionalClass(path.Child("messagePayloadProcessorConfig", "className"), processor.ClassName)
		}
	}
	if timeout := c.input.TimeoutMs; timeout != nil && *timeout > math.MaxInt32 {
		c.own(field.Invalid(c.child("timeoutMs"), *timeout, "Function Mesh takes no timeout above 2147483647 ms (24 days)"))
	}
	if pending := c.function.MaxPendingAsyncRequests; pending != nil && *pending <= 0 {
		c.own(field.Invalid(c.child("maxPendingAsyncRequests"), *pending, "must be positive"))
	}
}

// checkRawConfig checks that free configuration is a JSON object. Errors don't
// repeat it: it may hold what only the code should know.
func (c *checks) checkRawConfig(path *field.Path, raw rawConfig) {
	if *raw.value == nil || len((*raw.value).Raw) == 0 {
		return
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal((*raw.value).Raw, &object); err != nil || object == nil {
		c.ownOf(field.Invalid(path, omitted, "must be a JSON object"), string((*raw.value).Raw))
	}
}

func (c *checks) checkProducer() {
	producer := c.output.ProducerConfig
	if producer == nil {
		return
	}
	path := c.child("producerConfig")
	checkNotNegative(c, path.Child("maxPendingMessages"), producer.MaxPendingMessages)
	checkNotNegative(c, path.Child("maxPendingMessagesAcrossPartitions"), producer.MaxPendingMessagesAcrossPartitions)
	checkEnum(c, path.Child("compressionType"), producer.CompressionType, compressionTypes)
	c.checkCrypto(path, producer.CryptoConfig)
	if batching := producer.BatchingConfig; batching != nil {
		path := path.Child("batchingConfig")
		checkNotNegative(c, path.Child("batchingMaxPublishDelayMs"), batching.BatchingMaxPublishDelayMs)
		checkNotNegative(c, path.Child("roundRobinRouterBatchingPartitionSwitchFrequency"),
			batching.RoundRobinRouterBatchingPartitionSwitchFrequency)
		checkNotNegative(c, path.Child("batchingMaxMessages"), batching.BatchingMaxMessages)
		checkNotNegative(c, path.Child("batchingMaxBytes"), batching.BatchingMaxBytes)
	}
}

func checkNotNegative[T int32 | int64](c *checks, path *field.Path, value *T) {
	if value != nil && *value < 0 {
		c.own(field.Invalid(path, *value, "may not be negative"))
	}
}

func (c *checks) checkCrypto(path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto == nil {
		return
	}
	path = path.Child("cryptoConfig")
	c.checkOptionalClass(path.Child("cryptoKeyReaderClassName"), crypto.CryptoKeyReaderClassName)
	checkEnum(c, path.Child("producerCryptoFailureAction"), crypto.ProducerCryptoFailureAction, producerFailureActions)
	checkEnum(c, path.Child("consumerCryptoFailureAction"), crypto.ConsumerCryptoFailureAction, consumerFailureActions)
	for i, secret := range crypto.CryptoSecrets {
		path := path.Child("cryptoSecrets").Index(i)
		const help = "both secretName and secretKey are needed: the name of a Secret and a key in it"
		c.checkObjectName(path.Child("secretName"), secret.SecretName, help)
		c.checkKey(path.Child("secretKey"), secret.SecretKey, help)
		if secret.AsVolume == "" {
			c.own(field.Required(path.Child("asVolume"), "a path is needed: without one Function Mesh gives the key to nobody"))
			continue
		}
		c.checkContainerPath(path.Child("asVolume"), secret.AsVolume)
	}
}
