package crstorage

import (
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// mergedMetadata are the members of metadata that a view determines, other than
// the finalizers. The rest is the backend's alone.
var mergedMetadata = []string{"labels", "annotations", "ownerReferences"}

// applyDelta writes the difference between two projections of a custom resource
// into the resource as it is stored. What no projection holds stays as it is:
// unknown fields, other people's labels, finalizers that views don't show. raw is
// changed in place; the result says whether it was.
//
// Maps are merged by key. Lists are atomic, and are not touched unless the
// projections differ in them.
func applyDelta(raw, before, after map[string]any, containers [][]string) bool {
	changed := mergeMap(raw, without(before, "metadata", "status"), without(after, "metadata", "status"))

	rawMetadata, beforeMetadata, afterMetadata := mapAt(raw, "metadata"), mapAt(before, "metadata"), mapAt(after, "metadata")
	for _, key := range mergedMetadata {
		if mergeKey(rawMetadata, beforeMetadata, afterMetadata, key) {
			changed = true
		}
	}
	if mergeFinalizers(rawMetadata, beforeMetadata, afterMetadata) {
		changed = true
	}
	if changed {
		prune(raw, containers)
	}
	return changed
}

func mergeMap(raw, before, after map[string]any) bool {
	changed := false
	for key := range after {
		if mergeKey(raw, before, after, key) {
			changed = true
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok && mergeKey(raw, before, after, key) {
			changed = true
		}
	}
	return changed
}

func mergeKey(raw, before, after map[string]any, key string) bool {
	old, had := before[key]
	wanted, has := after[key]
	if had == has && reflect.DeepEqual(old, wanted) {
		return false
	}
	if !has {
		_, present := raw[key]
		delete(raw, key)
		return present
	}
	wantedMap, isMap := wanted.(map[string]any)
	rawMap, rawIsMap := raw[key].(map[string]any)
	if isMap && rawIsMap {
		oldMap, _ := old.(map[string]any)
		return mergeMap(rawMap, oldMap, wantedMap)
	}
	raw[key] = runtime.DeepCopyJSONValue(wanted)
	return true
}

// mergeFinalizers keeps the finalizers that views don't show, in their places
// before those that they do.
func mergeFinalizers(raw, before, after map[string]any) bool {
	shown, wanted := stringsAt(before, "finalizers"), stringsAt(after, "finalizers")
	if slices.Equal(shown, wanted) {
		return false
	}
	var merged []any
	for _, finalizer := range stringsAt(raw, "finalizers") {
		if HiddenFinalizer(finalizer) {
			merged = append(merged, finalizer)
		}
	}
	for _, finalizer := range wanted {
		if !HiddenFinalizer(finalizer) {
			merged = append(merged, finalizer)
		}
	}
	if len(merged) == 0 {
		delete(raw, "finalizers")
	} else {
		raw["finalizers"] = merged
	}
	return true
}

// HiddenFinalizer says whether views leave a finalizer out. Those of the garbage
// collector are about the custom resource's dependents: shown on a view, the
// collector would look for the view's, find none, and strip the finalizer through
// us while the resource's dependents still go.
func HiddenFinalizer(finalizer string) bool {
	return finalizer == metav1.FinalizerDeleteDependents || finalizer == metav1.FinalizerOrphanDependents
}

// prune removes structural maps that hold nothing.
func prune(object map[string]any, containers [][]string) {
	for _, path := range containers {
		parent := object
		for _, key := range path[:len(path)-1] {
			parent = mapAt(parent, key)
		}
		last := path[len(path)-1]
		if child, ok := parent[last].(map[string]any); ok && len(child) == 0 {
			delete(parent, last)
		}
	}
}

// mapAt returns a member that is a map, or an empty map that is not a member.
func mapAt(object map[string]any, key string) map[string]any {
	if member, ok := object[key].(map[string]any); ok {
		return member
	}
	return map[string]any{}
}

func stringsAt(object map[string]any, key string) []string {
	members, _ := object[key].([]any)
	texts := make([]string, 0, len(members))
	for _, member := range members {
		if text, ok := member.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func without(object map[string]any, keys ...string) map[string]any {
	rest := make(map[string]any, len(object))
	for key, value := range object {
		if !slices.Contains(keys, key) {
			rest[key] = value
		}
	}
	return rest
}
