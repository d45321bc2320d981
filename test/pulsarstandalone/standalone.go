// Package pulsarstandalone runs a real Pulsar for tests: broker, bookie, metadata and
// functions worker in one JVM, made of what Maven Central serves, all of it on
// loopback and in a folder of the test.
package pulsarstandalone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

const (
	// Version is what pom.xml asks for.
	Version = "4.0.7"
	// SuperUser is the role that may do everything where there are tokens.
	SuperUser = "admin"

	mainClass    = "org.apache.pulsar.PulsarStandaloneStarter"
	attempts     = 3
	stopGrace    = 5 * time.Second
	askTimeout   = 5 * time.Second
	maxErrorBody = 4 << 10
)

// flags keep the JVM small, let it start soon, and open to it what Pulsar's own start
// script does.
var flags = []string{
	"-Xmx1g", "-XX:MaxDirectMemorySize=512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
	"--add-opens=java.base/java.io=ALL-UNNAMED", "--add-opens=java.base/java.util=ALL-UNNAMED",
	"--add-opens=java.base/java.util.zip=ALL-UNNAMED", "--add-opens=java.base/java.nio=ALL-UNNAMED",
	"--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
	"--add-opens=java.base/jdk.internal.platform=ALL-UNNAMED", "--add-opens=java.management/sun.management=ALL-UNNAMED",
	"-Dio.netty.tryReflectionSetAccessible=true",
}

// Options says where to find things and where to put them.
type Options struct {
	// Repository is the checkout of this repository, whose bin keeps what was fetched.
	Repository string
	// Dir receives all state. It should be empty.
	Dir string
	// RunInstances has Pulsar run what it is given.
	RunInstances bool
	// TokenSecretFile has the secret that signs the tokens without which nobody gets in, and
	// SuperUserToken is that of role SuperUser. Such a Pulsar has no functions worker.
	TokenSecretFile, SuperUserToken string
	// StatePort is where Pulsar's table service listens, in which functions keep state.
	// Without one there is none.
	StatePort int
	// TLSCertFile and TLSKeyFile, when set, have it be reached by TLS as well, at ports of
	// their own.
	TLSCertFile, TLSKeyFile string
	// Logf, when set, is told each step in one line.
	Logf func(format string, args ...any)
}

// Pulsar is a running Pulsar.
type Pulsar struct {
	// Code are the packages that were built of this package's Java sources.
	Code Code

	server *controlplane.Server
	binary int
	// tlsWeb and tlsBinary are the ports with TLS.
	tlsWeb, tlsBinary int
	state             int
	java              []string
	dir               string
}

// Unavailable says that a Pulsar can't be had on this machine.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string { return "no Pulsar can be had here: " + e.Err.Error() }
func (e *Unavailable) Unwrap() error { return e.Err }

// Start fetches and starts Pulsar, and returns when its functions worker answers. The
// error is an *Unavailable where the machine lacks what it takes.
func Start(ctx context.Context, options Options) (*Pulsar, error) {
	if options.Logf == nil {
		options.Logf = func(string, ...any) {}
	}
	sources := filepath.Join(options.Repository, "test", "pulsarstandalone")
	options.Logf("fetching Pulsar %s", Version)
	classpath, err := javaclient.Classpath(ctx, filepath.Join(sources, "pom.xml"), filepath.Join(options.Repository, "bin"), "pulsar-standalone")
	if err != nil {
		return nil, &Unavailable{err}
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, &Unavailable{err}
	}
	options.Logf("compiling functions and connectors")
	pulsar := &Pulsar{dir: options.Dir, state: options.StatePort}
	if pulsar.Code, err = build(ctx, filepath.Join(sources, "java"), filepath.Join(options.Dir, "code"), classpath); err != nil {
		return nil, err
	}
	options.Logf("starting Pulsar")
	pulsar.java = append(append([]string{java}, flags...), "-cp", classpath+string(os.PathListSeparator)+pulsar.Code.Jar)
	runtime := noInstances
	if options.RunInstances {
		runtime = threads
	}
	for attempt := 1; ; attempt++ {
		err = pulsar.start(ctx, java, classpath, filepath.Join(options.Dir, "pulsar-"+strconv.Itoa(attempt)), runtime, options)
		if err == nil {
			return pulsar, nil
		}
		// Java quotes the system's error in other letters than Go programs do.
		if attempt == attempts || !strings.Contains(err.Error(), "Address already in use") {
			return nil, err
		}
	}
}

func (p *Pulsar) start(ctx context.Context, java, classpath, dir, runtime string, options Options) error {
	web, err := controlplane.FreePort()
	if err != nil {
		return err
	}
	p.binary, err = controlplane.FreePort()
	if err != nil {
		return err
	}
	for _, port := range []*int{&p.tlsWeb, &p.tlsBinary} {
		if *port, err = controlplane.FreePort(); err != nil {
			return err
		}
	}
	storage := []string{"--no-stream-storage"}
	// With another locale, a function whose name isn't ASCII ends the whole process.
	// The path is for the worker not to find programs that run instances.
	environment := []string{"LC_ALL=C.UTF-8", "PATH=" + filepath.Join(dir, "temporary")}
	if p.state != 0 {
		var variable string
		if storage, variable, err = withState(dir, p.state); err != nil {
			return err
		}
		environment = append(environment, variable)
	}
	files, err := p.writeConfig(dir, web, runtime, options)
	if err != nil {
		return err
	}
	arguments := append(append([]string{}, flags...), "-Djava.io.tmpdir="+files.temporary, "-cp", classpath, mainClass,
		"--config", files.broker, "--functions-worker-conf", files.worker, "--advertised-address", controlplane.Loopback,
		"--metadata-dir", files.metadata, "--bookkeeper-dir", files.bookkeeper, "--wipe-data")
	arguments = append(arguments, storage...)
	ready := "/admin/v2/worker/cluster/leader/ready"
	if options.TokenSecretFile != "" {
		arguments = append(arguments, "--no-functions-worker")
		ready = "/admin/v2/namespaces/public"
	}
	p.server, err = controlplane.StartServer(ctx, controlplane.ServerOptions{
		Process: controlplane.ProcessOptions{
			Name: "pulsar", Path: java, LogPath: filepath.Join(dir, "pulsar.log"),
			Env: environment,
		},
		Port: web,
		Args: func(int) []string { return arguments },
		Ready: func(ctx context.Context, port int) error {
			return askAs(ctx, options.SuperUserToken, http.MethodGet, webURL(port)+ready, nil, "")
		},
		Grace: stopGrace,
	})
	return err
}

// Stop ends Pulsar.
func (p *Pulsar) Stop() { p.server.Stop() }

// URL returns the base URL for admin clients.
func (p *Pulsar) URL() string { return webURL(p.server.Port()) }

// TLSURL returns the base URL for admin clients with TLS, at a host that is this machine.
func (p *Pulsar) TLSURL(host string) string {
	return "https://" + net.JoinHostPort(host, strconv.Itoa(p.tlsWeb))
}

// LogPath returns the file with what Pulsar says.
func (p *Pulsar) LogPath() string { return p.server.Process().LogPath() }

func webURL(port int) string {
	return "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port))
}

// ask sends a request and expects success.
func ask(ctx context.Context, method, url string, body io.Reader, contentType string) error {
	return askAs(ctx, "", method, url, body, contentType)
}

// askAs is ask with a token.
func askAs(ctx context.Context, token, method, url string, body io.Reader, contentType string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return fmt.Errorf("could not make a request: %w", err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("could not reach Pulsar: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil {
		return fmt.Errorf("could not read Pulsar's answer: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return errors.New(method + " " + url + ": " + response.Status + ": " + string(text))
	}
	return nil
}
