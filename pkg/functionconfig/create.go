package functionconfig

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// SetIdentity overwrites the identity in the configuration with that of the
// request's path, which wins on create and on update.
func (c *FunctionConfig) SetIdentity(tenant, namespace, name string) {
	c.Tenant, c.Namespace, c.Name = tenant, namespace, name
}

// Defaults sets the identity and fills in what Pulsar's worker fills in before it
// checks a new function. It is for create only: on update, what isn't given keeps
// its value.
func (c *FunctionConfig) Defaults(tenant, namespace, name string) {
	c.SetIdentity(tenant, namespace, name)
	if c.Parallelism == nil {
		c.Parallelism = ptr.To(v1alpha1.DefaultParallelism)
	}
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

// ToFunction returns the view of a new function, without metadata, which the
// configuration doesn't know. packageURL is where the code is when the request said
// so apart from the configuration, else empty. Defaults must have been called.
//
// An error is an *Error about something that the view can't hold; whether the
// function is valid otherwise is not asked.
func (c *FunctionConfig) ToFunction(packageURL string) (*v1alpha1.PulsarFunction, error) {
	inputs, unreadable := c.createInputs(parseSchema)
	resources, err := resourcesToView(c.Resources)
	if err != nil {
		return nil, err
	}
	userConfig, err := userConfigToView(c.UserConfig)
	if err != nil {
		return nil, err
	}
	function := &v1alpha1.PulsarFunction{Spec: v1alpha1.PulsarFunctionSpec{
		ComponentSpec: v1alpha1.ComponentSpec{
			Tenant:               c.Tenant,
			Namespace:            c.Namespace,
			Name:                 c.Name,
			ClassName:            c.ClassName,
			RuntimeFlags:         c.RuntimeFlags,
			CustomRuntimeOptions: c.CustomRuntimeOptions,
			Parallelism:          c.Parallelism,
			Resources:            resources,
			ProcessingGuarantees: v1alpha1.ProcessingGuarantees(c.ProcessingGuarantees),
			Secrets:              secretsToView(c.Secrets),
			LogTopic:             c.LogTopic,
		},
		InputConfig: v1alpha1.InputConfig{
			InputTypeClassName:   c.InputTypeClassName,
			SubscriptionName:     c.SubName,
			SubscriptionPosition: v1alpha1.SubscriptionPosition(c.SubscriptionPosition),
			CleanupSubscription:  c.CleanupSubscription,
			RetainOrdering:       ptr.Deref(c.RetainOrdering, false),
			RetainKeyOrdering:    ptr.Deref(c.RetainKeyOrdering, false),
			AutoAck:              c.AutoAck,
			TimeoutMs:            c.TimeoutMs,
			MaxMessageRetries:    givenRetries(c.MaxMessageRetries),
			DeadLetterTopic:      c.DeadLetterTopic,
		},
		OutputConfig: v1alpha1.OutputConfig{
			Output:                       c.Output,
			OutputSerdeClassName:         c.OutputSerdeClassName,
			OutputSchemaType:             c.OutputSchemaType,
			CustomSchemaOutputs:          orNil(c.CustomSchemaOutputs),
			OutputTypeClassName:          c.OutputTypeClassName,
			ProducerConfig:               c.producerToView(),
			ForwardSourceMessageProperty: c.ForwardSourceMessageProperty,
		},
		SkipToLatest:            c.SkipToLatest,
		MaxPendingAsyncRequests: c.MaxPendingAsyncRequests,
		WindowConfig:            windowToView(c.WindowConfig),
		UserConfig:              userConfig,
	}}
	spec := &function.Spec
	c.setRuntime(spec)
	for _, in := range inputs {
		setInput(spec, in.name, in.spec)
	}
	// Pulsar refuses these, but only after much else. The API server does so too, in
	// the same order.
	spec.CustomSchemaInputs = unreadable
	input, output := typeNames(c.CustomRuntimeOptions)
	spec.InputTypeClassName = orElse(spec.InputTypeClassName, input)
	spec.OutputTypeClassName = orElse(spec.OutputTypeClassName, output)
	if packageURL == "" {
		packageURL = c.location()
	}
	setLocation(spec, packageURL)
	// The Go client always sends this member. Only true asks for something that
	// Function Mesh can't do, which the user should hear about.
	if ptr.Deref(c.ExposePulsarAdminClientEnabled, false) {
		spec.ExposePulsarAdminClientEnabled = ptr.To(true)
	}
	return function, nil
}

func (c *FunctionConfig) setRuntime(spec *v1alpha1.PulsarFunctionSpec) {
	chosen := &v1alpha1.Runtime{}
	if c.LogLevel != "" {
		chosen.Log = &v1alpha1.RuntimeLog{Level: strings.ToLower(c.LogLevel)}
	}
	switch c.Runtime {
	case runtimeJava:
		spec.Java = &v1alpha1.JavaRuntime{Runtime: *chosen}
	case runtimePython:
		spec.Python = chosen
	case runtimeGo:
		spec.Go = chosen
	}
}

// givenRetries returns how often a message is retried, or nil for ever, for which
// Pulsar has any negative number.
func givenRetries(retries *int32) *int32 {
	if retries == nil || *retries < 0 {
		return nil
	}
	return retries
}

func userConfigToView(config map[string]any) (*runtime.RawExtension, error) {
	if len(config) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("could not write userConfig: %w", err)
	}
	return &runtime.RawExtension{Raw: raw}, nil
}

func secretsToView(secrets map[string]Secret) map[string]v1alpha1.SecretRef {
	if len(secrets) == 0 {
		return nil
	}
	result := make(map[string]v1alpha1.SecretRef, len(secrets))
	for name, secret := range secrets {
		result[name] = v1alpha1.SecretRef(secret)
	}
	return result
}
