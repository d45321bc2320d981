package shim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// mergePatch returns the JSON merge patch (RFC 7396) that makes one state of an object
// the other, for the version of the first only. The second result is false where there
// is no such patch: it can't set anything to null, which a free configuration may hold.
//
// Numbers keep their digits, for which the usual libraries have floats.
func mergePatch(before, after v1alpha1.Component) ([]byte, bool, error) {
	former, err := toMap(before)
	if err != nil {
		return nil, false, err
	}
	latter, err := toMap(after)
	if err != nil {
		return nil, false, err
	}
	patch, complete := difference(former, latter)
	metadata, _ := patch["metadata"].(map[string]any)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["resourceVersion"] = before.GetResourceVersion()
	patch["metadata"] = metadata
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, false, fmt.Errorf("could not write a patch: %w", err)
	}
	return text, complete, nil
}

func toMap(object v1alpha1.Component) (map[string]any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("could not write an object: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil {
		return nil, fmt.Errorf("could not read an object: %w", err)
	}
	return members, nil
}

// difference returns the patch for two objects, and whether it says everything.
func difference(before, after map[string]any) (patch map[string]any, complete bool) {
	patch, complete = map[string]any{}, true
	for name := range before {
		if _, stays := after[name]; !stays {
			patch[name] = nil
		}
	}
	for name, value := range after {
		former, existed := before[name]
		if existed && reflect.DeepEqual(former, value) {
			continue
		}
		formerMembers, wasObject := former.(map[string]any)
		members, isObject := value.(map[string]any)
		if wasObject && isObject {
			inner, innerComplete := difference(formerMembers, members)
			patch[name], complete = inner, complete && innerComplete
			continue
		}
		patch[name], complete = value, complete && !holdsNull(value)
	}
	return patch, complete
}

func holdsNull(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		for _, member := range value {
			if holdsNull(member) {
				return true
			}
		}
	case []any:
		for _, element := range value {
			if holdsNull(element) {
				return true
			}
		}
	}
	return false
}
