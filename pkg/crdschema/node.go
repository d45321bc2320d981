package crdschema

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// node is a part of a definition's schema, with no more than what fields there are.
type node struct {
	// properties are the fields that an object is known to have. What isn't among them
	// is lacking, also where the definition keeps unknown fields: the operator doesn't
	// know it.
	properties map[string]*node
	// items are of an array, values of a map.
	items, values *node
}

func newNode(schema map[string]any) *node {
	n := &node{}
	if properties, ok := schema["properties"].(map[string]any); ok {
		n.properties = make(map[string]*node, len(properties))
		for name, property := range properties {
			n.properties[name] = newChild(property)
		}
	}
	n.items = newChild(schema["items"])
	n.values = newChild(schema["additionalProperties"])
	return n
}

func newChild(schema any) *node {
	if schema, ok := schema.(map[string]any); ok {
		return newNode(schema)
	}
	return nil
}

// lackingField is a field that a schema doesn't have.
type lackingField struct {
	// path is the field's, as Kubernetes writes it; canonical has {} for keys of maps
	// and [] for the items of arrays.
	path, canonical string
}

// lacking returns the fields of spec that after has, that before didn't have with the
// same value, and that aren't in the schema.
func (n *node) lacking(before, after map[string]any) []lackingField {
	const spec = "spec"
	var found []lackingField
	if schema := n.properties[spec]; schema != nil {
		schema.collect(&found, lackingField{spec, spec}, before[spec], after[spec])
	}
	return found
}

func (n *node) collect(found *[]lackingField, at lackingField, before, after any) {
	if n == nil || reflect.DeepEqual(before, after) {
		return
	}
	switch after := after.(type) {
	case map[string]any:
		beforeMap, _ := before.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(after)) {
			n.collectMember(found, at, name, beforeMap[name], after[name])
		}
	case []any:
		beforeList, _ := before.([]any)
		for i, item := range after {
			if slices.ContainsFunc(beforeList, func(old any) bool { return reflect.DeepEqual(old, item) }) {
				continue
			}
			n.items.collect(found, lackingField{at.path + "[" + strconv.Itoa(i) + "]", at.canonical + "[]"}, nil, item)
		}
	}
}

func (n *node) collectMember(found *[]lackingField, at lackingField, name string, before, after any) {
	member := lackingField{at.path + "." + name, at.canonical + "." + name}
	switch {
	case n.properties[name] != nil:
		n.properties[name].collect(found, member, before, after)
	case n.values != nil:
		n.values.collect(found, lackingField{at.path + "[" + name + "]", at.canonical + "{}"}, before, after)
	case len(n.properties) == 0:
		// A free object, or a definition that says nothing about its fields.
	case means(member.canonical, after) && !reflect.DeepEqual(before, after):
		*found = append(*found, member)
	}
}

// means says whether a value is more than what its absence means. The server itself
// writes some of those, and they do no harm where nobody knows them.
func means(canonical string, value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case int64:
		return value != 0 && (canonical != "spec.minReplicas" || value != 1)
	case map[string]any:
		return len(value) > 0
	case []any:
		return len(value) > 0
	}
	return true
}
