package pulsarclients

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestRequestsAreFollowed follows requests by their identifiers: through the answer, the log of
// the shim and the audit log of the API server.
func TestRequestsAreFollowed(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "requestid", Namespace: "n", Name: "f"}
	body, contentType := encodeForm(t, config(javaConfig))
	update, updateType := encodeForm(t, config(`{"parallelism":2}`))
	for _, test := range []struct {
		given, method, verb string
		contentType         string
		body                []byte
		code                int
	}{
		{"", http.MethodPost, "create", contentType, body, 204},
		{"mine-1", http.MethodPut, "patch", updateType, update, 204},
		{"", http.MethodGet, "get", "", nil, 200},
		{"not one\tthat goes into a log", http.MethodGet, "get", "", nil, 200},
		{"mine-2", http.MethodDelete, "delete", "", nil, 204},
		{"mine-3", http.MethodGet, "get", "", nil, 404},
	} {
		client := rest()
		if test.given != "" {
			client = client.named(test.given)
		}
		got := client.send(t, test.method, functionPath(name), test.contentType, test.body)
		if got.code != test.code {
			t.Errorf("%s: %s", test.method, got)
		}
		id := got.header.Get("X-Request-Id")
		if id == "" || strings.HasPrefix(test.given, "mine") && id != test.given || strings.Contains(id, " ") {
			t.Fatalf("the identifier of a request with %q is %q", test.given, id)
		}
		expectAudited(t, id, test.verb, devenv.AnonymousUser)
		eventually(t, "request "+id+" in the shim's log", func(context.Context) error {
			log := must[[]byte](t)(os.ReadFile(world.env.ControlPlane.LogPath("pulsar-admin-shim")))
			want := fmt.Sprintf("requestID=%q method=%q", id, test.method)
			if !strings.Contains(string(log), want) {
				return fmt.Errorf("there is no %s", want)
			}
			return nil
		})
	}
}
