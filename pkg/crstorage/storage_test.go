package crstorage

import (
	"testing"

	"k8s.io/apimachinery/pkg/fields"
)

func TestWithName(t *testing.T) {
	for selector, want := range map[string]string{
		"":                                     "metadata.name=a",
		"metadata.name=a":                      "metadata.name=a",
		"metadata.name!=a":                     "metadata.name!=a,metadata.name=a",
		"metadata.name=b":                      "metadata.name=b,metadata.name=a",
		"metadata.namespace=n":                 "metadata.namespace=n,metadata.name=a",
		"metadata.name=a,metadata.namespace=n": "metadata.name=a,metadata.namespace=n",
	} {
		if got := withName(fields.ParseSelectorOrDie(selector), "a").String(); got != want {
			t.Errorf("%q: got %q, want %q", selector, got, want)
		}
	}
	if got := withName(nil, "a").String(); got != "metadata.name=a" {
		t.Errorf("no selector: got %q", got)
	}
}
