package functionconfig

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Apply writes into function what merged changed relative to existing, which must be
// FromFunction of the same function, and nothing else: what a FunctionConfig can't
// say survives an update through it. packageURL is where the code is when the
// request said so apart from the configuration, else empty.
//
// On an error, which is an *Error about something that the view can't hold, function
// may be changed in part and is of no use.
func Apply(function *v1alpha1.PulsarFunction, existing, merged *FunctionConfig, packageURL string) error {
	spec := &function.Spec
	for _, topic := range sortedKeys(merged.InputSpecs) {
		if !equalities.DeepEqual(existing.InputSpecs[topic], merged.InputSpecs[topic]) {
			setInput(spec, topic, merged.InputSpecs[topic])
		}
	}
	change(&spec.ClassName, existing.ClassName, merged.ClassName)
	change(&spec.LogTopic, existing.LogTopic, merged.LogTopic)
	change(&spec.Output, existing.Output, merged.Output)
	change(&spec.DeadLetterTopic, existing.DeadLetterTopic, merged.DeadLetterTopic)
	change(&spec.RuntimeFlags, existing.RuntimeFlags, merged.RuntimeFlags)
	change(&spec.CustomRuntimeOptions, existing.CustomRuntimeOptions, merged.CustomRuntimeOptions)
	applyTypeNames(spec, existing.CustomRuntimeOptions, merged.CustomRuntimeOptions)
	change(&spec.Parallelism, existing.Parallelism, merged.Parallelism)
	change(&spec.TimeoutMs, existing.TimeoutMs, merged.TimeoutMs)
	change(&spec.CleanupSubscription, existing.CleanupSubscription, merged.CleanupSubscription)
	change(&spec.MaxMessageRetries, existing.MaxMessageRetries, merged.MaxMessageRetries)
	change(&spec.AutoAck, existing.AutoAck, merged.AutoAck)
	if !equalities.DeepEqual(existing.Secrets, merged.Secrets) {
		spec.Secrets = secretsToView(merged.Secrets)
	}
	if !equalities.DeepEqual(existing.UserConfig, merged.UserConfig) {
		userConfig, err := userConfigToView(merged.UserConfig)
		if err != nil {
			return err
		}
		spec.UserConfig = userConfig
	}
	applyProducer(spec, existing.ProducerConfig, merged.ProducerConfig)
	applyWindow(spec, existing.WindowConfig, merged.WindowConfig)
	if packageURL == "" {
		packageURL = merged.location()
	}
	setLocation(spec, packageURL)
	return applyResources(spec, existing.Resources, merged.Resources)
}

// change writes a member that differs from what was there.
func change[T any](field *T, existing, merged T) {
	if !equalities.DeepEqual(existing, merged) {
		*field = merged
	}
}
