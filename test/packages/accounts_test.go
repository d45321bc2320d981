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

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
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

// TestOwnAccount has callers with and without a token of Pulsar's upload and download. The
// shim's account is shown for those without, and only for packages of those namespaces
// that are theirs.
func TestOwnAccount(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(ownAccount), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAccounts(t, "own", "--package-service-token-file="+token)
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	config := map[string]string{"functionConfig": exclamation}
	expect(t, "carol's function", 204, "")(write(ctx, a.shim, a.carol, http.MethodPost, functions+"own-carol/x/f", config, jar))
	code, body, err := ask(ctx, http.MethodGet, a.shim+functions+"own-carol/x/f/download", a.carol, "", nil)
	if err != nil || code != http.StatusOK || body != string(jar) {
		t.Errorf("carol's code: got %d, %d bytes, %v", code, len(body), err)
	}
	code, body, err = sendToPath(ctx, a.shim, a.carol, "own-carol/x/library", false, bytes.NewReader(jar))
	expect(t, "carol's upload", 204, "")(code, body, err)
	for _, asked := range a.gate.shown(ownAccount) {
		if !strings.Contains(asked, "/function/own-carol/x/") {
			t.Errorf("the shim's account was used for %s", asked)
		}
	}
	if asked := a.gate.shown(a.carol); len(asked) > 0 {
		t.Errorf("carol's Kubernetes token was shown for %q", asked)
	}

	// Alice has a token that is Pulsar's, so hers is shown.
	expect(t, "alice's function", 204, "")(write(ctx, a.shim, a.alice, http.MethodPost, functions+"own-alice/x/f", config, jar))
	code, body, err = ask(ctx, http.MethodGet, a.shim+functions+"own-alice/x/f/download", a.alice, "", nil)
	if err != nil || code != http.StatusOK || body != string(jar) {
		t.Errorf("alice's code: got %d, %d bytes, %v", code, len(body), err)
	}
	if asked := a.gate.shown(ownAccount); len(asked) > 0 {
		t.Errorf("for alice the shim's account was used: %q", asked)
	}
	if asked := a.gate.shown(a.alice); len(asked) == 0 {
		t.Error("alice's token was not shown")
	}

	// What is alice's, carol gets by no way: neither by the path, nor by a function of her
	// own that names it.
	location := identity.PackageURL{Type: "function", Tenant: "own-alice", Namespace: "x", Name: "f",
		Version: packageservice.VersionOf(digestOf(t, env.pulsar.Code.Jar))}.String()
	const unauthorized = "Client is not authorized to perform operation"
	expect(t, "alice's package, for carol", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"download?path="+url.QueryEscape(location), a.carol, "", nil))
	expect(t, "alice's function, for carol", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"own-alice/x/f/download", a.carol, "", nil))
	expect(t, "a function with alice's package", 204, "")(write(ctx, a.shim, a.carol, http.MethodPost, functions+"own-carol/x/thief",
		map[string]string{"functionConfig": strings.Replace(exclamation, "code.jar", location, 1)}, nil))
	expect(t, "alice's package by carol's function", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"own-carol/x/thief/download", a.carol, "", nil))
	for _, pathFirst := range []bool{true, false} {
		code, body, err = sendToPath(ctx, a.shim, a.carol, "own-alice/x/f", pathFirst, bytes.NewReader(jar))
		expect(t, "carol's upload to alice's path", 401, unauthorized)(code, body, err)
	}
	// Nobody's namespace is nobody's right.
	expect(t, "a package of a namespace that nobody serves", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"download?path=elsewhere/x/f", a.carol, "", nil))
	if asked := a.gate.shown(ownAccount); len(asked) > 0 {
		t.Errorf("for what isn't carol's the shim's account was used: %q", asked)
	}
}

// TestSinksAlone has somebody with rights on sinks alone use their code, by Pulsar's routes
// for functions.
func TestSinksAlone(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(ownAccount), 0o600); err != nil {
		t.Fatal(err)
	}
	a, ctx, client := newAccounts(t, "sinks", "--package-service-token-file="+token), t.Context(), env.devenv.ControlPlane.Client()
	if _, err := client.CoreV1().ServiceAccounts("sinks-carol").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "dave"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "sinks-alone"}, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{"admin.functionmesh.io"}, Resources: []string{"pulsarsinks", "pulsarsinks/package"}, Verbs: []string{"get", "create"},
	}}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	bind(t, "sinks-carol", "sinks-alone", user("system:serviceaccount:sinks-carol:dave"))
	dave, err := env.devenv.ControlPlane.ServiceAccountToken(ctx, "sinks-carol", "dave", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	nar, err := os.ReadFile(archive(t, "pulsar-io-data-generator"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "carol's sink", 204, "")(write(ctx, a.shim, a.carol, http.MethodPost, "/admin/v3/sinks/sinks-carol/x/s",
		map[string]string{"sinkConfig": `{"archive":"code.nar","inputs":["in"]}`}, nar))
	expect(t, "carol's function", 204, "")(write(ctx, a.shim, a.carol, http.MethodPost, functions+"sinks-carol/x/f",
		map[string]string{"functionConfig": strings.Replace(exclamation, "code.jar", "function://sinks-carol/x/f@1", 1)}, nil))
	code, body, err := ask(ctx, http.MethodGet, a.shim+functions+"sinks-carol/x/s/download", dave, "", nil)
	if err != nil || code != http.StatusOK || body != string(nar) {
		t.Errorf("the sink's code: got %d, %d bytes, %v", code, len(body), err)
	}
	const unauthorized = "Client is not authorized to perform operation"
	expect(t, "a function's code", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"sinks-carol/x/f/download", dave, "", nil))
	expect(t, "what isn't there", 401, unauthorized)(ask(ctx, http.MethodGet, a.shim+functions+"sinks-carol/x/nothing/download", dave, "", nil))
	for path, want := range map[string]int{"sink://sinks-carol/x/library": 204, "sinks-carol/x/library": 401, "source://sinks-carol/x/library": 401} {
		code, body, err := sendToPath(ctx, a.shim, dave, path, false, bytes.NewReader(nar))
		expect(t, "an upload to "+path, want, "")(code, body, err)
	}
}

// TestNoAccount has somebody who has no token of Pulsar's upload where the shim has no
// account: Pulsar refuses that, and the answer says what is missing.
func TestNoAccount(t *testing.T) {
	a := newAccounts(t, "none")
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "without an account", 401, "Pulsar doesn't let anybody without a token of Pulsar's write packages of namespace none-carol/x")(
		write(t.Context(), a.shim, a.carol, http.MethodPost, functions+"none-carol/x/f", map[string]string{"functionConfig": exclamation}, jar))
}

// TestUploadWithAuthData updates a function with new code and with the token of who does.
func TestUploadWithAuthData(t *testing.T) {
	a := newAccounts(t, "auth")
	ctx := t.Context()
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile(archive(t, "pulsar-functions-api-examples"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "create", 204, "")(write(ctx, a.shim, a.alice, http.MethodPost, functions+"auth-alice/x/f", map[string]string{"functionConfig": exclamation}, jar))
	again := pulsarToken("auth-alice\",\"n\":\"2")
	a.gate.lock.Lock()
	a.gate.tokens = append(a.gate.tokens, again)
	a.gate.lock.Unlock()
	expect(t, "update", 204, "")(write(ctx, a.shim, again, http.MethodPut, functions+"auth-alice/x/f", map[string]string{
		"functionConfig": `{"className":"org.apache.pulsar.functions.api.examples.ExclamationFunction"}`, "updateOptions": `{"updateAuthData":true}`,
	}, examples))
	function := resourceIn(t, "functions", "auth-alice", identity.Name{Tenant: "auth-alice", Namespace: "x", Name: "f"})
	location := text(function, "spec", "java", "jarLocation")
	if !strings.HasSuffix(location, packageservice.VersionOf(digestOf(t, archive(t, "pulsar-functions-api-examples")))) {
		t.Errorf("the code is at %s", location)
	}
	secret, err := env.devenv.ControlPlane.Client().CoreV1().Secrets("auth-alice").Get(ctx, text(function, "spec", "pulsar", "authSecret"), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(bytes.Join(values(secret.Data), nil)), again) {
		t.Error("the function's Secret hasn't the token of who updated it")
	}
	if described, err := function.MarshalJSON(); err != nil || bytes.Contains(described, []byte("secret-project")) {
		t.Errorf("the client's file name is in the custom resource, %v", err)
	}
}

func values(data map[string][]byte) [][]byte {
	var all [][]byte
	for _, value := range data {
		all = append(all, value)
	}
	return all
}

// TestCreateFailsAfterUpload has somebody else create the function while its code is on
// the way to Pulsar.
func TestCreateFailsAfterUpload(t *testing.T) {
	a := newAccounts(t, "late")
	ctx := t.Context()
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	const other = "function://late-alice/x/other@1"
	code, body, err := sendToPath(ctx, a.shim, a.alice, other, true, bytes.NewReader(jar))
	expect(t, "the other's package", 204, "")(code, body, err)
	a.gate.before = func(request *http.Request) {
		if request.Method == http.MethodPost {
			expect(t, "the other's creation", 204, "")(write(ctx, a.shim, a.alice, http.MethodPost, functions+"late-alice/x/f",
				map[string]string{"functionConfig": strings.Replace(exclamation, "code.jar", other, 1)}, nil))
		}
	}
	expect(t, "the creation that lost", 400, "Function f already exists")(write(ctx, a.shim, a.alice, http.MethodPost, functions+"late-alice/x/f",
		map[string]string{"functionConfig": exclamation}, jar))
	function := resourceIn(t, "functions", "late-alice", identity.Name{Tenant: "late-alice", Namespace: "x", Name: "f"})
	if got := text(function, "spec", "java", "jarLocation"); got != other {
		t.Errorf("the code is at %s", got)
	}
	// What was stored in vain is marked as what goes when nobody names it.
	metadata, err := newClient(t).Metadata(ctx, "", identity.PackageURL{Type: "function", Tenant: "late-alice", Namespace: "x", Name: "f",
		Version: packageservice.VersionOf(digestOf(t, env.pulsar.Code.Jar))})
	if err != nil || metadata.Properties["managedBy"] != "functionmesh-apiserver" {
		t.Errorf("the package is %+v, %v", metadata, err)
	}
}
