package trigger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

const (
	// program is the one that runs, also when its file has been replaced meanwhile.
	program = "/proc/self/exe"
	// killDelay is how long the pipes of a process that was killed are waited for.
	killDelay = time.Second
	// maxHeader bounds what comes before an answer, maxComplaint what a process writes
	// of its own end.
	maxHeader    = 16 << 10
	maxComplaint = 4 << 10
)

// run has a process of its own make an exchange, and kills it when the context ends.
func run(ctx context.Context, asked request) (answer []byte, answered bool, err error) {
	header, err := json.Marshal(asked)
	if err != nil {
		return nil, false, fmt.Errorf("could not write a request: %w", err)
	}
	process := exec.CommandContext(ctx, program, ChildArgument)
	process.Env = environment()
	process.WaitDelay = killDelay
	said, complaint := &bounded{limit: maxHeader + MaxAnswerBytes}, &bounded{limit: maxComplaint}
	process.Stdout, process.Stderr = said, complaint
	// It stays open: its end tells the process that this one is gone.
	input, err := process.StdinPipe()
	if err != nil {
		return nil, false, fmt.Errorf("could not make a pipe: %w", err)
	}
	if err := process.Start(); err != nil {
		return nil, false, fmt.Errorf("could not start a process: %w", err)
	}
	// A process that doesn't read it ends in another way, which says more.
	_, _ = io.Copy(input, io.MultiReader(bytes.NewReader(header), bytes.NewReader(newline), bytes.NewReader(asked.Value)))
	if err := process.Wait(); err != nil {
		// The rest of what it wrote may be anything that it has read.
		if complaint.ofMemory() {
			err = fmt.Errorf("%w, out of memory", err)
		}
		return nil, false, fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return said.outcome()
}

// environment is that of a process: where the system's certificates are, and nothing that
// somebody gave this process for itself.
func environment() []string {
	variables := []string{"GOMAXPROCS=2", "GOTRACEBACK=none"}
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			variables = append(variables, name+"="+value)
		}
	}
	return variables
}

// bounded is the beginning of what a process writes. A process that writes more than the
// limit can't go on.
type bounded struct {
	limit   int
	content []byte
}

var errTooMuch = errors.New("it says too much")

// Write implements io.Writer.
func (b *bounded) Write(data []byte) (int, error) {
	taken := min(len(data), b.limit-len(b.content))
	b.content = append(b.content, data[:taken]...)
	if taken < len(data) {
		return taken, errTooMuch
	}
	return taken, nil
}

// ofMemory tells whether Go's runtime wrote that there is no more memory: for the heap, for
// what it keeps of that, or for a thread's stack.
func (b *bounded) ofMemory() bool {
	for _, text := range []string{"out of memory", "cannot allocate memory", "failed to create new OS thread"} {
		if bytes.Contains(b.content, []byte(text)) {
			return true
		}
	}
	return false
}

// outcome reads what a process that ended well has said.
func (b *bounded) outcome() (answer []byte, answered bool, err error) {
	header, answer, found := bytes.Cut(b.content, newline)
	var came outcome
	if !found || json.Unmarshal(header, &came) != nil {
		return nil, false, fmt.Errorf("%w: it said something else", ErrEnded)
	}
	if came.Failure != "" {
		return nil, false, came.failure()
	}
	return answer, came.Answered, nil
}
