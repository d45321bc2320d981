package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/openid"
)

// sign signs claims as Pulsar's token tool does.
func sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	return signWith(t, jose.HS256, world.secret, claims)
}

func signWith(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer := must[jose.Signer](t)(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil))
	payload := must[[]byte](t)(json.Marshal(claims))
	return must[string](t)(must[*jose.JSONWebSignature](t)(signer.Sign(payload)).CompactSerialize())
}

// pulsarToken returns a token of Pulsar's for a role.
func pulsarToken(t *testing.T, role string) string {
	t.Helper()
	return sign(t, map[string]any{"sub": role, "aud": audience, "exp": time.Now().Add(time.Hour).Unix()})
}

// trusting returns what reaches servers of the control plane's authority. A certificate is
// shown whether the server would like to see it or not.
func trusting(certificates ...tls.Certificate) *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(world.env.ControlPlane.CAPEM())
	config := &tls.Config{RootCAs: pool}
	if len(certificates) > 0 {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificates[0], nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
}

// issuedToken returns a token that an OpenID provider gives to an account.
func issuedToken(t *testing.T, provider *openid.Provider, id string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {accounts[id].Secret}}
	response := must[*http.Response](t)(trusting().PostForm(provider.Issuer()+"/oauth/token", form))
	defer response.Body.Close()
	// How long it is good for is nothing that an expired one says in a way that Go reads.
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("the provider gave no token: %s, %v", response.Status, err)
	}
	return answer.Token
}

// serviceAccountToken returns a token of Kubernetes.
func serviceAccountToken(t *testing.T, name string) string {
	t.Helper()
	cluster := world.env.ControlPlane
	must[*corev1.ServiceAccount](t)(cluster.Client().CoreV1().ServiceAccounts(metav1.NamespaceDefault).Create(t.Context(),
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
	return must[string](t)(cluster.ServiceAccountToken(t.Context(), metav1.NamespaceDefault, name, time.Hour))
}

// certificate returns a client certificate.
func certificate(t *testing.T, authority *controlplane.CA, name string, groups ...string) tls.Certificate {
	t.Helper()
	pair := must[controlplane.KeyPair](t)(authority.SignClient(name, groups...))
	return must[tls.Certificate](t)(tls.X509KeyPair(pair.CertPEM, pair.KeyPEM))
}

func (d doors) plainURL() string {
	return "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(d.server.Port()))
}

func (d doors) secureURL() string {
	return "https://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(d.secure))
}

// call is a request for the functions of public/default.
type call struct {
	// by is the shim; the strict one where it is left out.
	by     *doors
	header http.Header
	query  url.Values
	tls    *tls.Certificate
	path   string
	// base replaces the shim's URL.
	base string
}

// bearing returns a call with tokens, each in a header of its own.
func bearing(tokens ...string) call {
	header := http.Header{}
	for _, token := range tokens {
		header.Add("Authorization", "Bearer "+token)
	}
	return call{header: header}
}

// with returns the call with one more header.
func (c call) with(name, value string) call {
	c.header = c.header.Clone()
	if c.header == nil {
		c.header = http.Header{}
	}
	// Not Add: some names are sent as they are.
	c.header[name] = append(c.header[name], value)
	return c
}

func (c call) showing(certificate tls.Certificate) call {
	c.tls = &certificate
	return c
}

func (c call) at(by *doors) call {
	c.by = by
	return c
}

// answer is what came back.
type answer struct {
	code   int
	body   string
	header http.Header
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.code, strings.TrimSpace(a.body)) }

func (c call) do(t *testing.T) answer {
	t.Helper()
	by := c.by
	if by == nil {
		by = &world.shim
	}
	base, client := by.plainURL(), http.DefaultClient
	if c.tls != nil {
		base, client = by.secureURL(), trusting(*c.tls)
		defer client.CloseIdleConnections()
	}
	if c.base != "" {
		base = c.base
	}
	path := c.path
	if path == "" {
		path = "/admin/v3/functions/public/default"
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, base+path+"?"+c.query.Encode(), nil))
	for name, values := range c.header {
		request.Header[name] = values
	}
	response := must[*http.Response](t)(client.Do(request))
	defer response.Body.Close()
	body := must[[]byte](t)(io.ReadAll(response.Body))
	return answer{response.StatusCode, string(body), response.Header}
}

func expectAllowed(t *testing.T, what string, got answer) {
	t.Helper()
	if got.code != http.StatusOK || !strings.HasPrefix(got.body, "[") {
		t.Errorf("%s: got %s", what, got)
	}
}

func expectUnauthorized(t *testing.T, what string, got answer) {
	t.Helper()
	if got.code != http.StatusUnauthorized || got.body != `{"reason":"`+unauthorized+`"}` {
		t.Errorf("%s: got %s", what, got)
	}
}

func newRSAKey() (any, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// on returns the call for a path below that of public/default.
func (c call) on(path string) call {
	c.path = "/admin/v3/functions/public/default" + path
	return c
}

func unlessOK(got answer) error {
	if got.code != http.StatusOK {
		return errors.New(got.String())
	}
	return nil
}

// functionConfig is what write says that a function shall be.
const functionConfig = `{"className":"org.example.F","inputs":["persistent://public/default/in"],"runtime":"JAVA","parallelism":%d}`

// write creates, updates or deletes a function as somebody for whom a proxy calls, or as
// themselves where the name is empty.
func write(t *testing.T, method, name, token, original string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	parallelism := 1
	if method == http.MethodPut {
		parallelism = 2
	}
	for part, content := range map[string]string{"functionConfig": fmt.Sprintf(functionConfig, parallelism), "url": "function://public/default/code@1"} {
		if part == "url" && method == http.MethodPut {
			continue
		}
		contentType := map[string]string{"functionConfig": "application/json", "url": "text/plain"}[part]
		writer := must[io.Writer](t)(form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="` + part + `"`}, "Content-Type": {contentType},
		}))
		if _, err := io.WriteString(writer, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, world.shim.plainURL()+"/admin/v3/functions/public/default/"+name, &body))
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+token)
	if original != "" {
		request.Header.Set(originalPrincipal, original)
	}
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	content := must[[]byte](t)(io.ReadAll(response.Body))
	return answer{response.StatusCode, string(content), response.Header}
}
