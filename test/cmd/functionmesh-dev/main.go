// Command functionmesh-dev is `make run`: it starts the whole product on a
// control plane of its own, puts one sample function through each door, says
// what to type next, and stays until it is told to stop.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// startTimeout bounds a start. A warm one takes seconds.
const startTimeout = 5 * time.Minute

type options struct {
	binDir       string
	artifactsDir string
	stateDir     string
	shimPort     int
	pulsar       pulsar
}

func init() {
	// The main goroutine keeps the main thread, for stopWithParent.
	runtime.LockOSThread()
}

func main() {
	var o options
	flag.StringVar(&o.binDir, "bin", "bin", "folder of the programs")
	flag.StringVar(&o.artifactsDir, "artifacts", "artifacts", "folder of the install manifests")
	flag.StringVar(&o.stateDir, "dir", ".run", "folder for all state; what an earlier run left there is removed")
	flag.IntVar(&o.shimPort, "shim-port", 6750, "port of pulsar-admin-shim on 127.0.0.1")
	flag.StringVar(&o.pulsar.adminURL, "pulsar-url", "", "admin URL of a Pulsar that is there, for what needs one: it has to have package management; without one there is no Pulsar")
	flag.StringVar(&o.pulsar.serviceURL, "pulsar-service-url", "", "URL for clients of that Pulsar's topics (default pulsar://HOST:6650)")
	check := flag.Bool("check", false, "only say whether a start is possible")
	withParent := flag.Bool("stop-with-parent", false, "stop when the parent process ends")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the default handling is back: a second one ends
	// this process at once, and its children with it.
	context.AfterFunc(ctx, stop)
	err := o.resolve()
	if err == nil && *withParent {
		err = stopWithParent()
	}
	switch {
	case err != nil:
	case *check:
		err = checkPossible(ctx, o)
	default:
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "make run: %v\n", err)
		os.Exit(1)
	}
}

// resolve makes all paths absolute, since they end up in files that are used elsewhere,
// and checks what is said of Pulsar.
func (o *options) resolve() error {
	for _, path := range []*string{&o.binDir, &o.artifactsDir, &o.stateDir} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("could not resolve %s: %w", *path, err)
		}
		*path = absolute
	}
	return o.pulsar.resolve()
}

// checkPossible tells early, before anything is built, what would stop a start.
func checkPossible(ctx context.Context, o options) error {
	state, err := lockState(o.stateDir)
	if err != nil {
		return err
	}
	defer state.unlock()
	return checkOthers(ctx, o)
}

// checkOthers tells what other processes are in the way, or are missing.
func checkOthers(ctx context.Context, o options) error {
	if err := checkPort(o.shimPort); err != nil {
		return err
	}
	return o.pulsar.check(ctx)
}

func checkPort(port int) error {
	address := net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s, the address of pulsar-admin-shim, is in use by another process: end that one, or choose another port with make run SHIM_PORT=%d", address, port+1)
	}
	if err != nil {
		return fmt.Errorf("could not listen on %s: %w", address, err)
	}
	return listener.Close()
}

func run(ctx context.Context, o options) error {
	state, err := lockState(o.stateDir)
	if err != nil {
		return err
	}
	defer state.unlock()
	if err := checkOthers(ctx, o); err != nil {
		return err
	}
	if err := state.wipe(); err != nil {
		return err
	}
	began := time.Now()
	env, err := startWithSamples(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("told to stop before everything was ready")
		}
		return err
	}
	defer func() {
		state.removeReady()
		say("stopping")
		env.Stop()
		say("stopped")
	}()
	if err := state.writeEnv(env, o.binDir); err != nil {
		return err
	}
	if err := state.writeReady(); err != nil {
		return err
	}
	say("ready after %.0f s", time.Since(began).Seconds())
	fmt.Print(nextSteps(o, env))
	select {
	case <-ctx.Done():
		return nil
	case exit := <-env.Unexpected():
		return exit
	}
}

// startWithSamples leaves nothing running when it returns an error.
func startWithSamples(ctx context.Context, o options) (*devenv.Env, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	options := devenv.Options{
		BinDir:       o.binDir,
		Dir:          o.stateDir,
		ArtifactsDir: o.artifactsDir,
		ShimPort:     o.shimPort,
		// As artifacts/ have it.
		DefaultNamespace: metav1.NamespaceDefault,
		Logf:             say,
	}
	o.pulsar.configure(&options)
	env, err := devenv.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := createSamples(ctx, env, o); err != nil {
		env.Stop()
		return nil, err
	}
	return env, nil
}

// say announces a step.
func say(format string, args ...any) { fmt.Printf("==> "+format+"\n", args...) }

// stopWithParent makes the kernel send SIGTERM when the parent ends. Without it,
// killing make would leave all of this running. The setting belongs to the
// calling thread, so that has to be one that lives as long as the process.
func stopWithParent() error {
	parent := os.Getppid()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0); errno != 0 {
		return fmt.Errorf("could not ask to end with the parent process: %w", errno)
	}
	if os.Getppid() != parent {
		return errors.New("the parent process ended")
	}
	return nil
}
