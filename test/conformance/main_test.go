// Package conformance runs one script of commands twice, against a real Pulsar with its
// own functions worker and against pulsar-admin-shim, with Pulsar's own clients, and
// compares what they answer. It holds nothing but tests.
//
// Differences that are meant are listed in differences.yaml. Where no real Pulsar can be
// had, its recorded answers stand in for it.
package conformance

import (
	"context"
	"errors"
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
	// startTimeout is generous: the first time all of Pulsar is fetched.
	startTimeout = 15 * time.Minute
	// callTimeout is for one command. A JVM may have to start first.
	callTimeout = 2 * time.Minute
)

// mode is where Pulsar's answers come from, by the variable PULSAR_CONFORMANCE.
type mode string

const (
	// automatic asks a real Pulsar where one can be had.
	automatic mode = ""
	// real fails where none can be had.
	real mode = "real"
	// recorded asks none.
	recorded mode = "recorded"
	// record asks a real one and keeps its answers.
	record mode = "record"
)

func chosenMode() (mode, error) {
	chosen := mode(os.Getenv("PULSAR_CONFORMANCE"))
	switch chosen {
	case automatic, real, recorded, record:
		return chosen, nil
	default:
		return "", fmt.Errorf("PULSAR_CONFORMANCE is %q, which is none of real, recorded, record and nothing", chosen)
	}
}

// repository is the checkout that this test belongs to.
func repository() (string, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return "", fmt.Errorf("could not find the repository: %w", err)
	}
	return root, nil
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

// canRunJava tells whether pulsar-admin can be run here, and says so if not.
func canRunJava(t *testing.T, chosen mode) (bool, error) {
	t.Helper()
	err := errors.New("PULSAR_JAVA_CLIENT is off")
	if !javaclient.Off() {
		root := must[string](t)(repository())
		err = javaclient.New(root, filepath.Join(root, "bin")).Fetch()
	}
	if err != nil && (chosen == real || chosen == record) {
		return false, err
	}
	if err != nil {
		t.Logf("pulsar-admin can't be run here, so what it sent when the answers were recorded is sent again: %v", err)
	}
	return err == nil, nil
}

// startJava returns a JVM for pulsar-admin, or nil where there can be none. The real
// Pulsar and the shim have one each, for they are asked at the same time.
func startJava(t *testing.T, hasJava bool) *javaclient.Client {
	t.Helper()
	if !hasJava {
		return nil
	}
	root := must[string](t)(repository())
	java := javaclient.New(root, filepath.Join(root, "bin"))
	t.Cleanup(func() {
		if err := java.Stop(); err != nil {
			t.Error(err)
		}
	})
	return java
}

// startPulsar returns a real Pulsar with everything that the script relies on, or nil
// where the machine can't have one and need not.
func startPulsar(t *testing.T, chosen mode, script script) *pulsarstandalone.Pulsar {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	pulsar, err := pulsarstandalone.Start(ctx, pulsarstandalone.Options{
		Repository: must[string](t)(repository()), Dir: keptFolder(t, "pulsar"), Logf: t.Logf,
	})
	var unavailable *pulsarstandalone.Unavailable
	if errors.As(err, &unavailable) && chosen == automatic {
		t.Logf("%v", err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pulsar.Stop)
	python := filepath.Join(t.TempDir(), "code.py")
	if err := os.WriteFile(python, []byte("class Exclamation:\n    pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		packageURLs["jar"]: pulsar.Code.Jar, packageURLs["jar2"]: pulsar.Code.Jar,
		packageURLs["sink"]: pulsar.Code.Jar, packageURLs["source"]: pulsar.Code.Jar,
		packageURLs["sinknar"]: pulsar.Code.NAR, packageURLs["sourcenar"]: pulsar.Code.NAR,
		packageURLs["py"]: python, packageURLs["go"]: python,
	} {
		if err := pulsar.Upload(ctx, name, file); err != nil {
			t.Fatal(err)
		}
	}
	if err := pulsar.CreateTenant(ctx, tenant, script.namespaces()...); err != nil {
		t.Fatal(err)
	}
	return pulsar
}

// startShim returns the base URL of a pulsar-admin-shim on a control plane, for a Pulsar
// that answers at web and has the built-ins of connectors.yaml.
func startShim(t *testing.T, web string) string {
	t.Helper()
	root := must[string](t)(repository())
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	env, err := devenv.Start(ctx, devenv.Options{
		BinDir: filepath.Join(root, "bin"), Dir: keptFolder(t, "shim"), ArtifactsDir: filepath.Join(root, "artifacts"),
		Config:     strings.Replace(devenv.DefaultConfig, devenv.DefaultWebServiceURL, web+"\n  adminUrl: "+web, 1),
		Connectors: must[[]byte](t)(os.ReadFile("connectors.yaml")),
	})
	if err != nil {
		t.Fatalf("could not start an environment (make build control-plane builds it): %v", err)
	}
	t.Cleanup(env.Stop)
	return env.ShimURL()
}

// keptFolder returns a folder that stays when the test fails, for it has logs.
func keptFolder(t *testing.T, name string) string {
	t.Helper()
	dir := must[string](t)(os.MkdirTemp("", "conformance-"+name+"-"))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what %s left is in %s", name, dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
