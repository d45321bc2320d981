package identity

import "testing"

// TestValidTopicName has what TopicName.isValid of Pulsar 4.0.7 says.
func TestValidTopicName(t *testing.T) {
	for _, test := range []struct {
		topic string
		want  bool
	}{
		{"persistent://public/default/in", true},
		{"non-persistent://public/default/in", true},
		{"persistent://acme/cluster-1/orders/in", true},
		{"persistent://acme/cluster-1/orders/in/more", true},
		{"persistent://a.b=c:d-e_f/n/in", true},
		{"persistent://public/default/in-.*", true},
		{"persistent://public/default/in?x=(a|b) c", true},
		{"in", true},
		{"test:", true},
		{"public/default/in", true},
		{"", false},
		{"a/b", false},
		{"test-function-output-topic/test:", false},
		{"a/b/c/d", false},
		{"/", false},
		{"//", false},
		{" ", false},
		{"\t\n", false},
		{"\u2003", false},
		{"\u001c", false},
		{"\u00a0", true},
		{"\u0085", true},
		{"/ /", false},
		{"/in", true},
		{"in/", true},
		{"//in//", true},
		{"a//b/in", false},
		{"/a/b/in", false},
		{"a/b/in/", false},
		{"a/b/ ", false},
		{"a b", true},
		{"ü", true},
		{"in-partition-0", true},
		{"persistent:a", true},
		{"persistent:/a", false},
		{"a//in", false},
		{"a/b/", false},
		{"/b/in", false},
		{"Persistent://public/default/in", true},
		{"NON-PERSISTENT://public/default/in", true},
		{"non_persistent://public/default/in", false},
		{"persistent://a/b/c://d", true},
		{"persistent://acme/cluster-1/orders/", false},
		{"persistent://acme/cluster-1/orders/ ", false},
		{"persistent://acme/cluster-1/orders//", true},
		{"kafka://public/default/in", false},
		{"://public/default/in", false},
		{"persistent://", false},
		{"persistent://in", false},
		{"persistent://public/default", false},
		{"persistent://public/default/", false},
		{"persistent:///default/in", false},
		{"persistent://public//in", false},
		{"persistent://public//orders/in", false},
		{"persistent://pub lic/default/in", false},
		{"persistent://public/def*ault/in", false},
		{"pub$lic/default/in", false},
		{"persistent://public/default/cl uster/in", false},
		{"persistent://publíc/default/in", false},
	} {
		if got := ValidTopicName(test.topic); got != test.want {
			t.Errorf("ValidTopicName(%q) = %v, want %v", test.topic, got, test.want)
		}
	}
}

// TestCanonicalTopicName has what GetTopicName of Pulsar's Go client says, which the
// Function Mesh operator asks.
func TestCanonicalTopicName(t *testing.T) {
	for topic, want := range map[string]bool{
		"in": true, "a/b/in": true, "persistent://a/b/in": true, "non-persistent://a/b/in": true, "persistent://a/b/c//": true,
		"/in": false, "in/": false, "//in": false, "Persistent://a/b/in": false, "NON-PERSISTENT://a/b/in": false, "per\u017fistent://a/b/in": false,
	} {
		if got := CanonicalTopicName(topic); got != want || !ValidTopicName(topic) {
			t.Errorf("CanonicalTopicName(%q) = %v, want %v", topic, got, want)
		}
	}
}

func TestValidNamedEntity(t *testing.T) {
	for name, want := range map[string]bool{
		"public": true, "a-b=c:d.e_f": true, "": false, "a/b": false, "a b": false, "a\n": false, "a$": false,
	} {
		if got := ValidNamedEntity(name); got != want {
			t.Errorf("ValidNamedEntity(%q) = %v, want %v", name, got, want)
		}
	}
}
