package componentconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// object reads a JSON object as leniently as Pulsar's JSON mapper does: unknown
// members are ignored, null is absent, and a scalar of another type is taken where
// its meaning is plain. The first member that can't be read is kept in err, which
// all objects of one document share; what is read after it is of no use.
type object struct {
	members map[string]any
	path    string
	err     *error
}

// parseObject reads one JSON document whose value must be an object or null; what
// names the document in errors. The second result is false for null and for no
// document at all.
func parseObject(data []byte, what string) (object, bool, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return object{}, false, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return object{}, false, &Error{Reason: fmt.Sprintf("%s is not valid JSON: %v", what, err)}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return object{}, false, &Error{Reason: what + " is not valid JSON: text after the end of the object"}
	}
	if value == nil {
		return object{}, false, nil
	}
	members, isObject := value.(map[string]any)
	if !isObject {
		return object{}, false, &Error{Reason: what + " is not a JSON object"}
	}
	return object{members: members, err: new(error)}, true, nil
}

func (o object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

// fail reports that a member can't be read. It never quotes the value, which may
// be a secret.
func (o object) fail(name, want string) {
	if *o.err == nil {
		*o.err = &Error{Reason: o.at(name) + " must be " + want}
	}
}

// given tells whether a member is there, and not null.
func (o object) given(name string) bool { return o.members[name] != nil }

func (o object) text(name string) string {
	switch value := o.members[name].(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	o.fail(name, "a text")
	return ""
}

// enum returns the text if it is one of the values, and nothing otherwise: Pulsar
// reads an unknown constant as null.
func (o object) enum(name string, values ...string) string {
	if text, ok := o.members[name].(string); ok && slices.Contains(values, text) {
		return text
	}
	return ""
}

func (o object) boolean(name string) *bool {
	switch value := o.members[name].(type) {
	case nil:
		return nil
	case bool:
		return &value
	case json.Number:
		if number, err := value.Int64(); err == nil {
			result := number != 0
			return &result
		}
	case string:
		if text := strings.ToLower(strings.TrimSpace(value)); text == "" {
			return nil
		} else if text == "true" || text == "false" {
			result := text == "true"
			return &result
		}
	}
	o.fail(name, "true or false")
	return nil
}

func (o object) flag(name string) bool {
	value := o.boolean(name)
	return value != nil && *value
}

// number returns the text of a number, or nothing if there is none.
func (o object) number(name, want string) string {
	switch value := o.members[name].(type) {
	case nil:
		return ""
	case json.Number:
		return value.String()
	case string:
		return strings.TrimSpace(value)
	}
	o.fail(name, want)
	return ""
}

func (o object) int64(name string) *int64 {
	return o.integer(name, math.MinInt64, math.MaxInt64)
}

func (o object) int32(name string) *int32 {
	value := o.integer(name, math.MinInt32, math.MaxInt32)
	if value == nil {
		return nil
	}
	result := int32(*value)
	return &result
}

func (o object) integer(name string, least, most int64) *int64 {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	text := o.number(name, want)
	if text == "" {
		return nil
	}
	value, err := parseInteger(text)
	if err != nil || value < least || value > most {
		o.fail(name, want)
		return nil
	}
	return &value
}

// parseInteger reads 5, 5.0 and 5e0 alike, without losing digits of large numbers.
func parseInteger(text string) (int64, error) {
	if value, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value, nil
	}
	// The range is checked on a float first: an exponent of millions would make
	// an exact number of millions of digits.
	approximate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(approximate) > math.MaxInt64 || (approximate != 0 && math.Abs(approximate) < 1) || len(text) > 64 {
		return 0, strconv.ErrRange
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok || !exact.IsInt() || !exact.Num().IsInt64() {
		return 0, strconv.ErrRange
	}
	return exact.Num().Int64(), nil
}

func (o object) float(name string) *float64 {
	text := o.number(name, "a number")
	if text == "" {
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		o.fail(name, "a number")
		return nil
	}
	return &value
}

// object returns a member that is an object itself, and whether there is one.
func (o object) object(name string) (object, bool) {
	switch value := o.members[name].(type) {
	case nil:
		return object{}, false
	case map[string]any:
		return object{members: value, path: o.at(name), err: o.err}, true
	}
	o.fail(name, "an object")
	return object{}, false
}

// texts returns a member that is a list of texts.
func (o object) texts(name string) []string {
	value := o.members[name]
	if value == nil {
		return nil
	}
	list, ok := value.([]any)
	if !ok {
		o.fail(name, "a list of texts")
		return nil
	}
	var result []string
	for i, element := range list {
		place := fmt.Sprintf("%s[%d]", name, i)
		if element == nil {
			o.fail(place, "a text")
			return nil
		}
		result = append(result, object{members: map[string]any{place: element}, path: o.path, err: o.err}.text(place))
	}
	return result
}

// textMap returns a member that maps names to texts. Entries that are null are
// read as empty texts.
func (o object) textMap(name string) map[string]string {
	entries, ok := o.object(name)
	if !ok || len(entries.members) == 0 {
		return nil
	}
	result := make(map[string]string, len(entries.members))
	for _, key := range entries.names() {
		result[key] = entries.text(key)
	}
	return result
}

// names returns the members' names in an order that doesn't change between calls,
// so that a document with several mistakes always gets the same answer.
func (o object) names() []string {
	return slices.Sorted(maps.Keys(o.members))
}

// strictTextMap is textMap for what Pulsar lets be any JSON but Function Mesh keeps
// as texts: turning a number into a text behind the client's back could give a
// class something that it doesn't expect, so it is refused.
func (o object) strictTextMap(name string) map[string]string {
	entries, ok := o.object(name)
	if !ok {
		return nil
	}
	for _, key := range entries.names() {
		if _, isText := entries.members[key].(string); !isText {
			entries.fail(key, "a text: Function Mesh can't hold other values here")
			return nil
		}
	}
	return o.textMap(name)
}
