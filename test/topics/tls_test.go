package topics

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// untrusted is said of a Pulsar whose certificate is not to be trusted.
const untrusted = "The certificate of the function's Pulsar cluster can't be verified"

func shimURL(shim *controlplane.Server) string {
	return "http://" + controlplane.Loopback + ":" + strconv.Itoa(shim.Port())
}

// config has, besides the cluster that is reached without TLS, those that are reached with
// it: under the name that the certificate has, and under another one; what says to be one;
// and one without TLS that isn't on this machine.
func (g *guarded) config() string {
	var clusters strings.Builder
	for name, urls := range map[string][2]string{
		"tls":      {g.pulsar.TLSServiceURL(controlplane.Loopback), g.pulsar.TLSURL(controlplane.Loopback)},
		"misnamed": {g.pulsar.TLSServiceURL("localhost"), g.pulsar.TLSURL("localhost")},
		"liar":     {g.pulsar.TLSServiceURL(controlplane.Loopback), g.liar},
		"half":     {g.pulsar.TLSServiceURL("localhost"), g.pulsar.TLSURL(controlplane.Loopback)},
		"plain":    {"pulsar://pulsar.invalid:6650", g.pulsar.TLSURL(controlplane.Loopback)},
	} {
		clusters.WriteString("- {name: " + name + ", serviceUrl: '" + urls[0] + "', webServiceUrl: '" + urls[1] + "'}\n")
	}
	return strings.Replace(config(g.pulsar), "runnerImages:", clusters.String()+"runnerImages:", 1)
}

// startLiar starts what isn't Pulsar, with a certificate that another authority signed. It
// counts requests, which nobody should send.
func (g *guarded) startLiar(t *testing.T) {
	t.Helper()
	pair := must[controlplane.KeyPair](t)(must[*controlplane.CA](t)(controlplane.NewCA("pulsar")).SignServer(controlplane.Loopback))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { g.lied.Add(1) }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{must[tls.Certificate](t)(tls.X509KeyPair(pair.CertPEM, pair.KeyPEM))}}
	server.StartTLS()
	t.Cleanup(server.Close)
	g.liar = server.URL
}

// overTLS triggers functions whose Pulsar is reached by TLS, as somebody with a token.
func overTLS(t *testing.T, g *guarded, input, output string) {
	for _, cluster := range []string{"tls", "misnamed", "liar", "half", "plain"} {
		definition{name: "over-" + cluster, className: "org.example.Slow", inputs: []string{input}, output: output, cluster: cluster}.create(t, shimURL(g.shim))
		ready(t, "over-"+cluster)
	}
	distrustful := g.startShim(t, "distrustful", must[*controlplane.CA](t)(controlplane.NewCA("pulsar")))
	for _, test := range []struct {
		what, cluster string
		shim          *controlplane.Server
		code          int
		body          string
	}{
		{"by TLS", "tls", g.shim, 200, "for author"},
		{"of another authority's", "tls", distrustful, 503, untrusted},
		{"with another name", "misnamed", g.shim, 503, untrusted},
		{"with another name where messages go", "half", g.shim, 503, "Pulsar could not be used to trigger the function. Please try again in a little while."},
		{"by who isn't Pulsar", "liar", g.shim, 503, untrusted},
		{"partly without TLS", "plain", g.shim, 503, "The function's Pulsar cluster is reached without TLS, and no token is sent there (--insecure-passthrough)"},
	} {
		got := must[answer](t)(g.triggerAt(t.Context(), test.shim, "over-"+test.cluster, "author"))
		t.Logf("%s: %+v", test.what, got)
		if got.code != test.code || got.body != test.body && got.reason() != test.body {
			t.Errorf("%s it is answered %+v", test.what, got)
		}
	}
	if n := g.lied.Load(); n != 0 {
		t.Errorf("what isn't Pulsar was asked %d times", n)
	}
	if text := must[[]byte](t)(os.ReadFile(distrustful.Process().LogPath())); !strings.Contains(string(text), "x509: certificate signed by unknown authority") {
		t.Error("the log doesn't say what is wrong with the certificate")
	}
}

// lies is what a guarded Pulsar has beside it.
type lies struct {
	liar string
	lied atomic.Int64
}
