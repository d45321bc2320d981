package crdpaths

import (
	"fmt"
	"math"
	"slices"
)

// Checker checks objects against the fields of their definition.
type Checker struct {
	fields map[string]Field
}

// NewChecker returns a checker for objects with the given fields.
func NewChecker(fields []Field) *Checker {
	checker := &Checker{fields: make(map[string]Field, len(fields))}
	for _, field := range fields {
		checker.fields[field.Path] = field
	}
	return checker
}

// Check returns what is wrong with an object, decoded from JSON with integers as
// int64: members that the definition doesn't have, wrong types, values outside of
// enums, numbers below their minimum, required members that are absent.
func (c *Checker) Check(object map[string]any) []string {
	var problems []string
	for name, member := range object {
		problems = append(problems, c.value(name, name, member)...)
	}
	slices.Sort(problems)
	return problems
}

// value checks a value at path, whose definition is at pattern.
func (c *Checker) value(path, pattern string, value any) []string {
	field, ok := c.fields[pattern]
	if !ok {
		return []string{path + " is not in the definition"}
	}
	wrongType := []string{fmt.Sprintf("%s is a %T, not of type %s", path, value, field.Type)}
	switch typed := value.(type) {
	case map[string]any:
		if field.Type != typeObject {
			return wrongType
		}
		return c.object(path, field, typed)
	case []any:
		if field.Type != typeArray {
			return wrongType
		}
		var problems []string
		for i, item := range typed {
			problems = append(problems, c.value(fmt.Sprintf("%s[%d]", path, i), pattern+arrayItems, item)...)
		}
		return problems
	case string:
		if field.Type != "string" && field.Type != typeIntOrString {
			return wrongType
		}
		if len(field.Enum) > 0 && !slices.Contains(field.Enum, typed) {
			return []string{fmt.Sprintf("%s is %q, not one of %q", path, typed, field.Enum)}
		}
	case bool:
		if field.Type != "boolean" {
			return wrongType
		}
	case int64:
		return integer(path, field, typed, wrongType)
	default:
		return wrongType
	}
	return nil
}

func (c *Checker) object(path string, field Field, object map[string]any) []string {
	var problems []string
	for _, name := range field.Required {
		if _, ok := object[name]; !ok {
			problems = append(problems, path+"."+name+" is required")
		}
	}
	if field.Free {
		return problems
	}
	_, isMap := c.fields[field.Path+mapValues]
	for name, member := range object {
		pattern := field.Path + "." + name
		if isMap {
			pattern = field.Path + mapValues
		}
		problems = append(problems, c.value(path+"."+name, pattern, member)...)
	}
	return problems
}

func integer(path string, field Field, value int64, wrongType []string) []string {
	switch field.Type {
	case "int32":
		if value < math.MinInt32 || value > math.MaxInt32 {
			return []string{fmt.Sprintf("%s is %d, which is no int32", path, value)}
		}
	case "int64", "integer", typeIntOrString:
	default:
		return wrongType
	}
	if field.Minimum != nil && value < *field.Minimum {
		return []string{fmt.Sprintf("%s is %d, less than %d", path, value, *field.Minimum)}
	}
	return nil
}
