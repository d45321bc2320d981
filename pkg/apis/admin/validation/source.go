package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// noTrigger is Pulsar's text for a batch source that nothing triggers.
const noTrigger = "BatchSourceConfig does not specify Discovery Trigger ClassName"

// checkSourceAsPulsar checks a source as Pulsar's SourceConfigUtils does.
func (c *checks) checkSourceAsPulsar() {
	c.checkPackage(true, noBuiltinSource)
	c.checkNames()
	c.checkOptionalTopic(topic{c.output.Output, c.child("output")}, "Topic name is invalid")
	c.checkLogTopic()
	c.checkParallelism()
	c.checkAmounts()
	if batch := c.source.BatchSourceConfig; batch != nil {
		c.checkTrigger(c.pulsar, c.child("batchSourceConfig"), batch)
	}
	if c.output.OutputSchemaType != "" && c.output.OutputSerdeClassName != "" {
		c.pulsar(field.Invalid(c.child("outputSerdeClassName"), c.output.OutputSerdeClassName,
			"Only one of serdeClassName or schemaType should be set"))
	}
}

// checkTrigger checks what triggers a batch source.
func (c *checks) checkTrigger(report func(*field.Error), path *field.Path, batch *v1alpha1.BatchSourceConfig) {
	path = path.Child("discoveryTriggererClassName")
	if isBlank(batch.DiscoveryTriggererClassName) {
		report(field.Required(path, noTrigger))
		return
	}
	c.checkClassName(path, batch.DiscoveryTriggererClassName)
}

// checkSourceRules checks what the operator wants of a source, and of a function
// that has the same from Pulsar.
func (c *checks) checkSourceRules() {
	if c.kind == v1alpha1.SourceKind {
		c.checkEncryption(c.own)
	}
}
