package controlplane

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tailBytes bounds how much of a process's log an error quotes.
const tailBytes = 4 << 10

// ProcessOptions describes a child process.
type ProcessOptions struct {
	// Name is what messages call the process.
	Name string
	// Path is the program's file; Args excludes the program's name.
	Path string
	Args []string
	// Env is added to the few variables that every child gets. A child doesn't
	// inherit the parent's environment: it would bring credentials and proxy
	// settings that make two machines behave differently.
	Env []string
	// LogPath is the file that receives the child's stdout and stderr. It is
	// appended to, so that a restarted process keeps its history.
	LogPath string
}

// Process is a running child that dies with its parent, however that dies.
type Process struct {
	options  ProcessOptions
	cmd      *exec.Cmd
	logStart int64
	stopping atomic.Bool
	done     chan struct{}
	// err and unasked are written before done is closed.
	err     error
	unasked bool
}

// UnexpectedExit is the error for a child that ended on its own.
type UnexpectedExit struct {
	Name    string
	Err     error
	LogPath string
	// LogTail is the end of what this process (not an earlier one with the
	// same log) wrote.
	LogTail string
}

func (e *UnexpectedExit) Error() string {
	return fmt.Sprintf("%s ended unexpectedly (%v); the end of %s:\n%s", e.Name, e.Err, e.LogPath, e.LogTail)
}

func (e *UnexpectedExit) Unwrap() error { return e.Err }

// spawn runs f on the one thread that starts all children. PR_SET_PDEATHSIG
// fires when the *thread* that forked the child ends, and the Go runtime ends
// threads as it likes (golang/go issue 27505), so that thread is locked to a
// goroutine which lives as long as this process.
var spawn = sync.OnceValue(func() func(f func()) {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return func(f func()) {
		done := make(chan struct{})
		work <- func() {
			defer close(done)
			f()
		}
		<-done
	}
})

// StartProcess starts a child in a process group of its own, so that a Ctrl-C
// in a terminal reaches only the parent, which stops its children in order.
func StartProcess(options ProcessOptions) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(options.LogPath), 0o700); err != nil {
		return nil, fmt.Errorf("could not create the log directory of %s: %w", options.Name, err)
	}
	log, err := os.OpenFile(options.LogPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("could not open the log of %s: %w", options.Name, err)
	}
	defer log.Close()
	start, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("could not find the end of the log of %s: %w", options.Name, err)
	}

	cmd := exec.Command(options.Path, options.Args...)
	cmd.Env = append(baseEnv(), options.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &Process{options: options, cmd: cmd, logStart: start, done: make(chan struct{})}
	spawn()(func() { err = cmd.Start() })
	if err != nil {
		return nil, fmt.Errorf("could not start %s: %w", options.Name, err)
	}
	go p.wait()
	return p, nil
}

func baseEnv() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "GOTRACEBACK", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func (p *Process) wait() {
	err := p.cmd.Wait()
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.err = err
	p.unasked = !p.stopping.Load()
	close(p.done)
}

// ReportTo sends the exit to unexpected when the process ends, or has ended,
// without Stop or Kill. The send never blocks: give the channel a buffer.
func (p *Process) ReportTo(unexpected chan<- *UnexpectedExit) {
	go func() {
		<-p.done
		if !p.unasked {
			return
		}
		select {
		case unexpected <- p.exit():
		default:
		}
	}()
}

func (p *Process) exit() *UnexpectedExit {
	return &UnexpectedExit{Name: p.options.Name, Err: p.err, LogPath: p.options.LogPath, LogTail: p.LogTail()}
}

// Name returns the name that messages use.
func (p *Process) Name() string { return p.options.Name }

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal to the process. One that makes it exit is reported as
// unexpected: only Stop and Kill announce an end.
func (p *Process) Signal(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("could not send %s to %s: %w", signal, p.options.Name, err)
	}
	return nil
}

// Stop asks the process to end with SIGTERM, kills it when it still runs after
// grace, and returns when it is gone.
func (p *Process) Stop(grace time.Duration) {
	p.stopping.Store(true)
	if p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-p.done:
			return
		case <-timer.C:
		}
	}
	p.Kill()
}

// Kill ends the process at once with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.stopping.Store(true)
	// The only possible error says that the process is gone already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// LogTail returns the last lines that this process wrote.
func (p *Process) LogTail() string {
	f, err := os.Open(p.options.LogPath)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err.Error()
	}
	offset := max(p.logStart, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(f, offset, tailBytes))
	if err != nil {
		return err.Error()
	}
	if offset > p.logStart {
		// The cut probably went through a line.
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			data = data[i+1:]
		}
	}
	return strings.TrimRight(string(data), "\n")
}

// portTaken says whether the process gave up because another one listens on
// its port. All components here are Go programs, whose errors quote EADDRINUSE.
func (p *Process) portTaken() bool {
	return strings.Contains(p.LogTail(), syscall.EADDRINUSE.Error())
}

// LogPath returns the file that receives what the process writes.
func (p *Process) LogPath() string { return p.options.LogPath }
