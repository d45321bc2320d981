// Package disruption tests what happens to the product while something that it
// stands on goes away, and to others while the product does. Its environment is
// its own: each test here would disturb any other that ran beside it.
package disruption

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// limit bounds every wait: tests share the machine with others.
	limit        = 4 * time.Minute
	pollInterval = 100 * time.Millisecond
	binDir       = "../../bin"
)

var (
	// env is what all tests here disturb, one after the other.
	env *devenv.Env
	// first is the functionmesh-apiserver that env began with.
	first *controlplane.Server
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := findPrograms(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "functionmesh-disruption-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := runIn(dir, m)
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the logs of all processes are in %s\n", filepath.Join(dir, "logs"))
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runIn(dir string, m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var err error
	env, err = devenv.Start(ctx, devenv.Options{BinDir: binDir, Dir: dir, ArtifactsDir: "../../artifacts"})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer env.Stop()
	first = env.APIServer
	code := m.Run()
	select {
	case exit := <-env.Unexpected():
		fmt.Fprintln(os.Stderr, exit)
		return 1
	default:
		return code
	}
}

func findPrograms() error {
	for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return fmt.Errorf("%s is missing: run make test, or make build control-plane", filepath.Join(binDir, program))
		}
	}
	return nil
}

// testContext bounds a whole test.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until condition returns nil.
func eventually(ctx context.Context, t *testing.T, what string, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %s: %v", what, err)
		}
	}
}

// within waits for a channel to be closed or to deliver.
func within[T any](t *testing.T, what string, channel <-chan T) T {
	t.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case value := <-channel:
		return value
	case <-timer.C:
		t.Fatalf("gave up waiting for %s", what)
		panic("unreachable")
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func newViews(t *testing.T, config *rest.Config) versioned.Interface {
	t.Helper()
	return must[*versioned.Clientset](t)(versioned.NewForConfig(config))
}

// startAPIServer starts one more functionmesh-apiserver for a test and returns when
// it knows client certificates of the cluster's CA, with which tests call it
// directly. It reads that CA in the background.
func startAPIServer(ctx context.Context, t *testing.T, options devenv.APIServerOptions) *controlplane.Server {
	t.Helper()
	server := must[*controlplane.Server](t)(env.StartAPIServer(ctx, options))
	t.Cleanup(server.Stop)
	client := newPlainClient(t, directConfig(env.ControlPlane.AdminConfig(), server))
	eventually(ctx, t, "the CA of client certificates to be known", func() error {
		answer, err := client.try(ctx, call{method: http.MethodGet, path: "/apis"})
		if err != nil {
			return err
		}
		if answer.code != http.StatusOK {
			return errors.New(answer.String())
		}
		return nil
	})
	return server
}

// errNotYet is what a condition says of itself that needs no other words.
var errNotYet = errors.New("not yet")

// route leads kube-apiserver to a server until the test ends, and then back to the
// environment's first.
func route(ctx context.Context, t *testing.T, server *controlplane.Server) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if env.APIServer == first {
			return
		}
		if err := env.Route(ctx, first); err != nil {
			t.Error(err)
		}
	})
	if err := env.Route(ctx, server); err != nil {
		t.Fatal(err)
	}
}

// startOnce returns what starts a stopped server again. If the test doesn't come to
// that, its end does.
func startOnce(t *testing.T, server *controlplane.Server) func(context.Context) {
	t.Helper()
	started := false
	start := func(ctx context.Context) {
		t.Helper()
		if started {
			return
		}
		started = true
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		if err := server.Start(ctx); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { start(context.Background()) })
	return start
}

// same returns an error unless a process is the one that it was.
func same(server *controlplane.Server, pid int) error {
	select {
	case <-server.Process().Done():
		return errors.New(server.Process().Name() + " ended")
	default:
	}
	if now := server.Process().PID(); now != pid {
		return fmt.Errorf("%s is process %d now, was %d", server.Process().Name(), now, pid)
	}
	return nil
}
