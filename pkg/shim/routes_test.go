package shim

import (
	"net/http"
	"strings"
	"testing"
)

func TestLeaderRoutes(t *testing.T) {
	handler := newTestHandler(t, mustNotAsk(t), nil)
	tests := []struct{ method, path, reason string }{
		{"PUT", "/admin/v3/functions/leader/t/n/f", "This is how Pulsar's functions workers tell their leader of functions, and there are no such workers here"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			// As the Go client sends it: JSON is asked for even where a file comes.
			answer := serve(handler, test.method, test.path, http.Header{"Accept": {"application/json"}})
			if reason := reasonIn(t, answer); answer.Code != http.StatusNotImplemented || reason != test.reason {
				t.Errorf("got %d %q", answer.Code, reason)
			}
		})
	}
}

func TestOtherRoutes(t *testing.T) {
	handler := newTestHandler(t, mustNotAsk(t), nil)
	tests := []struct {
		method, path string
		code         int
		reason       string
		allow        string
	}{
		{"GET", "/", 404, "no such path", ""},
		{"GET", "/admin/v3", 404, "no such path", ""},
		{"GET", "/admin/v3/functions", 404, "no such path", ""},
		{"GET", "/admin/v3/functions/", 404, "no such path", ""},
		{"GET", "/admin/v3/functions/t/n/f/state/k/1", 404, "no such path", ""},
		{"GET", "/admin/v3/functions/../functions/t/n/f/x/y", 404, "no such path", ""},
		{"GET", "/admin/v3/topics/t/n/f", 404, "no such path", ""},
		{"PATCH", "/admin/v3/functions/t/n/f", 405, "HTTP method PATCH is not allowed here", "DELETE, GET, POST, PUT"},
		{"DELETE", "/admin/v3/functions/t/n", 405, "HTTP method DELETE is not allowed here", "GET"},
		{"GET", "/admin/v3/functions/t/n/f/trigger", 405, "HTTP method GET is not allowed here", "POST"},
		{"OPTIONS", "/admin/v3/functions/t/n/f", 204, "", "DELETE, GET, POST, PUT"},
		{"OPTIONS", "/admin/v3/nothing", 404, "no such path", ""},
		{"GET", "/admin/v2/functions/t/n/f", 410, "/admin/v3/functions", ""},
		{"POST", "/admin/v2/functions/t/n/f", 410, "/admin/v3/functions", ""},
		{"GET", "/admin/v2/functions/t/n", 410, "/admin/v3/functions", ""},
		{"GET", "/admin/v2/functions", 410, "/admin/v3/functions", ""},
		{"HEAD", "/admin/v2/functions/t/n/f", 410, "/admin/v3/functions", ""},
		{"GET", "/admin/v3/functions//n/f", 404, "no such path", ""},
		{"GET", "/admin/v3/functions/t//f", 404, "no such path", ""},
		{"POST", "/admin/v3/functions/t/n/f", 415, "Content-Type must be multipart/form-data with a boundary", ""},
		{"PUT", "/admin/v3/functions/t/n/f", 415, "Content-Type must be multipart/form-data with a boundary", ""},
		{"DELETE", "/admin/v3/functions/t/n/f/state/k", 405, "HTTP method DELETE is not allowed here", "GET, POST"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			answer := serve(handler, test.method, test.path, nil)
			if answer.Code != test.code {
				t.Errorf("got %d %s", answer.Code, answer.Body)
			}
			if test.reason == "" {
				if answer.Body.Len() > 0 {
					t.Errorf("body %q", answer.Body)
				}
			} else if reason := reasonIn(t, answer); !strings.Contains(reason, test.reason) {
				t.Errorf("reason %q", reason)
			}
			if allow := sortedList(answer.Header().Get("Allow")); allow != test.allow {
				t.Errorf("Allow = %q", allow)
			}
			if answer.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("other origins are let in")
			}
		})
	}
}

func TestPathIsDecodedOnce(t *testing.T) {
	tests := []struct{ path, tenant string }{
		{"/admin/v3/functions/a%2Fb/n", "a/b"},
		{"/admin/v3/functions/a%252Fb/n", "a%2Fb"},
		{"/admin/v3/functions/a%20b/n", "a b"},
		{"/admin/v3/functions/a+b/n", "a+b"},
		{"/admin/v3/functions/%c3%a4/n", "ä"},
		{"/admin/v3/functions/../n", ".."},
		{"/admin/v3/functions/a;b=c/n/", "a;b=c"},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			// A list says whose functions it means only by what it answers with.
			handler := newTestHandler(t, func(writer http.ResponseWriter, _ *http.Request) {
				writer.Header().Set("Content-Type", "application/json")
				writeJSON(writer, mustRequest(t), http.StatusOK, map[string]any{
					"kind": "PulsarFunctionList", "apiVersion": "admin.functionmesh.io/v1alpha1", "metadata": map[string]any{},
					"items": []any{
						map[string]any{"spec": map[string]any{"tenant": test.tenant, "namespace": "n", "name": "mine"}},
						map[string]any{"spec": map[string]any{"tenant": "other", "namespace": "n", "name": "others"}},
					},
				})
			}, nil)
			answer := serve(handler, http.MethodGet, test.path, nil)
			if answer.Code != http.StatusOK || answer.Body.String() != `["mine"]` {
				t.Errorf("got %d %s", answer.Code, answer.Body)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	handler := newTestHandler(t, mustNotAsk(t), func(options *Options) { options.Authentication.Anonymous = false })
	tests := []struct {
		name   string
		header http.Header
		code   int
	}{
		{"no credential", nil, http.StatusUnauthorized},
		{"asserted user", http.Header{"X-Remote-User": {"admin"}}, http.StatusUnauthorized},
		{"other scheme", http.Header{"Authorization": {"Basic YTpi"}}, http.StatusUnauthorized},
		{"for somebody else", http.Header{"Authorization": {"Bearer a"}, "X-Original-Principal": {"admin"}}, http.StatusBadRequest},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
				answer := serve(handler, method, "/admin/v3/functions/t/n/f", test.header)
				if reason := reasonIn(t, answer); answer.Code != test.code || test.code == 401 && reason != reasonUnauthorized {
					t.Errorf("%s: got %d %q", method, answer.Code, reason)
				}
			}
		})
	}
}

func TestWebPagesAreRefused(t *testing.T) {
	handler := newTestHandler(t, mustNotAsk(t), nil)
	for _, header := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://elsewhere.example"}}} {
		answer := serve(handler, http.MethodPost, "/admin/v3/functions/t/n/f", header)
		reasonIn(t, answer)
		if answer.Code != http.StatusForbidden {
			t.Errorf("%v: got %d", header, answer.Code)
		}
	}
}
