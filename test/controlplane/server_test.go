package controlplane

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
)

func address(port int) string { return net.JoinHostPort(Loopback, strconv.Itoa(port)) }

// listenerOptions describes a child that listens on its port.
func listenerOptions(t *testing.T) ServerOptions {
	return ServerOptions{
		Process: child(t, "listen"),
		Grace:   startTimeout,
		Args:    func(port int) []string { return []string{address(port)} },
		Ready: func(ctx context.Context, port int) error {
			connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address(port))
			if err != nil {
				return err
			}
			return connection.Close()
		},
	}
}

// occupy listens on a port until the test ends.
func occupy(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", address(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func TestServerKeepsItsPortOverARestart(t *testing.T) {
	server, err := StartServer(t.Context(), listenerOptions(t))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	port, process := server.Port(), server.Process()
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.Port() != port || server.Process() == process {
		t.Errorf("after a restart: port %d (was %d), same process: %t", server.Port(), port, server.Process() == process)
	}
}

func TestServerTriesAnotherPortWhenItsOwnWasTaken(t *testing.T) {
	options := listenerOptions(t)
	taken, starts := occupy(t), 0
	options.Args = func(port int) []string {
		starts++
		if starts < 3 {
			port = taken
		}
		return []string{address(port)}
	}
	server, err := StartServer(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if starts != 3 {
		t.Errorf("%d starts, want 3", starts)
	}
}

func TestServerGivesUpOnAFixedPort(t *testing.T) {
	options := listenerOptions(t)
	options.Port = occupy(t)
	options.Ready = func(context.Context, int) error { return errors.New("that is not my server") }
	_, err := StartServer(t.Context(), options)
	if !errors.Is(err, ErrPortTaken) {
		t.Errorf("the error is %v, want ErrPortTaken", err)
	}
}

func TestServerThatFailsToStartIsNotTriedAgain(t *testing.T) {
	options := listenerOptions(t)
	options.Process = child(t, "fail")
	starts := 0
	options.Args = func(int) []string { starts++; return nil }
	_, err := StartServer(t.Context(), options)
	var exit *UnexpectedExit
	if !errors.As(err, &exit) || exit.LogTail != "cannot go on" || starts != 1 {
		t.Errorf("after %d starts: %v", starts, err)
	}
}

func TestServerThatNeverBecomesReadyIsKilled(t *testing.T) {
	options := listenerOptions(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	options.Ready = func(context.Context, int) error {
		cancel(errors.New("patience ran out"))
		return errors.New("still warming up")
	}
	_, err := StartServer(ctx, options)
	if err == nil || !strings.Contains(err.Error(), "patience ran out") || !strings.Contains(err.Error(), "still warming up") {
		t.Errorf("the error is %v", err)
	}
}
