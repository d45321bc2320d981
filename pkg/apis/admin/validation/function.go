package validation

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// checkFunctionAsPulsar checks a function as Pulsar's FunctionConfigUtils does.
func (c *checks) checkFunctionAsPulsar() {
	runtime, noBuiltin := c.runtime(), ""
	if runtime == runtimeJava {
		noBuiltin = fmt.Sprintf("No Function %s found", builtinName(c.location()))
	}
	c.checkPackage(runtime == runtimeJava, noBuiltin)
	c.checkNames()
	if runtime == runtimePython && c.spec.ClassName == "" {
		c.pulsar(field.Required(c.child("className"), "Function classname cannot be null"))
	}
	noInputs := "No input topic(s) specified for the function"
	if c.function.SourceConfig != nil { // its source is where messages come from
		noInputs = ""
	}
	c.checkInputs(noInputs)
	c.checkOptionalTopic(topic{c.output.Output, c.child("output")}, "Output topic %s is invalid")
	c.checkLogTopic()
	c.checkOptionalTopic(topic{c.input.DeadLetterTopic, c.child("deadLetterTopic")}, "DeadLetter topic %s is invalid")
	c.checkParallelism()
	c.checkNoLoop()
	c.checkWindow()
	c.checkAmounts()
	c.checkTimeout(1)
	if timeout := c.input.TimeoutMs; timeout != nil && c.spec.ProcessingGuarantees != "" &&
		c.spec.ProcessingGuarantees != v1alpha1.AtLeastOnce {
		c.pulsar(field.Invalid(c.child("timeoutMs"), *timeout,
			"Message timeout can only be specified with processing guarantee is ATLEAST_ONCE"))
	}
	c.checkRetries(c.pulsar)
	c.checkOrdering()
	c.checkPackageFile()
	c.checkConsumers(c.pulsar)
	c.checkEncryption(c.pulsar)
	switch runtime {
	case runtimeJava:
		c.checkJava()
	case runtimePython:
		c.checkUnsupported("Effectively-once processing guarantees not yet supported in Python",
			"There is currently no support windowing in python",
			"Message retries not yet supported in python")
	case runtimeGo:
		c.checkGo()
	case runtimeGeneric: // Pulsar has none
	default:
		c.checkNoRuntime()
	}
	c.checkFunctionDetails()
}

// checkNoLoop checks that a function doesn't consume what it produces.
func (c *checks) checkNoLoop() {
	output := c.output.Output
	isOutput := func(input topic) bool { return input.name == output }
	if output != "" && slices.ContainsFunc(c.inputTopics(c.path), isOutput) {
		c.pulsar(field.Invalid(c.child("output"), output, fmt.Sprintf(
			"Output topic %s is also being used as an input topic (topics must be one or the other)", output)))
	}
}

func (c *checks) checkWindow() {
	window := c.function.WindowConfig
	if window == nil {
		return
	}
	path := c.child("windowConfig")
	if c.input.AutoAck != nil && *c.input.AutoAck {
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

func (c *checks) checkJava() {
	if isBlank(c.spec.ClassName) && c.builtinClass() == "" {
		c.pulsar(field.Required(c.child("className"), "Function class name is not provided."))
	}
	c.checkCustomSchemas("customSchemaInputs", schemaInputsOf, "Topic %s has an incorrect schema Info")
	c.checkSchemaOrSerde("Only one of schemaType or serdeClassName should be set in inputSpec")
	if c.output.OutputSchemaType != "" && c.output.OutputSerdeClassName != "" &&
		c.output.OutputTypeClassName != "java.lang.Void" {
		c.pulsar(field.Invalid(c.child("outputSerdeClassName"), c.output.OutputSerdeClassName,
			"Only one of outputSchemaType or outputSerdeClassName should be set"))
	}
}

func (c *checks) checkGo() {
	c.checkUnsupported("Effectively-once processing guarantees not yet supported in Go function",
		"Windowing is not supported in Go function yet",
		"Message retries not yet supported in Go function")
	if c.input.RetainKeyOrdering {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"Retain Key Orderering not yet supported in Go function"))
	}
}

// checkUnsupported checks what only Java functions can have.
func (c *checks) checkUnsupported(effectivelyOnce, window, retries string) {
	if c.effectivelyOnce() {
		c.pulsar(field.Invalid(c.child("processingGuarantees"), c.spec.ProcessingGuarantees, effectivelyOnce))
	}
	if c.function.WindowConfig != nil {
		c.pulsar(field.Forbidden(c.child("windowConfig"), window))
	}
	if c.retries() {
		c.pulsar(field.Invalid(c.child("maxMessageRetries"), *c.input.MaxMessageRetries, retries))
	}
}

// checkNoRuntime says that there is no runtime, or more than one: Pulsar would take
// one of them without saying which.
func (c *checks) checkNoRuntime() {
	const text = "Function language runtime is either not set or cannot be determined"
	set := c.runtimes()
	if len(set) == 0 {
		c.pulsar(field.Required(c.path, text))
		c.own(field.Required(c.path, "exactly one of java, python, go and generic must be set"))
		return
	}
	for _, runtime := range set[1:] {
		c.pulsar(field.Invalid(c.child(runtime), omitted, text))
		c.own(field.Forbidden(c.child(runtime), fmt.Sprintf("may not be set together with %s", set[0])))
	}
}

// checkFunctionDetails checks what Pulsar finds when it makes its function details
// of the configuration.
func (c *checks) checkFunctionDetails() {
	if c.runtime() != runtimeJava { // Java functions have had it with another text
		c.checkCustomSchemas("customSchemaInputs", schemaInputsOf, "Incorrect custom schema inputs,Topic %s ")
	}
	c.checkCustomSchemas("customSchemaOutputs", schemaOfOutput, "Incorrect custom schema outputs,Topic %s ")
	if c.function.WindowConfig == nil {
		c.checkAutoAck()
	} else if guarantees := c.spec.ProcessingGuarantees; guarantees == v1alpha1.EffectivelyOnce || guarantees == v1alpha1.Manual {
		c.pulsar(field.Invalid(c.child("processingGuarantees"), guarantees,
			fmt.Sprintf("Windows Function not support %s delivery semantics.", guarantees)))
	}
	c.checkPackageProvided()
}

// checkCustomSchemas checks JSON texts of Pulsar's ConsumerConfig by topic. The
// operator takes what stands in a Function for a schema type as it is, so one made
// by other means may hold such.
func (c *checks) checkCustomSchemas(member string, of func(*subject) map[string]string, text string) {
	schemas := of(c.subject)
	for _, name := range sortedKeys(schemas) {
		if c.old != nil {
			if schema, found := of(c.old)[name]; found && schema == schemas[name] {
				continue
			}
		}
		if !isConsumerConfig(schemas[name]) {
			c.pulsar(field.Invalid(c.child(member).Key(name), omitted, fmt.Sprintf(text, name)))
		}
	}
}

// isConsumerConfig tells whether a text is the JSON of one.
func isConsumerConfig(text string) bool {
	var consumer *v1alpha1.ConsumerSpec
	return json.Unmarshal([]byte(text), &consumer) == nil && consumer != nil
}

func schemaInputsOf(s *subject) map[string]string { return s.input.CustomSchemaInputs }

// schemaOfOutput returns the one entry that Pulsar reads: that of the output topic.
func schemaOfOutput(s *subject) map[string]string {
	schema, found := s.output.CustomSchemaOutputs[s.output.Output]
	if !found {
		return nil
	}
	return map[string]string{s.output.Output: schema}
}
