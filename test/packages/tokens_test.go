package packages

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// TestPulsarWithTokens uploads to a Pulsar that lets nobody in without a token, and asks
// each role for its right to packages.
func TestPulsarWithTokens(t *testing.T) {
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
}
