package disruption

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// kube-apiserver goes and comes back under open watches: neither server needs to be
// told, and nothing that happened is missed.
func TestKubeAPIServerRestart(t *testing.T) {
	ctx := testContext(t)
	mustNotPanic(t)
	namespace := newNamespace(ctx, t, "restart")
	create(ctx, t, namespace, "f")
	admin := env.ControlPlane.AdminConfig()
	aggregated := watchViewsBy(ctx, t, newViews(t, admin), namespace)
	directly := directConfig(admin, env.APIServer)
	direct := watchViewsBy(ctx, t, newViews(t, directly), namespace)
	open := newPlainClient(t, directly).watchViews(ctx, t, namespace, url.Values{})

	began := time.Now()
	if err := env.ControlPlane.RestartAPIServer(ctx); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	t.Logf("kube-apiserver was away for %.1f s", back.Sub(began).Seconds())

	kube := newPlainClient(t, admin)
	eventually(ctx, t, "the view to work again", func() error {
		answer, err := kube.try(ctx, call{method: http.MethodGet, path: viewPath(namespace, "f")})
		if err != nil {
			return err
		}
		if answer.code != http.StatusOK {
			return errors.New(answer.String())
		}
		return nil
	})
	t.Logf("the view worked after %.1f s", time.Since(back).Seconds())
	label(ctx, t, namespace, "f", "after-the-restart")
	for name, informer := range map[string]*recorder{"through kube-apiserver": aggregated, "direct": direct} {
		eventually(ctx, t, "the informer ("+name+") to hear of a change", func() error { return informer.has("updated", "f") })
		t.Logf("the informer (%s) heard of a change after %.1f s", name, time.Since(back).Seconds())
	}
	// The open watch ended with its backend, so that its client watches anew.
	for event := open.next(t); event.Type != ""; event = open.next(t) {
		if event.Type == "ERROR" {
			t.Errorf("the open watch: %+v", event)
		}
	}
	if answer := shimClient(env.Shim).do(ctx, t, call{method: http.MethodGet, path: restPath("")}); answer.code != http.StatusOK {
		t.Errorf("REST: %v", answer)
	}
}

// ready returns an error unless a shim answers as wanted whether it is ready.
func ready(ctx context.Context, shim *plainClient, want int) error {
	answer, err := shim.try(ctx, call{method: http.MethodGet, path: "/readyz"})
	if err != nil {
		return err
	}
	if answer.code != want {
		return errors.New(answer.String())
	}
	return nil
}

// earlyShim is a shim that was started before what it needs.
type earlyShim struct {
	started chan *controlplane.Server
	failed  chan error
	// said is why it isn't ready.
	said string
}

// startEarlyShim starts a shim that can't be ready yet and returns when it says so.
func startEarlyShim(ctx context.Context, t *testing.T, name string, server *controlplane.Server) *earlyShim {
	t.Helper()
	shim := &earlyShim{started: make(chan *controlplane.Server, 1), failed: make(chan error, 1)}
	port := freePort(t)
	go func() {
		server, err := env.StartShim(ctx, devenv.ShimOptions{Name: name, Port: port, APIServer: server})
		if err != nil {
			shim.failed <- err
			close(shim.started)
			return
		}
		shim.started <- server
	}()
	client := newShimClient(port)
	eventually(ctx, t, name+" to say that it isn't ready", func() error {
		answer, err := client.try(ctx, call{method: http.MethodGet, path: "/readyz"})
		switch {
		case err != nil:
			return err
		case answer.code == http.StatusOK:
			t.Fatalf("%s is ready without what it needs", name)
		}
		shim.said = string(answer.body)
		return nil
	})
	return shim
}

// waitReady waits until the shim is ready, now that it can be.
func (s *earlyShim) waitReady(t *testing.T) *controlplane.Server {
	t.Helper()
	server := within(t, "the shim to be ready", s.started)
	if server == nil {
		t.Fatal(<-s.failed)
	}
	t.Cleanup(server.Stop)
	return server
}

// The shim says that it isn't ready while functionmesh-apiserver is away, answers
// with 503 meanwhile, and works again by itself.
func TestShimWithoutAPIServer(t *testing.T) {
	ctx := testContext(t)
	rest := shimClient(env.Shim)
	pid := env.Shim.Process().PID()
	if answer := rest.do(ctx, t, restWrite(t, http.MethodPost, "lasting", restConfig)); answer.code != http.StatusNoContent {
		t.Fatal(answer)
	}
	t.Cleanup(func() { rest.do(context.Background(), t, call{method: http.MethodDelete, path: restPath("lasting")}) })

	env.APIServer.Stop()
	restart := startOnce(t, env.APIServer)
	eventually(ctx, t, "the shim to say that it isn't ready", func() error { return ready(ctx, rest, http.StatusServiceUnavailable) })
	if answer := rest.do(ctx, t, call{method: http.MethodGet, path: "/healthz"}); answer.code != http.StatusOK {
		t.Errorf("a shim that is restarted for it gains nothing: %v", answer)
	}
	for name, call := range map[string]call{
		"get":    {method: http.MethodGet, path: restPath("lasting")},
		"list":   {method: http.MethodGet, path: restPath("")},
		"create": restWrite(t, http.MethodPost, "other", restConfig),
		"delete": {method: http.MethodDelete, path: restPath("lasting")},
	} {
		answer := rest.do(ctx, t, call)
		if answer.code != http.StatusServiceUnavailable || !strings.Contains(answer.reason(t), "not available") || answer.took > promptly {
			t.Errorf("%s, after %s: %v", name, answer.took, answer)
		}
	}

	t.Run("a new shim isn't ready", func(t *testing.T) {
		early := startEarlyShim(ctx, t, "pulsar-admin-shim-early", env.APIServer)
		restart(ctx)
		late := early.waitReady(t)
		if answer := shimClient(late).do(ctx, t, call{method: http.MethodGet, path: restPath("lasting")}); answer.code != http.StatusOK {
			t.Errorf("%v", answer)
		}
	})
	eventually(ctx, t, "the shim to be ready again", func() error { return ready(ctx, rest, http.StatusOK) })
	if answer := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("lasting")}); answer.code != http.StatusOK {
		t.Errorf("%v", answer)
	}
	if err := same(env.Shim, pid); err != nil {
		t.Error(err)
	}
}

// A shim keeps nothing: another one answers the same.
func TestShimRestart(t *testing.T) {
	ctx := testContext(t)
	rest := shimClient(env.Shim)
	if answer := rest.do(ctx, t, restWrite(t, http.MethodPost, "kept", restConfig)); answer.code != http.StatusNoContent {
		t.Fatal(answer)
	}
	before := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("kept")})
	if err := env.Shim.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	after := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("kept")})
	if after.code != http.StatusOK || string(after.body) != string(before.body) {
		t.Errorf("before: %v; after: %v", before, after)
	}
	if answer := rest.do(ctx, t, call{method: http.MethodDelete, path: restPath("kept")}); answer.code != http.StatusNoContent {
		t.Errorf("%v", answer)
	}
}
