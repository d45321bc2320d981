package validation

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// checkTexts checks the texts that have no form of their own. The operator writes
// them as JSON between single quotes into a shell command, and does not escape
// single quotes before Function Mesh v0.27.2. Free configuration is not among them:
// people write single quotes there with good reason, so it is warned of.
func (c *checks) checkTexts() {
	for _, input := range c.inputTopics(c.path) {
		c.checkText(input.path, input.name)
	}
	for _, text := range []struct{ member, value string }{
		{"output", c.output.Output},
		{"logTopic", c.spec.LogTopic},
		{"deadLetterTopic", c.input.DeadLetterTopic},
		{"subscriptionName", c.input.SubscriptionName},
		{"inputTypeClassName", c.input.InputTypeClassName},
		{"outputTypeClassName", c.output.OutputTypeClassName},
		{"outputSerdeClassName", c.output.OutputSerdeClassName},
		{"outputSchemaType", c.output.OutputSchemaType},
		{"runtimeFlags", c.spec.RuntimeFlags},
		{"sinkType", c.sink.SinkType},
		{"sourceType", c.source.SourceType},
	} {
		c.checkText(c.child(text.member), text.value)
	}
	for _, name := range sortedKeys(c.input.CustomSerdeInputs) { // the names are input topics
		c.checkText(c.child("customSerdeInputs").Key(name), c.input.CustomSerdeInputs[name])
	}
	c.checkSchemaTexts(c.child("customSchemaInputs"), c.input.CustomSchemaInputs)
	c.checkSchemaTexts(c.child("customSchemaOutputs"), c.output.CustomSchemaOutputs)
	for _, name := range sortedKeys(c.input.InputSpecs) {
		consumer, path := c.input.InputSpecs[name], c.child("inputSpecs").Key(name)
		c.checkText(path.Child("schemaType"), consumer.SchemaType)
		c.checkText(path.Child("serdeClassName"), consumer.SerdeClassName)
		c.checkTextMap(path.Child("schemaProperties"), consumer.SchemaProperties)
		c.checkTextMap(path.Child("consumerProperties"), consumer.ConsumerProperties)
		c.checkCryptoTexts(path.Child("cryptoConfig"), consumer.CryptoConfig)
	}
	if producer := c.output.ProducerConfig; producer != nil {
		c.checkText(c.child("producerConfig", "batchBuilder"), producer.BatchBuilder)
		c.checkCryptoTexts(c.child("producerConfig", "cryptoConfig"), producer.CryptoConfig)
	}
	c.checkFunctionTexts()
}

// checkFunctionTexts checks the texts that only functions have.
func (c *checks) checkFunctionTexts() {
	if window := c.function.WindowConfig; window != nil {
		c.checkText(c.child("windowConfig", "lateDataTopic"), window.LateDataTopic)
	}
	if own := c.function.SourceConfig; own != nil {
		c.checkText(c.child("sourceConfig", "sourceType"), own.SourceType)
		c.checkText(c.child("sourceConfig", "typeClassName"), own.TypeClassName)
	}
	if own := c.function.SinkConfig; own != nil {
		c.checkText(c.child("sinkConfig", "sinkType"), own.SinkType)
		c.checkText(c.child("sinkConfig", "typeClassName"), own.TypeClassName)
	}
}

func (c *checks) checkCryptoTexts(path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto == nil {
		return
	}
	c.checkTextMap(path.Child("cryptoKeyReaderConfig"), crypto.CryptoKeyReaderConfig)
	for i, key := range crypto.EncryptionKeys {
		c.checkText(path.Child("encryptionKeys").Index(i), key)
	}
}

func (c *checks) checkTextMap(path *field.Path, texts map[string]string) {
	for _, key := range sortedKeys(texts) {
		c.checkText(path.Key(shortened(key)), key)
		c.checkText(path.Key(shortened(key)), texts[key])
	}
}

// checkSchemaTexts checks JSON texts. They are as long as a schema is.
func (c *checks) checkSchemaTexts(path *field.Path, texts map[string]string) {
	for _, key := range sortedKeys(texts) {
		if !isPlain(key, nil) || !isPlain(texts[key], unicode.IsSpace) {
			c.ownOf(field.Invalid(path.Key(shortened(key)), omitted, plainHelp), texts[key])
		}
	}
}

func (c *checks) checkText(path *field.Path, text string) {
	switch {
	case len(text) > maxTextBytes:
		c.ownOf(field.TooLong(path, text, maxTextBytes), text)
	case !isPlain(text, nil):
		c.ownOf(field.Invalid(path, omitted, plainHelp), text)
	}
}

const plainHelp = "may hold no control characters and no single quotes: it becomes part of a shell command"

// isPlain tells whether a text is UTF-8 without single quotes, and without control
// characters but those that are allowed.
func isPlain(text string, allowed func(rune) bool) bool {
	refused := func(r rune) bool {
		return r == '\'' || unicode.IsControl(r) && (allowed == nil || !allowed(r))
	}
	return utf8.ValidString(text) && strings.IndexFunc(text, refused) < 0
}

// checkOwnTopic checks a topic that may be absent, and that Pulsar would check only
// when it is used.
func (c *checks) checkOwnTopic(topic topic) {
	switch {
	case topic.name == "":
	case !identity.ValidTopicName(topic.name):
		c.own(field.Invalid(topic.path, shortened(topic.name), "is no valid topic name"))
	default:
		c.checkSpelling(topic)
	}
}

// checkSpelling checks that a valid topic is written as the operator has it.
func (c *checks) checkSpelling(topic topic) {
	if !identity.CanonicalTopicName(topic.name) {
		c.ownOf(field.Invalid(topic.path, shortened(topic.name),
			"the Function Mesh operator takes no topic alone with slashes around it, and no domain in upper case"), topic.name)
	}
}
