package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/kubernetes"
)

// Names below Options.Dir.
const (
	etcdDir = "etcd"
	pkiDir  = "pki"
	logDir  = "logs"
)

const (
	// tokenIssuer is what clusters use by default, so that tokens look alike.
	tokenIssuer = "https://kubernetes.default.svc"
	// frontProxyName is the common name by which aggregated API servers know
	// kube-apiserver. They read it from the ConfigMap
	// kube-system/extension-apiserver-authentication.
	frontProxyName = "front-proxy-client"
	// serviceRange has no meaning without a cluster network, but Services that
	// are not of type ExternalName get an address from it.
	serviceRange = "10.96.0.0/16"
)

// auditPolicy records who did what to which object, without bodies: these
// could hold Secrets.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: ["RequestReceived"]
rules:
- level: Metadata
`

func (cp *ControlPlane) process(name string) ProcessOptions {
	return ProcessOptions{Name: name, Path: filepath.Join(cp.options.BinDir, name), LogPath: cp.LogPath(name)}
}

func httpsURL(port int) string {
	return "https://" + net.JoinHostPort(Loopback, strconv.Itoa(port))
}

func (cp *ControlPlane) etcdOptions() ServerOptions {
	files := cp.pki.etcd
	return ServerOptions{
		Process:    cp.process("etcd"),
		Grace:      stopGrace,
		Unexpected: cp.unexpected,
		Args: func(port int) []string {
			// Nobody connects to the peer port: etcd only insists on having one.
			const peer = "https://" + Loopback + ":0"
			return []string{
				"--name=etcd",
				"--data-dir=" + filepath.Join(cp.options.Dir, etcdDir),
				"--listen-client-urls=" + httpsURL(port),
				"--advertise-client-urls=" + httpsURL(port),
				"--listen-peer-urls=" + peer,
				"--initial-advertise-peer-urls=" + peer,
				"--initial-cluster=etcd=" + peer,
				"--cert-file=" + files.server, "--key-file=" + files.serverKey,
				"--client-cert-auth", "--trusted-ca-file=" + files.ca,
				"--peer-cert-file=" + files.server, "--peer-key-file=" + files.serverKey,
				"--peer-client-cert-auth", "--peer-trusted-ca-file=" + files.ca,
				// The data is thrown away: a crash of the machine may corrupt it.
				"--unsafe-no-fsync",
				"--log-level=warn",
			}
		},
		Ready: func(ctx context.Context, port int) error {
			return checkHealth(ctx, files.client, httpsURL(port)+"/health")
		},
	}
}

func (cp *ControlPlane) apiServerOptions() (ServerOptions, error) {
	if err := writeFile(cp.AuditPolicyFile(), []byte(auditPolicy)); err != nil {
		return ServerOptions{}, err
	}
	admin, err := cp.pki.cluster.SignClient("admin", "system:masters")
	if err != nil {
		return ServerOptions{}, err
	}
	files := cp.pki
	return ServerOptions{
		Process:    cp.process("kube-apiserver"),
		Grace:      stopGrace,
		Unexpected: cp.unexpected,
		Args: func(port int) []string {
			return append([]string{
				"--bind-address=" + Loopback,
				"--secure-port=" + strconv.Itoa(port),
				"--tls-cert-file=" + files.serving, "--tls-private-key-file=" + files.servingKey,
				"--client-ca-file=" + files.clusterCA,
				"--etcd-servers=" + httpsURL(cp.etcd.Port()),
				"--etcd-cafile=" + files.etcd.ca,
				"--etcd-certfile=" + files.etcd.apiServer, "--etcd-keyfile=" + files.etcd.apiServerKey,
				"--authorization-mode=RBAC",
				"--service-account-issuer=" + tokenIssuer,
				"--service-account-key-file=" + files.tokenPublicKey,
				"--service-account-signing-key-file=" + files.tokenKey,
				"--service-cluster-ip-range=" + serviceRange,
				// Loopback is no address that a Service may point at.
				"--endpoint-reconciler-type=none",
				// The aggregator asks the name of the ExternalName Service.
				"--enable-aggregator-routing=false",
				"--requestheader-client-ca-file=" + files.frontProxyCA,
				"--requestheader-allowed-names=" + frontProxyName,
				"--requestheader-username-headers=X-Remote-User",
				"--requestheader-uid-headers=X-Remote-Uid",
				"--requestheader-group-headers=X-Remote-Group",
				"--requestheader-extra-headers-prefix=X-Remote-Extra-",
				"--proxy-client-cert-file=" + files.frontProxy, "--proxy-client-key-file=" + files.frontProxyKey,
				"--audit-policy-file=" + cp.AuditPolicyFile(),
				"--audit-log-path=" + cp.AuditLogPath(),
			}, cp.options.ExtraAPIServerArgs...)
		},
		Ready: func(ctx context.Context, port int) error {
			config := cp.anonymousConfig(port)
			config.CertData, config.KeyData = admin.CertPEM, admin.KeyPEM
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return fmt.Errorf("could not make a client for kube-apiserver: %w", err)
			}
			return client.Discovery().RESTClient().Get().AbsPath("/readyz").MaxRetries(0).Do(ctx).Error()
		},
	}, nil
}

func (cp *ControlPlane) controllerManagerOptions() (ServerOptions, error) {
	files := cp.pki
	return cp.controllerOptions("kube-controller-manager",
		// The default throttle makes the accounts of all controllers take seconds.
		"--kube-api-qps=500", "--kube-api-burst=1000",
		// Each controller has its own account and least rights, as in clusters.
		"--use-service-account-credentials",
		"--service-account-private-key-file="+files.tokenKey,
		"--root-ca-file="+files.clusterCA,
		"--cluster-signing-cert-file="+files.clusterCA, "--cluster-signing-key-file="+files.clusterCAKey,
	)
}

// controllerOptions describes a program of Kubernetes that does its work through
// kube-apiserver, as the user system:NAME, whose rights kube-apiserver creates.
func (cp *ControlPlane) controllerOptions(name string, extraArgs ...string) (ServerOptions, error) {
	kubeconfig, err := cp.componentKubeconfig(name, "system:"+name)
	if err != nil {
		return ServerOptions{}, err
	}
	files := cp.pki
	return ServerOptions{
		Process:    cp.process(name),
		Grace:      stopGrace,
		Unexpected: cp.unexpected,
		Args: func(port int) []string {
			return append([]string{
				"--bind-address=" + Loopback,
				"--secure-port=" + strconv.Itoa(port),
				"--tls-cert-file=" + files.serving, "--tls-private-key-file=" + files.servingKey,
				"--kubeconfig=" + kubeconfig,
				"--authentication-kubeconfig=" + kubeconfig,
				"--authorization-kubeconfig=" + kubeconfig,
				"--leader-elect=false",
			}, extraArgs...)
		},
		Ready: cp.healthz,
	}, nil
}

// componentKubeconfig writes a kubeconfig for a component, which kube-apiserver
// knows as user, and returns its path.
func (cp *ControlPlane) componentKubeconfig(component, user string) (string, error) {
	config, err := cp.ClientCertConfig(user)
	if err != nil {
		return "", err
	}
	path := filepath.Join(cp.options.Dir, pkiDir, component+".kubeconfig")
	return path, WriteKubeconfig(path, config)
}

func (cp *ControlPlane) healthz(ctx context.Context, port int) error {
	return cp.CheckHealth(ctx, httpsURL(port)+"/healthz")
}

// CheckHealth returns nil when a GET of url answers 200. Over HTTPS it asks
// only a server with a certificate of the cluster's CA.
func (cp *ControlPlane) CheckHealth(ctx context.Context, url string) error {
	return checkHealth(ctx, cp.pki.anyone, url)
}

func checkHealth(ctx context.Context, tlsConfig *tls.Config, url string) error {
	transport := &http.Transport{TLSClientConfig: tlsConfig, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("could not ask %s: %w", url, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

func certPool(pem []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}
