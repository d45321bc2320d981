package pulsarfunction

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestChoose looks at which topic a message goes to.
func TestChoose(t *testing.T) {
	one := v1alpha1.InputConfig{Inputs: []string{"in"}, InputSpecs: map[string]v1alpha1.ConsumerSpec{"persistent://public/default/in": {}}}
	two := v1alpha1.InputConfig{CustomSerdeInputs: map[string]string{"a/b/first": "x"}, CustomSchemaInputs: map[string]string{"non-persistent://a/b/second": "x"}}
	pattern := v1alpha1.InputConfig{TopicsPattern: "persistent://a/b/in-.*"}
	spec := v1alpha1.InputConfig{Inputs: []string{"in"}, InputSpecs: map[string]v1alpha1.ConsumerSpec{"a/b/(x|y)": {RegexPattern: true}, "a/b/(?!z)z": {RegexPattern: true}}}
	for _, test := range []struct {
		what                 string
		config               v1alpha1.InputConfig
		asked, topic, reason string
	}{
		{"the only one", one, "", "persistent://public/default/in", ""},
		{"the only one, named", one, "in", "persistent://public/default/in", ""},
		{"the only one, by its full name", one, "persistent://public/default/in", "persistent://public/default/in", ""},
		{"the only one, in capitals", one, "PERSISTENT://public/default/in", "persistent://public/default/in", ""},
		{"another", one, "other", "", unknownTopic},
		{"no topic's name", one, "a/b", "", unknownTopic},
		{"none of two", two, "", "", manyTopics},
		{"one of two", two, "persistent://a/b/first", "persistent://a/b/first", ""},
		{"one that doesn't persist", two, "non-persistent://a/b/second", "non-persistent://a/b/second", ""},
		{"its namesake that does", two, "a/b/second", "", unknownTopic},
		{"a pattern", pattern, "", "", notReady},
		{"a topic of a pattern", pattern, "a/b/in-1", "persistent://a/b/in-1", ""},
		{"one that begins otherwise", pattern, "a/b/xin-1", "", unknownTopic},
		{"one of another namespace", pattern, "a/c/in-1", "", unknownTopic},
		{"a topic of a specified pattern", spec, "a/b/y", "persistent://a/b/y", ""},
		{"half of a pattern", spec, "a/b/yy", "", unknownTopic},
		{"one that only Java could tell", spec, "a/b/z", "", unknownTopic},
		{"none of a topic and patterns", spec, "", "", manyTopics},
	} {
		topic, reason := inputsOf(&test.config).choose(test.asked)
		if topic != test.topic || reason != test.reason {
			t.Errorf("%s: %q %q", test.what, topic, reason)
		}
	}
}
