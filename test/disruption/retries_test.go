package disruption

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// refusal is an answer of kube-apiserver that client-go's clients repeat requests
// after, if they may.
type refusal struct {
	name       string
	code       int
	reason     metav1.StatusReason
	retryAfter int
	// plain says that the answer is a text, as priority and fairness give it.
	plain bool
	// said is what Pulsar's clients hear of it.
	said string
}

const slow = "the test is slow"

var refusals = []refusal{
	{name: "a 429 of priority and fairness", code: http.StatusTooManyRequests, reason: metav1.StatusReasonTooManyRequests, retryAfter: 7, plain: true,
		said: "The API server has too many requests. Please try again in a little while."},
	{name: "a 429", code: http.StatusTooManyRequests, reason: metav1.StatusReasonTooManyRequests, retryAfter: 5, said: slow},
	{name: "a 504", code: http.StatusGatewayTimeout, reason: metav1.StatusReasonTimeout, retryAfter: 3, said: "Timeout: " + slow},
}

func (r refusal) ServeHTTP(writer http.ResponseWriter, _ *http.Request) {
	writer.Header().Set("Retry-After", strconv.Itoa(r.retryAfter))
	if r.plain {
		http.Error(writer, "Too many requests, please try again later.", r.code)
		return
	}
	status := apierrors.NewTooManyRequests(slow, r.retryAfter)
	if r.code == http.StatusGatewayTimeout {
		status = apierrors.NewTimeoutError(slow, r.retryAfter)
	}
	status.ErrStatus.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	status.ErrStatus.Details.Group, status.ErrStatus.Details.Kind = crs.Group, crs.Resource
	writer.Header().Set("Content-Type", "application/json")
	writer.WriteHeader(r.code)
	_ = json.NewEncoder(writer).Encode(status.ErrStatus) // a test's end can cut it
}

// check compares an answer with the refusal.
func (r refusal) check(t *testing.T, answer *answer) {
	t.Helper()
	if status := answer.status(t); answer.code != r.code || status.Code != int32(r.code) || status.Reason != r.reason {
		t.Errorf("want %d %s, got %v", r.code, r.reason, answer)
	}
	if got := answer.header.Get("Retry-After"); got != strconv.Itoa(r.retryAfter) {
		t.Errorf("Retry-After is %q, want %d", got, r.retryAfter)
	}
}

// A request that the backend refuses reaches it once, and the caller gets the
// refusal as it was: it decides whether to try again.
func TestRefusalsComeThroughOnce(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	server := backend.startBehind(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-refused"})
	namespace := newNamespace(ctx, t, "refused")
	create(ctx, t, namespace, "f")
	other := newFunction(namespace, "other")
	named, all := viewPath(namespace, "f"), viewPath(namespace, "")
	merge := call{http.MethodPatch, named, contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`}
	apply := call{http.MethodPatch, named + "?fieldManager=test&force=true", contentType("application/apply-patch+yaml"), toJSON(t, newFunction(namespace, "f"))}
	update := call{http.MethodPut, named, contentType("application/json"), toJSON(t, newFunction(namespace, "f"))}
	tests := []struct {
		name   string
		call   call
		refuse func(*http.Request) bool
	}{
		{"get", call{method: http.MethodGet, path: named}, resource(http.MethodGet, namespace)},
		{"list", call{method: http.MethodGet, path: all}, resource(http.MethodGet, namespace)},
		{"watch", call{method: http.MethodGet, path: all + "?watch=true"}, resource("WATCH", namespace)},
		{"create", call{http.MethodPost, all, contentType("application/json"), toJSON(t, other)}, resource(http.MethodPost, namespace)},
		{"create, its look for others", call{http.MethodPost, all, contentType("application/json"), toJSON(t, other)}, resource(http.MethodGet, namespace)},
		{"create, its ConfigMap", call{http.MethodPost, all, contentType("application/json"), toJSON(t, other)}, configMaps(namespace)},
		{"update, its read", update, resource(http.MethodGet, namespace)},
		{"merge patch", merge, resource(http.MethodPut, namespace)},
		{"merge patch, its read", merge, resource(http.MethodGet, namespace)},
		{"server-side apply", apply, resource(http.MethodPut, namespace)},
		{"server-side apply, its read", apply, resource(http.MethodGet, namespace)},
		{"delete", call{method: http.MethodDelete, path: named}, resource(http.MethodDelete, namespace)},
		{"delete, its read", call{method: http.MethodDelete, path: named}, resource(http.MethodGet, namespace)},
		{"delete of a collection", call{method: http.MethodDelete, path: all}, resource(http.MethodDelete, namespace)},
	}
	direct := newPlainClient(t, directConfig(env.ControlPlane.AdminConfig(), server))
	for _, test := range tests {
		for _, refusal := range refusals {
			t.Run(test.name+"/"+refusal.name, func(t *testing.T) {
				refused := backend.intercept(t, test.refuse, refusal.ServeHTTP)
				refusal.check(t, direct.do(ctx, t, test.call))
				// Those with the identity's label and those without are looked for at once.
				most := int64(1)
				if test.name == "create, its look for others" {
					most = 2
				}
				if count := int64(refused.count.Load()); count < 1 || count > most {
					t.Errorf("the backend was asked %d times", count)
				}
			})
		}
	}

	t.Run("through kube-apiserver", func(t *testing.T) { testRefusalsThroughAggregator(ctx, t, backend, server, namespace) })
	t.Run("through the shim", func(t *testing.T) {
		shim := must[*controlplane.Server](t)(env.StartShim(ctx, devenv.ShimOptions{Name: "pulsar-admin-shim-refused", APIServer: server}))
		t.Cleanup(shim.Stop)
		testRefusalsThroughShim(ctx, t, backend, shimClient(shim))
	})
}

// testRefusalsThroughAggregator takes the way that kubectl does.
func testRefusalsThroughAggregator(ctx context.Context, t *testing.T, backend *backend, server *controlplane.Server, namespace string) {
	route(ctx, t, server)
	kube := newPlainClient(t, env.ControlPlane.AdminConfig())
	for _, refusal := range refusals {
		t.Run(refusal.name, func(t *testing.T) {
			refused := backend.intercept(t, resource(http.MethodGet, namespace), refusal.ServeHTTP)
			refusal.check(t, kube.do(ctx, t, call{method: http.MethodGet, path: viewPath(namespace, "f")}))
			if count := refused.count.Load(); count != 1 {
				t.Errorf("the backend was asked %d times", count)
			}
		})
	}
}

// testRefusalsThroughShim counts at the backend: the API server asks it once, as is
// shown above, so more would be the shim's doing.
func testRefusalsThroughShim(ctx context.Context, t *testing.T, backend *backend, rest *plainClient) {
	if answer := rest.do(ctx, t, restWrite(t, http.MethodPost, "f", restConfig)); answer.code != http.StatusNoContent {
		t.Fatal(answer)
	}
	t.Cleanup(func() { rest.do(context.Background(), t, call{method: http.MethodDelete, path: restPath("f")}) })
	object := identity.Name{Tenant: "public", Namespace: "default", Name: "f"}.ObjectName()
	read := func(request *http.Request) bool {
		return resource(http.MethodGet, "default")(request) && strings.HasSuffix(request.URL.Path, "/"+object)
	}
	// The shim's own index lists without a limit, once, when it starts.
	list := func(request *http.Request) bool {
		return resource(http.MethodGet, "default")(request) && request.URL.Query().Get("limit") == "500"
	}
	for _, test := range []struct {
		name   string
		call   call
		refuse func(*http.Request) bool
	}{
		{"get", call{method: http.MethodGet, path: restPath("f")}, read},
		{"list", call{method: http.MethodGet, path: restPath("")}, list},
		{"create", restWrite(t, http.MethodPost, "g", restConfig), resource(http.MethodPost, "default")},
		{"update", restWrite(t, http.MethodPut, "f", `{"parallelism":2}`), resource(http.MethodPut, "default")},
		{"delete", call{method: http.MethodDelete, path: restPath("f")}, resource(http.MethodDelete, "default")},
	} {
		for _, refusal := range refusals {
			t.Run(test.name+"/"+refusal.name, func(t *testing.T) {
				refused := backend.intercept(t, test.refuse, refusal.ServeHTTP)
				answer := rest.do(ctx, t, test.call)
				if answer.code != refusal.code || answer.header.Get("Retry-After") != strconv.Itoa(refusal.retryAfter) {
					t.Errorf("want %d after %d s, got %v", refusal.code, refusal.retryAfter, answer)
				}
				if reason := answer.reason(t); reason != refusal.said {
					t.Errorf("the reason is %q, want %q", reason, refusal.said)
				}
				if count := refused.count.Load(); count != 1 {
					t.Errorf("the backend was asked %d times", count)
				}
			})
		}
	}
}
