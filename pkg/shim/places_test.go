package shim

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// claimedPlaces serve one Pulsar namespace each, the first of them t/n.
type claimedPlaces map[string][]string

func (claimedPlaces) HasSynced() bool { return true }
func (p claimedPlaces) Serving(pulsar tenancy.PulsarNamespace) []string {
	return p[pulsar.String()]
}
func (claimedPlaces) Installation() string   { return "installation" }
func (p claimedPlaces) Kubernetes() []string { return []string{"a", "b"} }

// unknownPlaces aren't known yet.
type unknownPlaces struct{ fixedPlaces }

func (unknownPlaces) HasSynced() bool { return false }

func TestWhatNobodyServes(t *testing.T) {
	for _, test := range []struct {
		what  string
		root  any
		known bool
	}{
		{"a caller who is known", apierrors.NewForbidden(testResource, "", errors.New("no")), true},
		{"a caller who isn't", apierrors.NewUnauthorized("no"), false},
	} {
		var paths []string
		handler := newTestHandlerAt(t, claimedPlaces{}, func(writer http.ResponseWriter, request *http.Request) {
			paths = append(paths, request.URL.Path)
			newAnswers(t, nil).answer(writer, test.root)
		})
		for method, want := range map[string]struct {
			code   int
			reason string
		}{
			http.MethodGet:    {404, "Function f doesn't exist"},
			http.MethodDelete: {404, "Function f doesn't exist"},
			http.MethodPut:    {400, "Function f doesn't exist"},
			http.MethodPost:   {400, "No Kubernetes namespace serves Pulsar namespace t/n"},
		} {
			if !test.known {
				want.code, want.reason = 401, reasonUnauthorized
			}
			var parts [][2]string
			if method == http.MethodPost || method == http.MethodPut {
				parts = append(parts, partOf("functionConfig", `{"jar":"function://t/n/p@1","inputs":["in"]}`))
			}
			expectAnswer(t, test.what+", "+method, send(handler, method, parts...), want.code, want.reason)
		}
		for _, path := range paths {
			if strings.Contains(path, "/namespaces/") {
				t.Errorf("%s: the API server was asked for %s", test.what, path)
			}
		}
	}
}

func TestPlacesAreAskedForTheirOwn(t *testing.T) {
	var paths []string
	handler := newTestHandlerAt(t, claimedPlaces{"t/n": {"a", "b"}, "t/other": {"c"}}, func(writer http.ResponseWriter, request *http.Request) {
		paths = append(paths, request.URL.Path)
		newAnswers(t, nil).answer(writer, notFound)
	})
	send(handler, http.MethodGet)
	asked := strings.Join(paths, " ")
	if !strings.Contains(asked, "/namespaces/a/") || !strings.Contains(asked, "/namespaces/b/") || strings.Contains(asked, "/namespaces/c/") {
		t.Errorf("the API server was asked for %s", asked)
	}
}

func TestPlacesThatAreNotKnown(t *testing.T) {
	handler := newTestHandlerAt(t, unknownPlaces{fixedPlaces{"a"}}, mustNotAsk(t))
	expectAnswer(t, "get", send(handler, http.MethodGet), 503, reasonUnavailable)
	if answer := serve(handler, http.MethodGet, "/readyz", nil); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("it is ready: %d %s", answer.Code, answer.Body)
	}
}

func TestRoutes(t *testing.T) {
	seen := map[string]bool{}
	for _, route := range Routes() {
		seen[route.Operation] = true
		if route.Operation == "" || !strings.HasPrefix(route.Path, "/admin/") {
			t.Errorf("a route is %+v", route)
		}
	}
	for _, operation := range []string{"createFunction", "listSinks", "workerCluster", "reloadBuiltinSources"} {
		if !seen[operation] {
			t.Errorf("%s is not among the routes", operation)
		}
	}
}
