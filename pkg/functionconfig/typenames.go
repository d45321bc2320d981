package functionconfig

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// typeNames returns the classes of a function's input and output that
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

// applyTypeNames writes the classes that an update's customRuntimeOptions name anew.
// One that the options have named before stays as it is, because the config may have
// said otherwise when the function was created.
func applyTypeNames(spec *v1alpha1.PulsarFunctionSpec, existing, merged string) {
	if existing == merged {
		return
	}
	formerInput, formerOutput := typeNames(existing)
	input, output := typeNames(merged)
	if input != "" && input != formerInput {
		spec.InputTypeClassName = input
	}
	if output != "" && output != formerOutput {
		spec.OutputTypeClassName = output
	}
}
