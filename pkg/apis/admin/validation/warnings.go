package validation

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// runtimeLogLevels are the levels that Function Mesh can set per runtime. It takes
// info for all others.
var runtimeLogLevels = map[string][]string{
	runtimeJava:   {"off", "trace", "debug", "info", "warn", "error", "fatal", "all"},
	runtimePython: {"debug", "info", "warn", "error", "fatal"},
	runtimeGo:     {"trace", "debug", "info", "warn", "error", "fatal", "panic"},
}

// Warnings says what of a valid function will surprise: it is accepted, and Function
// Mesh does something else or nothing. Fields for which Function Mesh has no place
// at all are not among them: the translation knows those.
func Warnings(function *v1alpha1.PulsarFunction) []string {
	spec := &function.Spec
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }

	if spec.UserConfig != nil && bytes.ContainsRune(spec.UserConfig.Raw, '\'') {
		warn("spec.userConfig: holds a single quote, which Function Mesh before v0.27.2 passes to a shell unescaped")
	}
	if spec.MaxMessageRetries != nil && *spec.MaxMessageRetries == 0 {
		warn("spec.maxMessageRetries: Function Mesh takes 0 for no limit")
	}
	if spec.RuntimeFlags != "" {
		warn("spec.runtimeFlags: Function Mesh does not put them on the command line of an instance")
	}
	if spec.WindowConfig == nil && spec.AutoAck != nil && !*spec.AutoAck {
		warn("spec.autoAck: deprecated in Pulsar, where processingGuarantees MANUAL says the same as false")
	}
	for _, builder := range batchBuildersOf(spec.ProducerConfig) {
		if builder.value != "" && !slices.Contains(batchBuilders, builder.value) {
			warn("spec.%s: Pulsar takes DEFAULT for whatever is none of %s", builder.member, strings.Join(batchBuilders, " and "))
		}
	}
	runtime := runtimeOf(spec)
	for _, level := range []string{logLevelOf(javaRuntime(spec)), logLevelOf(spec.Python), logLevelOf(spec.Go)} {
		if level != "" && runtime != "" && !slices.Contains(runtimeLogLevels[runtime], level) {
			warn("spec.%s.log.level: Function Mesh has no %q for this runtime and takes info", runtime, level)
		}
	}
	if runtime == runtimeGo {
		if ignored := ignoredByGo(spec); len(ignored) > 0 {
			warn("Function Mesh does not tell Go functions about %s", strings.Join(ignored, ", "))
		}
	}
	return warnings
}

var batchBuilders = []string{"DEFAULT", "KEY_BASED"}

type member struct{ member, value string }

func batchBuildersOf(producer *v1alpha1.ProducerConfig) []member {
	if producer == nil {
		return nil
	}
	builders := []member{{"producerConfig.batchBuilder", producer.BatchBuilder}}
	if producer.BatchingConfig != nil {
		builders = append(builders, member{"producerConfig.batchingConfig.batchBuilder", producer.BatchingConfig.BatchBuilder})
	}
	return builders
}

// ignoredByGo names the fields that have no effect on a Go function.
func ignoredByGo(spec *functionSpec) []string {
	var ignored []string
	for _, candidate := range []struct {
		name string
		set  bool
	}{
		{"spec.retainOrdering", spec.RetainOrdering},
		{"spec.customSerdeInputs", len(spec.CustomSerdeInputs) > 0},
		{"spec.customSchemaInputs", len(spec.CustomSchemaInputs) > 0},
		{"spec.customSchemaOutputs", len(spec.CustomSchemaOutputs) > 0},
		{"spec.outputSerdeClassName", spec.OutputSerdeClassName != ""},
		{"spec.outputSchemaType", spec.OutputSchemaType != ""},
		{"spec.producerConfig", spec.ProducerConfig != nil},
	} {
		if candidate.set {
			ignored = append(ignored, candidate.name)
		}
	}
	for _, name := range sortedKeys(spec.InputSpecs) {
		consumer := spec.InputSpecs[name]
		if consumer.SchemaType != "" || consumer.SerdeClassName != "" || consumer.ReceiverQueueSize != nil ||
			consumer.CryptoConfig != nil || len(consumer.SchemaProperties)+len(consumer.ConsumerProperties) > 0 {
			ignored = append(ignored, fmt.Sprintf("the settings in spec.inputSpecs[%s]", shortened(name)))
		}
	}
	return ignored
}

// UpdateWarnings says what a valid change does to subscriptions, which hold the
// messages that wait: nothing else would tell that they are left or skipped.
func UpdateWarnings(function, old *v1alpha1.PulsarFunction) []string {
	spec, oldSpec := &function.Spec, &old.Spec
	var warnings []string
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }

	subscription, oldSubscription := subscriptionOf(spec), subscriptionOf(oldSpec)
	if subscription != oldSubscription {
		warn("spec.subscriptionName: the function leaves subscription %q and what waits there, and begins %q at %s;"+
			" the old one keeps its messages until somebody removes it", oldSubscription, subscription, spec.SubscriptionPosition)
	} else if left := topicsLeft(spec, oldSpec); len(left) > 0 {
		warn("the function leaves subscription %q on %s, which keeps its messages until somebody removes it",
			oldSubscription, summary(left))
	}
	if spec.SubscriptionPosition != oldSpec.SubscriptionPosition {
		warn("spec.subscriptionPosition: has an effect only on subscriptions that don't exist yet")
	}
	if isTrue(spec.SkipToLatest) && !isTrue(oldSpec.SkipToLatest) {
		warn("spec.skipToLatest: the messages that wait in subscription %q are skipped when an instance starts", subscription)
	}
	if isTrue(oldSpec.CleanupSubscription) && !isTrue(spec.CleanupSubscription) {
		warn("spec.cleanupSubscription: subscription %q will stay when the function is deleted", subscription)
	}
	if was, is := subscriptionType(oldSpec), subscriptionType(spec); was != is && subscription == oldSubscription {
		warn("the type of subscription %q changes from %s to %s: Pulsar refuses the new consumers until the old ones are gone",
			subscription, was, is)
	}
	return warnings
}

// subscriptionOf returns the name of the subscription, Pulsar's default included.
func subscriptionOf(spec *functionSpec) string {
	if spec.SubscriptionName != "" {
		return spec.SubscriptionName
	}
	return identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}.String()
}

// subscriptionType returns the type that Pulsar derives.
func subscriptionType(spec *functionSpec) string {
	switch {
	case spec.RetainOrdering || spec.ProcessingGuarantees == v1alpha1.EffectivelyOnce:
		return "Failover"
	case spec.RetainKeyOrdering:
		return "Key_Shared"
	default:
		return "Shared"
	}
}

// topicsLeft returns the topics and patterns that are consumed no more.
func topicsLeft(spec, oldSpec *functionSpec) []string {
	consumed := map[string]bool{}
	for _, input := range (&checks{spec: spec}).inputTopics() {
		consumed[input.name] = true
	}
	left := map[string]bool{}
	for _, input := range (&checks{spec: oldSpec}).inputTopics() {
		if !consumed[input.name] {
			left[input.name] = true
		}
	}
	return sortedKeys(left)
}

// summary names the first of many things.
func summary(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

func isTrue(b *bool) bool {
	return b != nil && *b
}
