package identity

import "testing"

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
		{"/in", false},
		{"a//in", false},
		{"a/b/", false},
		{"/b/in", false},
		{"Persistent://public/default/in", false},
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

func TestValidNamedEntity(t *testing.T) {
	for name, want := range map[string]bool{
		"public": true, "a-b=c:d.e_f": true, "": false, "a/b": false, "a b": false, "a\n": false, "a$": false,
	} {
		if got := ValidNamedEntity(name); got != want {
			t.Errorf("ValidNamedEntity(%q) = %v, want %v", name, got, want)
		}
	}
}
