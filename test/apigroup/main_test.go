package apigroup

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// startTimeout bounds the start of the environment, waitTimeout each wait for a
	// condition, and testTimeout a test. They are generous: the machine may be shared.
	startTimeout = 5 * time.Minute
	waitTimeout  = 2 * time.Minute
	testTimeout  = 5 * time.Minute
)

// authorUser is a person who may use the group in the namespaces of tests, by the
// role that artifacts/ has for it, and nothing else.
const authorUser = "author"

var (
	env *devenv.Env
	// adminConfig has all rights, authorConfig is of authorUser.
	adminConfig, authorConfig *rest.Config
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run keeps the state of a run that failed, since the logs are in it.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "apigroup-")
	if err != nil {
		return failed(err)
	}
	if err := start(dir); err != nil {
		fmt.Fprintf(os.Stderr, "the state is kept in %s\n", dir)
		return failed(err)
	}
	code := m.Run()
	if err := refusedRequests(); err != nil {
		code = failed(err)
	}
	select {
	case exit := <-env.Unexpected():
		code = failed(exit)
	default:
	}
	env.Stop()
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the state, logs included, is kept in %s\n", dir)
		return code
	}
	if err := os.RemoveAll(dir); err != nil {
		return failed(err)
	}
	return 0
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func start(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	binDir, err := filepath.Abs("../../bin")
	if err != nil {
		return fmt.Errorf("could not find the programs: %w", err)
	}
	for _, program := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "functionmesh-apiserver", "pulsar-admin-shim"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return fmt.Errorf("run make test, or make build control-plane, first: %w", err)
		}
	}
	env, err = devenv.Start(ctx, devenv.Options{
		BinDir:       binDir,
		Dir:          dir,
		ArtifactsDir: filepath.Join(binDir, "..", "artifacts"),
		// Tests here play the operator and compare resource versions: a status that is
		// published in between would be a conflict. Loops have tests of their own.
		APIServerArgs: []string{"--controllers="},
	})
	if err != nil {
		return err
	}
	adminConfig = env.ControlPlane.AdminConfig()
	if authorConfig, err = env.ControlPlane.ClientCertConfig(authorUser); err != nil {
		return err
	}
	// Tests that are about warnings have their own handler.
	adminConfig.WarningHandler, authorConfig.WarningHandler = rest.NoWarnings{}, rest.NoWarnings{}
	return nil
}
