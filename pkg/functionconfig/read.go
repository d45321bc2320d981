package functionconfig

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// FromFunction returns what GET answers for a function: every member that Pulsar
// answers with, in the one form that Pulsar has for it, and nothing that Pulsar keeps
// to itself. The result shares maps and lists with the function, so neither may be
// changed in place; Apply doesn't.
func FromFunction(function *v1alpha1.PulsarFunction) *FunctionConfig {
	spec := &function.Spec
	config := &FunctionConfig{
		Tenant:               orElse(spec.Tenant, v1alpha1.DefaultTenant),
		Namespace:            orElse(spec.Namespace, v1alpha1.DefaultNamespace),
		Name:                 orElse(spec.Name, function.Name),
		ClassName:            spec.ClassName,
		InputSpecs:           foldSpec(spec),
		Output:               spec.Output,
		ProducerConfig:       producerFromView(spec.ProducerConfig),
		OutputSchemaType:     spec.OutputSchemaType,
		OutputSerdeClassName: spec.OutputSerdeClassName,
		LogTopic:             spec.LogTopic,
		ProcessingGuarantees: string(orElse(spec.ProcessingGuarantees, v1alpha1.AtLeastOnce)),
		RetainOrdering:       ptr.To(spec.RetainOrdering),
		RetainKeyOrdering:    ptr.To(spec.RetainKeyOrdering),
		UserConfig:           userConfigFromView(spec.UserConfig),
		Secrets:              secretsFromView(spec.Secrets),
		Runtime:              runtimeOf(spec),
		AutoAck:              ptr.To(ptr.Deref(spec.AutoAck, spec.WindowConfig == nil)),
		SubName:              spec.SubscriptionName,
		SubscriptionPosition: string(orElse(spec.SubscriptionPosition, v1alpha1.Latest)),
		CleanupSubscription:  ptr.To(ptr.Deref(spec.CleanupSubscription, true)),
		Parallelism:          ptr.To(ptr.Deref(spec.Parallelism, v1alpha1.DefaultParallelism)),
		Resources:            resourcesFromView(spec.Resources),
		RuntimeFlags:         spec.RuntimeFlags,
		CustomRuntimeOptions: spec.CustomRuntimeOptions,
	}
	config.WindowConfig = windowFromView(spec.WindowConfig, config.ClassName, config.ProcessingGuarantees)
	if ptr.Deref(spec.ForwardSourceMessageProperty, true) {
		config.ForwardSourceMessageProperty = ptr.To(true)
	}
	if retries := givenRetries(spec.MaxMessageRetries); retries != nil {
		config.MaxMessageRetries = retries
		config.DeadLetterTopic = spec.DeadLetterTopic
	}
	if ptr.Deref(spec.TimeoutMs, 0) != 0 {
		config.TimeoutMs = spec.TimeoutMs
	}
	return config
}

// userConfigFromView returns numbers as they were given. Pulsar makes doubles of
// them all, by which large ones lose digits.
func userConfigFromView(raw *runtime.RawExtension) map[string]any {
	if raw != nil {
		if in, found, err := parseObject(raw.Raw, "userConfig"); err == nil && found {
			return in.members
		}
	}
	return map[string]any{}
}

func secretsFromView(secrets map[string]v1alpha1.SecretRef) map[string]Secret {
	if len(secrets) == 0 {
		return nil
	}
	result := make(map[string]Secret, len(secrets))
	for name, secret := range secrets {
		result[name] = Secret(secret)
	}
	return result
}

func orElse[T ~string](value, otherwise T) T {
	if value == "" {
		return otherwise
	}
	return value
}
