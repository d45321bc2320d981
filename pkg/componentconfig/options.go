package componentconfig

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/customruntimeoptions"
)

// applyOptions sets the fields that customRuntimeOptions are about, as Function Mesh's
// worker service takes them, where a text takes the place of a former one. What the
// former set and the latter doesn't is taken back. A former text that can't be read
// never had an effect.
func applyOptions(component v1alpha1.Component, former, latter string) error {
	if former == latter {
		return nil
	}
	options, err := customruntimeoptions.Parse(latter)
	if err != nil {
		return &Error{Reason: "customRuntimeOptions cannot be deserialized."}
	}
	if replaced, err := customruntimeoptions.Parse(former); err == nil {
		replaced.Withdraw(component)
	}
	// The image that runs the component by default is for the server to know.
	options.Apply(component, "")
	return nil
}
