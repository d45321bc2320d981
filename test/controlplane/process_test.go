package controlplane

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, options ProcessOptions) *Process {
	t.Helper()
	process, err := StartProcess(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Kill)
	return process
}

func TestProcessStopsOnRequest(t *testing.T) {
	unexpected := make(chan *UnexpectedExit, 1)
	t.Setenv("SECRET", "of-the-parent")
	process := start(t, child(t, "sleep"))
	process.ReportTo(unexpected)
	eventually(t, "the child's first line", func() bool { return process.LogTail() != "" })
	if strings.Contains(process.LogTail(), "of-the-parent") {
		t.Errorf("the child inherited the parent's environment: %s", process.LogTail())
	}
	process.Stop(startTimeout)
	select {
	case exit := <-unexpected:
		t.Errorf("a requested stop was reported: %v", exit)
	default:
	}
}

func TestProcessIsKilledWhenItIgnoresSIGTERM(t *testing.T) {
	process := start(t, child(t, "stubborn"))
	eventually(t, "the child to ignore SIGTERM", func() bool { return process.LogTail() != "" })
	process.Stop(10 * time.Millisecond)
	var exit *exec.ExitError
	if !errors.As(process.err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the child ended with %v, not by SIGKILL", process.err)
	}
}

func TestProcessReportsUnexpectedExitWithItsOwnLog(t *testing.T) {
	options := child(t, "fail")
	if err := os.WriteFile(options.LogPath, []byte("from an earlier process\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	unexpected := make(chan *UnexpectedExit, 1)
	process := start(t, options)
	process.ReportTo(unexpected)
	exit := <-unexpected
	if exit.Name != "fail" || exit.LogTail != "cannot go on" {
		t.Errorf("reported name %q, log tail %q", exit.Name, exit.LogTail)
	}
	var status *exec.ExitError
	if !errors.As(exit, &status) || status.ExitCode() != 3 {
		t.Errorf("the error %q doesn't carry exit code 3", exit)
	}
}

func TestLogTailIsBoundedAndStartsAtALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	line := strings.Repeat("x", 99) + "\n"
	if err := os.WriteFile(path, []byte(strings.Repeat(line, 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	tail := (&Process{options: ProcessOptions{LogPath: path}}).LogTail()
	lines := strings.Split(tail, "\n")
	if len(lines) != tailBytes/100 || lines[0]+"\n" != line {
		t.Errorf("the tail has %d lines and begins with %.120q", len(lines), lines[0])
	}
}
