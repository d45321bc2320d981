package packages

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// TestOwnAccount has callers with and without a token of Pulsar's upload and download. The
// shim's account is shown for those without, and only for packages of those namespaces
// that are theirs.
func TestOwnAccount(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
	a := newAccounts(t, "none")
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "without an account", 401, "Pulsar doesn't let anybody without a token of Pulsar's write packages of namespace none-carol/x")(
		write(t.Context(), a.shim, a.carol, http.MethodPost, functions+"none-carol/x/f", map[string]string{"functionConfig": exclamation}, jar))
}
