package pulsaradmin

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestSubscriptionRequests looks at how subscriptions are removed: which paths are asked
// for, and where a broker may send them on to.
func TestSubscriptionRequests(t *testing.T) {
	var asked []string
	answer := http.StatusNoContent
	location := ""
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked = append(asked, request.Method+" "+request.URL.EscapedPath())
		if location != "" {
			writer.Header().Set("Location", strings.ReplaceAll(location, "PORT", request.Host[strings.LastIndex(request.Host, ":")+1:]))
			writer.WriteHeader(http.StatusTemporaryRedirect)
			if !strings.HasSuffix(location, "?loop") {
				location = ""
			}
			return
		}
		writer.WriteHeader(answer)
		fmt.Fprint(writer, `{"reason":"some reason"}`)
	}))
	defer server.Close()
	topics, err := NewTopics(server.URL, NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	const topic, path = "persistent://public/default/in", "/admin/v2/persistent/public/default/in/subscription/public%2Fdefault%2Ff"
	for _, test := range []struct {
		what, subscription string
		code               int
		location           string
		requests           int
		failure            string
	}{
		{what: "it goes", code: 204, requests: 1},
		{what: "it isn't there", code: 404, requests: 1},
		{what: "somebody consumes", code: 412, requests: 1, failure: ErrInUse.Error()},
		{what: "it may not", code: 401, requests: 1, failure: "Pulsar answers 401 some reason"},
		{what: "another broker", code: 204, location: "http://localhost:PORT" + path, requests: 2},
		{what: "another port", code: 204, location: "http://localhost:1" + path, requests: 1, failure: "must not go"},
		{what: "another path", code: 204, location: "http://localhost:PORT/admin/v2/tenants", requests: 1, failure: "must not go"},
		{what: "another scheme", code: 204, location: "https://localhost:PORT" + path, requests: 1, failure: "must not go"},
		{what: "brokers that don't agree", code: 204, location: "http://localhost:PORT" + path + "?loop", requests: 3, failure: "from one to another"},
		{what: "a name that leads elsewhere", subscription: "..", requests: 0, failure: "can't be a part of a path"},
	} {
		asked, answer, location = nil, test.code, test.location
		subscription := test.subscription
		if subscription == "" {
			subscription = "public/default/f"
		}
		err := topics.RemoveSubscription(t.Context(), topic, subscription)
		if (err != nil) != (test.failure != "") || err != nil && !strings.Contains(err.Error(), test.failure) {
			t.Errorf("%s: %v", test.what, err)
		}
		if len(asked) != test.requests || slices.ContainsFunc(asked, func(request string) bool { return request != "DELETE "+path }) {
			t.Errorf("%s: asked for %v", test.what, asked)
		}
		if test.code == http.StatusPreconditionFailed && !errors.Is(err, ErrInUse) {
			t.Errorf("%s: %v is another error", test.what, err)
		}
	}
}
