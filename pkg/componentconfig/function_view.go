package componentconfig

import (
	"fmt"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func (c *FunctionConfig) toView(packageURL string) (*v1alpha1.PulsarFunction, error) {
	common, err := c.Common.toView()
	if err != nil {
		return nil, err
	}
	userConfig, err := freeToView(orNone(c.UserConfig))
	if err != nil {
		return nil, err
	}
	function := &v1alpha1.PulsarFunction{Spec: v1alpha1.PulsarFunctionSpec{
		ComponentSpec: common,
		InputConfig:   c.Inputs.toView(),
		OutputConfig: v1alpha1.OutputConfig{
			Output:                       c.Output,
			OutputSerdeClassName:         c.OutputSerdeClassName,
			OutputSchemaType:             c.OutputSchemaType,
			CustomSchemaOutputs:          orNil(c.CustomSchemaOutputs),
			ProducerConfig:               producerToView(c.ProducerConfig, c.BatchBuilder),
			ForwardSourceMessageProperty: c.ForwardSourceMessageProperty,
		},
		SkipToLatest:            c.SkipToLatest,
		MaxPendingAsyncRequests: c.MaxPendingAsyncRequests,
		WindowConfig:            windowToView(c.WindowConfig),
		UserConfig:              userConfig,
	}}
	spec := &function.Spec
	spec.ClassName = c.ClassName
	c.setRuntime(spec)
	spec.SubscriptionName = c.SubName
	spec.SubscriptionPosition = v1alpha1.SubscriptionPosition(c.SubscriptionPosition)
	spec.MaxMessageRetries = givenRetries(c.MaxMessageRetries, 0)
	c.topics().toView(&spec.InputConfig, parseSchema, listsTopics(spec))
	for _, topic := range sortedKeys(c.CustomSchemaInputs) {
		if schema, ok := parseSchema(c.CustomSchemaInputs[topic]); ok && schema.SchemaType == "" {
			return nil, &Error{Reason: fmt.Sprintf("custom schema inputs,Topic %s has no schemaType", topic)}
		}
	}
	// Pulsar refuses these, but only after much else. The API server does so too, in
	// the same order.
	spec.CustomSchemaInputs = c.topics().unreadable(parseSchema)
	if err := applyOptions(function, "", c.CustomRuntimeOptions); err != nil {
		return nil, err
	}
	// What the config itself says counts for more.
	replace(&spec.InputTypeClassName, c.InputTypeClassName)
	replace(&spec.OutputTypeClassName, c.OutputTypeClassName)
	if packageURL == "" {
		packageURL = c.location()
	}
	setLocation(&spec.ComponentSpec, packageURL)
	// The Go client always sends this member. Only true asks for something that
	// Function Mesh can't do, which the user should hear about.
	if ptr.Deref(c.ExposePulsarAdminClientEnabled, false) {
		spec.ExposePulsarAdminClientEnabled = ptr.To(true)
	}
	return function, nil
}

func (c *FunctionConfig) setRuntime(spec *v1alpha1.PulsarFunctionSpec) {
	chosen := c.runtimeLog()
	switch c.Runtime {
	case runtimeJava:
		spec.Java = &v1alpha1.JavaRuntime{Runtime: chosen}
	case runtimePython:
		spec.Python = &chosen
	case runtimeGo:
		spec.Go = &chosen
	}
}

// listsTopics tells whether each topic has to stand in inputs, which is where the Go
// runtime looks for it.
func listsTopics(spec *v1alpha1.PulsarFunctionSpec) bool {
	return spec.Go != nil
}

func fromFunction(function *v1alpha1.PulsarFunction) *FunctionConfig {
	spec := &function.Spec
	inputs, _ := inputsFromView(&spec.InputConfig, spec.WindowConfig == nil)
	config := &FunctionConfig{
		Common:               commonFromView(function),
		Inputs:               inputs,
		ClassName:            spec.ClassName,
		Output:               spec.Output,
		ProducerConfig:       producerFromView(spec.ProducerConfig),
		OutputSchemaType:     spec.OutputSchemaType,
		OutputSerdeClassName: spec.OutputSerdeClassName,
		UserConfig:           orSome(freeFromView(spec.UserConfig)),
		Runtime:              runtimeOf(spec),
		SubName:              spec.SubscriptionName,
		SubscriptionPosition: string(orElse(spec.SubscriptionPosition, v1alpha1.Latest)),
	}
	config.WindowConfig = windowFromView(spec.WindowConfig, config.ClassName, config.ProcessingGuarantees)
	if ptr.Deref(spec.ForwardSourceMessageProperty, true) {
		config.ForwardSourceMessageProperty = ptr.To(true)
	}
	if retries := givenRetries(spec.MaxMessageRetries, 0); retries != nil {
		config.MaxMessageRetries = retries
		config.DeadLetterTopic = spec.DeadLetterTopic
	}
	return config
}
