package topics

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

const (
	// limit bounds every wait: tests share the machine with others.
	limit        = 5 * time.Minute
	pollInterval = 100 * time.Millisecond
	// deadline is how long what is deleted waits for its subscription to go.
	deadline = 45 * time.Second
	// namespace is the Kubernetes namespace that the shim serves.
	namespace = "default"
	// podRange gives pods addresses that are this machine's.
	podRange = "127.10.0.0/16"
)

var (
	env          *devenv.Env
	pulsarServer *pulsarstandalone.Pulsar
	java         *javaclient.Client
	root         string
)

// standIn does for the tests what the operator does.
var standIn *operator.Operator

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return failed(err)
	}
	binDir := filepath.Join(root, "bin")
	for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return failed(fmt.Errorf("run make test, or make build control-plane nodes, first: %w", err))
		}
	}
	if javaclient.Off() {
		fmt.Println("PULSAR_JAVA_CLIENT=off: the tests with Pulsar do not run")
		return 0
	}
	java = javaclient.New(root, binDir)
	dir, err := os.MkdirTemp("", "functionmesh-topics-")
	if err != nil {
		return failed(err)
	}
	if code := runIn(dir, binDir, m); code != 0 {
		fmt.Fprintf(os.Stderr, "the logs of all processes are in %s\n", filepath.Join(dir, "logs"))
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		return failed(err)
	}
	return 0
}

func runIn(dir, binDir string, m *testing.M) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	starting, started := context.WithTimeout(ctx, limit)
	defer started()
	var err error
	if pulsarServer, err = pulsarstandalone.Start(starting, pulsarstandalone.Options{
		Repository: root, Dir: filepath.Join(dir, "pulsar"), RunInstances: true, Logf: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}); err != nil {
		return failed(err)
	}
	defer pulsarServer.Stop()
	env, err = devenv.Start(starting, devenv.Options{
		BinDir: binDir, Dir: dir, ArtifactsDir: filepath.Join(root, "artifacts"), Nodes: 1, PodRange: podRange, Config: config(pulsarServer),
		APIServerArgs: []string{"--subscription-cleanup-deadline=" + deadline.String()},
	})
	if err != nil {
		return failed(err)
	}
	defer env.Stop()
	standIn = operator.Start(ctx, env.ControlPlane.Client(), env.Dynamic())
	code := m.Run()
	if err := java.Stop(); err != nil {
		code = failed(err)
	}
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

// config is functionmesh-apiserver's, for a cluster that is there. It has an account there.
func config(pulsar *pulsarstandalone.Pulsar) string {
	return strings.NewReplacer(
		"serviceUrl: pulsar://localhost:6650", "serviceUrl: "+pulsar.ServiceURL(),
		"webServiceUrl: "+devenv.DefaultWebServiceURL, "webServiceUrl: "+pulsar.URL()+"\n  adminUrl: "+pulsar.URL(),
		// One that nobody can reach.
		"runnerImages:", "- {name: "+goneCluster+", serviceUrl: 'pulsar://127.0.0.1:1', webServiceUrl: 'http://127.0.0.1:1', adminUrl: 'http://127.0.0.1:1'}\nrunnerImages:",
	).Replace(devenv.DefaultConfig)
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// eventually waits until condition returns nil.
func eventually(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := condition(ctx)
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

func must[T any](t *testing.T) func(value T, err error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
