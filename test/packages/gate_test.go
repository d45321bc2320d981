package packages

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// gate stands before Pulsar's package service, which is open to everybody, and lets nobody
// pass without one of its tokens.
type gate struct {
	*httptest.Server

	lock   sync.Mutex
	tokens []string
	// passed are the tokens that were shown, by method and path.
	passed map[string][]string
	// before is called with each request that passes.
	before func(*http.Request)
}

func newGate(t *testing.T, tokens ...string) *gate {
	t.Helper()
	target, err := url.Parse(env.pulsar.URL())
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{tokens: tokens, passed: map[string][]string{}, before: func(*http.Request) {}}
	proxy := &httputil.ReverseProxy{Rewrite: func(request *httputil.ProxyRequest) {
		request.SetURL(target)
		request.Out.Header.Del("Authorization")
	}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		token, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
		g.lock.Lock()
		known := slices.Contains(g.tokens, token)
		g.passed[token] = append(g.passed[token], request.Method+" "+request.URL.Path)
		g.lock.Unlock()
		if !known {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		g.before(request)
		proxy.ServeHTTP(writer, request)
	}))
	t.Cleanup(g.Close)
	return g
}

// shown returns what a token was shown for since it was last asked.
func (g *gate) shown(token string) []string {
	g.lock.Lock()
	defer g.lock.Unlock()
	paths := g.passed[token]
	delete(g.passed, token)
	return paths
}

const tokenSecret = "0123456789abcdef0123456789abcdef"

// pulsarToken returns a token of Pulsar's for a role.
func pulsarToken(role string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(`{"sub":"`+role+`"}`))
	sum := hmac.New(sha256.New, []byte(tokenSecret))
	sum.Write([]byte(signed))
	return signed + "." + encode(sum.Sum(nil))
}

// namespace makes a Kubernetes namespace that serves a Pulsar namespace, where the server
// may keep tokens.
func namespace(t *testing.T, name, serves string) {
	t.Helper()
	client := env.devenv.ControlPlane.Client()
	_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Annotations: map[string]string{"admin.functionmesh.io/pulsar-namespaces": serves},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bind(t, name, "functionmesh-apiserver-tokens",
		rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Namespace: devenv.SystemNamespace, Name: devenv.APIServerServiceAccount})
}

// pulsarNamespace makes a tenant with namespace x in Pulsar.
func pulsarNamespace(t *testing.T, pulsar, token, tenant string) {
	t.Helper()
	configure(t, http.MethodPut, pulsar, "tenants/"+tenant, token, `{"allowedClusters":["standalone"]}`)
	configure(t, http.MethodPut, pulsar, "namespaces/"+tenant+"/x", token, "")
}

// configure changes something in Pulsar.
func configure(t *testing.T, method, pulsar, path, token, body string) {
	t.Helper()
	expect(t, path, 204, "")(ask(t.Context(), method, pulsar+"/admin/v2/"+path, token, "application/json", strings.NewReader(body)))
}

// bind gives somebody a role in a namespace.
func bind(t *testing.T, namespace, role string, to rbacv1.Subject) {
	t.Helper()
	_, err := env.devenv.ControlPlane.Client().RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "packages-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{to},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func user(name string) rbacv1.Subject {
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}
}

// accounts are a shim before a package service that asks for tokens, and two callers who
// may each write functions in one namespace: carol, who has no token of Pulsar's, and
// alice, who has one.
type accounts struct {
	gate         *gate
	shim         string
	carol, alice string
}

const ownAccount = "the-account-of-the-shim"

func newAccounts(t *testing.T, prefix string, shimArgs ...string) accounts {
	t.Helper()
	for _, tenant := range []string{prefix + "-carol", prefix + "-alice"} {
		namespace(t, tenant, tenant+"/x")
		// The API server asks this one whether there is such a namespace.
		pulsarNamespace(t, env.pulsar.URL(), "", tenant)
	}
	result := accounts{alice: pulsarToken(prefix + "-alice")}
	bind(t, prefix+"-alice", devenv.AuthorRole, user("pulsar:"+prefix+"-alice"))
	bind(t, prefix+"-carol", devenv.AuthorRole, user("system:serviceaccount:"+prefix+"-carol:carol"))
	client := env.devenv.ControlPlane.Client()
	if _, err := client.CoreV1().ServiceAccounts(prefix+"-carol").Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "carol"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var err error
	if result.carol, err = env.devenv.ControlPlane.ServiceAccountToken(t.Context(), prefix+"-carol", "carol", time.Hour); err != nil {
		t.Fatal(err)
	}
	result.gate = newGate(t, ownAccount, result.alice)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(tokenSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	shim, err := env.devenv.StartShim(t.Context(), devenv.ShimOptions{Name: prefix + "-shim",
		ExtraArgs: append([]string{"--package-service-url=" + result.gate.URL, "--token-secret-key-file=" + secret}, shimArgs...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shim.Stop)
	result.shim = "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(shim.Port()))
	return result
}

// write creates or updates a function with a file, as somebody.
func write(ctx context.Context, shim, token, method, path string, parts map[string]string, file []byte) (int, string, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, content := range parts {
		part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + name + `"`}, "Content-Type": {"application/json"}})
		if err != nil {
			return 0, "", err
		}
		if _, err := io.WriteString(part, content); err != nil {
			return 0, "", err
		}
	}
	if file != nil {
		part, err := form.CreateFormFile("data", "/home/somebody/secret-project.jar")
		if err != nil {
			return 0, "", err
		}
		if _, err := part.Write(file); err != nil {
			return 0, "", err
		}
	}
	if err := form.Close(); err != nil {
		return 0, "", err
	}
	return ask(ctx, method, shim+path, token, form.FormDataContentType(), &body)
}

func ask(ctx context.Context, method, url, token, contentType string, body io.Reader) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, "", err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

func expect(t *testing.T, what string, code int, reason string) func(gotCode int, body string, err error) {
	t.Helper()
	return func(gotCode int, body string, err error) {
		t.Helper()
		if err != nil || gotCode != code || reason != "" && !strings.Contains(body, reason) {
			t.Errorf("%s: got %d %.300s, %v", what, gotCode, body, err)
		}
	}
}

const (
	exclamation = `{"className":"org.example.Exclamation","jar":"code.jar","inputs":["in"]}`
	functions   = "/admin/v3/functions/"
)
