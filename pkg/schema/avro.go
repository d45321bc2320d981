package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// avroKind is what has to be known of a type to get over a value of it.
type avroKind int

const (
	avroBytes   avroKind = iota // a length and as many bytes
	avroFixed                   // size bytes
	avroInt                     // a number of up to 32 bits
	avroLong                    // one of up to 64
	avroEnum                    // the index of one of size symbols
	avroRecord                  // one of each of members
	avroUnion                   // an index, and one of that member
	avroArray                   // blocks of the only member
	avroMap                     // blocks of a text and the only member
	avroNothing                 // no bytes
)

type avroType struct {
	kind avroKind
	size int
	// members of a record leave out those whose values have no bytes, so that there is
	// no more work in a value than it has bytes for each layer of types.
	members []*avroType
}

var avroPrimitives = map[string]*avroType{
	"null": {kind: avroNothing}, "boolean": {kind: avroFixed, size: 1}, "int": {kind: avroInt}, "long": {kind: avroLong},
	"float": {kind: avroFixed, size: 4}, "double": {kind: avroFixed, size: 8}, "bytes": {kind: avroBytes}, "string": {kind: avroBytes},
}

// errDefinition says that a type can't be read. Its definition was accepted by Pulsar.
var errDefinition = errors.New("the definition is not understood")

// parseAvro reads a type's definition, as leniently as Pulsar does: names and defaults
// don't matter to values.
func parseAvro(definition string) (*avroType, error) {
	var node any
	if err := json.Unmarshal([]byte(definition), &node); err != nil {
		return nil, fmt.Errorf("%w: %w", errDefinition, err)
	}
	return avroNames{}.parse(node, "")
}

// avroNames are the types that have a name, by it and its namespace.
type avroNames map[string]*avroType

// parse returns the type that a node of a definition in a namespace stands for.
func (n avroNames) parse(node any, space string) (*avroType, error) {
	switch node := node.(type) {
	case string:
		return n.named(node, space)
	case []any:
		union := &avroType{kind: avroUnion}
		for _, member := range node {
			parsed, err := n.parse(member, space)
			if err != nil {
				return nil, err
			}
			union.members = append(union.members, parsed)
		}
		return union, nil
	case map[string]any:
		return n.complex(node, space)
	default:
		return nil, errDefinition
	}
}

func (n avroNames) named(name, space string) (*avroType, error) {
	if primitive, ok := avroPrimitives[name]; ok {
		return primitive, nil
	}
	full, _ := avroName(name, space)
	if known, ok := n[full]; ok {
		return known, nil
	}
	if known, ok := n[name]; ok {
		return known, nil
	}
	return nil, errDefinition
}

// avroName returns the full name of a type, and the namespace of what is defined in it.
func avroName(name, space string) (full, inner string) {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return strings.TrimPrefix(name, "."), name[:dot]
	}
	if space == "" {
		return name, ""
	}
	return space + "." + name, space
}

func (n avroNames) complex(node map[string]any, space string) (*avroType, error) {
	kind, ok := node["type"].(string)
	if !ok {
		return n.parse(node["type"], space)
	}
	made := &avroType{}
	switch kind {
	case "array", "map":
		made.kind = avroArray
		content := "items"
		if kind == "map" {
			made.kind, content = avroMap, "values"
		}
		item, err := n.parse(node[content], space)
		made.members = []*avroType{item}
		return made, err
	case "record", "error", "enum", "fixed":
	default:
		return n.named(kind, space)
	}
	if own, ok := node["namespace"].(string); ok {
		space = own
	}
	name, ok := node["name"].(string)
	if !ok {
		return nil, errDefinition
	}
	full, space := avroName(name, space)
	n[full] = made
	switch kind {
	case "enum":
		symbols, ok := node["symbols"].([]any)
		if !ok {
			return nil, errDefinition
		}
		made.kind, made.size = avroEnum, len(symbols)
	case "fixed":
		size, ok := node["size"].(float64)
		if !ok || size < 0 || size > math.MaxInt32 || size != math.Trunc(size) {
			return nil, errDefinition
		}
		made.kind, made.size = avroFixed, int(size)
		if made.size == 0 {
			made.kind = avroNothing
		}
	default:
		return made, n.record(made, node, space)
	}
	return made, nil
}

// record fills in a record, which its own fields may name.
func (n avroNames) record(made *avroType, node map[string]any, space string) error {
	made.kind = avroRecord
	fields, ok := node["fields"].([]any)
	if !ok {
		return errDefinition
	}
	for _, field := range fields {
		described, ok := field.(map[string]any)
		if !ok {
			return errDefinition
		}
		member, err := n.parse(described["type"], space)
		if err != nil {
			return err
		}
		if member.kind != avroNothing {
			made.members = append(made.members, member)
		}
	}
	if len(made.members) == 0 {
		made.kind = avroNothing
	}
	return nil
}
