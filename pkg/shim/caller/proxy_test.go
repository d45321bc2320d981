package caller

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestProxiesAreAskedFirst sees what the API server gets of a request that a proxy makes
// for somebody.
func TestProxiesAreAskedFirst(t *testing.T) {
	type call struct{ user, method, uri, accept, contentType, body, secret string }
	var calls []call
	proxyAnswer := http.StatusNotAcceptable
	server := httptest.NewTLSServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		user := request.Header.Get("X-Remote-User")
		calls = append(calls, call{user, request.Method, request.URL.RequestURI(), request.Header.Get("Accept"), request.Header.Get("Content-Type"), string(body), request.Header.Get("Authorization")})
		if user == "pulsar:proxy" {
			writer.WriteHeader(proxyAnswer)
		}
	}))
	defer server.Close()
	transport := newTestTransport(t, &peer{Server: server}, true)
	credential := Credential{user: someUser("alice"), proxy: someUser("proxy"), pulsarToken: "secret"}
	exchange := func(method, path string) (*http.Response, error) {
		calls = nil
		request, err := http.NewRequestWithContext(NewContext(t.Context(), "x", credential), method, server.URL+path, strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Content-Type", "text/x")
		response, err := transport.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		return response, err
	}
	for method, query := range map[string]string{http.MethodGet: "", http.MethodPost: "?dryRun=All", http.MethodPut: "?dryRun=All", http.MethodPatch: "?dryRun=All", http.MethodDelete: "?dryRun=All"} {
		response, err := exchange(method, "/a/b")
		want := []call{{"pulsar:proxy", method, "/a/b" + query, noMediaType, "text/x", "", ""}, {"pulsar:alice", method, "/a/b", "application/json", "text/x", "content", ""}}
		if err != nil || response.StatusCode != http.StatusOK || !slices.Equal(calls, want) {
			t.Errorf("%s: %v, the server got %q", method, err, calls)
		}
	}
	for _, code := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		proxyAnswer = code
		if response, err := exchange(http.MethodGet, "/a"); err != nil || response.StatusCode != http.StatusOK || len(calls) != 2 {
			t.Errorf("%d: %v, the server got %q", code, err, calls)
		}
	}
	for _, code := range []int{http.StatusForbidden, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable} {
		proxyAnswer = code
		if response, err := exchange(http.MethodPost, "/a"); err != nil || response.StatusCode != code || len(calls) != 1 {
			t.Errorf("%d: %v, the server got %q", code, err, calls)
		}
	}
	for _, code := range []int{http.StatusOK, http.StatusCreated, http.StatusFound} {
		proxyAnswer = code
		if _, err := exchange(http.MethodPost, "/a"); !errors.Is(err, errNotAuthorizationOnly) || len(calls) != 1 {
			t.Errorf("%d: %v, the server got %q", code, err, calls)
		}
	}
}

func TestPulsarToken(t *testing.T) {
	for _, test := range []struct {
		credential       Credential
		token, principal string
	}{
		{Credential{kubernetesToken: "secret"}, "", ""},
		{Credential{user: someUser("alice")}, "", ""},
		{Credential{user: someUser("alice"), pulsarToken: "t"}, "t", ""},
		{Credential{user: someUser("alice"), proxy: someUser("proxy"), pulsarToken: "t"}, "t", "alice"},
		// The broker gets no certificate, so it must not get a claim either.
		{Credential{user: someUser("alice"), proxy: someUser("proxy")}, "", ""},
	} {
		token, principal := FromContext(NewContext(t.Context(), "x", test.credential)).PulsarToken()
		if token != test.token || principal != test.principal {
			t.Errorf("%+v: got %q, %q", test.credential, token, principal)
		}
	}
}
