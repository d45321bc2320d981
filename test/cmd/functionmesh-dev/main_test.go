package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test program be functionmesh-dev.
const roleVariable = "FUNCTIONMESH_DEV_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// output is the file that a child prints to. With a pipe, the end of its reader
// would end the child too, and hide that nothing else does.
type output string

func (o output) String() string {
	data, err := os.ReadFile(string(o))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

type devRun struct {
	cmd    *exec.Cmd
	dir    string
	output output
	done   chan struct{}
	err    error
}

// command returns functionmesh-dev with its state in dir, and more arguments.
func command(t *testing.T, dir string, port int, more []string, wrapper ...string) (*exec.Cmd, output) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(wrapper, program, "-bin", "../../../bin", "-artifacts", "../../../artifacts",
		"-dir", dir, "-shim-port", strconv.Itoa(port), "-stop-with-parent")
	args = append(args, more...)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), roleVariable+"=1")
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	cmd.Stdout, cmd.Stderr = file, file
	return cmd, output(file.Name())
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func start(t *testing.T, dir string, wrapper ...string) *devRun {
	t.Helper()
	return startWith(t, dir, nil, wrapper...)
}

// startWith is start with more arguments.
func startWith(t *testing.T, dir string, more []string, wrapper ...string) *devRun {
	t.Helper()
	cmd, out := command(t, dir, freePort(t), more, wrapper...)
	r := &devRun{cmd: cmd, dir: dir, output: out, done: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.err = cmd.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails when it has ended, as it should have
		<-r.done
		// A failed test must not leave anything either. What has ended meanwhile
		// can't be killed.
		for pid := range processes(t, dir) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Logf("functionmesh-dev printed:\n%s", out)
		}
	})
	return r
}

func (r *devRun) ready() bool {
	_, err := os.Stat(filepath.Join(r.dir, readyName))
	return err == nil
}

func (r *devRun) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(startTimeout)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("gave up waiting for %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// processes returns the names of the processes that use a file in dir by its
// name on their command line, by id.
func processes(t *testing.T, dir string) map[int]string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for _, path := range paths {
		cmdline, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(cmdline, []byte(dir)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		program, _, _ := strings.Cut(string(cmdline), "\x00")
		found[pid] = filepath.Base(program)
	}
	return found
}

func TestRunUntilSIGTERM(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	began := time.Now()
	r := start(t, dir)
	eventually(t, "everything to be ready", func() bool { return r.ready() || r.ended() })
	if r.ended() {
		t.Fatalf("it ended: %v", r.err)
	}
	t.Logf("ready after %.1f s", time.Since(began).Seconds())

	t.Run("the env file is enough for kubectl", func(t *testing.T) {
		script := fmt.Sprintf("source %s && kubectl get pulsarfunctions -o jsonpath='{.items[*].spec.name}' && curl --version >/dev/null && curl -sf $PULSAR_ADMIN_URL%s", quote(filepath.Join(dir, envName)), functionsPath)
		out, err := exec.Command("bash", "-c", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, name := range []string{"wordcount", `"exclamation"`, `"wordcount"`} {
			if !strings.Contains(string(out), name) {
				t.Errorf("%s is missing in %s", name, out)
			}
		}
	})
	t.Run("the session of README.md", func(t *testing.T) { testSession(t, dir) })
	t.Run("the examples", func(t *testing.T) { testExamples(t, dir) })
	t.Run("a second run says so", func(t *testing.T) {
		second, out := command(t, dir, freePort(t), nil)
		err := second.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(out.String(), "another one is running") {
			t.Errorf("%v: %s", err, out)
		}
		if !r.ready() {
			t.Error("it removed the first one's ready file")
		}
	})
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-r.done
	if r.err != nil {
		t.Errorf("it ended with %v", r.err)
	}
	if r.ready() {
		t.Error("it left the ready file")
	}
	if left := processes(t, dir); len(left) > 0 {
		t.Errorf("it left processes: %v", left)
	}
}

func TestRunEndsWhenAComponentDies(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	r := start(t, dir)
	eventually(t, "everything to be ready", func() bool { return r.ready() || r.ended() })
	for pid, name := range processes(t, dir) {
		if name == "functionmesh-apiserver" {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	<-r.done
	if r.err == nil || !strings.Contains(r.output.String(), "functionmesh-apiserver ended unexpectedly (signal: killed)") {
		t.Errorf("it ended with %v", r.err)
	}
	if left := processes(t, dir); len(left) > 0 || r.ready() {
		t.Errorf("it left processes %v, ready file: %t", left, r.ready())
	}
}

// TestRunEndsWithItsParent kills what stands for make.
func TestRunEndsWithItsParent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	r := start(t, dir, "bash", "-c", `"$@"; exit`, "make")
	eventually(t, "etcd to start", func() bool {
		names := processes(t, dir)
		for _, name := range names {
			if name == "etcd" {
				return true
			}
		}
		return r.ended()
	})
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.done
	eventually(t, "all processes to end", func() bool { return len(processes(t, dir)) == 0 })
}

func TestTakenPortIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	cmd, out := command(t, filepath.Join(t.TempDir(), "state"), port, nil)
	if err := cmd.Run(); err == nil || !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
		return strings.Contains(line, fmt.Sprintf("127.0.0.1:%d", port)) && strings.Contains(line, "in use by another process")
	}) {
		t.Errorf("%v: %s", err, out)
	}
}
