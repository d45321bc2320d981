package delta

import (
	"encoding/json"
	"reflect"
	"testing"

	kjson "sigs.k8s.io/json"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), &object); err != nil {
		t.Fatalf("could not decode %s: %v", text, err)
	}
	return object
}

func TestApply(t *testing.T) {
	containers := []Container{
		{Path: []string{"spec", "input"}},
		{Path: []string{"metadata", "labels"}},
		{Path: []string{"metadata", "annotations"}},
		{Path: []string{"spec", "env"}, Key: "name"},
		{Path: []string{"spec", "sidecars"}, Key: "name"},
		{Path: []string{"spec", "sidecars", "env"}, Key: "name"},
	}
	for name, test := range map[string]struct {
		raw, before, after, want string
		unchanged                bool
	}{
		"equal projections touch nothing": {
			raw:       `{"spec":{"replicas":1,"unknown":{"a":null},"list":[]}}`,
			before:    `{"spec":{"replicas":2,"input":{}}}`,
			after:     `{"spec":{"replicas":2,"input":{}}}`,
			want:      `{"spec":{"replicas":1,"unknown":{"a":null},"list":[]}}`,
			unchanged: true,
		},
		"only the changed field is written": {
			raw:    `{"spec":{"replicas":1,"className":"by.somebody.else","n":9007199254740993}}`,
			before: `{"spec":{"replicas":1,"className":"a"}}`,
			after:  `{"spec":{"replicas":3,"className":"a"}}`,
			want:   `{"spec":{"replicas":3,"className":"by.somebody.else","n":9007199254740993}}`,
		},
		"a field that goes leaves its foreign siblings": {
			raw:    `{"spec":{"input":{"topics":["a"],"foreign":1}}}`,
			before: `{"spec":{"input":{"topics":["a"]}}}`,
			after:  `{"spec":{"input":{}}}`,
			want:   `{"spec":{"input":{"foreign":1}}}`,
		},
		"a container that nothing is left in goes": {
			raw:    `{"spec":{"input":{"topics":["a"]}}}`,
			before: `{"spec":{"input":{"topics":["a"]}}}`,
			after:  `{"spec":{"input":{}}}`,
			want:   `{"spec":{}}`,
		},
		"an entry of a map that goes takes what is unknown in it along": {
			raw:    `{"spec":{"specs":{"a":{"x":1,"foreign":2},"b":{"x":1,"foreign":2}}}}`,
			before: `{"spec":{"specs":{"a":{"x":1},"b":{"x":1}}}}`,
			after:  `{"spec":{"specs":{"b":{"x":5}}}}`,
			want:   `{"spec":{"specs":{"b":{"x":5,"foreign":2}}}}`,
		},
		"an element of a list of named things changes in its place": {
			raw:    `{"spec":{"env":[{"name":"a","value":"1","new":0},{"name":"b","value":"2","new":1}]}}`,
			before: `{"spec":{"env":[{"name":"a","value":"1"},{"name":"b","value":"2"}]}}`,
			after:  `{"spec":{"env":[{"name":"a","value":"1"},{"name":"b","valueFrom":{"x":1}}]}}`,
			want:   `{"spec":{"env":[{"name":"a","value":"1","new":0},{"name":"b","valueFrom":{"x":1},"new":1}]}}`,
		},
		"elements that aren't shown stay behind what they were behind": {
			raw:    `{"spec":{"env":[{"name":"h0"},{"name":"a"},{"name":"h1"},{"name":"h2"},{"name":"b"},{"name":"h3"}]}}`,
			before: `{"spec":{"env":[{"name":"a"},{"name":"b"}]}}`,
			after:  `{"spec":{"env":[{"name":"c"},{"name":"b"},{"name":"a"}]}}`,
			want:   `{"spec":{"env":[{"name":"h0"},{"name":"c"},{"name":"b"},{"name":"h3"},{"name":"a"},{"name":"h1"},{"name":"h2"}]}}`,
		},
		"elements of one name are all kept": {
			raw:    `{"spec":{"env":[{"name":"a","value":"1","new":0},{"name":"a","value":"2","new":1},{"name":"b"}]}}`,
			before: `{"spec":{"env":[{"name":"a","value":"1"},{"name":"a","value":"2"},{"name":"b"}]}}`,
			after:  `{"spec":{"env":[{"name":"a","value":"1"},{"name":"a","value":"3"},{"name":"b"}]}}`,
			want:   `{"spec":{"env":[{"name":"a","value":"1","new":0},{"name":"a","value":"3","new":1},{"name":"b"}]}}`,
		},
		"an element goes": {
			raw:    `{"spec":{"env":[{"name":"a","new":0},{"name":"b","new":1}]}}`,
			before: `{"spec":{"env":[{"name":"a"},{"name":"b"}]}}`,
			after:  `{"spec":{"env":[{"name":"b"}]}}`,
			want:   `{"spec":{"env":[{"name":"b","new":1}]}}`,
		},
		"all elements go, and with them the list": {
			raw:    `{"spec":{"env":[{"name":"a","new":0}],"x":1}}`,
			before: `{"spec":{"env":[{"name":"a"}]}}`,
			after:  `{"spec":{}}`,
			want:   `{"spec":{"x":1}}`,
		},
		"all elements that are shown go": {
			raw:    `{"spec":{"env":[{"name":"a"},"strange"]}}`,
			before: `{"spec":{"env":[{"name":"a"}]}}`,
			after:  `{"spec":{}}`,
			want:   `{"spec":{"env":["strange"]}}`,
		},
		"the first elements of a list": {
			raw:    `{"spec":{}}`,
			before: `{"spec":{}}`,
			after:  `{"spec":{"env":[{"name":"a"}]}}`,
			want:   `{"spec":{"env":[{"name":"a"}]}}`,
		},
		"an element without a name": {
			raw:    `{"spec":{"env":[{"value":"1","new":0}]}}`,
			before: `{"spec":{"env":[{"name":"","value":"1"}]}}`,
			after:  `{"spec":{"env":[{"name":"","value":"2"}]}}`,
			want:   `{"spec":{"env":[{"value":"2","new":0}]}}`,
		},
		"a list in an element": {
			raw:    `{"spec":{"sidecars":[{"name":"s","new":0,"env":[{"name":"a","new":1},{"name":"b"}]}]}}`,
			before: `{"spec":{"sidecars":[{"name":"s","env":[{"name":"a"},{"name":"b"}]}]}}`,
			after:  `{"spec":{"sidecars":[{"name":"s","env":[{"name":"b"},{"name":"a"}]}]}}`,
			want:   `{"spec":{"sidecars":[{"name":"s","new":0,"env":[{"name":"b"},{"name":"a","new":1}]}]}}`,
		},
		"lists are atomic": {
			raw:    `{"spec":{"topics":["a","b"]}}`,
			before: `{"spec":{"topics":["a","b"]}}`,
			after:  `{"spec":{"topics":["b","c"]}}`,
			want:   `{"spec":{"topics":["b","c"]}}`,
		},
		"metadata that views don't determine stays": {
			raw:    `{"metadata":{"name":"f","uid":"1","labels":{"a":"1","foreign":"2"},"generation":4}}`,
			before: `{"metadata":{"name":"f","uid":"9","labels":{"a":"1"}}}`,
			after:  `{"metadata":{"name":"f","uid":"9","labels":{"b":"1"},"generation":9}}`,
			want:   `{"metadata":{"name":"f","uid":"1","labels":{"b":"1","foreign":"2"},"generation":4}}`,
		},
		"hidden finalizers stay when the shown ones go": {
			raw:    `{"metadata":{"finalizers":["orphan","mine"]}}`,
			before: `{"metadata":{"finalizers":["mine"]}}`,
			after:  `{"metadata":{}}`,
			want:   `{"metadata":{"finalizers":["orphan"]}}`,
		},
		"a first shown finalizer comes after the hidden ones": {
			raw:    `{"metadata":{"finalizers":["foregroundDeletion"]}}`,
			before: `{"metadata":{}}`,
			after:  `{"metadata":{"finalizers":["mine"]}}`,
			want:   `{"metadata":{"finalizers":["foregroundDeletion","mine"]}}`,
		},
		"a container that a projection no longer has keeps what is foreign in it": {
			raw:    `{"metadata":{"annotations":{"mine":"1","foreign":"2"}},"spec":{"input":{"topics":["a"],"foreign":1}}}`,
			before: `{"metadata":{"annotations":{"mine":"1"}},"spec":{"input":{"topics":["a"]}}}`,
			after:  `{"metadata":{},"spec":{}}`,
			want:   `{"metadata":{"annotations":{"foreign":"2"}},"spec":{"input":{"foreign":1}}}`,
		},
		"a map that is no container goes as a whole": {
			raw:    `{"spec":{"window":{"length":1,"foreign":1}}}`,
			before: `{"spec":{"window":{"length":1}}}`,
			after:  `{"spec":{}}`,
			want:   `{"spec":{}}`,
		},
		"first label and annotation": {
			raw:    `{"metadata":{"name":"f"}}`,
			before: `{"metadata":{}}`,
			after:  `{"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}}}`,
			want:   `{"metadata":{"name":"f","labels":{"a":"1"},"annotations":{"b":"2"}}}`,
		},
		"last label and annotation": {
			raw:    `{"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}}}`,
			before: `{"metadata":{"labels":{"a":"1"},"annotations":{"b":"2"}}}`,
			after:  `{"metadata":{}}`,
			want:   `{"metadata":{}}`,
		},
		"status is nobody's to write": {
			raw:       `{"status":{"replicas":1}}`,
			before:    `{"status":{"replicas":1}}`,
			after:     `{"status":{"replicas":2}}`,
			want:      `{"status":{"replicas":1}}`,
			unchanged: true,
		},
		"an explicit null is written": {
			raw:    `{"spec":{"config":{"a":1}}}`,
			before: `{"spec":{"config":{"a":1}}}`,
			after:  `{"spec":{"config":{"a":null}}}`,
			want:   `{"spec":{"config":{"a":null}}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			raw := decode(t, test.raw)
			changed := Apply(raw, decode(t, test.before), decode(t, test.after), containers)
			if changed == test.unchanged {
				t.Errorf("changed = %v", changed)
			}
			if want := decode(t, test.want); !reflect.DeepEqual(raw, want) {
				got, _ := json.Marshal(raw)
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
