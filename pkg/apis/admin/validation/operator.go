package validation

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// checkOperatorRules checks what only the operator refuses, or crashes on. Its other
// rules are Pulsar's too.
func (c *checks) checkOperatorRules() {
	if retries := c.input.MaxMessageRetries; c.input.DeadLetterTopic != "" && retries != nil && *retries == 0 {
		c.own(field.Invalid(c.child("maxMessageRetries"), *retries,
			"must be positive with a deadLetterTopic: the Function Mesh operator takes 0 for no limit"))
	}
	c.checkReplicas()
	c.checkSinkRules()
	c.checkSourceRules()
	c.checkFunctionRules()
}

// checkReplicas checks the numbers of instances. While nothing runs they are those
// that will run.
func (c *checks) checkReplicas() {
	least, most := c.spec.MinReplicas, c.spec.MaxReplicas
	parallelism := v1alpha1.DefaultParallelism
	if c.spec.Parallelism != nil {
		parallelism = *c.spec.Parallelism
	}
	if least != nil {
		switch path := c.child("minReplicas"); {
		case *least <= 0:
			c.own(field.Invalid(path, *least, "must be positive"))
		case most != nil && *least > *most:
			c.own(field.Invalid(path, *least, fmt.Sprintf("may not be more than maxReplicas, %d", *most)))
		case *least > parallelism && parallelism > 0: // else the parallelism is what is wrong
			c.own(field.Invalid(path, *least, fmt.Sprintf("may not be more than parallelism, %d", parallelism)))
		}
	}
	if most != nil {
		switch path := c.child("maxReplicas"); {
		case *most <= 0:
			c.own(field.Invalid(path, *most, "must be positive"))
		case *most < parallelism:
			c.own(field.Invalid(path, *most, fmt.Sprintf("may not be less than parallelism, %d", parallelism)))
		}
	}
}

// checkFunctionRules checks what only functions have, and Pulsar doesn't check.
func (c *checks) checkFunctionRules() {
	if window := c.function.WindowConfig; window != nil {
		c.checkWindowRules(c.child("windowConfig"), window)
		if c.runtime() == runtimeGeneric { // for the others Pulsar says so
			c.own(field.Forbidden(c.child("windowConfig"), "only a Java function has windows"))
		}
	}
	if own, path := c.function.SourceConfig, c.child("sourceConfig"); own != nil {
		c.checkInnerConnector(path, "source", own.ClassName, own.SourceType)
		if batch := own.BatchSourceConfig; batch != nil {
			c.checkTrigger(c.own, path.Child("batchSourceConfig"), batch)
		}
	}
	if own, path := c.function.SinkConfig, c.child("sinkConfig"); own != nil {
		c.checkInnerConnector(path, "sink", own.ClassName, own.SinkType)
	}
}

// checkWindowRules checks that the operator, which looks at these numbers without
// asking whether they are there, finds them.
func (c *checks) checkWindowRules(path *field.Path, window *v1alpha1.WindowConfig) {
	const help = "the Function Mesh operator crashes without it"
	if window.WindowLengthCount != nil && window.SlidingIntervalCount == nil {
		c.own(field.Required(path.Child("slidingIntervalCount"), help))
	}
	if window.WindowLengthDurationMs != nil && window.SlidingIntervalDurationMs == nil {
		c.own(field.Required(path.Child("slidingIntervalDurationMs"), help))
	}
	if window.MaxLagMs == nil {
		c.own(field.Required(path.Child("maxLagMs"), help))
	}
	if window.WatermarkEmitIntervalMs == nil {
		c.own(field.Required(path.Child("watermarkEmitIntervalMs"), help))
	}
	c.checkOwnTopic(topic{window.LateDataTopic, path.Child("lateDataTopic")})
	c.checkOptionalClass(path.Child("timestampExtractorClassName"), window.TimestampExtractorClassName)
}

// checkInnerConnector checks a source or sink that runs inside a function.
func (c *checks) checkInnerConnector(path *field.Path, kind, className, builtin string) {
	if c.runtime() != runtimeJava {
		c.own(field.Forbidden(path, fmt.Sprintf("only a Java function has a %s of its own", kind)))
	}
	if isBlank(className) && builtin == "" {
		c.own(field.Required(path.Child("className"), "the class of the "+kind+" is needed, or its type"))
	}
	c.checkOptionalClass(path.Child("className"), className)
}
