// Package revisions tests what is kept of what functions, sources and sinks were, and
// what becomes of code that nothing runs any more: on a real control plane, with a real
// Pulsar whose package service has the code. It holds nothing but tests.
package revisions

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

const (
	// limit bounds every wait: tests share the machine with others, and the first time all
	// of Pulsar is fetched.
	limit        = 10 * time.Minute
	pollInterval = 200 * time.Millisecond
	namespace    = "default"
	// kept is how many revisions an object has here.
	kept = 4
	// gracePeriod is that of packages.
	gracePeriod = 5 * time.Second
	// parallel is how many tests run at once: most of them only wait most of the time.
	parallel = "6"
)

// env is what the tests share.
var env struct {
	*devenv.Env
	pulsar *pulsarstandalone.Pulsar
	java   *javaclient.Client
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if javaclient.Off() {
		fmt.Println("PULSAR_JAVA_CLIENT=off: the tests with a real Pulsar do not run")
		return 0
	}
	dir, err := os.MkdirTemp("", "functionmesh-revisions-")
	if err != nil {
		return failed(err)
	}
	if code := runIn(dir, m); code != 0 {
		fmt.Fprintf(os.Stderr, "the logs of all processes are in %s\n", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		return failed(err)
	}
	return 0
}

func runIn(dir string, m *testing.M) int {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return failed(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	if env.pulsar, err = pulsarstandalone.Start(ctx, pulsarstandalone.Options{Repository: root, Dir: filepath.Join(dir, "pulsar")}); err != nil {
		return failed(err)
	}
	defer env.pulsar.Stop()
	binDir := filepath.Join(root, "bin")
	env.java = javaclient.New(root, binDir)
	config := strings.Replace(devenv.DefaultConfig, "  webServiceUrl:", "  adminUrl: "+env.pulsar.URL()+"\n  webServiceUrl:", 1) +
		"packageGracePeriod: " + gracePeriod.String() + "\n"
	env.Env, err = devenv.Start(ctx, devenv.Options{
		BinDir: binDir, Dir: filepath.Join(dir, "devenv"), ArtifactsDir: filepath.Join(root, "artifacts"), Config: config,
		APIServerArgs: []string{fmt.Sprintf("--revision-history-limit=%d", kept)},
		ShimArgs:      []string{"--package-service-url=" + env.pulsar.URL()},
	})
	if err != nil {
		return failed(err)
	}
	defer env.Stop()
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		return failed(err)
	}
	code := m.Run()
	if err := env.java.Stop(); err != nil {
		return failed(err)
	}
	return code
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
