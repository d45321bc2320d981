package componentconfig

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// typeNames returns the classes of a component's input and output that
// customRuntimeOptions name, which is where Function Mesh's worker service takes them
// from. Options that aren't a JSON object name none.
func typeNames(options string) (input, output string) {
	in, found, err := parseObject([]byte(options), "customRuntimeOptions")
	if err != nil || !found {
		return "", ""
	}
	input, _ = in.members["inputTypeClassName"].(string)
	output, _ = in.members["outputTypeClassName"].(string)
	return input, output
}

// setTypeNames writes the classes that a new component's customRuntimeOptions name,
// where the config itself doesn't say.
func setTypeNames(component v1alpha1.Component, options string) {
	input, output := typeNames(options)
	if consumes := component.Input(); consumes != nil {
		consumes.InputTypeClassName = orElse(consumes.InputTypeClassName, input)
	}
	if produces := component.Output(); produces != nil {
		produces.OutputTypeClassName = orElse(produces.OutputTypeClassName, output)
	}
}

// applyTypeNames writes the classes that an update's customRuntimeOptions name anew.
// One that the options have named before stays as it is, because the config may have
// said otherwise when the component was created.
func applyTypeNames(component v1alpha1.Component, existing, merged string) {
	if existing == merged {
		return
	}
	formerInput, formerOutput := typeNames(existing)
	input, output := typeNames(merged)
	if consumes := component.Input(); consumes != nil && input != formerInput {
		replace(&consumes.InputTypeClassName, input)
	}
	if produces := component.Output(); produces != nil && output != formerOutput {
		replace(&produces.OutputTypeClassName, output)
	}
}
