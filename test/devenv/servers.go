package devenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

const (
	apiServerProgram = "functionmesh-apiserver"
	shimProgram      = "pulsar-admin-shim"
	// shimCertName is the common name that functionmesh-apiserver expects of shims.
	shimCertName = "pulsar-admin-shim"
	// tokenLifetime outlasts every environment: nothing renews the tokens.
	tokenLifetime = 30 * 24 * time.Hour
	// serverGrace lets watches end in order before a server is killed.
	serverGrace = 15 * time.Second
)

// credentialFiles are what the servers are started with.
type credentialFiles struct {
	kubeconfig          string
	shimKubeconfig      string
	serving, servingKey string
	shimCA              string
	shimClient, shimKey string
	shimToken           string
}

func (e *Env) writeCredentials(ctx context.Context) error {
	dir := filepath.Join(e.ControlPlane.Dir(), "credentials")
	token, err := e.ControlPlane.ServiceAccountToken(ctx, SystemNamespace, APIServerServiceAccount, tokenLifetime)
	if err != nil {
		return err
	}
	e.files.kubeconfig = filepath.Join(dir, "functionmesh-apiserver.kubeconfig")
	if err := e.ControlPlane.KubeconfigFor(e.files.kubeconfig, token); err != nil {
		return err
	}
	// kube-apiserver expects the Service's name, the shim dials localhost.
	serving, err := e.ControlPlane.SignServerCert(
		apiServerProgram+"."+SystemNamespace+".svc", "localhost", controlplane.Loopback)
	if err != nil {
		return err
	}
	if e.files.serving, e.files.servingKey, err = serving.Write(dir, "serving"); err != nil {
		return err
	}
	if e.ShimCA, err = controlplane.NewCA("pulsar-admin-shim-front-proxy"); err != nil {
		return err
	}
	e.files.shimCA = filepath.Join(dir, "shim-front-proxy-ca.crt")
	if err := os.WriteFile(e.files.shimCA, e.ShimCA.CertPEM(), 0o600); err != nil {
		return fmt.Errorf("could not write the CA of shims: %w", err)
	}
	client, err := e.ShimCA.SignClient(shimCertName)
	if err != nil {
		return err
	}
	if e.files.shimClient, e.files.shimKey, err = client.Write(dir, "shim-front-proxy-client"); err != nil {
		return err
	}
	if token, err = e.ControlPlane.ServiceAccountToken(ctx, SystemNamespace, ShimServiceAccount, tokenLifetime); err != nil {
		return err
	}
	e.files.shimKubeconfig = filepath.Join(dir, "pulsar-admin-shim.kubeconfig")
	if err := e.ControlPlane.KubeconfigFor(e.files.shimKubeconfig, token); err != nil {
		return err
	}
	e.files.shimToken = filepath.Join(dir, "shim.token")
	if err := os.WriteFile(e.files.shimToken, []byte(token), 0o600); err != nil {
		return fmt.Errorf("could not write the shim's token: %w", err)
	}
	return nil
}

// APIServerOptions describes one more functionmesh-apiserver.
type APIServerOptions struct {
	// Name tells the replica and its logs from others; default functionmesh-apiserver.
	Name string
	// Config replaces the environment's configuration.
	Config string
	// ExtraArgs are appended to the flags, after the environment's own.
	ExtraArgs []string
}

// StartAPIServer starts a functionmesh-apiserver and returns once it is ready.
// Requests through kube-apiserver go to it after Route. Env.Stop stops it.
func (e *Env) StartAPIServer(ctx context.Context, options APIServerOptions) (*controlplane.Server, error) {
	if options.Name == "" {
		options.Name = apiServerProgram
	}
	if options.Config == "" {
		options.Config = e.options.Config
	}
	configFile := filepath.Join(e.ControlPlane.Dir(), options.Name+"-config.yaml")
	if err := os.WriteFile(configFile, []byte(options.Config), 0o600); err != nil {
		return nil, fmt.Errorf("could not write the configuration of %s: %w", options.Name, err)
	}
	return e.startServer(ctx, controlplane.ServerOptions{
		Process: controlplane.ProcessOptions{Name: options.Name, Path: filepath.Join(e.options.BinDir, apiServerProgram)},
		Args: func(port int) []string {
			return slices.Concat([]string{
				"--bind-address=" + controlplane.Loopback,
				"--secure-port=" + strconv.Itoa(port),
				"--tls-cert-file=" + e.files.serving, "--tls-private-key-file=" + e.files.servingKey,
				"--kubeconfig=" + e.files.kubeconfig,
				"--authentication-kubeconfig=" + e.files.kubeconfig,
				"--authorization-kubeconfig=" + e.files.kubeconfig,
				"--audit-policy-file=" + filepath.Join(e.options.ArtifactsDir, "base", "audit-policy.yaml"),
				"--audit-log-path=" + e.AuditLogPath(options.Name),
				"--config=" + configFile,
				"--connectors-file=" + e.ConnectorsFile(),
				"--default-namespace=" + e.options.DefaultNamespace,
				"--shim-client-ca-file=" + e.files.shimCA,
				"--shim-allowed-names=" + shimCertName,
				// That of tests is this machine's own, which pods otherwise never are.
				"--pod-networks=" + e.options.PodRange,
			}, e.options.APIServerArgs, options.ExtraArgs)
		},
		Ready: func(ctx context.Context, port int) error {
			return e.ControlPlane.CheckHealth(ctx, apiServerURL(port)+"/readyz")
		},
	})
}

// AuditLogPath returns the audit log of the functionmesh-apiserver of that name.
func (e *Env) AuditLogPath(apiServer string) string {
	return e.ControlPlane.LogPath(apiServer + "-audit")
}

func apiServerURL(port int) string {
	return "https://" + net.JoinHostPort("localhost", strconv.Itoa(port))
}

// ShimOptions describes one more pulsar-admin-shim.
type ShimOptions struct {
	// Name tells the replica and its log from others; default pulsar-admin-shim.
	Name string
	// Port on loopback for plain HTTP, or 0 for a free one.
	Port int
	// APIServer is the functionmesh-apiserver it talks to; default Env.APIServer.
	APIServer *controlplane.Server
	// ExtraArgs are appended to the flags, after the environment's own.
	ExtraArgs []string
}

// StartShim starts a pulsar-admin-shim with anonymous callers let in and returns
// once it is ready. Env.Stop stops it.
func (e *Env) StartShim(ctx context.Context, options ShimOptions) (*controlplane.Server, error) {
	if options.Name == "" {
		options.Name = shimProgram
	}
	if options.APIServer == nil {
		options.APIServer = e.APIServer
	}
	return e.startServer(ctx, controlplane.ServerOptions{
		Process: controlplane.ProcessOptions{Name: options.Name, Path: filepath.Join(e.options.BinDir, shimProgram)},
		Port:    options.Port,
		Args: func(port int) []string {
			return slices.Concat([]string{
				"--bind-address=" + controlplane.Loopback,
				"--port=" + strconv.Itoa(port),
				"--apiserver=" + apiServerURL(options.APIServer.Port()),
				"--apiserver-ca-file=" + e.ControlPlane.CAFile(),
				"--front-proxy-client-cert-file=" + e.files.shimClient,
				"--front-proxy-client-key-file=" + e.files.shimKey,
				"--token-file=" + e.files.shimToken,
				"--kubeconfig=" + e.files.shimKubeconfig,
				"--default-namespace=" + metav1.NamespaceDefault,
				"--anonymous",
			}, e.options.ShimArgs, options.ExtraArgs)
		},
		Ready: func(ctx context.Context, port int) error {
			return e.ControlPlane.CheckHealth(ctx, shimURL(port)+"/readyz")
		},
	})
}

func (e *Env) startServer(ctx context.Context, options controlplane.ServerOptions) (*controlplane.Server, error) {
	options.Grace = serverGrace
	server, err := e.ControlPlane.StartServer(ctx, options)
	if err != nil {
		return nil, err
	}
	e.serversMu.Lock()
	defer e.serversMu.Unlock()
	e.servers = append(e.servers, server)
	return server, nil
}
