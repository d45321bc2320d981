package translation

import (
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
)

// What the operator tells instances of a window or a batch source it puts among the
// author's configuration, where Pulsar has it as well. When it then adds its finalizer
// it writes that back into the resource. It puts it there anew each time, so what
// stands there has no effect, and nobody has asked for it.
const (
	operatorWindow      = "__WINDOWCONFIGS__"
	operatorBatchConfig = "__BATCHSOURCECONFIGS__"
	operatorBatchClass  = "__BATCHSOURCECLASSNAME__"
)

// withoutMembers returns a JSON object without some of its members: the same if it has
// none of them, nil if it has no others.
func withoutMembers(object *runtime.RawExtension, names ...string) *runtime.RawExtension {
	if object == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object.Raw, &members); err != nil {
		return object
	}
	if !slices.ContainsFunc(names, func(name string) bool { return members[name] != nil }) {
		return object
	}
	for _, name := range names {
		delete(members, name)
	}
	if len(members) == 0 {
		return nil
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return object
	}
	return &runtime.RawExtension{Raw: rest}
}
