package disruption

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// promptly is how long an answer about a backend that isn't there may take. It is
// far below the minute that any request may take, and far above what a busy
// machine needs.
const promptly = 20 * time.Second

// unreachable is what callers hear then: no address, no word of the connection.
const unreachable = "the Kubernetes API server can't be reached"

// Without kube-apiserver every request is answered 503, soon and in words, and all
// of it works again by itself.
func TestBackendUnreachable(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	server := backend.startBehind(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-cut-off"})
	shim := must[*controlplane.Server](t)(env.StartShim(ctx, devenv.ShimOptions{Name: "pulsar-admin-shim-cut-off", APIServer: server}))
	t.Cleanup(shim.Stop)
	pid := server.Process().PID()
	namespace := newNamespace(ctx, t, "cut-off")
	create(ctx, t, namespace, "f")
	config := directConfig(env.ControlPlane.AdminConfig(), server)
	direct, rest := newPlainClient(t, config), shimClient(shim)
	informer := watchViewsBy(ctx, t, newViews(t, config), namespace)

	backend.refuse()
	named, all := viewPath(namespace, "f"), viewPath(namespace, "")
	object := toJSON(t, newFunction(namespace, "f"))
	for name, call := range map[string]call{
		"get":                  {method: http.MethodGet, path: named},
		"list":                 {method: http.MethodGet, path: all},
		"watch":                {method: http.MethodGet, path: all + "?watch=true"},
		"create":               {http.MethodPost, all, contentType("application/json"), toJSON(t, newFunction(namespace, "g"))},
		"update":               {http.MethodPut, named, contentType("application/json"), object},
		"patch":                {http.MethodPatch, named, contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`},
		"server-side apply":    {http.MethodPatch, named + "?fieldManager=test", contentType("application/apply-patch+yaml"), object},
		"delete":               {method: http.MethodDelete, path: named},
		"delete of collection": {method: http.MethodDelete, path: all},
	} {
		t.Run(name, func(t *testing.T) {
			answer := direct.do(ctx, t, call)
			status := answer.status(t)
			if answer.code != http.StatusServiceUnavailable || status.Reason != metav1.StatusReasonServiceUnavailable || answer.header.Get("Retry-After") == "" {
				t.Errorf("%v", answer)
			}
			if status.Message != unreachable {
				t.Errorf("the message is %q", status.Message)
			}
			if answer.took > promptly {
				t.Errorf("the answer took %s", answer.took)
			}
		})
	}
	for name, call := range map[string]call{
		"REST get":    {method: http.MethodGet, path: restPath("f")},
		"REST list":   {method: http.MethodGet, path: restPath("")},
		"REST create": restWrite(t, http.MethodPost, "f", restConfig),
	} {
		t.Run(name, func(t *testing.T) {
			answer := rest.do(ctx, t, call)
			if answer.code != http.StatusServiceUnavailable || !strings.Contains(answer.reason(t), unreachable) || answer.took > promptly {
				t.Errorf("after %s: %v", answer.took, answer)
			}
		})
	}
	// Not being ready would take the API group out of discovery.
	for _, path := range []string{"/readyz", "/livez"} {
		if answer := direct.do(ctx, t, call{method: http.MethodGet, path: path}); answer.code != http.StatusOK {
			t.Errorf("%s: %v", path, answer)
		}
	}

	// The server that a new shim asks is ready, but can't tell it which functions
	// there are.
	early := startEarlyShim(ctx, t, "pulsar-admin-shim-uninformed", server)
	if !strings.Contains(early.said, "index") {
		t.Errorf("a new shim says %q", early.said)
	}

	label(ctx, t, namespace, "f", "changed-meanwhile")
	backend.listen(t)
	restored := time.Now()
	eventually(ctx, t, "a get to work again", func() error {
		answer, err := direct.try(ctx, call{method: http.MethodGet, path: named})
		if err != nil || answer.code != http.StatusOK {
			return errors.Join(err, errors.New(answer.String()))
		}
		return nil
	})
	t.Logf("a get worked %.1f s after the backend was back", time.Since(restored).Seconds())
	eventually(ctx, t, "the informer to hear what changed", func() error { return informer.has("updated", "f") })
	t.Logf("the informer heard what changed %.1f s after the backend was back", time.Since(restored).Seconds())
	early.waitReady(t)
	t.Logf("the new shim was ready %.1f s after the backend was back", time.Since(restored).Seconds())
	if answer := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("")}); answer.code != http.StatusOK {
		t.Errorf("REST: %v", answer)
	}
	if err := same(server, pid); err != nil {
		t.Error(err)
	}
}

// A connection that breaks before the answer is told like a backend that isn't
// there: nobody knows whether the request was carried out.
func TestBackendCutsConnections(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	server := backend.startBehind(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-cut"})
	namespace := newNamespace(ctx, t, "cut")
	create(ctx, t, namespace, "f")
	direct := newPlainClient(t, directConfig(env.ControlPlane.AdminConfig(), server))
	named, all := viewPath(namespace, "f"), viewPath(namespace, "")
	createOther := call{http.MethodPost, all, contentType("application/json"), toJSON(t, newFunction(namespace, "other"))}
	for name, test := range map[string]struct {
		call call
		cut  func(*http.Request) bool
	}{
		"get":                    {call{method: http.MethodGet, path: named}, resource(http.MethodGet, namespace)},
		"create":                 {createOther, resource(http.MethodPost, namespace)},
		"create, its ConfigMap":  {createOther, configMaps(namespace)},
		"patch":                  {call{http.MethodPatch, named, contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`}, resource(http.MethodPut, namespace)},
		"delete":                 {call{method: http.MethodDelete, path: named}, resource(http.MethodDelete, namespace)},
		"delete of a collection": {call{method: http.MethodDelete, path: all}, resource(http.MethodDelete, namespace)},
	} {
		t.Run(name, func(t *testing.T) {
			backend.intercept(t, test.cut, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
			answer := direct.do(ctx, t, test.call)
			if status := answer.status(t); answer.code != http.StatusServiceUnavailable || status.Message != unreachable {
				t.Errorf("%v", answer)
			}
		})
	}
}

// A backend that takes a request and never answers costs the caller the request's
// time and not more, and is told to stop when the time is over.
func TestBackendThatHangs(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	const requestTimeout = 5 * time.Second
	server := backend.startBehind(ctx, t, devenv.APIServerOptions{
		Name:      "functionmesh-apiserver-impatient",
		ExtraArgs: []string{"--request-timeout=" + requestTimeout.String()},
	})
	namespace := newNamespace(ctx, t, "hangs")
	create(ctx, t, namespace, "f")
	direct := newPlainClient(t, directConfig(env.ControlPlane.AdminConfig(), server))
	for name, call := range map[string]struct {
		call
		hang string
	}{
		"get":   {call{method: http.MethodGet, path: viewPath(namespace, "f")}, http.MethodGet},
		"list":  {call{method: http.MethodGet, path: viewPath(namespace, "")}, http.MethodGet},
		"patch": {call{http.MethodPatch, viewPath(namespace, "f"), contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`}, http.MethodPut},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{}, 10)
			hung := backend.intercept(t, resource(call.hang, namespace), func(_ http.ResponseWriter, request *http.Request) {
				<-request.Context().Done()
				ended <- struct{}{}
			})
			began := time.Now()
			answer, err := direct.try(ctx, call.call)
			// The library ends a request that is late by itself, at the same moment: its
			// answer has no kind, and one that we have begun to write is broken off.
			if err == nil && (answer.code != http.StatusGatewayTimeout || !strings.Contains(string(answer.body), `"reason":"Timeout"`)) {
				t.Errorf("%v", answer)
			}
			if took := time.Since(began); took > requestTimeout+promptly {
				t.Errorf("the answer took %s", took)
			}
			within(t, "the backend to be told that nobody waits any more", ended)
			if count := hung.count.Load(); count != 1 {
				t.Errorf("the backend was asked %d times", count)
			}
		})
	}
}
