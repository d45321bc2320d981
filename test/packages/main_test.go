// Package packages tests what becomes of code that is uploaded: with a real Pulsar, whose
// package service keeps it, and with real packages of Pulsar's own. It holds nothing but
// tests.
package packages

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// startTimeout is generous: the first time all of Pulsar is fetched.
const startTimeout = 15 * time.Minute

// packageInterval is after what time functionmesh-apiserver asks for a package again.
const packageInterval = 5 * time.Second

// env is what the tests share.
var env struct {
	pulsar *pulsarstandalone.Pulsar
	// devenv has a shim that puts what is uploaded into pulsar's package service.
	devenv *devenv.Env
	java   *javaclient.Client
	// gateway is where functionmesh-apiserver reaches pulsar.
	gateway *gateway
	// classpath is that of a whole Pulsar.
	classpath string
	// archives are real packages.
	archives []string
	dir      string
	// root is the repository.
	root string
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if javaclient.Off() {
		println("PULSAR_JAVA_CLIENT=off: the tests with a real Pulsar do not run")
		return 0
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	var err error
	if env.dir, err = os.MkdirTemp("", "packages-"); err != nil {
		return fail(err)
	}
	defer os.RemoveAll(env.dir)
	if err := start(ctx); err != nil {
		return fail(err)
	}
	defer env.pulsar.Stop()
	defer env.gateway.Close()
	defer env.devenv.Stop()
	code := m.Run()
	if err := env.java.Stop(); err != nil {
		return fail(err)
	}
	return code
}

func fail(err error) int {
	println(err.Error())
	return 1
}

func start(ctx context.Context) error {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return errors.New("could not tell where the source is")
	}
	here := filepath.Dir(file)
	root := filepath.Dir(filepath.Dir(here))
	env.root = root
	archives, err := javaclient.Classpath(ctx, filepath.Join(here, "java", "pom.xml"), filepath.Join(root, "bin"), "packages")
	if err != nil {
		return err
	}
	env.archives = filepath.SplitList(archives)
	env.classpath, err = javaclient.Classpath(ctx, filepath.Join(root, "test", "pulsarstandalone", "pom.xml"), filepath.Join(root, "bin"), "pulsar-standalone")
	if err != nil {
		return err
	}
	env.pulsar, err = pulsarstandalone.Start(ctx, pulsarstandalone.Options{Repository: root, Dir: filepath.Join(env.dir, "pulsar")})
	if err != nil {
		return err
	}
	if env.gateway, err = newGateway(env.pulsar.URL()); err != nil {
		return err
	}
	env.java = javaclient.New(root, filepath.Join(root, "bin"))
	env.devenv, err = devenv.Start(ctx, devenv.Options{
		BinDir: filepath.Join(root, "bin"), Dir: filepath.Join(env.dir, "devenv"), ArtifactsDir: filepath.Join(root, "artifacts"),
		Config:        strings.Replace(devenv.DefaultConfig, "- name: dev\n", "- name: dev\n  adminUrl: "+env.gateway.URL+"\n", 1),
		APIServerArgs: []string{"--controllers=status,packages,events,revisions", "--package-check-interval=" + packageInterval.String()},
		ShimArgs:      []string{"--package-service-url=" + env.pulsar.URL(), "--max-package-bytes=20000000"},
	})
	if err != nil {
		env.pulsar.Stop()
	}
	return err
}

// java runs a Java source file with the class path of a whole Pulsar, and returns what it
// prints.
func java(t *testing.T, source string, arguments ...string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	arguments = append([]string{"-Djava.io.tmpdir=" + t.TempDir(), "-cp", env.classpath, filepath.Join(filepath.Dir(file), "java", source)}, arguments...)
	command := exec.CommandContext(t.Context(), "java", arguments...)
	output, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return string(output)
}
