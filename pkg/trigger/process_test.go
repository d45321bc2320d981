package trigger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
)

const (
	// limit bounds every wait.
	limit = 2 * time.Minute
	// parentArgument has the test binary be who asks for an exchange.
	parentArgument = "trigger-parent"
)

// TestMain is the test binary's, which is also the program of its exchanges.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == ChildArgument {
		os.Exit(serve(misbehave))
	}
	if len(os.Args) == 3 && os.Args[1] == parentArgument {
		_, _, err := (&Client{}).Send(context.Background(), Message{Topic: "hang", Value: []byte(os.Args[2])})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// hold keeps memory from being collected.
var hold [][]byte

// misbehave makes the exchange that a topic names.
func misbehave(_ context.Context, asked request) ([]byte, bool, error) {
	switch asked.Topic {
	case "echo":
		return asked.Value, true, nil
	case "no answer":
		return nil, false, nil
	case "shows":
		var shown []byte
		for _, file := range []string{"cmdline", "environ"} {
			content, err := os.ReadFile(filepath.Join("/proc/self", file))
			if err != nil {
				return nil, false, err
			}
			shown = append(shown, content...)
		}
		return shown, true, nil
	case "knows":
		return []byte(asked.Token + asked.ServiceURL + asked.WebServiceURL + asked.OutputTopic + string(asked.Authorities)), true, nil
	case "fail":
		for _, known := range []error{ErrNotReady, ErrTimeout, ErrNotAllowed, ErrTooLarge, ErrUntrusted} {
			if known.Error() == string(asked.Value) {
				return nil, false, fmt.Errorf("in vain: %w", known)
			}
		}
		return nil, false, errors.New(string(asked.Value))
	case "schema":
		return nil, false, &schema.Error{Reason: string(asked.Value)}
	case "hang":
		if len(asked.Value) != 0 {
			if err := os.WriteFile(string(asked.Value), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
				return nil, false, err
			}
		}
		time.Sleep(time.Hour)
	case "panic":
		go func() { panic("read " + asked.Token) }()
		select {}
	case "one claim":
		// As large as a message can say that it is.
		hold = append(hold, make([]byte, 1<<32-1))
	case "many claims":
		for range 1 << 10 {
			hold = append(hold, bytes.Repeat([]byte("x"), 1<<20))
		}
	case "says too much":
		return bytes.Repeat([]byte("x"), MaxAnswerBytes+maxHeader), true, nil
	case "says something else":
		_, err := os.Stdout.WriteString("hello\n")
		return nil, true, err
	case "complains":
		for {
			fmt.Fprintln(os.Stderr, asked.Token)
		}
	case "exits":
		os.Exit(0)
	}
	return nil, false, errors.New("there is no such exchange")
}

func bound(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// TestExchanges looks at what goes into a process and comes out of it.
func TestExchanges(t *testing.T) {
	t.Setenv("SECRET", "of-this-process")
	client := &Client{authorities: []byte("CA")}
	large := strings.Repeat("\x00\n", MaxAnswerBytes/2)
	for _, test := range []struct {
		topic, value string
		answer       string
		answered     bool
	}{
		{"echo", "hello", "hello", true},
		{"echo", "", "", true},
		{"echo", "\n{}\n\xff", "\n{}\n\xff", true},
		{"echo", large, large, true},
		{"no answer", "x", "", false},
		{"knows", "", "the-tokenservicewebout\nCA", true},
	} {
		message := Message{Topic: test.topic, Value: []byte(test.value), Token: "the-token", ServiceURL: "service", WebServiceURL: "web", OutputTopic: "out\n"}
		answer, answered, err := client.Send(bound(t), message)
		if err != nil || answered != test.answered || string(answer) != test.answer {
			t.Errorf("%s %.20q: %.20q, %t, %v", test.topic, test.value, answer, answered, err)
		}
	}
	shown, _, err := client.Send(bound(t), Message{Topic: "shows", Token: "the-token"})
	if text := string(shown); err != nil || !strings.Contains(text, ChildArgument) || strings.Contains(text, "the-token") || strings.Contains(text, "SECRET") {
		t.Errorf("the process shows %q, %v", text, err)
	}
}

// TestFailures looks at errors, which are the same on both sides.
func TestFailures(t *testing.T) {
	for _, known := range []error{ErrNotReady, ErrTimeout, ErrNotAllowed, ErrTooLarge, ErrUntrusted} {
		if _, _, err := (&Client{}).Send(bound(t), Message{Topic: "fail", Value: []byte(known.Error())}); !errors.Is(err, known) || err.Error() != "in vain: "+known.Error() {
			t.Errorf("%q: %v", known, err)
		}
	}
	var mismatch *schema.Error
	if _, _, err := (&Client{}).Send(bound(t), Message{Topic: "schema", Value: []byte("no number")}); !errors.As(err, &mismatch) || mismatch.Error() != "no number" {
		t.Errorf("a schema: %v", err)
	}
	_, _, err := (&Client{}).Send(bound(t), Message{Topic: "fail", Value: bytes.Repeat([]byte("x"), 2*maxText)})
	if err == nil || errors.Is(err, ErrEnded) || len(err.Error()) != maxText {
		t.Errorf("another failure: %.50v", err)
	}
}

// TestEnds has processes end in ways that are no outcome.
func TestEnds(t *testing.T) {
	for topic, want := range map[string]string{
		"panic": "exit status 2", "one claim": "exit status 2, out of memory", "many claims": "exit status 2, out of memory",
		"says too much": "", "says something else": "it said something else", "complains": "", "exits": "it said something else",
	} {
		_, _, err := (&Client{}).Send(bound(t), Message{Topic: topic, Token: "the-token"})
		if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "the-token") {
			t.Errorf("%s: %v", topic, err)
		}
	}
}

// started waits until a process has written its number into a file.
func started(t *testing.T, file string) int {
	t.Helper()
	for ctx := bound(t); ; time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(file)
		if text, whole := strings.CutSuffix(string(content), "\n"); err == nil && whole {
			number, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return number
		}
		if ctx.Err() != nil {
			t.Fatalf("no process has started: %v", err)
		}
	}
}

// TestHangs has a process hang until the context of who asked ends.
func TestHangs(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"cancelled": {context.WithCancel, context.Canceled},
		"too long": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 2*time.Second)
		}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "number")
			ctx, cancel := test.end(bound(t))
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, _, err := (&Client{}).Send(ctx, Message{Topic: "hang", Value: []byte(file)})
				done <- err
			}()
			number := started(t, file)
			if test.want == context.Canceled {
				cancel()
			}
			if err := <-done; !errors.Is(err, test.want) {
				t.Errorf("who asked is told %v", err)
			}
			if err := syscall.Kill(number, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the process is there: %v", err)
			}
		})
	}
}

// TestOrphan kills who has asked.
func TestOrphan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "number")
	parent := exec.CommandContext(bound(t), program, parentArgument, file)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	number := started(t, file)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for ctx := bound(t); ; time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", number))
		// Nobody may be there to wait for it.
		if errors.Is(err, os.ErrNotExist) || err == nil && strings.Contains(string(stat), ") Z ") {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the process outlives who asked: %s %v", stat, err)
		}
	}
}

// BenchmarkProcess measures what a process costs, without Pulsar.
func BenchmarkProcess(b *testing.B) {
	for b.Loop() {
		if _, _, err := (&Client{}).Send(b.Context(), Message{Topic: "echo"}); err != nil {
			b.Fatal(err)
		}
	}
}
