package componentconfig

import (
	"slices"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// SinkConfig is Pulsar's description of a sink.
type SinkConfig struct {
	Common
	Inputs

	ClassName string `json:"className,omitempty"`

	TopicToSerdeClassName   map[string]string `json:"topicToSerdeClassName,omitempty"`
	TopicToSchemaType       map[string]string `json:"topicToSchemaType,omitempty"`
	TopicToSchemaProperties map[string]string `json:"topicToSchemaProperties,omitempty"`

	SourceSubscriptionName     string `json:"sourceSubscriptionName,omitempty"`
	SourceSubscriptionPosition string `json:"sourceSubscriptionPosition,omitempty"`

	Configs                      map[string]any `json:"configs,omitempty"`
	NegativeAckRedeliveryDelayMs *int64         `json:"negativeAckRedeliveryDelayMs,omitempty"`

	SinkType string `json:"sinkType,omitempty"`
	Archive  string `json:"archive,omitempty"`

	TransformFunction          string `json:"transformFunction,omitempty"`
	TransformFunctionClassName string `json:"transformFunctionClassName,omitempty"`
	TransformFunctionConfig    string `json:"transformFunctionConfig,omitempty"`
}

var sinkForm = form[*SinkConfig, *v1alpha1.PulsarSink]{
	kind:     v1alpha1.SinkKind,
	parse:    parseSink,
	toView:   (*SinkConfig).toView,
	fromView: fromSink,
	merge:    mergeSink,
	apply:    applySink,
}

func parseSink(in object) *SinkConfig {
	return &SinkConfig{
		Common:                       parseCommon(in),
		Inputs:                       parseInputs(in),
		ClassName:                    in.text("className"),
		TopicToSerdeClassName:        in.textMap("topicToSerdeClassName"),
		TopicToSchemaType:            in.textMap("topicToSchemaType"),
		TopicToSchemaProperties:      in.textMap("topicToSchemaProperties"),
		SourceSubscriptionName:       in.text("sourceSubscriptionName"),
		SourceSubscriptionPosition:   parseSinkPosition(in),
		Configs:                      in.free("configs"),
		NegativeAckRedeliveryDelayMs: in.int64("negativeAckRedeliveryDelayMs"),
		SinkType:                     in.text("sinkType"),
		Archive:                      in.text("archive"),
		TransformFunction:            in.text("transformFunction"),
		TransformFunctionClassName:   in.text("transformFunctionClassName"),
		TransformFunctionConfig:      in.text("transformFunctionConfig"),
	}
}

// parseSinkPosition has a default, because Pulsar's SinkConfig has it from the start:
// an update that doesn't mention the position resets it. Only null stays absent.
func parseSinkPosition(in object) string {
	const member = "sourceSubscriptionPosition"
	if _, given := in.members[member]; !given {
		return string(v1alpha1.Latest)
	}
	return parsePosition(in, member)
}

func (c *SinkConfig) topics() topics {
	return topics{
		names:   c.Inputs.Inputs,
		pattern: c.TopicsPattern, noPattern: c.EmptyPattern,
		serdes:  c.TopicToSerdeClassName,
		schemas: c.TopicToSchemaType,
		specs:   c.InputSpecs,
	}
}

func (c *SinkConfig) toView(packageURL string) (*v1alpha1.PulsarSink, error) {
	common, err := c.Common.toView()
	if err != nil {
		return nil, err
	}
	configs, err := freeToView(c.Configs)
	if err != nil {
		return nil, err
	}
	sink := &v1alpha1.PulsarSink{Spec: v1alpha1.PulsarSinkSpec{
		ComponentSpec:                common,
		InputConfig:                  c.Inputs.toView(),
		Configs:                      configs,
		NegativeAckRedeliveryDelayMs: positive(c.NegativeAckRedeliveryDelayMs),
		SinkType:                     c.SinkType,
		TopicToSchemaProperties:      c.TopicToSchemaProperties,
	}}
	spec := &sink.Spec
	spec.ClassName = c.ClassName
	spec.Java = &v1alpha1.JavaRuntime{Runtime: c.runtimeLog()}
	spec.SubscriptionName = c.SourceSubscriptionName
	spec.SubscriptionPosition = v1alpha1.SubscriptionPosition(c.SourceSubscriptionPosition)
	// Pulsar drops a sink's topic for messages that failed when none is retried.
	if spec.MaxMessageRetries = positive(c.MaxMessageRetries); spec.MaxMessageRetries == nil {
		spec.DeadLetterTopic = ""
	}
	spec.TimeoutMs = nonZero(c.TimeoutMs)
	c.topics().toView(&spec.InputConfig, schemaOrType, false)
	if err := applyOptions(sink, "", c.CustomRuntimeOptions); err != nil {
		return nil, err
	}
	if packageURL == "" {
		packageURL = locationOf(c.Archive, c.SinkType)
	}
	setLocation(&spec.ComponentSpec, packageURL)
	if c.TransformFunction != "" || c.TransformFunctionClassName != "" || c.TransformFunctionConfig != "" {
		spec.TransformFunction = &v1alpha1.TransformFunction{
			Location:  c.TransformFunction,
			ClassName: c.TransformFunctionClassName,
			Config:    c.TransformFunctionConfig,
		}
	}
	return sink, nil
}

func fromSink(sink *v1alpha1.PulsarSink) *SinkConfig {
	spec := &sink.Spec
	inputs, names := inputsFromView(&spec.InputConfig, true)
	config := &SinkConfig{
		Common:                       commonFromView(sink),
		Inputs:                       inputs,
		ClassName:                    spec.ClassName,
		SourceSubscriptionName:       spec.SubscriptionName,
		SourceSubscriptionPosition:   string(orElse(spec.SubscriptionPosition, v1alpha1.Latest)),
		Configs:                      freeFromView(spec.Configs),
		NegativeAckRedeliveryDelayMs: positive(spec.NegativeAckRedeliveryDelayMs),
	}
	config.Inputs.Inputs = names
	if retries := positive(spec.MaxMessageRetries); retries != nil {
		config.MaxMessageRetries = retries
		config.DeadLetterTopic = spec.DeadLetterTopic
	}
	// Pulsar stores a sink's ordering as the type of its subscription.
	failover := spec.RetainOrdering || config.ProcessingGuarantees == string(v1alpha1.EffectivelyOnce)
	config.RetainOrdering = ptr.To(failover)
	config.RetainKeyOrdering = ptr.To(spec.RetainKeyOrdering && !failover)
	if spec.Package != nil {
		config.Archive = builtinOf(spec.Package.Location)
	}
	if transform := spec.TransformFunction; transform != nil {
		config.TransformFunction = builtinOf(transform.Location)
		config.TransformFunctionClassName = transform.ClassName
		config.TransformFunctionConfig = transform.Config
	}
	return config
}

func mergeSink(existing, update *SinkConfig) (*SinkConfig, error) {
	if err := existing.checkIdentity(&update.Common, v1alpha1.SinkKind.Title); err != nil {
		return nil, err
	}
	if differs(existing.SourceSubscriptionName, update.SourceSubscriptionName) {
		return nil, &Error{Reason: "Subscription Name cannot be altered"}
	}
	inputs := update.topics().foldUpdate()
	if err := existing.checkTopics(inputs); err != nil {
		return nil, err
	}
	if err := firstAltered(slices.Concat(
		[]check{existing.checkGuarantees(&update.Common)},
		existing.checkOrdering(&update.Inputs),
		[]check{existing.checkAutoAck(&update.Inputs)},
	)); err != nil {
		return nil, err
	}
	merged := *existing
	merged.Common.merge(&update.Common)
	merged.Inputs.merge(&update.Inputs)
	merged.mergeTopics(inputs)
	replace(&merged.ClassName, update.ClassName)
	replace(&merged.Archive, update.Archive)
	replace(&merged.SourceSubscriptionPosition, update.SourceSubscriptionPosition)
	replace(&merged.TransformFunction, update.TransformFunction)
	replace(&merged.TransformFunctionClassName, update.TransformFunctionClassName)
	replace(&merged.TransformFunctionConfig, update.TransformFunctionConfig)
	if update.Configs != nil {
		merged.Configs = update.Configs
	}
	return &merged, nil
}

func applySink(sink *v1alpha1.PulsarSink, existing, merged *SinkConfig, packageURL string) error {
	spec := &sink.Spec
	if err := applyCommon(sink, &existing.Common, &merged.Common); err != nil {
		return err
	}
	applyInputs(&spec.InputConfig, &existing.Inputs, &merged.Inputs, false)
	spec.TimeoutMs = nonZero(spec.TimeoutMs)
	change(&spec.ClassName, existing.ClassName, merged.ClassName)
	change(&spec.SubscriptionPosition, v1alpha1.SubscriptionPosition(existing.SourceSubscriptionPosition), v1alpha1.SubscriptionPosition(merged.SourceSubscriptionPosition))
	transform := ptr.Deref(spec.TransformFunction, v1alpha1.TransformFunction{})
	change(&transform.Location, existing.TransformFunction, merged.TransformFunction)
	change(&transform.ClassName, existing.TransformFunctionClassName, merged.TransformFunctionClassName)
	change(&transform.Config, existing.TransformFunctionConfig, merged.TransformFunctionConfig)
	if transform != (v1alpha1.TransformFunction{}) {
		spec.TransformFunction = &transform
	}
	applyLocation(&spec.ComponentSpec, existing.Archive, merged.Archive, packageURL)
	return applyFree(&spec.Configs, existing.Configs, merged.Configs)
}
