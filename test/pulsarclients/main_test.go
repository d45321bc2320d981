// Package pulsarclients tests pulsar-admin-shim, and with it the way from REST to
// Function Mesh's custom resources, on a real control plane with the clients that
// people use: Pulsar's Go client, Pulsar's Java command line, kubectl and
// client-go. It holds nothing but tests.
package pulsarclients

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	clientrest "k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

const (
	// startTimeout and waitTimeout are generous: tests share the machine with others.
	startTimeout = 5 * time.Minute
	waitTimeout  = 2 * time.Minute
	pollInterval = 50 * time.Millisecond

	// kubernetesNamespace is the one that the shim serves. Tests keep apart by
	// Pulsar tenants, which are named after them.
	kubernetesNamespace = "default"
	// authorRole is the role of artifacts/ for those who write functions.
	authorRole = devenv.AuthorRole
)

// programs are what a test needs to have been built.
var programs = []string{
	"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim",
}

var functionResources = schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: "functions"}

// world is what all tests share. It is set before the first test runs.
var world struct {
	env *devenv.Env
	// views reaches PulsarFunctions through kube-apiserver with all rights, and
	// resources the Function resources behind them.
	views     adminclient.PulsarFunctionInterface
	resources dynamic.ResourceInterface
	// binDir is where programs are and where what is fetched once may stay.
	binDir string
	java   *javaclient.Client
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if javaclient.Off() {
		fmt.Println("PULSAR_JAVA_CLIENT=off: the tests with Pulsar's Java client do not run")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return 1, fmt.Errorf("could not find the repository: %w", err)
	}
	world.binDir = filepath.Join(root, "bin")
	world.java = javaclient.New(root, world.binDir)
	for _, program := range programs {
		if _, err := os.Stat(filepath.Join(world.binDir, program)); err != nil {
			return 1, fmt.Errorf("%w: run make test, or make build control-plane", err)
		}
	}
	dir, err := os.MkdirTemp("", "pulsarclients-")
	if err != nil {
		return 1, fmt.Errorf("could not make a folder for the environment: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	env, err := devenv.Start(ctx, devenv.Options{
		BinDir:       world.binDir,
		Dir:          dir,
		ArtifactsDir: filepath.Join(root, "artifacts"),
		// What they publish would be changes that these tests did not make.
		APIServerArgs: []string{"--controllers="},
	})
	if err != nil {
		return 1, fmt.Errorf("could not start an environment in %s: %w", dir, err)
	}
	defer func() {
		if stopped := world.java.Stop(); stopped != nil {
			fmt.Fprintln(os.Stderr, stopped)
		}
		env.Stop()
		if code == 0 && err == nil {
			err = os.RemoveAll(dir)
			return
		}
		fmt.Fprintln(os.Stderr, "logs are in", filepath.Join(dir, "logs"))
	}()
	admin := env.ControlPlane.AdminConfig()
	admin.WarningHandler = clientrest.NoWarnings{}
	client, err := versioned.NewForConfig(admin)
	if err != nil {
		return 1, fmt.Errorf("could not make a client for kube-apiserver: %w", err)
	}
	world.env = env
	world.views = client.AdminV1alpha1().PulsarFunctions(kubernetesNamespace)
	world.resources = env.Dynamic().Resource(functionResources).Namespace(kubernetesNamespace)
	code = m.Run()
	select {
	case exit := <-env.Unexpected():
		return 1, exit
	default:
		return code, nil
	}
}

// eventually waits until a condition returns nil.
func eventually(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), waitTimeout, errors.New("waited long enough"))
	defer cancel()
	for {
		err := condition(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %s (%v): %v", what, context.Cause(ctx), err)
		case <-time.After(pollInterval):
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
