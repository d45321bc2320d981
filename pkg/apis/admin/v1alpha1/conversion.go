package v1alpha1

import (
	"fmt"
	"net/url"
	"strconv"

	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// addConversionFuncs adds how options are read from a URL.
func addConversionFuncs(scheme *runtime.Scheme) error {
	return scheme.AddConversionFunc((*url.Values)(nil), (*PulsarInstancesOptions)(nil), func(from, to any, _ conversion.Scope) error {
		return to.(*PulsarInstancesOptions).read(*from.(*url.Values))
	})
}

func (o *PulsarInstancesOptions) read(values url.Values) error {
	text := values.Get("instance")
	if text == "" {
		return nil
	}
	instance, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return fmt.Errorf("instance: %q is not the number of an instance", text)
	}
	o.Instance = ptr.To(int32(instance))
	return nil
}
