package componentconfig

import (
	"strings"
	"testing"
)

func TestParseState(t *testing.T) {
	for text, want := range map[string]string{
		`{"key":"k","byteValue":[-128,-1,0,127,255]}`: "\x80\xff\x00\x7f\xff",
		`{"key":"k","byteValue":"gP8="}`:              "\x80\xff",
		`{"key":"k","byteValue":null,"KEY":"other"}`:  "",
	} {
		if state, err := ParseState([]byte(text)); err != nil || string(state.ByteValue) != want || state.Key != "k" {
			t.Errorf("%s: %+v (%v)", text, state, err)
		}
	}
	for text, want := range map[string]string{
		`{"byteValue":[256]}`:       "byteValue must be bytes in base64",
		`{"byteValue":[-129]}`:      "byteValue must be bytes in base64",
		`{"byteValue":{}}`:          "byteValue must be bytes in base64",
		`{"key":["a"]}`:             "key must be a text",
		`{"stringValue":{"a":"b"}}`: "stringValue must be a text",
		`{"key":"k"} x`:             "The state is not valid JSON: invalid character 'x' after top-level value",
		"{\"key\":\"\xff\"}":        "The state is not valid JSON: it is not UTF-8",
	} {
		if state, err := ParseState([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %+v (%v)", text, state, err)
		}
	}
}

// TestParseStateFrugally proves that what doesn't count costs next to nothing: a state comes
// before its form is known.
func TestParseStateFrugally(t *testing.T) {
	elements := strings.Repeat("{},", 1<<19) + "{}"
	for _, text := range []string{`{"other":[` + elements + `]}`, `{"key":[` + elements + `]}`} {
		result := testing.Benchmark(func(b *testing.B) {
			for range b.N {
				_, _ = ParseState([]byte(text))
			}
		})
		if most := int64(12 * len(text)); result.AllocedBytesPerOp() > most {
			t.Errorf("%d bytes take %d", len(text), result.AllocedBytesPerOp())
		}
	}
}
