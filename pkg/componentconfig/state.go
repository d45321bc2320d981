package componentconfig

import "encoding/base64"

// State is what Pulsar's clients put under a key, and what they are answered.
type State struct {
	Key         string  `json:"key"`
	StringValue *string `json:"stringValue,omitempty"`
	ByteValue   []byte  `json:"byteValue,omitempty"`
	NumberValue *int64  `json:"numberValue,omitempty"`
	Version     *int64  `json:"version,omitempty"`
}

// ParseState reads what a client puts. Null, and nothing at all, is no state: nil. An
// error is an *Error.
func ParseState(data []byte) (*State, error) {
	parsed, ok, err := parseObject(data, "The state")
	if err != nil || !ok {
		return nil, err
	}
	state := &State{Key: parsed.text("key"), NumberValue: parsed.int64("numberValue")}
	if parsed.given("stringValue") {
		text := parsed.text("stringValue")
		state.StringValue = &text
	}
	if parsed.given("byteValue") {
		if state.ByteValue, err = base64.StdEncoding.DecodeString(parsed.text("byteValue")); err != nil {
			parsed.fail("byteValue", "bytes in base64")
		}
	}
	if *parsed.err != nil {
		return nil, *parsed.err
	}
	return state, nil
}
