package trigger

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
)

// ChildArgument is the one argument of a process that is there for an exchange. It is
// handled before flags are.
const ChildArgument = "trigger-exchange"

const (
	// maxMemory bounds what a process for an exchange may write to. Go's runtime sets 66 MiB
	// of it aside and hardly touches them (threads of C would take 8 MiB each: programs
	// are built without them). The rest is for what messages need: one of 5 MiB and its
	// answer take 32.
	maxMemory = 144 << 20
	// targetMemory is what the garbage collector tries to stay below.
	targetMemory = 96 << 20
	// maxText bounds what is said of a failure.
	maxText = 4 << 10
)

var newline = []byte("\n")

// request is what a process reads: itself as JSON in one line, and then the value.
type request struct {
	Message
	// Authorities verify Pulsar's certificates, PEM; the system's do where it is empty.
	Authorities []byte
	ValueBytes  int
}

// outcome is what a process says: itself as JSON in one line, and then the answer.
type outcome struct {
	Answered bool
	// Failure is a key of failures, or another text for what has no error of its own.
	Failure, Text string
}

const (
	failureSchema = "schema"
	failureOther  = "other"
)

var failures = map[string]error{"not ready": ErrNotReady, "timeout": ErrTimeout, "not allowed": ErrNotAllowed, "too large": ErrTooLarge, "untrusted": ErrUntrusted}

// failed is the outcome of an exchange that ended with an error.
func failed(err error) outcome {
	text := err.Error()
	failed := outcome{Failure: failureOther, Text: text[:min(len(text), maxText)]}
	var mismatch *schema.Error
	if errors.As(err, &mismatch) {
		failed.Failure = failureSchema
	}
	for name, known := range failures {
		if errors.Is(err, known) {
			failed.Failure = name
		}
	}
	return failed
}

// failure is the error that an exchange ended with.
func (o outcome) failure() error {
	if o.Failure == failureSchema {
		return &schema.Error{Reason: o.Text}
	}
	return &failure{text: o.Text, known: failures[o.Failure]}
}

// failure has the text of an error of another process.
type failure struct {
	text  string
	known error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.known }

// RunChild makes the exchange that standard input asks for, in a process that is there
// for nothing else, and returns the code to exit with.
func RunChild() int {
	return serve(func(ctx context.Context, asked request) ([]byte, bool, error) {
		exchange, err := newExchange(asked.Authorities)
		if err != nil {
			return nil, false, err
		}
		return exchange.send(ctx, asked.Message)
	})
}

// serve is RunChild with another exchange.
func serve(exchange func(context.Context, request) ([]byte, bool, error)) int {
	if err := serveOne(exchange); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func serveOne(exchange func(context.Context, request) ([]byte, bool, error)) error {
	// What a message makes the library ask for beyond this ends the process.
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: maxMemory, Max: maxMemory}); err != nil {
		return fmt.Errorf("could not bound the memory: %w", err)
	}
	debug.SetMemoryLimit(targetMemory)
	input := bufio.NewReader(os.Stdin)
	var asked request
	header, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(header, &asked)
	}
	if err == nil {
		asked.Value = make([]byte, asked.ValueBytes)
		_, err = io.ReadFull(input, asked.Value)
	}
	if err != nil {
		return fmt.Errorf("could not read a request: %w", err)
	}
	go func() {
		// Who asked is gone. What there is in Pulsar ends with the connection.
		_, _ = io.Copy(io.Discard, input)
		os.Exit(1)
	}()
	answer, answered, err := exchange(context.Background(), asked)
	came := outcome{Answered: answered}
	if err != nil {
		came = failed(err)
	}
	if header, err = json.Marshal(came); err != nil {
		return fmt.Errorf("could not write an outcome: %w", err)
	}
	if _, err := os.Stdout.Write(append(header, '\n')); err != nil {
		return fmt.Errorf("could not write an outcome: %w", err)
	}
	if _, err := os.Stdout.Write(answer); err != nil {
		return fmt.Errorf("could not write an answer: %w", err)
	}
	return nil
}
