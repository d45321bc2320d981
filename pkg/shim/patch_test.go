package shim

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestDifference(t *testing.T) {
	tests := []struct {
		before, after, patch string
		complete             bool
	}{
		{`{"a":1}`, `{"a":1}`, `{}`, true},
		{`{"a":1,"b":2}`, `{"b":3,"c":4}`, `{"a":null,"b":3,"c":4}`, true},
		{`{"a":{"b":1,"c":2}}`, `{"a":{"b":1,"d":[1]}}`, `{"a":{"c":null,"d":[1]}}`, true},
		{`{"a":{"b":1}}`, `{"a":{}}`, `{"a":{"b":null}}`, true},
		{`{"a":1}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`, true},
		{`{"a":{"b":1}}`, `{"a":[1]}`, `{"a":[1]}`, true},
		{`{"a":[{"b":1},2]}`, `{"a":[{"b":1}]}`, `{"a":[{"b":1}]}`, true},
		{`{"a":null}`, `{"a":null}`, `{}`, true},
		{`{"a":1}`, `{"a":null}`, `{"a":null}`, false},
		{`{}`, `{"a":{"b":null}}`, `{"a":{"b":null}}`, false},
		{`{"a":{"b":1}}`, `{"a":{"b":1,"c":[{"d":null}]}}`, `{"a":{"c":[{"d":null}]}}`, false},
	}
	for _, test := range tests {
		t.Run(test.before+test.after, func(t *testing.T) {
			patch, complete := difference(members(t, test.before), members(t, test.after))
			if !reflect.DeepEqual(patch, members(t, test.patch)) || complete != test.complete {
				t.Errorf("got %v, %v", patch, complete)
			}
		})
	}
}

func members(t *testing.T, text string) map[string]any {
	t.Helper()
	var result map[string]any
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatal(err)
	}
	return result
}
