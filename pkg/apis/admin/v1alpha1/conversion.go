package v1alpha1

import (
	"fmt"
	"net/url"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
)

// addConversionFuncs adds how options are read from a URL.
func addConversionFuncs(scheme *runtime.Scheme) error {
	err := scheme.AddConversionFunc((*url.Values)(nil), (*PulsarInstancesOptions)(nil), func(from, to any, _ conversion.Scope) error {
		return to.(*PulsarInstancesOptions).read(*from.(*url.Values))
	})
	if err != nil {
		return err
	}
	err = scheme.AddConversionFunc((*url.Values)(nil), (*PulsarPackageOptions)(nil), func(from, to any, scope conversion.Scope) error {
		return to.(*PulsarPackageOptions).read(*from.(*url.Values), scope)
	})
	if err != nil {
		return err
	}
	err = scheme.AddConversionFunc((*url.Values)(nil), (*PulsarStateOptions)(nil), func(from, to any, _ conversion.Scope) error {
		to.(*PulsarStateOptions).Key = from.(*url.Values).Get("key")
		return nil
	})
	if err != nil {
		return err
	}
	return scheme.AddConversionFunc((*url.Values)(nil), (*PulsarLogOptions)(nil), func(from, to any, scope conversion.Scope) error {
		return to.(*PulsarLogOptions).read(*from.(*url.Values), scope)
	})
}

func (o *PulsarInstancesOptions) read(values url.Values) (err error) {
	o.Instance, err = readInstance(values)
	return err
}

func (o *PulsarPackageOptions) read(values url.Values, scope conversion.Scope) error {
	given, found := values["transformFunction"]
	if !found {
		return nil
	}
	if err := runtime.Convert_Slice_string_To_bool(&given, &o.TransformFunction, scope); err != nil {
		return fmt.Errorf("transformFunction: %w", err)
	}
	return nil
}

// readInstance returns the number of an instance, or nil where there is none.
func readInstance(values url.Values) (*int32, error) {
	text := values.Get("instance")
	if text == "" {
		return nil, nil
	}
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("instance: %q is not the number of an instance", text)
	}
	instance := int32(number)
	return &instance, nil
}

// read reads what a pod's log is asked for as kube-apiserver does.
func (o *PulsarLogOptions) read(values url.Values, scope conversion.Scope) error {
	instance, err := readInstance(values)
	if err != nil {
		return err
	}
	if instance != nil {
		o.Instance = *instance
	}
	o.Container = values.Get("container")
	for name, flag := range map[string]*bool{"follow": &o.Follow, "previous": &o.Previous, "timestamps": &o.Timestamps} {
		if given := values[name]; len(given) > 0 {
			if err := runtime.Convert_Slice_string_To_bool(&given, flag, scope); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for name, number := range map[string]**int64{"sinceSeconds": &o.SinceSeconds, "tailLines": &o.TailLines, "limitBytes": &o.LimitBytes} {
		if given := values[name]; len(given) > 0 {
			if err := runtime.Convert_Slice_string_To_Pointer_int64(&given, number, scope); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if given := values["sinceTime"]; len(given) > 0 {
		if err := metav1.Convert_Slice_string_To_Pointer_v1_Time(&given, &o.SinceTime, scope); err != nil {
			return fmt.Errorf("sinceTime: %w", err)
		}
	}
	return nil
}
