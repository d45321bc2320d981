package componentconfig

import (
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// FunctionConfig is Pulsar's description of a function.
type FunctionConfig struct {
	Common
	Inputs

	ClassName string `json:"className"`

	CustomSerdeInputs  map[string]string `json:"customSerdeInputs,omitempty"`
	CustomSchemaInputs map[string]string `json:"customSchemaInputs,omitempty"`
	InputTypeClassName string            `json:"inputTypeClassName,omitempty"`

	Output               string            `json:"output,omitempty"`
	ProducerConfig       *ProducerConfig   `json:"producerConfig,omitempty"`
	OutputSchemaType     string            `json:"outputSchemaType,omitempty"`
	OutputSerdeClassName string            `json:"outputSerdeClassName,omitempty"`
	OutputTypeClassName  string            `json:"outputTypeClassName,omitempty"`
	CustomSchemaOutputs  map[string]string `json:"customSchemaOutputs,omitempty"`
	BatchBuilder         string            `json:"batchBuilder,omitempty"`

	ForwardSourceMessageProperty *bool          `json:"forwardSourceMessageProperty,omitempty"`
	UserConfig                   map[string]any `json:"userConfig"`

	// Runtime is JAVA, PYTHON or GO. Jar, Py and Go name the code as the client
	// named it, and thereby the runtime.
	Runtime      string `json:"runtime,omitempty"`
	Jar          string `json:"jar,omitempty"`
	Py           string `json:"py,omitempty"`
	Go           string `json:"go,omitempty"`
	FunctionType string `json:"functionType,omitempty"`

	SubName              string `json:"subName,omitempty"`
	SubscriptionPosition string `json:"subscriptionPosition,omitempty"`
	SkipToLatest         *bool  `json:"skipToLatest,omitempty"`

	WindowConfig            *WindowConfig `json:"windowConfig,omitempty"`
	MaxPendingAsyncRequests *int32        `json:"maxPendingAsyncRequests,omitempty"`

	ExposePulsarAdminClientEnabled *bool `json:"exposePulsarAdminClientEnabled,omitempty"`
}

var functionForm = form[*FunctionConfig, *v1alpha1.PulsarFunction]{
	kind:     v1alpha1.FunctionKind,
	parse:    parseFunction,
	toView:   (*FunctionConfig).toView,
	fromView: fromFunction,
	merge:    mergeFunction,
	apply:    applyFunction,
}

func parseFunction(in object) *FunctionConfig {
	return &FunctionConfig{
		Common:                         parseCommon(in),
		Inputs:                         parseInputs(in),
		ClassName:                      in.text("className"),
		CustomSerdeInputs:              in.textMap("customSerdeInputs"),
		CustomSchemaInputs:             in.textMap("customSchemaInputs"),
		InputTypeClassName:             in.text("inputTypeClassName"),
		Output:                         in.text("output"),
		ProducerConfig:                 parseProducerConfig(in),
		OutputSchemaType:               in.text("outputSchemaType"),
		OutputSerdeClassName:           in.text("outputSerdeClassName"),
		OutputTypeClassName:            in.text("outputTypeClassName"),
		CustomSchemaOutputs:            in.textMap("customSchemaOutputs"),
		BatchBuilder:                   in.text("batchBuilder"),
		ForwardSourceMessageProperty:   in.boolean("forwardSourceMessageProperty"),
		UserConfig:                     in.free("userConfig"),
		Runtime:                        in.enum("runtime", runtimeJava, runtimePython, runtimeGo),
		Jar:                            in.text("jar"),
		Py:                             in.text("py"),
		Go:                             in.text("go"),
		FunctionType:                   in.text("functionType"),
		SubName:                        in.text("subName"),
		SubscriptionPosition:           parsePosition(in, "subscriptionPosition"),
		SkipToLatest:                   in.boolean("skipToLatest"),
		WindowConfig:                   parseWindowConfig(in),
		MaxPendingAsyncRequests:        in.int32("maxPendingAsyncRequests"),
		ExposePulsarAdminClientEnabled: in.boolean("exposePulsarAdminClientEnabled"),
	}
}

func (c *FunctionConfig) topics() topics {
	return topics{
		names:   c.Inputs.Inputs,
		pattern: c.TopicsPattern, noPattern: c.EmptyPattern,
		serdes:  c.CustomSerdeInputs,
		schemas: c.CustomSchemaInputs,
		specs:   c.InputSpecs,
	}
}

func (c *FunctionConfig) setDefaults() {
	c.Common.setDefaults()
	if c.MaxPendingAsyncRequests == nil {
		c.MaxPendingAsyncRequests = ptr.To(v1alpha1.DefaultMaxPendingAsyncRequests)
	}
	if c.ForwardSourceMessageProperty == nil {
		c.ForwardSourceMessageProperty = ptr.To(true)
	}
	c.inferRuntime()
	if c.WindowConfig != nil {
		window := *c.WindowConfig
		window.setDefaults()
		c.WindowConfig = &window
		c.AutoAck = ptr.To(false)
	}
}
