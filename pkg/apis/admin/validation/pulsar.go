package validation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// The checks of Pulsar that more than one kind has. Those that Pulsar has for one
// kind and the operator for others take the way to report it, pulsar or own.

// topic is an input topic, or a pattern of topics, and where it stands.
type topic struct {
	name string
	path *field.Path
}

// inputTopics returns all input topics, one that stands in two places twice, in
// the order of Pulsar's check. Maps have none, there it is that of the keys.
func (s *subject) inputTopics(spec *field.Path) []topic {
	var topics []topic
	for i, name := range s.input.Inputs {
		topics = append(topics, topic{name, spec.Child("inputs").Index(i)})
	}
	if s.input.TopicsPattern != "" {
		topics = append(topics, topic{s.input.TopicsPattern, spec.Child("topicsPattern")})
	}
	add := func(member string, names []string) {
		for _, name := range names {
			topics = append(topics, topic{name, spec.Child(member).Key(name)})
		}
	}
	add("customSerdeInputs", sortedKeys(s.input.CustomSerdeInputs))
	add("customSchemaInputs", sortedKeys(s.input.CustomSchemaInputs))
	add("inputSpecs", sortedKeys(s.input.InputSpecs))
	return topics
}

func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	return slices.Sorted(maps.Keys(m))
}

// checkNames checks that the component is called something. Its name follows from the
// object's: an object without one is told of that alone.
func (c *checks) checkNames() {
	for _, name := range []struct{ member, value string }{
		{"tenant", c.spec.Tenant},
		{"namespace", c.spec.Namespace},
		{"name", c.spec.Name},
	} {
		if name.value == "" && (name.member != "name" || c.component.GetName() != "") {
			c.pulsar(field.Required(c.child(name.member), fmt.Sprintf("%s %s cannot be null", c.kind.Title, name.member)))
		}
	}
}

// checkInputs checks the topics that are consumed. None is the text where there are
// none and there must be one.
func (c *checks) checkInputs(none string) {
	inputs := c.inputTopics(c.path)
	if len(inputs) == 0 && none != "" {
		c.pulsar(field.Required(c.child("inputs"), none))
	}
	for _, input := range inputs {
		c.checkTopic(input, "Input topic %s is invalid")
	}
}

// checkTopic checks a topic. The text may name it.
func (c *checks) checkTopic(topic topic, text string) {
	if !identity.ValidTopicName(topic.name) {
		if strings.Contains(text, "%s") {
			text = fmt.Sprintf(text, topic.name)
		}
		c.pulsar(field.Invalid(topic.path, topic.name, text))
		return
	}
	c.checkSpelling(topic)
}

// checkOptionalTopic is checkTopic for one that may be absent.
func (c *checks) checkOptionalTopic(topic topic, text string) {
	if topic.name != "" {
		c.checkTopic(topic, text)
	}
}

func (c *checks) checkLogTopic() {
	c.checkOptionalTopic(topic{c.spec.LogTopic, c.child("logTopic")}, "LogTopic topic %s is invalid")
}

func (c *checks) checkParallelism() {
	if c.spec.Parallelism != nil && *c.spec.Parallelism <= 0 {
		c.pulsar(field.Invalid(c.child("parallelism"), *c.spec.Parallelism,
			c.kind.Title+" parallelism must be a positive number"))
	}
}

// checkTimeout checks the timeout, which for a sink may be 0, whatever the text
// says.
func (c *checks) checkTimeout(minimum int64) {
	if c.input.TimeoutMs != nil && *c.input.TimeoutMs < minimum {
		c.pulsar(field.Invalid(c.child("timeoutMs"), *c.input.TimeoutMs, c.kind.Title+" timeout must be a positive number"))
	}
}

// retries tells whether there is a limit to retries, as Pulsar sees it.
func (s *subject) retries() bool {
	return s.input.MaxMessageRetries != nil && *s.input.MaxMessageRetries >= 0
}

func (s *subject) effectivelyOnce() bool {
	return s.spec.ProcessingGuarantees == v1alpha1.EffectivelyOnce
}

// checkRetries checks what goes with retries.
func (c *checks) checkRetries(report func(*field.Error)) {
	if c.retries() && c.effectivelyOnce() {
		report(field.Invalid(c.child("maxMessageRetries"), *c.input.MaxMessageRetries,
			"MaxMessageRetries and Effectively once don't gel well"))
	}
	if !c.retries() && c.input.DeadLetterTopic != "" {
		report(field.Invalid(c.child("deadLetterTopic"), c.input.DeadLetterTopic,
			"Dead Letter Topic specified, however max retries is set to infinity"))
	}
}

// checkOrdering checks what goes with ordering.
func (c *checks) checkOrdering() {
	if c.input.RetainKeyOrdering && c.effectivelyOnce() {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"When effectively once processing guarantee is specified, retain Key ordering cannot be set"))
	}
	if c.input.RetainKeyOrdering && c.input.RetainOrdering {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"Only one of retain ordering or retain key ordering can be set"))
	}
}

// checkSchemaOrSerde checks that no input has both.
func (c *checks) checkSchemaOrSerde(text string) {
	for _, name := range sortedKeys(c.input.InputSpecs) {
		if consumer := c.input.InputSpecs[name]; consumer.SchemaType != "" && consumer.SerdeClassName != "" {
			c.pulsar(field.Invalid(c.child("inputSpecs").Key(name), omitted, text))
		}
	}
}

// checkConsumers checks how each input is consumed.
func (c *checks) checkConsumers(report func(*field.Error)) {
	for _, name := range sortedKeys(c.input.InputSpecs) {
		consumer, path := c.input.InputSpecs[name], c.child("inputSpecs").Key(name)
		if consumer.ReceiverQueueSize != nil && *consumer.ReceiverQueueSize < 0 {
			report(field.Invalid(path.Child("receiverQueueSize"), *consumer.ReceiverQueueSize,
				"Receiver queue size should be >= zero"))
		}
		checkKeyReader(report, path, consumer.CryptoConfig)
		if processor := consumer.MessagePayloadProcessorConfig; processor != nil && isBlank(processor.ClassName) {
			report(field.Required(path.Child("messagePayloadProcessorConfig", "className"),
				"MessagePayloadProcessor class name required"))
		}
	}
}

// checkEncryption checks how what is produced is encrypted.
func (c *checks) checkEncryption(report func(*field.Error)) {
	producer := c.output.ProducerConfig
	if producer == nil || producer.CryptoConfig == nil {
		return
	}
	path := c.child("producerConfig")
	checkKeyReader(report, path, producer.CryptoConfig)
	if len(producer.CryptoConfig.EncryptionKeys) == 0 {
		report(field.Required(path.Child("cryptoConfig", "encryptionKeys"),
			"Must provide encryption key name for crypto key reader"))
	}
}

func checkKeyReader(report func(*field.Error), path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto != nil && isBlank(crypto.CryptoKeyReaderClassName) {
		report(field.Required(path.Child("cryptoConfig", "cryptoKeyReaderClassName"),
			"CryptoKeyReader class name required"))
	}
}

// checkAutoAck checks what Pulsar finds when it makes its details of a configuration.
func (c *checks) checkAutoAck() {
	if c.input.AutoAck != nil && !*c.input.AutoAck && c.spec.ProcessingGuarantees == v1alpha1.AtMostOnce {
		c.pulsar(field.Invalid(c.child("autoAck"), false,
			"When Guarantees == ATMOST_ONCE, autoAck must be equal to true."+
				" This is a contradictory configuration, autoAck will be removed later."+
				" Please refer to PIP: https://github.com/apache/pulsar/issues/15560"))
	}
}

func isBlank(s string) bool {
	return strings.TrimSpace(s) == ""
}
