package disruption

import (
	"net/http"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// A replica that hasn't read yet by which CA it knows kube-apiserver isn't ready:
// whatever kube-apiserver forwarded would be anonymous, and refused.
func TestNotReadyBeforeAggregatorIsKnown(t *testing.T) {
	ctx := testContext(t)
	backend := newBackend(t)
	// The server reads the ConfigMap once when it starts, and then again by watching.
	release := make(chan struct{})
	held := backend.intercept(t, func(request *http.Request) bool {
		return request.URL.Path == "/api/v1/namespaces/kube-system/configmaps"
	}, func(writer http.ResponseWriter, request *http.Request) {
		select {
		case <-release:
			backend.proxy.ServeHTTP(writer, request)
		case <-request.Context().Done():
		}
	})
	type result struct {
		server *controlplane.Server
		err    error
	}
	started := make(chan result, 1)
	kubeconfig := backend.kubeconfig(ctx, t)
	go func() {
		server, err := env.StartAPIServer(ctx, devenv.APIServerOptions{
			Name:      "functionmesh-apiserver-uninformed",
			ExtraArgs: []string{"--authentication-kubeconfig=" + kubeconfig},
		})
		started <- result{server, err}
	}()
	eventually(ctx, t, "the server to ask for the CA", func() error {
		if held.count.Load() == 0 {
			return errNotYet
		}
		return nil
	})
	// Another replica, started now, is ready long before this is over.
	startAPIServer(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-informed"})
	select {
	case early := <-started:
		if early.err != nil {
			t.Fatal(early.err)
		}
		early.server.Stop()
		t.Fatal("the server was ready before it knew the aggregator's CA")
	default:
	}

	released := time.Now()
	close(release)
	ready := within(t, "the server to be ready", started)
	if ready.err != nil {
		t.Fatal(ready.err)
	}
	t.Cleanup(ready.server.Stop)
	t.Logf("the server was ready %.1f s after it could read the CA", time.Since(released).Seconds())
	route(ctx, t, ready.server)
	kube := newPlainClient(t, env.ControlPlane.AdminConfig())
	if answer := kube.do(ctx, t, call{method: http.MethodGet, path: viewPath("default", "")}); answer.code != http.StatusOK {
		t.Errorf("through the new server: %v", answer)
	}
}
