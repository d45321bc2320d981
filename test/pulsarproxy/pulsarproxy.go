// Package pulsarproxy runs a real Pulsar proxy for tests, of what Maven Central serves.
package pulsarproxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

const (
	mainClass = "org.apache.pulsar.proxy.server.ProxyServiceStarter"
	stopGrace = 5 * time.Second
)

// flags keep the JVM small, let it start soon, and open to it what Pulsar's own start
// script does.
var flags = []string{
	"-Xmx512m", "-XX:MaxDirectMemorySize=256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto",
	"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
	"--add-opens=java.management/sun.management=ALL-UNNAMED", "-Dio.netty.tryReflectionSetAccessible=true",
}

// Options says where to find things and what the proxy is told.
type Options struct {
	// Repository is the checkout of this repository, whose bin keeps what was fetched.
	Repository string
	// Name tells the proxy and its files from others.
	Name string
	// Dir receives its files.
	Dir string
	// Settings are lines of proxy.conf, beside those for ports and cluster.
	Settings map[string]string
}

// Proxy is a running Pulsar proxy. Its broker doesn't exist.
type Proxy struct {
	server        *controlplane.Server
	plain, secure int
}

// Start fetches and starts a proxy, and returns when it answers.
func Start(ctx context.Context, options Options) (*Proxy, error) {
	classpath, err := javaclient.Classpath(ctx, filepath.Join(options.Repository, "test", "pulsarproxy", "pom.xml"), filepath.Join(options.Repository, "bin"), "pulsar-proxy")
	if err != nil {
		return nil, err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("could not find a JVM: %w", err)
	}
	proxy := &Proxy{}
	var binary int
	for _, port := range []*int{&proxy.plain, &proxy.secure, &binary} {
		if *port, err = controlplane.FreePort(); err != nil {
			return nil, err
		}
	}
	lines := []string{
		"clusterName=test", "bindAddress=" + controlplane.Loopback, "servicePort=" + strconv.Itoa(binary), "webServicePort=" + strconv.Itoa(proxy.plain),
		"brokerServiceURL=pulsar://127.0.0.1:1", "brokerWebServiceURL=http://127.0.0.1:1", "brokerServiceURLTLS=pulsar+ssl://127.0.0.1:1", "brokerWebServiceURLTLS=https://127.0.0.1:1",
	}
	if options.Settings["tlsCertificateFilePath"] != "" {
		lines = append(lines, "webServicePortTls="+strconv.Itoa(proxy.secure))
	}
	for name, value := range options.Settings {
		lines = append(lines, name+"="+value)
	}
	slices.Sort(lines)
	config := filepath.Join(options.Dir, options.Name+".conf")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("could not configure the proxy: %w", err)
	}
	proxy.server, err = controlplane.StartServer(ctx, controlplane.ServerOptions{
		Process: controlplane.ProcessOptions{Name: options.Name, Path: java, LogPath: filepath.Join(options.Dir, options.Name+".log")},
		Port:    proxy.plain,
		Args: func(int) []string {
			return append(slices.Clone(flags), "-cp", classpath, mainClass, "--config", config)
		},
		Ready: ready,
		Grace: stopGrace,
	})
	return proxy, err
}

// ready returns nil once the proxy speaks HTTP, whatever it says.
func ready(ctx context.Context, port int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address(port)+"/status.html", nil)
	if err != nil {
		return fmt.Errorf("could not make a request: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// URL and SecureURL return the base URLs for admin clients.
func (p *Proxy) URL() string       { return "http://" + address(p.plain) }
func (p *Proxy) SecureURL() string { return "https://" + address(p.secure) }

// LogPath returns the file with what the proxy says.
func (p *Proxy) LogPath() string { return p.server.Process().LogPath() }

// Stop ends the proxy.
func (p *Proxy) Stop() { p.server.Stop() }

func address(port int) string { return net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port)) }
