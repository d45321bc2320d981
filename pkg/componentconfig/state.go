package componentconfig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// State is what Pulsar's clients put under a key, and what they are answered.
type State struct {
	Key         string  `json:"key"`
	StringValue *string `json:"stringValue,omitempty"`
	ByteValue   []byte  `json:"byteValue,omitempty"`
	NumberValue *int64  `json:"numberValue,omitempty"`
	Version     *int64  `json:"version,omitempty"`
}

// stateNames are the members of a state that count when it is put.
var stateNames = []string{"key", "stringValue", "numberValue", "byteValue"}

// ParseState reads what a client puts. Null, and nothing at all, is no state: nil. An
// error is an *Error.
func ParseState(data []byte) (*State, error) {
	if !utf8.Valid(data) {
		// Else what isn't would be put as other characters.
		return nil, &Error{Reason: "The state is not valid JSON: it is not UTF-8"}
	}
	members, err := stateMembers(data)
	if err != nil || members == nil {
		return nil, err
	}
	parsed := object{members: map[string]any{}, err: new(error)}
	for _, name := range stateNames {
		if parsed.members[name], err = scalar(members[name]); err != nil {
			return nil, notJSON(err)
		}
	}
	state := &State{Key: parsed.text("key"), NumberValue: parsed.int64("numberValue")}
	if parsed.given("stringValue") {
		text := parsed.text("stringValue")
		state.StringValue = &text
	}
	if parsed.given("byteValue") {
		if state.ByteValue, err = readBytes(members["byteValue"]); err != nil {
			parsed.fail("byteValue", "bytes in base64")
		}
	}
	if *parsed.err != nil {
		return nil, *parsed.err
	}
	return state, nil
}

// stateMembers returns the members of a state as they are written, nil where there is none.
// Those that aren't known are read over: a state may be large, and what is made of many
// small values takes many times their room.
func stateMembers(data []byte) (map[string]json.RawMessage, error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, nil
	}
	if !json.Valid(trimmed) {
		var value json.RawMessage
		return nil, notJSON(json.Unmarshal(trimmed, &value))
	}
	if trimmed[0] != '{' {
		return nil, &Error{Reason: "The state is not a JSON object"}
	}
	decoder := json.NewDecoder(bytes.NewReader(trimmed))
	if _, err := decoder.Token(); err != nil {
		return nil, notJSON(err)
	}
	members := map[string]json.RawMessage{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, notJSON(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, notJSON(err)
		}
		if name, ok := name.(string); ok && slices.Contains(stateNames, name) {
			members[name] = value
		}
	}
	return members, nil
}

func notJSON(err error) error {
	return &Error{Reason: fmt.Sprintf("The state is not valid JSON: %v", err)}
}

// scalar reads a value that should be no list and no object. Of one that is, nothing but
// that is returned.
func scalar(raw json.RawMessage) (any, error) {
	switch {
	case len(raw) == 0:
		return nil, nil
	case raw[0] == '[':
		return []any{}, nil
	case raw[0] == '{':
		return map[string]any{}, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return value, nil
}

// readBytes reads bytes in base64, or as a list of numbers. Pulsar takes numbers with a sign
// and without.
func readBytes(raw json.RawMessage) ([]byte, error) {
	var text string
	if raw[0] != '[' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
		return base64.StdEncoding.DecodeString(text)
	}
	var numbers []int16
	if err := json.Unmarshal(raw, &numbers); err != nil {
		return nil, err
	}
	value := make([]byte, len(numbers))
	for i, number := range numbers {
		if number < math.MinInt8 || number > math.MaxUint8 {
			return nil, errors.New("a number is no byte")
		}
		value[i] = byte(number)
	}
	return value, nil
}
