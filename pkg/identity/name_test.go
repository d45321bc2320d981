package identity

import (
	"regexp"
	"strings"
	"testing"
)

var (
	dnsLabel   = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)
	labelValue = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
)

func TestObjectNameAndLabelAreValid(t *testing.T) {
	for _, name := range []Name{
		{"public", "default", "word-count"},
		{"public", "default", "Word.Count_2"},
		{"public", "default", strings.Repeat("very-long-name", 20)},
		{"public", "default", "123"},
		{"public", "default", "-x-"},
		{"public", "default", "==="},
		{"public", "default", "ünïcödé"},
		{"public", "default", strings.Repeat("a", 29) + "-b"},
		{"", "", ""},
	} {
		object := name.ObjectName()
		if !dnsLabel.MatchString(object) || len(object) > MaxObjectNameLength {
			t.Errorf("%q: object name %q is no DNS label of at most %d characters", name, object, MaxObjectNameLength)
		}
		label := name.Label()
		if !labelValue.MatchString(label) || len(label) < 32 || len(label) > 63 {
			t.Errorf("%q: %q is no label value of 32 to 63 characters", name, label)
		}
	}
}

// The values are stored on objects, so they may never change.
func TestObjectNameAndLabelAreStable(t *testing.T) {
	name := Name{Tenant: "public", Namespace: "default", Name: "word-count"}
	if got, want := name.ObjectName(), "word-count-wkscgw4jqhsq"; got != want {
		t.Errorf("ObjectName() = %q, want %q", got, want)
	}
	if got, want := name.Label(), "b2a4235b8981e50b6e458a746a0a6d85b647dbb7"; got != want {
		t.Errorf("Label() = %q, want %q", got, want)
	}
	if got, want := name.String(), "public/default/word-count"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestIdentitiesThatLookAlikeDiffer(t *testing.T) {
	alike := []Name{
		{"a-b", "c", "f"},
		{"a", "b-c", "f"},
		{"a", "b", "c-f"},
		{"a", "b", "C-f"},
		{"a", "b", "c.f"},
		{"a", "b", "c_f"},
		{"1:a", "b", "c-f"},
		{"a1:b", "", "c-f"},
	}
	objects, labels := map[string]Name{}, map[string]Name{}
	for _, name := range alike {
		if other, found := objects[name.ObjectName()]; found {
			t.Errorf("%q and %q have the object name %q", name, other, name.ObjectName())
		}
		if other, found := labels[name.Label()]; found {
			t.Errorf("%q and %q have the label %q", name, other, name.Label())
		}
		objects[name.ObjectName()], labels[name.Label()] = name, name
	}
}

func TestReadablePart(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"word-count", "word-count"},
		{"Word.Count", "word-count"},
		{"2fast", "p-2fast"},
		{"__", "p"},
		{"_x", "x"},
		{strings.Repeat("a", 40), strings.Repeat("a", 30)},
		{strings.Repeat("a", 29) + "--b", strings.Repeat("a", 29)},
	} {
		if got := readablePart(test.name, 30); got != test.want {
			t.Errorf("readablePart(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWorkerObjectName(t *testing.T) {
	for _, test := range []struct{ cluster, tenant, namespace, name, want string }{
		{"test-pulsar", "public", "default", "word-count", "word-count-640ae9e6"},
		// Two identities, one name: why what is found has to be verified.
		{"a-b", "c", "d", "f", "f-d374aa49"},
		{"a", "b-c", "d", "f", "f-d374aa49"},
	} {
		if got := WorkerObjectName(test.cluster, test.tenant, test.namespace, test.name); got != test.want {
			t.Errorf("WorkerObjectName(%q, %q, %q, %q) = %q, want %q",
				test.cluster, test.tenant, test.namespace, test.name, got, test.want)
		}
	}
}

func TestSanitizeWorkerName(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"word-count", "word-count"},
		{"Word.Count", "word.count"},
		{"a_b:c=d", "a-b-c-d"},
		{"_x", "-x"},
	} {
		if got := SanitizeWorkerName(test.name); got != test.want {
			t.Errorf("SanitizeWorkerName(%q) = %q, want %q", test.name, got, test.want)
		}
	}
}
