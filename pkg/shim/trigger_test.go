package shim

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestReadTrigger reads forms, good and bad ones.
func TestReadTrigger(t *testing.T) {
	const maxParts = 4
	large := strings.Repeat("x", maxTriggerBytes+1)
	for _, test := range []struct {
		what         string
		parts        []string
		value, topic string
		missing      bool
		code         int
	}{
		{what: "a value", parts: []string{"data", "v"}, value: "v"},
		{what: "an empty value", parts: []string{"data", ""}},
		{what: "a file", parts: []string{"data", "v", "dataStream", "f", "topic", "t"}, value: "f", topic: "t"},
		{what: "no value", parts: []string{"topic", "t"}, missing: true},
		{what: "no known part", parts: []string{"x", "y"}, missing: true},
		{what: "the same part twice", parts: []string{"data", "first", "data", "second"}, value: "first"},
		{what: "as much as may be", parts: []string{"data", large[1:]}, value: large[1:]},
		{what: "too much", parts: []string{"data", large}, code: http.StatusRequestEntityTooLarge},
		{what: "too long a topic", parts: []string{"topic", large[:maxTopicBytes+1]}, code: http.StatusRequestEntityTooLarge},
		{what: "too many parts", parts: []string{"a", "", "b", "", "c", "", "d", "", "data", "v"}, code: http.StatusRequestEntityTooLarge},
		{what: "too much of what isn't known", parts: []string{"x", strings.Repeat(large, 3)}, code: http.StatusRequestEntityTooLarge},
	} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for i := 0; i < len(test.parts); i += 2 {
			if err := form.WriteField(test.parts[i], test.parts[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest(http.MethodPost, "/", &body)
		request.Header.Set("Content-Type", form.FormDataContentType())
		got, err := readTrigger(request, maxParts)
		if refused, _ := err.(*restError); test.code != 0 {
			if refused == nil || refused.code != test.code {
				t.Errorf("%s: %v", test.what, err)
			}
			continue
		}
		if err != nil || string(got.value) != test.value || got.topic != test.topic || test.missing != (got.value == nil) {
			t.Errorf("%s: %.20q %q, %v", test.what, got.value, got.topic, err)
		}
	}
}

// TestExposed looks at where a token would be seen by others.
func TestExposed(t *testing.T) {
	for _, test := range []struct {
		service, web string
		exposed      bool
	}{
		{"pulsar+ssl://broker:6651", "https://broker:8443", false},
		{"pulsar://127.0.0.1:6650", "http://localhost:8080", false},
		{"pulsar://broker:6650", "https://broker:8443", true},
		{"pulsar+ssl://broker:6651", "http://broker:8080", true},
		{"pulsar://127.0.0.1:6650,broker:6650", "http://localhost:8080", true},
	} {
		if got := exposed(&v1alpha1.PulsarTriggerStatus{ServiceURL: test.service, WebServiceURL: test.web}); got != test.exposed {
			t.Errorf("%s %s: %t", test.service, test.web, got)
		}
	}
}
