package delta

import (
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// element identifies an element of a list: by the value of its key, and by how many
// of the same there are before it. What has no such value has the zero value, which
// is how projections show an absent one.
type element struct {
	value      any
	occurrence int
}

// mergeList merges a list element by element. The elements are in the order of after.
// Those that no projection shows stay, each behind the one that it was behind.
func mergeList(stored, before, after []any, key string, containers []Container) []any {
	storedIDs, beforeIDs, afterIDs := identify(stored, key), identify(before, key), identify(after, key)
	merged := make([]any, 0, len(stored)+len(after))
	mergedIDs := make([]element, 0, len(stored)+len(after))
	for i, id := range afterIDs {
		merged = append(merged, mergeElement(at(stored, storedIDs, id), at(before, beforeIDs, id), after[i], containers))
		mergedIDs = append(mergedIDs, id)
	}
	for i, id := range storedIDs {
		if slices.Contains(beforeIDs, id) || slices.Contains(afterIDs, id) {
			continue
		}
		place := 0
		for j := i - 1; j >= 0 && place == 0; j-- {
			place = slices.Index(mergedIDs, storedIDs[j]) + 1
		}
		merged = slices.Insert(merged, place, stored[i])
		mergedIDs = slices.Insert(mergedIDs, place, id)
	}
	return merged
}

// mergeElement returns an element with the difference between two projections of it.
// One that isn't stored is as the projection has it.
func mergeElement(stored, before, after any, containers []Container) any {
	storedMap, ok := stored.(map[string]any)
	afterMap, isMap := after.(map[string]any)
	if !ok || !isMap {
		return runtime.DeepCopyJSONValue(after)
	}
	beforeMap, _ := before.(map[string]any)
	merged := runtime.DeepCopyJSON(storedMap)
	mergeMap(merged, beforeMap, afterMap, containers)
	return merged
}

func identify(list []any, key string) []element {
	ids := make([]element, len(list))
	seen := map[any]int{}
	for i, item := range list {
		value := any("")
		if object, ok := item.(map[string]any); ok {
			if text, ok := object[key].(string); ok {
				value = text
			}
		}
		ids[i] = element{value: value, occurrence: seen[value]}
		seen[value]++
	}
	return ids
}

func at(list []any, ids []element, id element) any {
	if i := slices.Index(ids, id); i >= 0 {
		return list[i]
	}
	return nil
}

// setList sets a member that is a list, and says whether that changed it. Without
// elements there is no such member.
func setList(object map[string]any, key string, list []any) bool {
	if reflect.DeepEqual(object[key], list) {
		return false
	}
	if len(list) == 0 {
		delete(object, key)
	} else {
		object[key] = list
	}
	return true
}
