package config

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// validateDefaults refuses what would make every new component invalid: else nobody
// but authors would hear of it. It looks at a component in Java of each kind, as it
// is with nothing but defaults, those of all kinds among them.
func validateDefaults(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	function, source, sink := &adminv1alpha1.PulsarFunction{}, &adminv1alpha1.PulsarSource{}, &adminv1alpha1.PulsarSink{}
	for _, component := range []adminv1alpha1.Component{function, source, sink} {
		component.Common().Java = &adminv1alpha1.JavaRuntime{}
	}
	for _, kind := range []struct {
		name string
		bare adminv1alpha1.Component
	}{
		{"functionDefaults", translation.NewFunctionTranslator(config, nil).ServerDefaults(function)},
		{"sourceDefaults", translation.NewSourceTranslator(config, nil).ServerDefaults(source)},
		{"sinkDefaults", translation.NewSinkTranslator(config, nil).ServerDefaults(sink)},
	} {
		for _, err := range validation.Validate(kind.bare, validation.Options{}).Errors {
			member, ok := defaultsMember(err.Field)
			if !ok {
				// It is about what every author has to say.
				continue
			}
			err.Field = kind.name + "." + member
			errs = append(errs, err)
		}
	}
	return errs
}

// defaultsMember returns how the configuration calls a field of a component, if it has
// defaults for it.
func defaultsMember(path string) (string, bool) {
	for _, prefix := range []string{"spec.pod.", "spec.java."} {
		if member, ok := strings.CutPrefix(path, prefix); ok {
			return member, true
		}
	}
	if member, ok := strings.CutPrefix(path, "spec."); ok && strings.HasPrefix(member, "tls.") {
		return member, true
	}
	return "", false
}
