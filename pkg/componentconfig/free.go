package componentconfig

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
)

// What a component is configured with is free: a JSON object whose values are kept
// as they are, with numbers as json.Number, that is in the client's own notation.
// Pulsar makes doubles of some of them, by which large ones lose digits.

// free returns a member that is such an object, or nil.
func (o object) free(name string) map[string]any {
	value, _ := o.object(name)
	return value.members
}

func freeToView(config map[string]any) (*runtime.RawExtension, error) {
	if config == nil {
		return nil, nil
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("could not write a configuration: %w", err)
	}
	return &runtime.RawExtension{Raw: raw}, nil
}

// freeFromView returns nil where there is nothing, and what isn't a JSON object, which
// only another than Pulsar's clients can have written, as empty.
func freeFromView(raw *runtime.RawExtension) map[string]any {
	if raw == nil || len(raw.Raw) == 0 {
		return nil
	}
	if in, found, err := parseObject(raw.Raw, "configuration"); err == nil && found {
		return in.members
	}
	return map[string]any{}
}

// applyFree writes a configuration that an update changed.
func applyFree(field **runtime.RawExtension, existing, merged map[string]any) error {
	if equalities.DeepEqual(existing, merged) {
		return nil
	}
	raw, err := freeToView(merged)
	if err != nil {
		return err
	}
	*field = raw
	return nil
}

// orNone makes nothing of an object without members.
func orNone(config map[string]any) map[string]any {
	if len(config) == 0 {
		return nil
	}
	return config
}

// orSome makes an object without members of nothing.
func orSome(config map[string]any) map[string]any {
	if config == nil {
		return map[string]any{}
	}
	return config
}
