package kubectlparity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const (
	// These are generous: the machine may be shared.
	startTimeout   = 5 * time.Minute
	commandTimeout = 2 * time.Minute

	settlePause = 50 * time.Millisecond
)

// packagePattern is what the configuration allows besides package URLs. A package
// from there causes no warning, which no built-in kind has.
const packagePattern = "additionalPackageUrlPatterns: ['https://packages[.]example[.]org/.*']\n"

var env *devenv.Env

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// run keeps the state of a run that failed, since the logs are in it.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kubectlparity-")
	if err != nil {
		return failed(err)
	}
	if err := start(dir); err != nil {
		fmt.Fprintf(os.Stderr, "the state is kept in %s\n", dir)
		return failed(err)
	}
	code := m.Run()
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
	env, err = devenv.Start(ctx, devenv.Options{
		BinDir:       binDir,
		Dir:          dir,
		ArtifactsDir: filepath.Join(binDir, "..", "artifacts"),
		Config:       devenv.DefaultConfig + packagePattern,
	})
	return err
}
