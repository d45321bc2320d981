// Package javaclient runs pulsar-admin, Pulsar's own command line, for tests. Most
// commands share a JVM, whose start takes far longer than a command.
package javaclient

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	// program runs commands of pulsar-admin without a JVM for each.
	program = "Commands.java"
	tool    = "org.apache.pulsar.admin.cli.PulsarAdminTool"
	// stopGrace is how long the JVM may take to end.
	stopGrace = time.Minute
)

// flags make a JVM that lives for seconds start sooner.
var flags = []string{"-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"}

// Result is how a command of pulsar-admin ended.
type Result struct {
	Exit int    `json:"exit"`
	Out  string `json:"out"`
	Err  string `json:"err"`
}

// Client runs commands. It is safe for concurrent use, and runs one at a time.
type Client struct {
	folder, binDir string

	fetchOnce sync.Once
	classpath string
	fetchErr  error

	// lock is held for the length of a command.
	lock     sync.Mutex
	process  *exec.Cmd
	requests io.WriteCloser
	answers  *bufio.Reader
	stderr   bytes.Buffer
}

// New returns a client for a checkout of the repository. What is fetched once stays
// in binDir. Nothing runs before it is needed.
func New(repository, binDir string) *Client {
	return &Client{folder: filepath.Join(repository, "test", "javaclient", "java"), binDir: binDir}
}

// Fetch has Pulsar's command line there, or says why that can't be.
func (c *Client) Fetch() error {
	c.fetchOnce.Do(func() {
		c.classpath, c.fetchErr = Classpath(context.Background(), filepath.Join(c.folder, "pom.xml"), c.binDir, "pulsar-admin")
	})
	return c.fetchErr
}

func (c *Client) start() error {
	if c.process != nil {
		return nil
	}
	if err := c.Fetch(); err != nil {
		return err
	}
	process := exec.Command("java", append(append([]string{}, flags...), "-cp", c.classpath, filepath.Join(c.folder, program))...)
	// It ends with this process, however that does: its input does.
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Stderr = &c.stderr
	requests, err := process.StdinPipe()
	if err != nil {
		return fmt.Errorf("could not make the JVM's input: %w", err)
	}
	answers, err := process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("could not make the JVM's output: %w", err)
	}
	if err := process.Start(); err != nil {
		return fmt.Errorf("could not start a JVM: %w", err)
	}
	c.process, c.requests, c.answers = process, requests, bufio.NewReader(answers)
	return nil
}

// Run runs a command against an admin URL, in the JVM that all commands share.
func (c *Client) Run(ctx context.Context, url string, args ...string) (Result, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if err := c.start(); err != nil {
		return Result{}, err
	}
	line, err := json.Marshal(append([]string{"--admin-url", url}, args...))
	if err != nil {
		return Result{}, fmt.Errorf("could not encode a command: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = c.process.Process.Kill() })()
	if _, err := c.requests.Write(append(line, '\n')); err != nil {
		return Result{}, fmt.Errorf("could not tell the JVM a command: %w", err)
	}
	reply, err := c.answers.ReadBytes('\n')
	if err != nil {
		return Result{}, fmt.Errorf("pulsar-admin %v: no answer from the JVM: %w", args, err)
	}
	var result Result
	if err := json.Unmarshal(reply, &result); err != nil {
		return Result{}, fmt.Errorf("pulsar-admin %v: %w: %s", args, err, reply)
	}
	return result, nil
}

// RunProcess runs a command as a user's shell does, in a process of its own, with a
// configuration file in dir.
func (c *Client) RunProcess(ctx context.Context, dir, url string, args ...string) (Result, error) {
	if err := c.Fetch(); err != nil {
		return Result{}, err
	}
	config := filepath.Join(dir, "client.conf")
	if err := os.WriteFile(config, []byte("webServiceUrl="+url+"/\n"), 0o600); err != nil {
		return Result{}, fmt.Errorf("could not configure pulsar-admin: %w", err)
	}
	arguments := append(append([]string{}, flags...), "-cp", c.classpath, tool, config)
	cmd := exec.CommandContext(ctx, "java", append(arguments, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("could not run pulsar-admin: %w", err)
	}
	return Result{Exit: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}, nil
}

// Stop ends the JVM, which does so when there is nothing more to read.
func (c *Client) Stop() error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.process == nil {
		return nil
	}
	c.requests.Close()
	timer := time.AfterFunc(stopGrace, func() { _ = c.process.Process.Kill() })
	defer timer.Stop()
	err := c.process.Wait()
	c.process = nil
	if err != nil {
		return fmt.Errorf("the JVM ended with %w: %s", err, c.stderr.String())
	}
	return nil
}
