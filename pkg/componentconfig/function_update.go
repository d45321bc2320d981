package componentconfig

import (
	"slices"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func mergeFunction(existing, update *FunctionConfig) (*FunctionConfig, error) {
	if err := existing.checkIdentity(&update.Common, v1alpha1.FunctionKind.Title); err != nil {
		return nil, err
	}
	inputs := update.topics().foldUpdate()
	if err := existing.checkTopics(inputs); err != nil {
		return nil, err
	}
	if err := checkFunction(existing, update); err != nil {
		return nil, err
	}
	merged := *existing
	merged.Common.merge(&update.Common)
	merged.Inputs.merge(&update.Inputs)
	replace(&merged.ClassName, update.ClassName)
	replace(&merged.Output, update.Output)
	replace(&merged.DeadLetterTopic, update.DeadLetterTopic)
	if update.MaxMessageRetries != nil {
		merged.MaxMessageRetries = givenRetries(update.MaxMessageRetries, 0)
	}
	if update.UserConfig != nil {
		merged.UserConfig = update.UserConfig
	}
	mergeProducer(&merged.ProducerConfig, update.ProducerConfig)
	mergeWindow(&merged, update.WindowConfig)
	mergeCode(&merged, update)
	// A name alone resets an input to be consumed without more, as in Pulsar, but only
	// when the update changes something else too: of a function, a change of specs
	// alone counts as none in Pulsar, so that naming the inputs alone is harmless.
	if equalities.DeepEqual(existing, &merged) {
		inputs = slices.DeleteFunc(inputs, func(in input) bool { return in.named })
	}
	merged.mergeTopics(inputs)
	return &merged, nil
}

// checkFunction refuses an update of what can't change once messages have been
// processed. Pulsar makes a Java function of whatever gets a jar; here the runtime of
// a function can't change.
func checkFunction(existing, update *FunctionConfig) error {
	return firstAltered(slices.Concat(
		[]check{
			{differs(existing.OutputSerdeClassName, update.OutputSerdeClassName), "Output Serde mismatch"},
			{differs(existing.OutputSchemaType, update.OutputSchemaType), "Output Schema mismatch"},
			existing.checkGuarantees(&update.Common),
		},
		existing.checkOrdering(&update.Inputs),
		[]check{
			{differs(existing.Runtime, update.Runtime), "Runtime cannot be altered"},
			{update.Jar != "" && existing.Runtime != runtimeJava, "Runtime cannot be altered"},
			existing.checkAutoAck(&update.Inputs),
			{differs(existing.SubName, update.SubName), "Subscription Name cannot be altered"},
		},
	))
}

// mergeWindow replaces the window and then completes it, given anew or not, because
// it shows what the class is. A window function acknowledges by itself.
func mergeWindow(merged *FunctionConfig, update *WindowConfig) {
	if update != nil {
		merged.WindowConfig = update
		merged.AutoAck = ptr.To(false)
	}
	if merged.WindowConfig != nil {
		merged.WindowConfig = merged.WindowConfig.complete(merged.ClassName, merged.ProcessingGuarantees)
	}
}

// mergeCode takes the member that names the code. Pulsar takes jar only; for the
// other runtimes a location counts here, which Pulsar ignores without a word.
func mergeCode(merged, update *FunctionConfig) {
	merged.Jar = update.Jar
	switch {
	case merged.Runtime == runtimePython && isLocation(update.Py):
		merged.Py = update.Py
	case merged.Runtime == runtimeGo && isLocation(update.Go):
		merged.Go = update.Go
	}
}

func applyFunction(function *v1alpha1.PulsarFunction, existing, merged *FunctionConfig, packageURL string) error {
	spec := &function.Spec
	if err := applyCommon(function, &existing.Common, &merged.Common); err != nil {
		return err
	}
	applyInputs(&spec.InputConfig, &existing.Inputs, &merged.Inputs, listsTopics(spec))
	change(&spec.ClassName, existing.ClassName, merged.ClassName)
	change(&spec.Output, existing.Output, merged.Output)
	change(&spec.DeadLetterTopic, existing.DeadLetterTopic, merged.DeadLetterTopic)
	change(&spec.MaxMessageRetries, existing.MaxMessageRetries, merged.MaxMessageRetries)
	change(&spec.AutoAck, existing.AutoAck, merged.AutoAck)
	applyProducer(&spec.OutputConfig, existing.ProducerConfig, merged.ProducerConfig)
	applyWindow(spec, existing.WindowConfig, merged.WindowConfig)
	if packageURL == "" {
		packageURL = merged.location()
	}
	setLocation(&spec.ComponentSpec, packageURL)
	return applyFree(&spec.UserConfig, existing.UserConfig, orNone(merged.UserConfig))
}
