package packages

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// collectionTimeout is generous: a removal is announced for most of a minute.
const collectionTimeout = 5 * time.Minute

// TestPulsarWithTokens uploads to a Pulsar that lets nobody in without a token, and asks
// each role for its right to packages.
func TestPulsarWithTokens(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	secret, token := filepath.Join(dir, "secret"), filepath.Join(dir, "token")
	const role = "packages-of-the-shim"
	for file, content := range map[string]string{secret: tokenSecret, token: pulsarToken(role)} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	admin := pulsarToken(pulsarstandalone.SuperUser)
	pulsar, err := pulsarstandalone.Start(ctx, pulsarstandalone.Options{Repository: env.root, Dir: filepath.Join(dir, "pulsar"),
		TokenSecretFile: secret, SuperUserToken: admin})
	if err != nil {
		t.Fatal(err)
	}
	defer pulsar.Stop()
	for _, tenant := range []string{"tokens-carol", "tokens-alice"} {
		pulsarNamespace(t, pulsar.URL(), admin, tenant)
	}
	expectCollected := collect(t, pulsar.URL(), admin)
	a := newAccounts(t, "tokens", "--package-service-url="+pulsar.URL(), "--package-service-token-file="+token)
	jar, err := os.ReadFile(env.pulsar.Code.Jar)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, token, tenant, role, who string }{
		{"carol, who is known to Kubernetes", a.carol, "tokens-carol", role, "pulsar-admin-shim"},
		{"alice, who is known to Pulsar", a.alice, "tokens-alice", "tokens-alice", "the caller"},
	} {
		path := functions + test.tenant + "/x/f"
		create := func() (int, string, error) {
			return write(ctx, a.shim, test.token, http.MethodPost, path, map[string]string{"functionConfig": exclamation}, jar)
		}
		expect(t, test.name+", without the right", 401, "Pulsar doesn't let "+test.who+" write packages of namespace "+test.tenant+"/x")(create())
		configure(t, http.MethodPost, pulsar.URL(), "namespaces/"+test.tenant+"/x/permissions/"+url.PathEscape(test.role), admin, `["packages"]`)
		expect(t, test.name, 204, "")(create())
		code, body, err := ask(ctx, http.MethodGet, a.shim+path+"/download", test.token, "", nil)
		if err != nil || code != http.StatusOK || body != string(jar) {
			t.Errorf("%s downloads: got %d, %d bytes, %v", test.name, code, len(body), err)
		}
	}
	expectCollected()
}

// collect leaves packages in a namespace of a Pulsar that lets nobody in without a token,
// and has a server remove those that nothing names, with an account that has no right but
// that to the packages of one namespace. It returns what waits for that.
func collect(t *testing.T, pulsar, admin string) (expectCollected func()) {
	t.Helper()
	const role, tenant = "packages-of-the-server", "tokens-collected"
	ctx := t.Context()
	pulsarNamespace(t, pulsar, admin, tenant)
	pulsarNamespace(t, pulsar, admin, tenant+"-not")
	configure(t, http.MethodPost, pulsar, "namespaces/"+tenant+"/x/permissions/"+role, admin, `["packages"]`)
	namespace(t, tenant, tenant+"/x,"+tenant+"-not/x")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(pulsarToken(role)), 0o600); err != nil {
		t.Fatal(err)
	}

	client, err := packageservice.NewClient(pulsar, pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	system, err := env.devenv.ControlPlane.Client().CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	leave := func(tenant, text string) identity.PackageURL {
		sum := sha256.Sum256([]byte(text))
		digest := hex.EncodeToString(sum[:])
		name := identity.PackageURL{Type: "function", Tenant: tenant, Namespace: "x", Name: "left", Version: packageservice.VersionOf(digest)}
		if err := client.Store(ctx, packageservice.Token(admin), packageservice.Package{
			Name: name, Keeper: packageservice.Keeper{Manager: packageservice.Manager, Installation: string(system.UID)},
			Metadata: packageservice.Describe("a test's", identity.Name{Tenant: tenant, Namespace: "x", Name: "left"}, digest, int64(len(text))),
			Content:  strings.NewReader(text), Size: int64(len(text)), Owned: packageservice.Managed,
		}); err != nil {
			t.Fatal(err)
		}
		return name
	}
	named, nobodys, outOfReach := leave(tenant, "named"), leave(tenant, "nobody's"), leave(tenant+"-not", "out of reach")
	apply(t, `{apiVersion: compute.functionmesh.io/v1alpha1, kind: Function, metadata: {name: named, namespace: `+tenant+`},
		spec: {tenant: `+tenant+`, namespace: x, name: named, java: {jar: /x.jar, jarLocation: "`+named.String()+`"}}}`)

	server, err := env.devenv.StartAPIServer(ctx, devenv.APIServerOptions{
		Name: "collecting", ExtraArgs: []string{"--controllers=package-collection", "--leader-elect=false"},
		Config: strings.Replace(devenv.DefaultConfig, "- name: dev\n", "- name: dev\n  adminUrl: "+pulsar+"\n  adminTokenFile: "+token+"\n", 1) +
			"packageGracePeriod: 1s\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		defer server.Stop()
		there := func(name identity.PackageURL) bool {
			_, err := client.Metadata(ctx, packageservice.Token(admin), name)
			if err != nil && !errors.Is(err, packageservice.ErrNotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		if err := wait.PollUntilContextTimeout(ctx, time.Second, collectionTimeout, true, func(context.Context) (bool, error) {
			return !there(nobodys), nil
		}); err != nil {
			t.Errorf("what nothing names is still there: %v", err)
		}
		if !there(named) || !there(outOfReach) {
			t.Errorf("of what is named %t is there, and of what is out of reach %t", there(named), there(outOfReach))
		}
	}
}
