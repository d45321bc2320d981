package validation

import (
	"math"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// checkSinkAsPulsar checks a sink as Pulsar's SinkConfigUtils does.
func (c *checks) checkSinkAsPulsar() {
	c.checkPackage(true, noBuiltinSink)
	c.checkTransformFunction()
	c.checkNames()
	c.checkInputs("Must specify at least one topic of input via topicToSerdeClassName, topicsPattern, topicToSchemaType or inputSpecs")
	c.checkLogTopic()
	c.checkParallelism()
	c.checkAmounts()
	c.checkTimeout(0)
	c.checkSchemaOrSerde("Only one of serdeClassName or schemaType should be set")
	c.checkOrdering()
	c.checkAutoAck()
}

// checkTransformFunction checks where the code of a function inside a sink comes
// from. Pulsar does that together with the sink's own.
func (c *checks) checkTransformFunction() {
	transform := c.sink.TransformFunction
	if transform == nil || c.kept(func(s *subject) any { return s.sink.TransformFunction }) {
		return
	}
	path := c.child("transformFunction", "location")
	switch location := transform.Location; {
	case location == "":
	case strings.HasPrefix(location, connectors.Prefix):
		entry, _ := c.options.Catalogue.Lookup(builtinName(location))
		if entry.FunctionClass == "" {
			c.unknownBuiltin(path, location, "Built-in SINK is not available", v1alpha1.FunctionKind)
		}
	default:
		c.checkURL(path, location)
	}
	if !isBlank(transform.ClassName) {
		c.checkClassName(c.child("transformFunction", "className"), transform.ClassName)
	}
}

// checkSinkRules checks what the operator wants of a sink, and of a function that
// has the same from Pulsar.
func (c *checks) checkSinkRules() {
	if c.kind != v1alpha1.SinkKind {
		return
	}
	c.checkRetries(c.own)
	c.checkConsumers(c.own)
	c.checkOwnTopic(topic{c.input.DeadLetterTopic, c.child("deadLetterTopic")})
	if timeout := c.input.TimeoutMs; timeout != nil && *timeout != 0 && c.effectivelyOnce() {
		c.own(field.Invalid(c.child("timeoutMs"), *timeout, "the Function Mesh operator takes no timeout with EFFECTIVELY_ONCE"))
	}
	if delay := c.sink.NegativeAckRedeliveryDelayMs; delay != nil && (*delay < 0 || *delay > math.MaxInt32) {
		c.own(field.Invalid(c.child("negativeAckRedeliveryDelayMs"), *delay,
			"must be between 0 and 2147483647 ms (24 days) for Function Mesh"))
	}
	// Where it is no schema type, it is the JSON that a function has there.
	for _, name := range sortedKeys(c.input.CustomSchemaInputs) {
		schema := c.input.CustomSchemaInputs[name]
		if strings.HasPrefix(strings.TrimSpace(schema), "{") && !isConsumerConfig(schema) {
			c.ownOf(field.Invalid(c.child("customSchemaInputs").Key(name), omitted,
				"must be a schema type or the JSON text of a ConsumerConfig"), schema)
		}
	}
}
