package shim

import (
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// newTestOptions returns valid options for an HTTPS server, with a certificate to
// vouch with.
func newTestOptions(t *testing.T, server *httptest.Server) *Options {
	t.Helper()
	certificate, key := selfSigned()
	options := NewOptions()
	options.APIServer = server.URL
	options.APIServerCAFile = writeFile(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	options.FrontProxyClientCertFile = writeFile(t, "tls.crt", certificate)
	options.FrontProxyClientKeyFile = writeFile(t, "tls.key", key)
	options.DefaultNamespace = "pulsar"
	options.Kubeconfig = writeFile(t, "kubeconfig", []byte(`{"apiVersion":"v1","kind":"Config","current-context":"x",
		"contexts":[{"name":"x","context":{"cluster":"x"}}],"clusters":[{"name":"x","cluster":{"server":"https://127.0.0.1:1"}}]}`))
	options.Authentication.Anonymous = true
	return options
}

// newTestHandler returns the shim's handler in front of a server that answers every
// request with answer. It stands for no API server: it only answers.
func newTestHandler(t *testing.T, answer http.HandlerFunc, change func(*Options)) http.Handler {
	t.Helper()
	return newChangedTestHandler(t, fixedPlaces{"pulsar"}, answer, change)
}

// newTestHandlerAt is newTestHandler where other namespaces serve something.
func newTestHandlerAt(t *testing.T, places places, answer http.HandlerFunc) http.Handler {
	t.Helper()
	return newChangedTestHandler(t, places, answer, nil)
}

func newChangedTestHandler(t *testing.T, places places, answer http.HandlerFunc, change func(*Options)) http.Handler {
	t.Helper()
	server := httptest.NewTLSServer(answer)
	t.Cleanup(server.Close)
	options := newTestOptions(t, server)
	if change != nil {
		change(options)
	}
	if failures := options.Validate(); len(failures) > 0 {
		t.Fatal(failures)
	}
	config, err := options.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.Places = places
	shim, err := config.Complete().New()
	if err != nil {
		t.Fatal(err)
	}
	return shim.Handler()
}

// fixedPlaces serve everything.
type fixedPlaces []string

func (fixedPlaces) HasSynced() bool                            { return true }
func (fixedPlaces) Installation() string                       { return "installation" }
func (p fixedPlaces) Serving(tenancy.PulsarNamespace) []string { return p }
func (p fixedPlaces) Kubernetes() []string                     { return p }

func serve(handler http.Handler, method, target string, header http.Header) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func mustNotAsk(t *testing.T) http.HandlerFunc {
	return func(_ http.ResponseWriter, request *http.Request) {
		t.Errorf("the API server was asked: %s %s", request.Method, request.URL)
	}
}

func TestBusyServerIsAskedOnce(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			var asked atomic.Int32
			handler := newTestHandler(t, func(writer http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				writer.Header().Set("Retry-After", "7")
				writer.WriteHeader(code)
				_, _ = io.WriteString(writer, "inside 10.0.0.1")
			}, nil)
			answer := serve(handler, http.MethodGet, functionsPath+"/t/n", nil)
			if answer.Code != code || answer.Header().Get("Retry-After") != "7" {
				t.Errorf("got %d, Retry-After %q", answer.Code, answer.Header().Get("Retry-After"))
			}
			if reason := reasonIn(t, answer); !strings.Contains(reason, "try again") || strings.Contains(reason, "inside") {
				t.Errorf("reason %q", reason)
			}
			if got := asked.Load(); got != 1 {
				t.Errorf("the API server was asked %d times", got)
			}
		})
	}
}

func TestUnreachableServer(t *testing.T) {
	closed := httptest.NewTLSServer(nil)
	handler := newTestHandler(t, mustNotAsk(t), func(options *Options) { options.APIServer = closed.URL })
	closed.Close()
	answer := serve(handler, http.MethodGet, functionsPath+"/t/n", nil)
	if reason := reasonIn(t, answer); answer.Code != http.StatusServiceUnavailable || reason != reasonUnavailable {
		t.Errorf("got %d %q", answer.Code, reason)
	}
}

func TestUntrustedServer(t *testing.T) {
	certificate, _ := selfSigned()
	handler := newTestHandler(t, mustNotAsk(t), func(options *Options) {
		options.APIServerCAFile = writeFile(t, "other.pem", certificate)
	})
	answer := serve(handler, http.MethodGet, functionsPath+"/t/n", http.Header{"Authorization": {"Bearer secret"}})
	if reason := reasonIn(t, answer); answer.Code != http.StatusInternalServerError || reason != reasonInternal {
		t.Errorf("got %d %q", answer.Code, reason)
	}
}

func TestNoRedirects(t *testing.T) {
	elsewhere := httptest.NewTLSServer(mustNotAsk(t))
	defer elsewhere.Close()
	handler := newTestHandler(t, func(writer http.ResponseWriter, request *http.Request) {
		http.Redirect(writer, request, elsewhere.URL, http.StatusTemporaryRedirect)
	}, nil)
	answer := serve(handler, http.MethodGet, functionsPath+"/t/n", http.Header{"Authorization": {"Bearer secret"}})
	if answer.Code != http.StatusInternalServerError {
		t.Errorf("got %d", answer.Code)
	}
}

func TestWhatIsSentAndRepeated(t *testing.T) {
	var got *http.Request
	handler := newTestHandler(t, func(writer http.ResponseWriter, request *http.Request) {
		got = request
		writer.Header().Add("Warning", `299 - "one \"quoted\""`)
		writer.Header().Add("Warning", `299 - "two"`)
		writer.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(writer, `{"kind":"PulsarFunctionList","apiVersion":"admin.functionmesh.io/v1alpha1","metadata":{},"items":[]}`)
	}, nil)
	answer := serve(handler, http.MethodGet, functionsPath+"/t/n", http.Header{
		"X-Request-Id": {"mine-1"}, "X-Remote-User": {"admin"}, "X-Remote-Group": {"system:masters"},
		"Impersonate-User": {"admin"}, "Cookie": {"a=b"}, "User-Agent": {"None"}, "Accept": {"text/html"},
	})
	if answer.Code != http.StatusOK || answer.Body.String() != "[]" || answer.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %q", answer.Code, answer.Body)
	}
	if warnings := answer.Header().Values("Warning"); !slices.Equal(warnings, []string{`299 - "one \"quoted\""`, `299 - "two"`}) {
		t.Errorf("warnings %q", warnings)
	}
	if answer.Header().Get("X-Request-ID") != "mine-1" || got.Header.Get("Audit-ID") != "mine-1" {
		t.Errorf("request ID %q, audit ID %q", answer.Header().Get("X-Request-ID"), got.Header.Get("Audit-ID"))
	}
	if user := got.Header.Values("X-Remote-User"); !slices.Equal(user, []string{"pulsar:anonymous"}) {
		t.Errorf("X-Remote-User %q", user)
	}
	for _, name := range []string{"X-Remote-Group", "Impersonate-User", "Cookie", "Authorization"} {
		if got.Header.Get(name) != "" {
			t.Errorf("%s was forwarded", name)
		}
	}
	if agent := got.Header.Get("User-Agent"); !strings.HasPrefix(agent, "pulsar-admin-shim/") {
		t.Errorf("User-Agent %q", agent)
	}
}

func TestProbes(t *testing.T) {
	var code atomic.Int32
	code.Store(http.StatusOK)
	handler := newTestHandler(t, func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path != "/readyz" {
			t.Errorf("asked for %s", request.URL.Path)
		}
		writer.WriteHeader(int(code.Load()))
	}, nil)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if answer := serve(handler, http.MethodGet, path, nil); answer.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
	}
	serve(handler, http.MethodPut, functionsPath+"/leader/t/n/f", nil)
	metrics := serve(handler, http.MethodGet, "/metrics", nil).Body.String()
	for _, want := range []string{
		`pulsar_admin_shim_requests_total{code="501",operation="updateFunctionOnLeader"}`,
		`pulsar_admin_shim_request_duration_seconds_count{code="501",operation="updateFunctionOnLeader"}`,
		`pulsar_admin_shim_requests_in_flight 0`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestRun starts the listeners for real, both of them, and stops them.
func TestRun(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	options := newTestOptions(t, server)
	options.TLSCertFile, options.TLSPrivateKeyFile = options.FrontProxyClientCertFile, options.FrontProxyClientKeyFile
	options.Port, options.SecurePort = 1, 2 // replaced by free ports below
	config, err := options.Config()
	if err != nil {
		t.Fatal(err)
	}
	config.PlainAddress, config.SecureAddress = "127.0.0.1:0", "127.0.0.1:0"
	shim, err := config.Complete().New()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	listeners, err := shim.listen(ctx)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { served <- listener.serve() }()
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting(t, options.TLSCertFile), ForceAttemptHTTP2: true}}
	for i, want := range []string{"HTTP/1.1", "HTTP/2.0"} {
		url := []string{"http://", "https://"}[i] + listeners[i].net.Addr().String() + "/healthz"
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK || response.Proto != want {
			t.Errorf("%s: %d, %s", url, response.StatusCode, response.Proto)
		}
	}
	for i, want := range []int{http.StatusForbidden, http.StatusOK} {
		url := []string{"http://", "https://"}[i] + listeners[i].net.Addr().String() + "/healthz"
		request, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "evil.example"
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s as evil.example: %d", url, response.StatusCode)
		}
	}
	stop()
	client.CloseIdleConnections()
	if err := shutDown(listeners); err != nil {
		t.Error(err)
	}
	for range listeners {
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

func TestRunFailsWhenPortIsTaken(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	config, err := newTestOptions(t, server).Config()
	if err != nil {
		t.Fatal(err)
	}
	config.PlainAddress = server.Listener.Addr().String()
	shim, err := config.Complete().New()
	if err != nil {
		t.Fatal(err)
	}
	if err := shim.Run(t.Context()); err == nil {
		t.Error("no error")
	}
}

func TestReadinessFailsDuringShutdown(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	config, err := newTestOptions(t, server).Config()
	if err != nil {
		t.Fatal(err)
	}
	config.PlainAddress, config.Places = "127.0.0.1:0", fixedPlaces{"pulsar"}
	shim, err := config.Complete().New()
	if err != nil {
		t.Fatal(err)
	}
	if err := shim.readiness.check(t.Context()); err != nil {
		t.Fatalf("not ready before: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := shim.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if answer := serve(shim.Handler(), http.MethodGet, "/readyz", nil); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d", answer.Code)
	}
}
