package shim

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestIsForwarded(t *testing.T) {
	for path, want := range map[string]bool{
		"/admin/v2/tenants":                             true,
		"/admin/v2/persistent/t/n/topic%2Fwith%2Fslash": true,
		"/admin/v3/packages/function/t/n/p/v1":          true,
		"/admin/v3/transactions/x":                      true,
		"/admin/v2/functionsx":                          true,
		"/admin/v2/workers":                             true,
		"/lookup/v2/topic/persistent/t/n/x":             true,
		"/admin":                                        true,

		"/": false, "/metrics": false, "/administrator": false, "/ws/v2": false,
		"/admin/v3/functions": false, "/admin/v3/functions/t/n/f/x/y/z": false, "/admin/v2/functions/t/n": false,
		"/admin/v3/sink/t/n": false, "/admin/v3/sources/t/n/s/x": false, "/admin/v2/worker/x": false, "/admin/v3/worker-stats": false,
		// What some server could take for one of those.
		"/admin/v3/%66unctions/t/n/f": false, "/admin/v3//functions/t/n/f": false, "/admin//v3/functions/t": false,
		"/admin/v3/functions;a=b/t/n/f": false, "/admin;x/v3/sinks": false, "/admin/v3%2Ffunctions/t": false, "/admin/v3/Functions/t/n/f": false,
		"/admin/v2/tenants/../../v3/functions/t/n/f": false, "/admin/v2/tenants/%2e%2e/%2E%2E/v3/functions/t": false, "/admin/v2/..;/v3/sinks": false,
		"/admin/v2/./worker": false, "/admin/v3\\functions": false, "/admin/v2/tenants%0d%0aX": false, "//admin/v3/functions/t/n/f": false,
	} {
		if got := isForwarded(path); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

// forwardingHandler returns a shim in front of a broker.
func forwardingHandler(t *testing.T, knows any, broker http.HandlerFunc, change func(*Options)) http.Handler {
	t.Helper()
	server := httptest.NewServer(broker)
	t.Cleanup(server.Close)
	by := map[string]any{"GET ": map[string]any{"kind": "APIResourceList", "apiVersion": "v1"}}
	if knows != nil {
		by["GET "] = knows
	}
	return (&directory{by: by}).handler(t, func(options *Options) {
		options.PassthroughURL = server.URL
		if change != nil {
			change(options)
		}
	})
}

func TestForwardedRequestsCarryNoCredential(t *testing.T) {
	var got *http.Request
	var sent string
	handler := forwardingHandler(t, nil, func(writer http.ResponseWriter, request *http.Request) {
		content, err := io.ReadAll(request.Body)
		if err != nil {
			t.Error(err)
		}
		got, sent = request, string(content)
		writer.Header().Set("X-Broker", "yes")
		writer.Header().Set("Connection", "close")
		writer.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(writer, `{"reason":"the broker's"}`)
	}, nil)
	request := httptest.NewRequest(http.MethodPut, "/admin/v2/persistent/t/n/a%2Fb/x?force=true&a=b;c", strings.NewReader("content"))
	for name, value := range map[string]string{
		"Authorization": "Bearer secret", "Cookie": "secret", "Proxy-Authorization": "secret", "X-Remote-User": "secret", "X-Remote-Group": "secret",
		"Impersonate-User": "secret", "X-Forwarded-For": "secret", "Forwarded": "secret", "Athenz-Role-Auth": "secret", "Connection": "X-Secret", "X-Secret": "secret",
		"Content-Type": "text/plain", "Accept": "application/json", "X-Request-Id": "mine",
	} {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusConflict || recorder.Body.String() != `{"reason":"the broker's"}` || recorder.Header().Get("X-Broker") != "yes" {
		t.Fatalf("got %d %s", recorder.Code, recorder.Body)
	}
	if recorder.Header().Get("Connection") != "" {
		t.Error("a header between two hops was passed on")
	}
	if got.URL.EscapedPath() != "/admin/v2/persistent/t/n/a%2Fb/x" || sent != "content" || got.URL.Query().Get("force") != "true" {
		t.Errorf("the broker got %s with %q", got.URL, sent)
	}
	for name, values := range got.Header {
		if strings.Contains(strings.Join(values, ","), "secret") {
			t.Errorf("the broker got %s", name)
		}
	}
	for name, want := range map[string]string{"Content-Type": "text/plain", "Accept": "application/json", "X-Request-Id": "mine"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s = %q", name, got.Header.Get(name))
		}
	}
}

// TestPulsarTokensAreForwarded is about the one credential that a broker may have, and
// those that it may not.
func TestPulsarTokensAreForwarded(t *testing.T) {
	token := func(claims string) string { return "Bearer " + signedToken(t, claims) }
	alice, proxy := token(`{"sub":"alice"}`), token(`{"sub":"proxy"}`)
	var got http.Header
	handler := forwardingHandler(t, nil, func(_ http.ResponseWriter, request *http.Request) { got = request.Header }, func(options *Options) {
		options.Authentication.Tokens.SecretKeyFile = writeFile(t, "secret", tokenSecret)
		options.Authentication.ProxyRoles = []string{"proxy"}
	})
	for name, test := range map[string]struct {
		header           http.Header
		code             int
		token, principal string
	}{
		"Pulsar's token":       {http.Header{"Authorization": {alice}}, 200, alice, ""},
		"who says so":          {http.Header{"Authorization": {alice}, "X-Original-Principal": {"alice"}}, 200, alice, ""},
		"Kubernetes' token":    {http.Header{"Authorization": {"Bearer opaque"}}, 200, "", ""},
		"nobody":               {http.Header{}, 200, "", ""},
		"proxy":                {http.Header{"Authorization": {proxy}, "X-Original-Principal": {"alice"}}, 200, proxy, "alice"},
		"proxy for nobody":     {http.Header{"Authorization": {proxy}}, 401, "", ""},
		"somebody for another": {http.Header{"Authorization": {alice}, "X-Original-Principal": {"bob"}}, 400, "", ""},
		"expired":              {http.Header{"Authorization": {token(`{"sub":"alice","exp":1}`)}}, 401, "", ""},
	} {
		got = nil
		answer := serve(handler, "GET", "/admin/v2/tenants", test.header)
		if answer.Code != test.code || (got != nil) != (test.code == 200) {
			t.Errorf("%s: got %d, the broker %v", name, answer.Code, got)
		}
		if got.Get("Authorization") != test.token || got.Get("X-Original-Principal") != test.principal {
			t.Errorf("%s: the broker got %v", name, got)
		}
	}
}

func TestForwardingNeedsACaller(t *testing.T) {
	mustNotForward := func(_ http.ResponseWriter, request *http.Request) { t.Errorf("the broker got %s", request.URL) }
	const path = "/admin/v2/tenants"
	unknown := forwardingHandler(t, apierrors.NewUnauthorized("no"), mustNotForward, nil)
	expectAnswer(t, "unknown token", serve(unknown, "GET", path, http.Header{"Authorization": {"Bearer x"}}), 401, reasonUnauthorized)
	failing := forwardingHandler(t, apierrors.NewServiceUnavailable("away"), mustNotForward, nil)
	expectAnswer(t, "nobody to ask", serve(failing, "GET", path, http.Header{"Authorization": {"Bearer x"}}), 503, "away")
	strict := forwardingHandler(t, nil, mustNotForward, func(options *Options) { options.Authentication.Anonymous = false })
	expectAnswer(t, "no credential", serve(strict, "GET", path, nil), 401, reasonUnauthorized)
	answer := serve(strict, "GET", path, http.Header{"Authorization": {"Bearer x"}, "X-Original-Principal": {"admin"}})
	if answer.Code != 400 {
		t.Errorf("for somebody else: got %d", answer.Code)
	}
	expectAnswer(t, "own path", serve(forwardingHandler(t, nil, mustNotForward, nil), "GET", "/admin/v3/functions/t/n/f/x/y", nil), 404, "Pulsar's functions admin API has no such path")
	expectAnswer(t, "other path", serve(forwardingHandler(t, nil, mustNotForward, nil), "GET", "/ws", nil), 404, "Pulsar's functions admin API has no such path")
	// Who may do nothing is known all the same.
	known := forwardingHandler(t, apierrors.NewForbidden(v1alpha1.Resource(""), "", errors.New("no")), func(http.ResponseWriter, *http.Request) {}, nil)
	expectAnswer(t, "known", serve(known, "GET", path, nil), 200, "")
}

func TestForwardingStreamsBothWays(t *testing.T) {
	handler := forwardingHandler(t, nil, func(writer http.ResponseWriter, request *http.Request) {
		controller := http.NewResponseController(writer)
		if err := controller.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		lines := bufio.NewScanner(request.Body)
		for lines.Scan() {
			_, _ = io.WriteString(writer, "got "+lines.Text()+"\n")
			_ = controller.Flush()
		}
	}, nil)
	shim := httptest.NewServer(handler)
	defer shim.Close()
	content, lines := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, shim.URL+"/admin/v3/packages/function/t/n/p/v", content)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(lines, "one\n") }()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answers := bufio.NewReader(response.Body)
	for _, line := range []string{"one", "two", "three"} {
		if line != "one" {
			_, _ = io.WriteString(lines, line+"\n")
		}
		// The next line is sent only when this one has come back.
		if got, err := answers.ReadString('\n'); err != nil || got != "got "+line+"\n" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	lines.Close()
}

func TestBrokerThatIsAway(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	handler := forwardingHandler(t, nil, nil, func(options *Options) { options.PassthroughURL = closed.URL })
	answer := serve(handler, "GET", "/admin/v2/tenants", nil)
	if reason := reasonIn(t, answer); answer.Code != http.StatusBadGateway || strings.Contains(reason, "127.0.0.1") {
		t.Errorf("got %d %q", answer.Code, reason)
	}
	large := forwardingHandler(t, nil, func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("X-Large", strings.Repeat("x", 2*maxHeaderBytes))
	}, nil)
	if answer := serve(large, "GET", "/admin/v2/tenants", nil); answer.Code != http.StatusBadGateway {
		t.Errorf("large headers: got %d", answer.Code)
	}
}

func TestForwardedRequestsMayLast(t *testing.T) {
	config := (&Config{RequestTimeout: time.Second, Broker: &url.URL{}}).Complete()
	for path, want := range map[string]time.Duration{"/admin/v2/tenants": passthroughTimeout, "/admin/v3/functions/t/n": time.Second} {
		if got := config.timeOf(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s: got %s", path, got)
		}
	}
}
