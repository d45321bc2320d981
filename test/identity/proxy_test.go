package identity

import (
	"crypto/x509"
	"net/http"
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarproxy"
)

const originalPrincipal = "X-Original-Principal"

// TestProxyRoles is about who may call for whom, and what both need for it.
func TestProxyRoles(t *testing.T) {
	proxy, weak := bearing(pulsarToken(t, proxyRole)), bearing(pulsarToken(t, weakProxy))
	author, nobody := bearing(pulsarToken(t, "author")), bearing(pulsarToken(t, "nobody"))
	kubernetes := bearing(serviceAccountToken(t, "claims-to-be-a-proxy"))
	expectAllowed(t, "proxy for an author", proxy.with(originalPrincipal, "author").do(t))
	expectAllowed(t, "proxy's certificate for an author", call{}.showing(certificate(t, world.clients, proxyRole)).with(originalPrincipal, "author").do(t))
	expectAllowed(t, "author who says so", author.with(originalPrincipal, "author").do(t))
	for what, refused := range map[string]call{
		"proxy for nobody in particular": proxy,
		"proxy for nobody":               proxy.with(originalPrincipal, "nobody"),
		"proxy for itself":               proxy.with(originalPrincipal, proxyRole),
		"proxy for another proxy":        proxy.with(originalPrincipal, weakProxy),
		"proxy for an empty name":        proxy.with(originalPrincipal, ""),
		"proxy for two":                  proxy.with(originalPrincipal, "author").with(originalPrincipal, "author"),
		"proxy for two in one":           proxy.with(originalPrincipal, "nobody,author"),
		"proxy for a group":              proxy.with(originalPrincipal, "authors"),
		"proxy for a prefixed name":      proxy.with(originalPrincipal, "pulsar:author"),
		// The author may, but the proxy may not.
		"proxy without the right": weak.with(originalPrincipal, "author"),
		"nobody who says so":      nobody.with(originalPrincipal, "nobody"),
	} {
		expectUnauthorized(t, what, refused.do(t))
	}
	for what, refused := range map[string]call{
		"author for somebody else":    author.with(originalPrincipal, proxyRole),
		"nobody for an author":        nobody.with(originalPrincipal, "author"),
		"author who says it twice":    author.with(originalPrincipal, "author").with(originalPrincipal, "author"),
		"Kubernetes' token":           kubernetes.with(originalPrincipal, "author"),
		"somebody unknown":            call{}.with(originalPrincipal, "author").at(&world.open),
		"an author's certificate":     call{}.showing(certificate(t, world.clients, "tls-author")).with(originalPrincipal, "author"),
		"lower case":                  nobody.with("x-original-principal", "author"),
		"Kubernetes' token, no claim": kubernetes.with(originalPrincipal, ""),
	} {
		if got := refused.do(t); got.code != http.StatusBadRequest || got.body != `{"reason":"X-Original-Principal is not accepted from this caller"}` {
			t.Errorf("%s: got %s", what, got)
		}
	}
}

// TestProxyNeedsTheSameRight gives a proxy the right to read: it can't write for somebody
// who may.
func TestProxyNeedsTheSameRight(t *testing.T) {
	rbac := world.env.ControlPlane.Client().RbacV1().RoleBindings(metav1.NamespaceDefault)
	must[*rbacv1.RoleBinding](t)(rbac.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "weak-proxy-views"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "functionmesh-pulsar-viewer"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "pulsar:" + weakProxy}},
	}, metav1.CreateOptions{}))
	t.Cleanup(func() { _ = rbac.Delete(t.Context(), "weak-proxy-views", metav1.DeleteOptions{}) })
	weak, proxy := pulsarToken(t, weakProxy), pulsarToken(t, proxyRole)
	list := bearing(weak).with(originalPrincipal, "author")
	eventually(t, "the proxy to have the right to read", func() error { return unlessOK(list.do(t)) })
	const name = "proxied"
	expectUnauthorized(t, "create", write(t, http.MethodPost, name, weak, "author"))
	if got := write(t, http.MethodPost, name, proxy, "author"); got.code != http.StatusNoContent {
		t.Fatalf("create: got %s", got)
	}
	expectUnauthorized(t, "update", write(t, http.MethodPut, name, weak, "author"))
	expectUnauthorized(t, "update for nobody", write(t, http.MethodPut, name, proxy, "nobody"))
	expectUnauthorized(t, "delete", write(t, http.MethodDelete, name, weak, "author"))
	if got := bearing(weak).with(originalPrincipal, "author").on("/" + name).do(t); got.code != http.StatusOK || !strings.Contains(got.body, `"parallelism":1`) {
		t.Errorf("get: got %s", got)
	}
	if got := write(t, http.MethodPut, name, proxy, "author"); got.code != http.StatusNoContent {
		t.Errorf("update: got %s", got)
	}
	if got := write(t, http.MethodDelete, name, proxy, "author"); got.code != http.StatusNoContent {
		t.Errorf("delete: got %s", got)
	}
}

// proxySettings are what a Pulsar proxy is told that authenticates its callers by tokens
// and certificates.
func proxySettings(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"authenticationEnabled":   "true",
		"authenticationProviders": "org.apache.pulsar.broker.authentication.AuthenticationProviderToken,org.apache.pulsar.broker.authentication.AuthenticationProviderTls",
		"tokenSecretKey":          "file://" + inDir("secret.key"),
		"tokenAudienceClaim":      "aud",
		"tokenAudience":           audience,
		"tlsCertificateFilePath":  inDir("serving.crt"),
		"tlsKeyFilePath":          inDir("serving.key"),
		"tlsTrustCertsFilePath":   inDir("clients-ca.crt"),
		"webServiceTlsProvider":   "SunJSSE",
	}
}

// issuerSettings are what a Pulsar proxy is told that knows the OpenID provider's tokens,
// by the provider's key.
func issuerSettings(t *testing.T) map[string]string {
	t.Helper()
	key := inDir("issuer.der")
	if err := os.WriteFile(key, must[[]byte](t)(x509.MarshalPKIXPublicKey(world.issuer.PublicKey())), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := proxySettings(t)
	delete(settings, "tokenSecretKey")
	settings["tokenPublicKey"] = "file://" + key
	return settings
}

// startProxy starts a Pulsar proxy that shows the shim a certificate of a role.
func startProxy(t *testing.T, role string, settings map[string]string) *pulsarproxy.Proxy {
	t.Helper()
	name := "pulsar-" + role
	pair := must[controlplane.KeyPair](t)(world.clients.SignClient(role))
	certFile, keyFile, err := pair.Write(world.dir, name)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"tlsEnabledWithBroker":                 "true",
		"functionWorkerWebServiceURLTLS":       world.shim.secureURL(),
		"brokerClientTrustCertsFilePath":       world.env.ControlPlane.CAFile(),
		"brokerClientAuthenticationPlugin":     "org.apache.pulsar.client.impl.auth.AuthenticationTls",
		"brokerClientAuthenticationParameters": "tlsCertFile:" + certFile + ",tlsKeyFile:" + keyFile,
		"brokerClientSslProvider":              "",
	} {
		if value != "" {
			settings[key] = value
		}
	}
	proxy := must[*pulsarproxy.Proxy](t)(pulsarproxy.Start(t.Context(), pulsarproxy.Options{Repository: world.root, Name: name, Dir: world.dir, Settings: settings}))
	t.Cleanup(proxy.Stop)
	return proxy
}
