package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test program play a child instead of running tests.
const roleVariable = "CONTROLPLANE_TEST_ROLE"

// startTimeout is generous: tests share the machine with others.
const startTimeout = 3 * time.Minute

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "plane":
		err = runPlane(os.Getenv("PLANE_DIR"))
	case "sleep":
		fmt.Println("environment", len(os.Environ()), os.Getenv("SECRET"))
		waitForSignal(syscall.SIGTERM)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ignoring SIGTERM")
		// Blocking for ever without a timer is a deadlock to Go, which ends the program.
		time.Sleep(time.Hour)
	case "fail":
		fmt.Println("cannot go on")
		os.Exit(3)
	case "listen":
		err = runListener(os.Args[1])
	default:
		err = fmt.Errorf("unknown role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func waitForSignal(signals ...os.Signal) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, signals...)
	<-received
}

// runPlane starts a control plane, tells its processes' ids and waits to be killed.
func runPlane(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	cp, err := Start(ctx, Options{BinDir: binDir(), Dir: dir, Nodes: 1})
	if err != nil {
		return err
	}
	defer cp.Stop()
	pids, err := json.Marshal(pidsOf(cp))
	if err != nil {
		return err
	}
	fmt.Println(string(pids))
	// Ends when the parent closes the pipe, so that a failed test leaves nothing.
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// pidsOf returns the ids of a control plane's processes by program.
func pidsOf(cp *ControlPlane) map[string]int {
	pids := map[string]int{}
	for _, server := range []*Server{cp.etcd, cp.apiServer, cp.controllerManager, cp.scheduler, cp.kwok} {
		if server != nil {
			pids[server.Process().Name()] = server.Process().PID()
		}
	}
	return pids
}

func runListener(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	defer listener.Close()
	waitForSignal(syscall.SIGTERM)
	return nil
}

func binDir() string {
	dir, err := filepath.Abs("../../bin")
	if err != nil {
		panic(err)
	}
	return dir
}

// child returns options that make this test program play role.
func child(t *testing.T, role string, env ...string) ProcessOptions {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return ProcessOptions{
		Name:    role,
		Path:    program,
		Env:     append([]string{roleVariable + "=" + role}, env...),
		LogPath: filepath.Join(t.TempDir(), role+".log"),
	}
}

// eventually waits for a condition; what says what is awaited.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
