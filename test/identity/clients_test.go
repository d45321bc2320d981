package identity

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarproxy"
)

const plugins = "org.apache.pulsar.client.impl.auth."

// asClient is one way in which Pulsar's clients show who they are, for somebody who may
// list functions and for somebody who may not.
type asClient struct {
	name string
	// plugin and parameters are what both clients call them.
	plugin     string
	parameters func(t *testing.T, allowed bool) string
	secure     bool
}

// keyFile writes what a client needs for a token of the OpenID provider.
func keyFile(t *testing.T, id string) string {
	t.Helper()
	content := must[[]byte](t)(json.Marshal(map[string]string{
		"type": "client_credentials", "client_id": id, "client_secret": accounts[id].Secret, "issuer_url": world.issuer.Issuer(),
	}))
	path := inDir(id + ".json")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func either(allowed bool, author, nobody string) string {
	if allowed {
		return author
	}
	return nobody
}

var asClients = []asClient{
	{"token", plugins + "AuthenticationToken", func(t *testing.T, allowed bool) string {
		return "token:" + pulsarToken(t, either(allowed, "author", "nobody"))
	}, false},
	{"OAuth2", plugins + "oauth2.AuthenticationOAuth2", func(t *testing.T, allowed bool) string {
		return string(must[[]byte](t)(json.Marshal(map[string]string{
			"type": "client_credentials", "issuerUrl": world.issuer.Issuer(), "audience": audience,
			"privateKey": "file://" + keyFile(t, either(allowed, "oidc-member", "oidc-nobody")),
		})))
	}, false},
	{"TLS", plugins + "AuthenticationTls", func(t *testing.T, allowed bool) string {
		certFile, key := certificateFiles(t, either(allowed, "tls-author", "tls-nobody"))
		return "tlsCertFile:" + certFile + ",tlsKeyFile:" + key
	}, true},
}

func certificateFiles(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	pair := must[controlplane.KeyPair](t)(world.clients.SignClient(name))
	certFile, keyFile, err := pair.Write(world.dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

// trustStore makes a JVM trust the control plane's authority, by which the OpenID
// provider is known.
func trustStore(t *testing.T) {
	t.Helper()
	const password = "changeit"
	store := inDir("trust.p12")
	if _, err := os.Stat(store); err != nil {
		output, err := exec.CommandContext(t.Context(), "keytool", "-importcert", "-noprompt", "-alias", "test", "-storetype", "PKCS12",
			"-keystore", store, "-storepass", password, "-file", world.env.ControlPlane.CAFile()).CombinedOutput()
		if err != nil {
			t.Fatalf("could not make a trust store: %v: %s", err, output)
		}
	}
	t.Setenv("JDK_JAVA_OPTIONS", "-Djavax.net.ssl.trustStore="+store+" -Djavax.net.ssl.trustStorePassword="+password)
}

// expectJava lists functions with pulsar-admin at a URL.
func expectJava(t *testing.T, url string, as asClient, allowed bool) {
	t.Helper()
	result := must[javaclient.Result](t)(world.java.Run(t.Context(), url,
		"--auth-plugin", as.plugin, "--auth-params", as.parameters(t, allowed), "--tls-trust-cert-path", world.env.ControlPlane.CAFile(),
		"functions", "list", "--tenant", "public", "--namespace", "default"))
	switch {
	case allowed && result.Exit != 0:
		t.Errorf("pulsar-admin with %s: %+v", as.name, result)
	case !allowed && (result.Exit == 0 || !strings.Contains(result.Err, unauthorized)):
		t.Errorf("pulsar-admin with %s and no right: %+v", as.name, result)
	}
}

func TestJavaClient(t *testing.T) {
	if javaclient.Off() {
		return
	}
	trustStore(t)
	for _, as := range asClients {
		t.Run(as.name, func(t *testing.T) {
			url := world.shim.plainURL()
			if as.secure {
				url = world.shim.secureURL()
			}
			expectJava(t, url, as, true)
			expectJava(t, url, as, false)
		})
	}
}

// expectGo lists functions with Pulsar's Go client at a URL.
func expectGo(t *testing.T, url string, as asClient, allowed bool) {
	t.Helper()
	config := &pulsarconfig.Config{
		WebServiceURL: url, PulsarAPIVersion: pulsarconfig.V3, TLSTrustCertsFilePath: world.env.ControlPlane.CAFile(),
		AuthPlugin: as.plugin, AuthParams: as.parameters(t, allowed),
	}
	if as.name == "OAuth2" {
		// The Go client is told this in fields.
		id := either(allowed, "oidc-member", "oidc-nobody")
		config.IssuerEndpoint, config.ClientID, config.Audience, config.KeyFile = world.issuer.Issuer(), id, audience, keyFile(t, id)
	}
	client := must[pulsaradmin.Client](t)(pulsaradmin.NewClient(config))
	_, err := client.Functions().GetFunctions("public", "default")
	switch {
	case allowed && err != nil:
		t.Errorf("the Go client with %s: %v", as.name, err)
	case !allowed && (err == nil || !strings.Contains(err.Error(), unauthorized)):
		t.Errorf("the Go client with %s and no right: %v", as.name, err)
	}
}

func TestGoClient(t *testing.T) {
	for _, as := range asClients {
		t.Run(as.name, func(t *testing.T) {
			url := world.shim.plainURL()
			if as.secure {
				url = world.shim.secureURL()
			}
			expectGo(t, url, as, true)
			expectGo(t, url, as, false)
		})
	}
}

// TestThroughPulsarProxy puts a real proxy in between, which authenticates by itself,
// passes tokens on, and shows a certificate of its own.
func TestThroughPulsarProxy(t *testing.T) {
	if javaclient.Off() {
		return
	}
	trustStore(t)
	strong, weak := startProxy(t, proxyRole, proxySettings(t)), startProxy(t, weakProxy, proxySettings(t))
	for _, as := range asClients {
		if as.name == "OAuth2" {
			// These proxies have no provider for these tokens, and one can't have two.
			continue
		}
		t.Run(as.name, func(t *testing.T) {
			at := func(proxy *pulsarproxy.Proxy) string {
				if as.secure {
					return proxy.SecureURL()
				}
				return proxy.URL()
			}
			expectJava(t, at(strong), as, true)
			expectJava(t, at(strong), as, false)
			expectGo(t, at(strong), as, true)
			expectGo(t, at(strong), as, false)
			// A token is its owner's, whoever passes it on. For the owner of a certificate
			// the proxy speaks, and may do no more than it may do itself.
			expectGo(t, at(weak), as, as.name == "token")
		})
	}
	t.Run("smuggled", func(t *testing.T) {
		// The proxy adds its word to what its caller claims.
		nobody := certificate(t, world.clients, "nobody")
		got := call{base: strong.SecureURL()}.showing(nobody).with(originalPrincipal, "author").do(t)
		expectUnauthorized(t, "a caller of the proxy for somebody else", got)
		expectUnauthorized(t, "a caller of the proxy", call{base: strong.SecureURL()}.showing(nobody).do(t))
		expectAllowed(t, "an author who is a caller of the proxy", call{base: strong.SecureURL()}.showing(certificate(t, world.clients, "tls-author")).do(t))
		expectUnauthorized(t, "the proxy's own name", call{base: strong.SecureURL()}.showing(certificate(t, world.clients, weakProxy)).do(t))
	})
}

// TestOAuth2ThroughPulsarProxy does it with a proxy that knows the provider's tokens.
func TestOAuth2ThroughPulsarProxy(t *testing.T) {
	if javaclient.Off() {
		return
	}
	trustStore(t)
	proxy := startProxy(t, "unlisted-proxy", issuerSettings(t))
	at := slices.IndexFunc(asClients, func(as asClient) bool { return as.name == "OAuth2" })
	for _, allowed := range []bool{true, false} {
		expectJava(t, proxy.URL(), asClients[at], allowed)
		expectGo(t, proxy.URL(), asClients[at], allowed)
	}
	// Only the provider's tokens are taken, by the proxy already.
	other := bearing(pulsarToken(t, "author"))
	other.base = proxy.URL()
	if got := other.do(t); got.code != http.StatusUnauthorized {
		t.Errorf("another token: got %s", got)
	}
}
