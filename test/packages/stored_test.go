package packages

import (
	"bytes"
	"net/http"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// TestUploadWithAuthData updates a function with new code and with the token of who does.
func TestUploadWithAuthData(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
