package pulsarclients

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	javaFolder = "java"
	// javaProgram runs commands of pulsar-admin without a JVM for each.
	javaProgram = "Commands.java"
	javaTool    = "org.apache.pulsar.admin.cli.PulsarAdminTool"

	// fetchTimeout is for Maven to fetch the client for the first time.
	fetchTimeout = 10 * time.Minute
)

// javaFlags make a JVM that lives for seconds start sooner.
var javaFlags = []string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"}

// javaIsOff tells whether somebody without JDK, Maven or network said so.
func javaIsOff() bool { return os.Getenv("PULSAR_JAVA_CLIENT") == "off" }

const javaHelp = "the tests with Pulsar's Java client need JDK 17, Maven and Maven Central; PULSAR_JAVA_CLIENT=off leaves them out"

// javaClasspath returns the class path of Pulsar's command line. Maven is asked once
// and its answer kept beside the programs.
var javaClasspath = sync.OnceValues(func() (string, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", fmt.Errorf("%w: %s", err, javaHelp)
	}
	pom, err := os.ReadFile(filepath.Join(javaFolder, "pom.xml"))
	if err != nil {
		return "", fmt.Errorf("could not read what to fetch: %w", err)
	}
	sum := sha256.Sum256(pom)
	kept := filepath.Join(world.binDir, "pulsar-admin-"+hex.EncodeToString(sum[:6])+".classpath")
	if classpath, err := os.ReadFile(kept); err == nil && allExist(string(classpath)) {
		return string(classpath), nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", fmt.Errorf("%w: %s", err, javaHelp)
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	// A name of its own: another test run may do the same.
	temporary := fmt.Sprintf("%s.%d", kept, os.Getpid())
	defer os.Remove(temporary)
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", filepath.Join(javaFolder, "pom.xml"),
		"dependency:build-classpath", "-Dmdep.outputFile="+temporary)
	if output, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("could not fetch Pulsar's Java client (%s): %w: %s", javaHelp, err, output)
	}
	classpath, err := os.ReadFile(temporary)
	if err != nil {
		return "", fmt.Errorf("could not read the class path that Maven wrote: %w", err)
	}
	if err := os.Rename(temporary, kept); err != nil {
		return "", fmt.Errorf("could not keep the class path: %w", err)
	}
	return string(classpath), nil
})

func allExist(classpath string) bool {
	for _, path := range filepath.SplitList(strings.TrimSpace(classpath)) {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

// ran is how a command of pulsar-admin ended.
type ran struct {
	Exit int    `json:"exit"`
	Out  string `json:"out"`
	Err  string `json:"err"`
}

// jvm is the JVM that runs javaProgram.
type jvm struct {
	// lock is held for the length of a command.
	lock     sync.Mutex
	process  *exec.Cmd
	requests io.WriteCloser
	answers  *bufio.Reader
	stderr   bytes.Buffer
}

var (
	javaLock sync.Mutex
	running  *jvm
)

// java returns the JVM, which it starts when it is needed for the first time.
func java(t *testing.T) *jvm {
	t.Helper()
	javaLock.Lock()
	defer javaLock.Unlock()
	if running != nil {
		return running
	}
	classpath := must[string](t)(javaClasspath())
	started := &jvm{process: exec.Command("java", append(javaFlags, "-cp", strings.TrimSpace(classpath), filepath.Join(javaFolder, javaProgram))...)}
	// It ends with this process, however that does.
	started.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	started.process.Stderr = &started.stderr
	started.requests = must[io.WriteCloser](t)(started.process.StdinPipe())
	started.answers = bufio.NewReader(must[io.ReadCloser](t)(started.process.StdoutPipe()))
	if err := started.process.Start(); err != nil {
		t.Fatal(err)
	}
	running = started
	return running
}

// stopJava ends the JVM, which does so when there is nothing more to read.
func stopJava() {
	javaLock.Lock()
	defer javaLock.Unlock()
	if running == nil {
		return
	}
	running.requests.Close()
	timer := time.AfterFunc(waitTimeout, func() { _ = running.process.Process.Kill() })
	defer timer.Stop()
	if err := running.process.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "the JVM ended with %v: %s", err, running.stderr.String())
	}
}

// pulsarAdmin runs a command of Pulsar's command line against the shim.
func pulsarAdmin(t *testing.T, args ...string) ran {
	t.Helper()
	return pulsarAdminAt(t, world.env.ShimURL(), args...)
}

func pulsarAdminAt(t *testing.T, url string, args ...string) ran {
	t.Helper()
	client := java(t)
	client.lock.Lock()
	defer client.lock.Unlock()
	timer := time.AfterFunc(waitTimeout, func() { _ = client.process.Process.Kill() })
	defer timer.Stop()
	line := encode(t, append([]string{"--admin-url", url}, args...))
	must[int](t)(io.WriteString(client.requests, line+"\n"))
	reply, err := client.answers.ReadBytes('\n')
	if err != nil {
		t.Fatalf("pulsar-admin %v: no answer from the JVM (%v)", args, err)
	}
	var result ran
	if err := json.Unmarshal(reply, &result); err != nil {
		t.Fatalf("pulsar-admin %v: %v: %s", args, err, reply)
	}
	return result
}

// pulsarAdminProcess runs a command as a user's shell does, in a process of its own.
func pulsarAdminProcess(t *testing.T, args ...string) ran {
	t.Helper()
	classpath := must[string](t)(javaClasspath())
	arguments := append(append([]string{}, javaFlags...), "-cp", strings.TrimSpace(classpath), javaTool,
		writeFile(t, "client.conf", "webServiceUrl="+world.env.ShimURL()+"/\n"))
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", append(arguments, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ran{Exit: cmd.ProcessState.ExitCode(), Out: out.String(), Err: errs.String()}
}

// expectRan checks that a command did what it was told.
func expectRan(t *testing.T, what string, got ran, out string) {
	t.Helper()
	if got.Exit != 0 || strings.TrimSpace(got.Out) != out {
		t.Fatalf("%s: exit code %d, output %q, errors %q", what, got.Exit, got.Out, got.Err)
	}
}

// expectRefused checks that a command ended with the reason that the shim gave, as a
// user gets to see it.
func expectRefused(t *testing.T, what string, got ran, reason string) {
	t.Helper()
	if got.Exit != 1 || !strings.HasSuffix(strings.TrimSpace(got.Err), "Reason: "+reason) {
		t.Errorf("%s: exit code %d, output %q, errors %q, not a refusal because %q", what, got.Exit, got.Out, got.Err, reason)
	}
}
