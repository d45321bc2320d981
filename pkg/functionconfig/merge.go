package functionconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/utils/ptr"
)

// equalities compares configurations by what they mean: nothing is the same as an
// empty map or list, 5 is 5.0, and CPU is counted in thousandths of a core.
var equalities = conversion.EqualitiesOrDie(equalNumbers, equalCPU)

// Equal tells whether two configurations describe the same function.
func Equal(a, b *FunctionConfig) bool {
	return equalities.DeepEqual(a, b)
}

func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	wholeA, errA := strconv.ParseInt(a.String(), 10, 64)
	wholeB, errB := strconv.ParseInt(b.String(), 10, 64)
	if errA == nil && errB == nil {
		return wholeA == wholeB
	}
	floatA, errA := a.Float64()
	floatB, errB := b.Float64()
	return errA == nil && errB == nil && floatA == floatB
}

func equalCPU(a, b float64) bool {
	if a == b {
		return true
	}
	quantityA, errA := cpuQuantity(a)
	quantityB, errB := cpuQuantity(b)
	return errA == nil && errB == nil && quantityA.Cmp(quantityB) == 0
}

// Merge returns existing, which FromFunction made, changed by what update says. Both
// stay as they are. It refuses, with an *Error in Pulsar's words, what can't change
// once a function exists. Members that Pulsar leaves out of an update have no effect.
func Merge(existing, update *FunctionConfig) (*FunctionConfig, error) {
	if err := checkIdentity(existing, update); err != nil {
		return nil, err
	}
	inputs, err := checkInputs(existing, update)
	if err != nil {
		return nil, err
	}
	if err := checkUnaltered(existing, update); err != nil {
		return nil, err
	}
	merged := *existing
	replace(&merged.ClassName, update.ClassName)
	replace(&merged.LogTopic, update.LogTopic)
	replace(&merged.Output, update.Output)
	replace(&merged.DeadLetterTopic, update.DeadLetterTopic)
	replace(&merged.RuntimeFlags, update.RuntimeFlags)
	replace(&merged.CustomRuntimeOptions, update.CustomRuntimeOptions)
	replacePointer(&merged.Parallelism, update.Parallelism)
	replacePointer(&merged.TimeoutMs, update.TimeoutMs)
	replacePointer(&merged.CleanupSubscription, update.CleanupSubscription)
	if update.MaxMessageRetries != nil {
		merged.MaxMessageRetries = givenRetries(update.MaxMessageRetries)
	}
	if update.UserConfig != nil {
		merged.UserConfig = update.UserConfig
	}
	if update.Secrets != nil {
		merged.Secrets = update.Secrets
	}
	if update.ProducerConfig != nil {
		producer := *update.ProducerConfig
		completeProducer(&producer)
		merged.ProducerConfig = &producer
	}
	if update.Resources != nil {
		resources := ptr.Deref(existing.Resources, Resources{})
		replacePointer(&resources.CPU, update.Resources.CPU)
		replacePointer(&resources.RAM, update.Resources.RAM)
		replacePointer(&resources.Disk, update.Resources.Disk)
		merged.Resources = &resources
	}
	mergeWindow(&merged, update.WindowConfig)
	mergeCode(&merged, update)
	mergeInputs(&merged, existing, inputs)
	return &merged, nil
}

// check is something that an update may not alter.
type check struct {
	altered bool
	reason  string
}

func firstAltered(checks []check) error {
	for _, check := range checks {
		if check.altered {
			return &Error{Reason: check.reason}
		}
	}
	return nil
}

func checkIdentity(existing, update *FunctionConfig) error {
	return firstAltered([]check{
		{differs(existing.Tenant, update.Tenant), "Tenants differ"},
		{differs(existing.Namespace, update.Namespace), "Namespaces differ"},
		{differs(existing.Name, update.Name), "Function Names differ"},
	})
}

// checkInputs returns the inputs that an update names, all of which the function
// must have already, as a topic or as a pattern as before.
func checkInputs(existing, update *FunctionConfig) ([]input, error) {
	inputs := update.updateInputs()
	for _, in := range inputs {
		former, known := existing.InputSpecs[in.name]
		if !known {
			return nil, &Error{Reason: "Input Topics cannot be altered"}
		}
		if former.RegexPattern != in.spec.RegexPattern {
			return nil, &Error{Reason: fmt.Sprintf("isRegexPattern for input topic %s cannot be altered", in.name)}
		}
	}
	return inputs, nil
}

// checkUnaltered refuses an update of what else can't change once messages have been
// processed. Pulsar makes a Java function of whatever gets a jar; here the runtime
// of a function can't change.
func checkUnaltered(existing, update *FunctionConfig) error {
	return firstAltered([]check{
		{differs(existing.OutputSerdeClassName, update.OutputSerdeClassName), "Output Serde mismatch"},
		{differs(existing.OutputSchemaType, update.OutputSchemaType), "Output Schema mismatch"},
		{differs(existing.ProcessingGuarantees, update.ProcessingGuarantees), "Processing Guarantees cannot be altered"},
		{pointerDiffers(existing.RetainOrdering, update.RetainOrdering), "Retain Ordering cannot be altered"},
		{pointerDiffers(existing.RetainKeyOrdering, update.RetainKeyOrdering), "Retain Key Ordering cannot be altered"},
		{differs(existing.Runtime, update.Runtime), "Runtime cannot be altered"},
		{update.Jar != "" && existing.Runtime != runtimeJava, "Runtime cannot be altered"},
		{pointerDiffers(existing.AutoAck, update.AutoAck), "AutoAck cannot be altered"},
		{differs(existing.SubName, update.SubName), "Subscription Name cannot be altered"},
	})
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

// mergeInputs replaces how the given inputs are consumed; it comes last. A name alone
// resets an input to be consumed without more, as in Pulsar, but only when the update
// changes something else too: in Pulsar a change of specs alone counts as none, so
// that naming the inputs alone is harmless.
func mergeInputs(merged, existing *FunctionConfig, inputs []input) {
	nothingElse := Equal(existing, merged)
	specs := maps.Clone(existing.InputSpecs)
	for _, in := range inputs {
		if !in.named || !nothingElse {
			specs[in.name] = in.spec
		}
	}
	merged.InputSpecs = specs
}

func replace(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func replacePointer[T any](field **T, value *T) {
	if value != nil {
		*field = value
	}
}

func differs(existing, update string) bool {
	return update != "" && update != existing
}

func pointerDiffers(existing, update *bool) bool {
	return update != nil && !ptr.Equal(existing, update)
}
