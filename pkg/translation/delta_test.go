package translation

import (
	"encoding/json"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "sigs.k8s.io/json"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// The least that a writer does with a translator: this is what the translator is
// tested against. An update is the difference of two projections. Since a default
// can depend on other fields, the result is projected once more.
func update(translator *FunctionTranslator, raw map[string]any, updated *adminv1alpha1.PulsarFunction) (bool, error) {
	changed := false
	for range 2 {
		cr, err := fromJSONMap(raw)
		if err != nil {
			return false, err
		}
		current, err := translator.FromCR(cr)
		if err != nil {
			return false, err
		}
		before, err := translator.ToCR(current)
		if err != nil {
			return false, err
		}
		after, err := translator.ToCR(updated)
		if err != nil {
			return false, err
		}
		if !applyTestDelta(raw, toJSONMap(before), toJSONMap(after), translator.Containers()) {
			break
		}
		changed = true
	}
	return changed, nil
}

func applyTestDelta(raw, before, after map[string]any, containers [][]string) bool {
	for _, object := range []map[string]any{before, after} {
		delete(object, "status")
		metadata := object["metadata"].(map[string]any)
		for key := range metadata {
			if key != "labels" && key != "annotations" {
				delete(metadata, key)
			}
		}
	}
	return mergeTestMap(raw, before, after, containers)
}

// mergeTestMap writes the difference between before and after to raw. containers
// are relative to raw; one that is absent counts as empty.
func mergeTestMap(raw, before, after map[string]any, containers [][]string) bool {
	changed := false
	keys := map[string]bool{}
	for key := range before {
		keys[key] = true
	}
	for key := range after {
		keys[key] = true
	}
	for key := range keys {
		old, had := before[key]
		wanted, has := after[key]
		if had == has && reflect.DeepEqual(old, wanted) {
			continue
		}
		inner, structural := containersIn(containers, key)
		oldMap, _ := old.(map[string]any)
		wantedMap, isMap := wanted.(map[string]any)
		rawMap, rawIsMap := raw[key].(map[string]any)
		if rawIsMap && (isMap || structural) {
			changed = mergeTestMap(rawMap, oldMap, wantedMap, inner) || changed
			if structural && len(rawMap) == 0 {
				delete(raw, key)
			}
			continue
		}
		changed = true
		if has {
			raw[key] = runtime.DeepCopyJSONValue(wanted)
		} else {
			delete(raw, key)
		}
	}
	return changed
}

// containersIn returns the containers under a member, and whether the member is
// one itself.
func containersIn(containers [][]string, key string) ([][]string, bool) {
	var inner [][]string
	structural := false
	for _, path := range containers {
		if path[0] != key {
			continue
		}
		if len(path) == 1 {
			structural = true
		} else {
			inner = append(inner, path[1:])
		}
	}
	return inner, structural
}

func toJSONMap(value any) map[string]any {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var object map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &object); err != nil {
		panic(err)
	}
	return object
}

func fromJSONMap(raw map[string]any) (*computev1alpha1.Function, error) {
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	cr := &computev1alpha1.Function{}
	return cr, kjson.UnmarshalCaseSensitivePreserveInts(data, cr)
}
