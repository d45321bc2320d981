package validation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// checkAsPulsar runs the checks of Pulsar's functions worker in its order. Those
// that need the content of the package are missing.
func (c *checks) checkAsPulsar() {
	c.checkPackage()
	c.checkNamesAndTopics()
	c.checkWindow()
	c.checkAmounts()
	c.checkGuarantees()
	c.checkPackageFile()
	c.checkConsumersAndProducer()
	switch runtimeOf(c.spec) {
	case runtimeJava:
		c.checkJava()
	case runtimePython:
		c.checkPython()
	case runtimeGo:
		c.checkGo()
	default:
		c.checkNoRuntime()
	}
	c.checkConversion()
}

// topic is an input topic, or a pattern of topics, and where it stands.
type topic struct {
	name string
	path *field.Path
}

// inputTopics returns all input topics, one that stands in two places twice, in
// the order of Pulsar's check. Maps have none, there it is that of the keys.
func (c *checks) inputTopics() []topic {
	var topics []topic
	for i, name := range c.spec.Inputs {
		topics = append(topics, topic{name, c.child("inputs").Index(i)})
	}
	if c.spec.TopicsPattern != "" {
		topics = append(topics, topic{c.spec.TopicsPattern, c.child("topicsPattern")})
	}
	add := func(member string, names []string) {
		for _, name := range names {
			topics = append(topics, topic{name, c.child(member).Key(name)})
		}
	}
	add("customSerdeInputs", sortedKeys(c.spec.CustomSerdeInputs))
	add("customSchemaInputs", sortedKeys(c.spec.CustomSchemaInputs))
	add("inputSpecs", sortedKeys(c.spec.InputSpecs))
	return topics
}

func sortedKeys[M ~map[K]V, K cmp.Ordered, V any](m M) []K {
	return slices.Sorted(maps.Keys(m))
}

func (c *checks) checkNamesAndTopics() {
	for _, name := range []struct{ member, value string }{
		{"tenant", c.spec.Tenant},
		{"namespace", c.spec.Namespace},
		{"name", c.spec.Name},
	} {
		if name.value == "" {
			c.pulsar(field.Required(c.child(name.member), fmt.Sprintf("Function %s cannot be null", name.member)))
		}
	}
	if runtimeOf(c.spec) == runtimePython && c.spec.ClassName == "" {
		c.pulsar(field.Required(c.child("className"), "Function classname cannot be null"))
	}

	inputs := c.inputTopics()
	if len(inputs) == 0 {
		c.pulsar(field.Required(c.child("inputs"), "No input topic(s) specified for the function"))
	}
	for _, input := range inputs {
		c.checkTopic(input, "Input topic %s is invalid")
	}
	output := topic{c.spec.Output, c.child("output")}
	for _, other := range []struct {
		topic topic
		text  string
	}{
		{output, "Output topic %s is invalid"},
		{topic{c.spec.LogTopic, c.child("logTopic")}, "LogTopic topic %s is invalid"},
		{topic{c.spec.DeadLetterTopic, c.child("deadLetterTopic")}, "DeadLetter topic %s is invalid"},
	} {
		if other.topic.name != "" {
			c.checkTopic(other.topic, other.text)
		}
	}

	if c.spec.Parallelism != nil && *c.spec.Parallelism <= 0 {
		c.pulsar(field.Invalid(c.child("parallelism"), *c.spec.Parallelism,
			"Function parallelism must be a positive number"))
	}
	isOutput := func(input topic) bool { return input.name == output.name }
	if output.name != "" && slices.ContainsFunc(inputs, isOutput) {
		c.pulsar(field.Invalid(output.path, output.name, fmt.Sprintf(
			"Output topic %s is also being used as an input topic (topics must be one or the other)", output.name)))
	}
}

func (c *checks) checkTopic(topic topic, text string) {
	if !identity.ValidTopicName(topic.name) {
		c.pulsar(field.Invalid(topic.path, topic.name, fmt.Sprintf(text, topic.name)))
	}
}

func (c *checks) checkWindow() {
	window := c.spec.WindowConfig
	if window == nil {
		return
	}
	path := c.child("windowConfig")
	if c.spec.AutoAck != nil && *c.spec.AutoAck {
		c.pulsar(field.Invalid(c.child("autoAck"), true, "Cannot enable auto ack when using windowing functionality"))
	}
	switch {
	case window.WindowLengthCount == nil && window.WindowLengthDurationMs == nil:
		c.pulsar(field.Required(path, "Window length is not specified"))
	case window.WindowLengthCount != nil && window.WindowLengthDurationMs != nil:
		c.pulsar(field.Invalid(path, omitted,
			"Window length for time and count are set! Please set one or the other."))
	}
	atLeast(c, path.Child("windowLengthCount"), window.WindowLengthCount, 1, "Window length must be positive [%d]")
	atLeast(c, path.Child("windowLengthDurationMs"), window.WindowLengthDurationMs, 1,
		"Window length must be positive [%d]")
	atLeast(c, path.Child("slidingIntervalCount"), window.SlidingIntervalCount, 1,
		"Sliding interval must be positive [%d]")
	atLeast(c, path.Child("slidingIntervalDurationMs"), window.SlidingIntervalDurationMs, 1,
		"Sliding interval must be positive [%d]")
	if window.TimestampExtractorClassName != "" {
		atLeast(c, path.Child("maxLagMs"), window.MaxLagMs, 0, "Lag duration must be positive [%d]")
		atLeast(c, path.Child("watermarkEmitIntervalMs"), window.WatermarkEmitIntervalMs, 1,
			"Watermark interval must be positive [%d]")
	}
}

func atLeast[T int32 | int64](c *checks, path *field.Path, value *T, minimum T, text string) {
	if value != nil && *value < minimum {
		c.pulsar(field.Invalid(path, *value, fmt.Sprintf(text, *value)))
	}
}

// checkGuarantees checks what goes with which processing guarantee and ordering.
func (c *checks) checkGuarantees() {
	spec := c.spec
	effectivelyOnce := spec.ProcessingGuarantees == v1alpha1.EffectivelyOnce
	retries := spec.MaxMessageRetries != nil && *spec.MaxMessageRetries >= 0
	if spec.TimeoutMs != nil && spec.ProcessingGuarantees != "" && spec.ProcessingGuarantees != v1alpha1.AtLeastOnce {
		c.pulsar(field.Invalid(c.child("timeoutMs"), *spec.TimeoutMs,
			"Message timeout can only be specified with processing guarantee is ATLEAST_ONCE"))
	}
	if retries && effectivelyOnce {
		c.pulsar(field.Invalid(c.child("maxMessageRetries"), *spec.MaxMessageRetries,
			"MaxMessageRetries and Effectively once don't gel well"))
	}
	if !retries && spec.DeadLetterTopic != "" {
		c.pulsar(field.Invalid(c.child("deadLetterTopic"), spec.DeadLetterTopic,
			"Dead Letter Topic specified, however max retries is set to infinity"))
	}
	if spec.RetainKeyOrdering && effectivelyOnce {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"When effectively once processing guarantee is specified, retain Key ordering cannot be set"))
	}
	if spec.RetainKeyOrdering && spec.RetainOrdering {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"Only one of retain ordering or retain key ordering can be set"))
	}
}

func (c *checks) checkConsumersAndProducer() {
	for _, name := range sortedKeys(c.spec.InputSpecs) {
		consumer, path := c.spec.InputSpecs[name], c.child("inputSpecs").Key(name)
		if consumer.ReceiverQueueSize != nil && *consumer.ReceiverQueueSize < 0 {
			c.pulsar(field.Invalid(path.Child("receiverQueueSize"), *consumer.ReceiverQueueSize,
				"Receiver queue size should be >= zero"))
		}
		c.checkKeyReader(path, consumer.CryptoConfig)
		if processor := consumer.MessagePayloadProcessorConfig; processor != nil && isBlank(processor.ClassName) {
			c.pulsar(field.Required(path.Child("messagePayloadProcessorConfig", "className"),
				"MessagePayloadProcessor class name required"))
		}
	}
	if producer := c.spec.ProducerConfig; producer != nil && producer.CryptoConfig != nil {
		path := c.child("producerConfig")
		c.checkKeyReader(path, producer.CryptoConfig)
		if len(producer.CryptoConfig.EncryptionKeys) == 0 {
			c.pulsar(field.Required(path.Child("cryptoConfig", "encryptionKeys"),
				"Must provide encryption key name for crypto key reader"))
		}
	}
}

func (c *checks) checkKeyReader(path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto != nil && isBlank(crypto.CryptoKeyReaderClassName) {
		c.pulsar(field.Required(path.Child("cryptoConfig", "cryptoKeyReaderClassName"),
			"CryptoKeyReader class name required"))
	}
}

// checkConversion checks what Pulsar finds when it makes its function details of
// the configuration.
func (c *checks) checkConversion() {
	if runtimeOf(c.spec) != runtimeJava { // Java functions have had it with another text
		c.checkCustomSchemas("customSchemaInputs", schemaInputsOf, "Incorrect custom schema inputs,Topic %s ")
	}
	c.checkCustomSchemas("customSchemaOutputs", schemaOfOutput, "Incorrect custom schema outputs,Topic %s ")

	guarantees := c.spec.ProcessingGuarantees
	if c.spec.WindowConfig != nil {
		if guarantees == v1alpha1.EffectivelyOnce || guarantees == v1alpha1.Manual {
			c.pulsar(field.Invalid(c.child("processingGuarantees"), guarantees,
				fmt.Sprintf("Windows Function not support %s delivery semantics.", guarantees)))
		}
	} else if c.spec.AutoAck != nil && !*c.spec.AutoAck && guarantees == v1alpha1.AtMostOnce {
		c.pulsar(field.Invalid(c.child("autoAck"), false,
			"When Guarantees == ATMOST_ONCE, autoAck must be equal to true."+
				" This is a contradictory configuration, autoAck will be removed later."+
				" Please refer to PIP: https://github.com/apache/pulsar/issues/15560"))
	}
	c.checkPackageProvided()
}

// checkCustomSchemas checks JSON texts of Pulsar's ConsumerConfig by topic. The
// operator takes what stands in a Function for a schema type as it is, so one made
// by other means may hold such.
func (c *checks) checkCustomSchemas(member string, of func(*functionSpec) map[string]string, text string) {
	schemas := of(c.spec)
	for _, name := range sortedKeys(schemas) {
		if old := c.old; old != nil {
			if schema, found := of(&old.Spec)[name]; found && schema == schemas[name] {
				continue
			}
		}
		var consumer *v1alpha1.ConsumerSpec
		if err := json.Unmarshal([]byte(schemas[name]), &consumer); err != nil || consumer == nil {
			c.pulsar(field.Invalid(c.child(member).Key(name), omitted, fmt.Sprintf(text, name)))
		}
	}
}

func schemaInputsOf(spec *functionSpec) map[string]string { return spec.CustomSchemaInputs }

// schemaOfOutput returns the one entry that Pulsar reads: that of the output topic.
func schemaOfOutput(spec *functionSpec) map[string]string {
	schema, found := spec.CustomSchemaOutputs[spec.Output]
	if !found {
		return nil
	}
	return map[string]string{spec.Output: schema}
}

func isBlank(s string) bool {
	return strings.TrimSpace(s) == ""
}
