// Package delta writes the difference between two projections of a stored object
// into that object. It exists so that an update through a projection can't lose what
// the projection doesn't show: an object is never rebuilt from what is known of it.
package delta

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// mergedMetadata are the members of metadata that a projection determines, other
// than the finalizers. The rest is the backend's alone, as the status is.
var mergedMetadata = []string{"labels", "annotations", "ownerReferences"}

// Container is a part of an object that means nothing by itself: absent and empty are
// the same.
type Container struct {
	// Path is where it stands. Of what is in the elements of a list, it has the names
	// alone.
	Path []string
	// Key, of a list, is the member by which its elements are told apart. Without one
	// the container is a map.
	Key string
}

// Apply changes stored, the JSON of a Kubernetes object, by the difference between
// before and after, two projections of it, and says whether anything changed. What
// no projection holds stays as it is: unknown fields, other people's labels,
// finalizers that aren't shown.
//
// Maps are merged by key. Lists are atomic, unless they are containers, and are not
// touched unless the projections differ in them. A container that a projection lacks
// counts as empty, so that what others have in it stays, and one that is left empty is
// removed.
func Apply(stored, before, after map[string]any, containers []Container) bool {
	changed := mergeMap(stored, without(before, "metadata", "status"), without(after, "metadata", "status"), containers)

	metadata := mapAt(stored, "metadata")
	beforeMetadata, afterMetadata := mapAt(before, "metadata"), mapAt(after, "metadata")
	metadataContainers, _ := under(containers, "metadata")
	for _, key := range mergedMetadata {
		if mergeKey(metadata, beforeMetadata, afterMetadata, key, metadataContainers) {
			changed = true
		}
	}
	return mergeFinalizers(metadata, beforeMetadata, afterMetadata) || changed
}

// Prune removes containers that hold nothing from a new object. containers have the
// inner ones before those that they are in.
func Prune(object map[string]any, containers []Container) {
	for _, container := range containers {
		path := container.Path
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

// mergeMap merges what stands at one path. containers are relative to it.
func mergeMap(stored, before, after map[string]any, containers []Container) bool {
	keys := make(map[string]any, len(before)+len(after))
	maps.Copy(keys, before)
	maps.Copy(keys, after)
	changed := false
	for key := range keys {
		if mergeKey(stored, before, after, key, containers) {
			changed = true
		}
	}
	return changed
}

func mergeKey(stored, before, after map[string]any, key string, containers []Container) bool {
	old, had := before[key]
	wanted, has := after[key]
	if had == has && reflect.DeepEqual(old, wanted) {
		return false
	}
	inner, container := under(containers, key)
	wantedMap, isMap := wanted.(map[string]any)
	storedMap, storedIsMap := stored[key].(map[string]any)
	isContainer := container != nil
	if storedList, ok := stored[key].([]any); ok && isContainer && container.Key != "" {
		oldList, _ := old.([]any)
		wantedList, _ := wanted.([]any)
		return setList(stored, key, mergeList(storedList, oldList, wantedList, container.Key, inner))
	}
	switch {
	case storedIsMap && (isMap || isContainer):
		oldMap, _ := old.(map[string]any)
		changed := mergeMap(storedMap, oldMap, wantedMap, inner)
		if isContainer && len(storedMap) == 0 {
			delete(stored, key)
			return true
		}
		return changed
	case isContainer && !has && stored[key] == nil, isContainer && isMap && len(wantedMap) == 0 && stored[key] == nil:
		return false
	case !has:
		_, present := stored[key]
		delete(stored, key)
		return present
	}
	stored[key] = runtime.DeepCopyJSONValue(wanted)
	return true
}

// under returns the containers inside a member, relative to it, and the member's own,
// if it is one.
func under(containers []Container, key string) (inner []Container, own *Container) {
	for i := range containers {
		switch path := containers[i].Path; {
		case path[0] != key:
		case len(path) == 1:
			own = &containers[i]
		default:
			inner = append(inner, Container{Path: path[1:], Key: containers[i].Key})
		}
	}
	return inner, own
}

// mergeFinalizers keeps the finalizers that projections don't show, in their order,
// before those that they do.
func mergeFinalizers(stored, before, after map[string]any) bool {
	shown, wanted := stringsAt(before, "finalizers"), stringsAt(after, "finalizers")
	if slices.Equal(shown, wanted) {
		return false
	}
	var merged []any
	for _, finalizer := range stringsAt(stored, "finalizers") {
		if !slices.Contains(shown, finalizer) && !slices.Contains(wanted, finalizer) {
			merged = append(merged, finalizer)
		}
	}
	for _, finalizer := range wanted {
		merged = append(merged, finalizer)
	}
	if len(merged) == 0 {
		delete(stored, "finalizers")
	} else {
		stored["finalizers"] = merged
	}
	return true
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
	rest := maps.Clone(object)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}
