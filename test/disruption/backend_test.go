package disruption

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// backend is a reverse proxy between a functionmesh-apiserver and kube-apiserver.
// It can answer for kube-apiserver, and stop listening.
type backend struct {
	address     string
	certificate tls.Certificate
	proxy       *httputil.ReverseProxy

	lock          sync.Mutex
	interceptions []*interception
	server        *http.Server
}

// interception answers requests in kube-apiserver's stead, and counts them.
type interception struct {
	matches func(*http.Request) bool
	answer  http.HandlerFunc
	count   atomic.Int32
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	pair := must[controlplane.KeyPair](t)(env.ControlPlane.SignServerCert(controlplane.Loopback))
	certificate := must[tls.Certificate](t)(tls.X509KeyPair(pair.CertPEM, pair.KeyPEM))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(env.ControlPlane.CAPEM())
	target := must[*url.URL](t)(url.Parse(env.ControlPlane.AdminConfig().Host))
	b := &backend{
		address:     controlplane.Loopback + ":0",
		certificate: certificate,
		proxy: &httputil.ReverseProxy{
			Rewrite:   func(request *httputil.ProxyRequest) { request.SetURL(target) },
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableCompression: true},
			// Watch events are passed on as they come.
			FlushInterval: -1,
			ErrorLog:      log.New(io.Discard, "", 0),
		},
	}
	b.listen(t)
	t.Cleanup(b.refuse)
	return b
}

// listen lets requests in, again on the port that it had.
func (b *backend) listen(t *testing.T) {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", b.address))
	b.address = listener.Addr().String()
	server := &http.Server{
		Handler:           b,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{b.certificate}},
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
	}
	b.lock.Lock()
	b.server = server
	b.lock.Unlock()
	// It ends when the server is closed.
	go func() { _ = server.ServeTLS(listener, "", "") }()
}

// refuse closes all connections, and lets no new one in.
func (b *backend) refuse() {
	b.lock.Lock()
	defer b.lock.Unlock()
	_ = b.server.Close()
}

func (b *backend) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	b.lock.Lock()
	var found *interception
	for _, candidate := range b.interceptions {
		if candidate.matches(request) {
			found = candidate
			break
		}
	}
	b.lock.Unlock()
	if found != nil {
		found.count.Add(1)
		if found.answer != nil {
			found.answer(writer, request)
			return
		}
	}
	b.proxy.ServeHTTP(writer, request)
}

// intercept answers the requests that match until the test ends. Without an answer
// it only counts them.
func (b *backend) intercept(t *testing.T, matches func(*http.Request) bool, answer http.HandlerFunc) *interception {
	t.Helper()
	added := &interception{matches: matches, answer: answer}
	b.lock.Lock()
	defer b.lock.Unlock()
	b.interceptions = append([]*interception{added}, b.interceptions...)
	t.Cleanup(func() {
		b.lock.Lock()
		defer b.lock.Unlock()
		var left []*interception
		for _, other := range b.interceptions {
			if other != added {
				left = append(left, other)
			}
		}
		b.interceptions = left
	})
	return added
}

// startBehind starts a functionmesh-apiserver whose kube-apiserver is the backend.
// Authentication and authorization don't go through it.
func (b *backend) startBehind(ctx context.Context, t *testing.T, options devenv.APIServerOptions) *controlplane.Server {
	t.Helper()
	options.ExtraArgs = append(options.ExtraArgs, "--kubeconfig="+b.kubeconfig(ctx, t))
	return startAPIServer(ctx, t, options)
}

// kubeconfig writes one by which functionmesh-apiserver's account reaches the
// backend, and returns its path.
func (b *backend) kubeconfig(ctx context.Context, t *testing.T) string {
	t.Helper()
	token := must[string](t)(env.ControlPlane.ServiceAccountToken(ctx,
		devenv.SystemNamespace, devenv.APIServerServiceAccount, time.Hour))
	config := env.ControlPlane.TokenConfig(token)
	config.Host = "https://" + b.address
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := controlplane.WriteKubeconfig(kubeconfig, config); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// resource matches requests for a namespace's Function resources by method; a watch
// has the method WATCH.
func resource(method, namespace string) func(*http.Request) bool {
	prefix := "/apis/compute.functionmesh.io/v1alpha1/namespaces/" + namespace + "/functions"
	return func(request *http.Request) bool {
		actual := request.Method
		if request.URL.Query().Get("watch") == "true" {
			actual = "WATCH"
		}
		path := request.URL.Path
		return actual == method && (path == prefix || len(path) > len(prefix) && path[:len(prefix)+1] == prefix+"/")
	}
}

// configMaps matches the creation of a namespace's ConfigMaps.
func configMaps(namespace string) func(*http.Request) bool {
	return func(request *http.Request) bool {
		return request.Method == http.MethodPost && request.URL.Path == "/api/v1/namespaces/"+namespace+"/configmaps"
	}
}
