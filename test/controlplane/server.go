package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

const (
	// Loopback is the address that every component listens on.
	Loopback = "127.0.0.1"
	// portAttempts bounds how often a start is repeated because somebody else
	// took the port between choosing and using it.
	portAttempts = 5
	// pollInterval is the pause between two questions whether something is ready.
	pollInterval = 50 * time.Millisecond
)

// ErrPortTaken says that a process ended because another one listens on its port.
var ErrPortTaken = errors.New("the port is in use by another process")

// ServerOptions describes a child process that listens on a port.
type ServerOptions struct {
	// Process says how to start it; its Args are replaced by those below.
	Process ProcessOptions
	// Port to listen on, or 0 for any free one.
	Port int
	// Args returns the arguments for a port.
	Args func(port int) []string
	// Ready returns nil once the server answers on port. It is asked again and
	// again until the context of the start ends. It should tell this server from
	// another one on the same port, for instance by the server's certificate.
	Ready func(ctx context.Context, port int) error
	// Grace is how long Stop waits between SIGTERM and SIGKILL.
	Grace time.Duration
	// Unexpected receives the exit of a server that was ready and then ended
	// without Stop.
	Unexpected chan<- *UnexpectedExit
}

// Server is a child process that listens on a port. It can be stopped and
// started again, on the same port. It is not safe for concurrent use.
type Server struct {
	options ServerOptions
	port    int
	process *Process
}

// StartServer starts a server and returns once it is ready.
func StartServer(ctx context.Context, options ServerOptions) (*Server, error) {
	s := &Server{options: options, port: options.Port}
	for attempt := 1; ; attempt++ {
		if options.Port == 0 {
			port, err := FreePort()
			if err != nil {
				return nil, err
			}
			s.port = port
		}
		err := s.Start(ctx)
		if err == nil {
			return s, nil
		}
		if options.Port != 0 || attempt == portAttempts || !errors.Is(err, ErrPortTaken) {
			return nil, err
		}
	}
}

// Start starts a stopped server on the port it had and returns once it is ready.
func (s *Server) Start(ctx context.Context) error {
	options := s.options.Process
	options.Args = s.options.Args(s.port)
	process, err := StartProcess(options)
	if err != nil {
		return err
	}
	err = waitUntil(ctx, process, func(ctx context.Context) error { return s.options.Ready(ctx, s.port) })
	if err != nil {
		process.Kill()
		return err
	}
	s.process = process
	if s.options.Unexpected != nil {
		process.ReportTo(s.options.Unexpected)
	}
	return nil
}

// Stop ends the server and returns when it is gone.
func (s *Server) Stop() { s.process.Stop(s.options.Grace) }

// Restart stops the server and starts it again on the same port.
func (s *Server) Restart(ctx context.Context) error {
	s.Stop()
	return s.Start(ctx)
}

// Port returns the port that the server listens on.
func (s *Server) Port() int { return s.port }

// Process returns the running process, or the last one.
func (s *Server) Process() *Process { return s.process }

// waitUntil asks ready until it returns nil. It gives up, quoting the log, when
// the process ends or the context does.
func waitUntil(ctx context.Context, process *Process, ready func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := ready(ctx)
		// The process is asked last: an answer may have come from somebody
		// else who listens on the same port.
		select {
		case <-process.Done():
			if process.portTaken() {
				return fmt.Errorf("%w: %w", ErrPortTaken, process.exit())
			}
			return process.exit()
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-process.Done():
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s did not become ready (%w): %w; the end of %s:\n%s",
				process.Name(), context.Cause(ctx), err, process.options.LogPath, process.LogTail())
		}
	}
}

// FreePort returns a port that nobody listened on a moment ago.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(Loopback, "0"))
	if err != nil {
		return 0, fmt.Errorf("could not find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
