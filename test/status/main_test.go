// Package status tests what the background loops of functionmesh-apiserver observe,
// publish and clean up, on a control plane whose pods come up and break.
//
// The operator isn't there: what it does with a resource, as far as it can be seen
// from outside, is done by the stand-in of package operator.
package status

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

const (
	// limit bounds every wait: tests share the machine with others.
	limit        = 4 * time.Minute
	pollInterval = 100 * time.Millisecond
	binDir       = "../../bin"
)

var (
	env   *devenv.Env
	views versioned.Interface
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return failed(fmt.Errorf("run make test, or make build control-plane nodes, first: %w", err))
		}
	}
	dir, err := os.MkdirTemp("", "functionmesh-status-")
	if err != nil {
		return failed(err)
	}
	if code := runIn(dir, m); code != 0 {
		fmt.Fprintf(os.Stderr, "the logs of all processes are in %s\n", filepath.Join(dir, "logs"))
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		return failed(err)
	}
	return 0
}

func runIn(dir string, m *testing.M) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	starting, started := context.WithTimeout(ctx, limit)
	defer started()
	var err error
	env, err = devenv.Start(starting, devenv.Options{BinDir: binDir, Dir: dir, ArtifactsDir: "../../artifacts", Nodes: 2})
	if err != nil {
		return failed(err)
	}
	defer env.Stop()
	if views, err = versioned.NewForConfig(env.ControlPlane.AdminConfig()); err != nil {
		return failed(err)
	}
	standIn := operator.Start(ctx, env.ControlPlane.Client(), env.Dynamic())
	code := m.Run()
	cancel()
	if err := standIn.Wait(); err != nil {
		code = failed(err)
	}
	select {
	case exit := <-env.Unexpected():
		return failed(exit)
	default:
		return code
	}
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// testContext bounds a whole test.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	t.Cleanup(cancel)
	return ctx
}

// errNotYet is what a condition says of itself that needs no other words.
var errNotYet = errors.New("not yet")

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

// newNamespace returns a new namespace.
func newNamespace(ctx context.Context, t *testing.T) string {
	t.Helper()
	namespace, err := env.ControlPlane.Client().CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "status-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}
