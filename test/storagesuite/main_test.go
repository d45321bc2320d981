// Package storagesuite runs the suites with which Kubernetes tests its own
// storage against this project's: those of k8s.io/apiserver/pkg/storage/testing
// for a storage.Interface, and those of k8s.io/apiserver/pkg/registry/rest/resttest
// for a rest.Storage. The backend is a real kube-apiserver.
package storagesuite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

const (
	// startTimeout is generous: tests share the machine with others.
	startTimeout = 5 * time.Minute
	// patience bounds every wait for something that must happen.
	patience = 2 * time.Minute
)

var (
	plane *controlplane.ControlPlane
	// etcd is what kube-apiserver stores its objects in.
	etcd *clientv3.Client
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "storagesuite-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if code != 0 {
			fmt.Fprintln(os.Stderr, "logs and state are kept in", dir)
			return
		}
		_ = os.RemoveAll(dir)
	}()
	if err := start(dir); err != nil {
		fmt.Fprintln(os.Stderr, "could not start a control plane (run make test, or make build control-plane):", err)
		return 1
	}
	defer plane.Stop()
	defer etcd.Close()
	return m.Run()
}

// start starts a control plane that nobody but the tests writes to. The suites
// expect of a storage that its resource version grows by their own writes alone,
// and that it takes objects of any namespace.
func start(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		return err
	}
	plane, err = controlplane.Start(ctx, controlplane.Options{
		BinDir: bin,
		Dir:    dir,
		ExtraAPIServerArgs: []string{
			// The suites' namespaces don't exist.
			"--disable-admission-plugins=NamespaceLifecycle",
			// No Lease that is renewed every few seconds.
			"--feature-gates=APIServerIdentity=false,UnknownVersionInteroperabilityProxy=false",
			// The tests themselves say when history is forgotten.
			"--etcd-compaction-interval=24h",
		},
	})
	if err != nil {
		return err
	}
	plane.ControllerManager().Stop()
	url, tlsConfig := plane.Etcd()
	etcd, err = clientv3.New(clientv3.Config{Endpoints: []string{url}, TLS: tlsConfig, DialTimeout: startTimeout})
	if err != nil {
		plane.Stop()
		return fmt.Errorf("could not make a client for etcd: %w", err)
	}
	return nil
}

// eventually waits for a condition; what says what is awaited.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
