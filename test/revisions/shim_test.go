package revisions

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// admin runs pulsar-admin against the shim, which has to succeed.
func admin(t *testing.T, arguments ...string) {
	t.Helper()
	result, err := env.java.Run(t.Context(), env.ShimURL(), arguments...)
	if err != nil || result.Exit != 0 {
		t.Fatalf("%q: %v %d: %s%s", arguments, err, result.Exit, result.Out, result.Err)
	}
}

// ask sends a request to the shim, and returns its answer.
func ask(t *testing.T, method, path string) (code int, body string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, env.ShimURL()+"/admin/v3/"+path, nil))
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	return response.StatusCode, string(must[[]byte](t)(io.ReadAll(response.Body)))
}

func objectName(name string) string {
	return identity.Name{Tenant: "public", Namespace: "default", Name: name}.ObjectName()
}

// locationOf returns where the code of a function is.
func locationOf(t *testing.T, name string) string {
	t.Helper()
	object := must[*unstructured.Unstructured](t)(resources("functions").Get(t.Context(), objectName(name), metav1.GetOptions{}))
	location, _, err := unstructured.NestedString(object.Object, "spec", "java", "jarLocation")
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// TestPulsarClients uploads code and other code, and brings the first one back.
func TestPulsarClients(t *testing.T) {
	const name, path = "uploaded", "functions/public/default/uploaded"
	admin(t, "functions", "create", "--jar", env.pulsar.Code.Jar, "--name", name, "--inputs", "in", "--classname", "org.example.Exclamation")
	first := locationOf(t, name)
	expectRevisions(t, "pulsarfunctions", objectName(name), "1 ")
	admin(t, "functions", "update", "--jar", env.pulsar.Code.NAR, "--name", name, "--user-config", `{"a":"b"}`)
	second := locationOf(t, name)
	if first == second {
		t.Fatal("other code has the same location")
	}
	expectRevisions(t, "pulsarfunctions", objectName(name), "2 ", "1 ")

	code, body := ask(t, http.MethodGet, path+"/revisions")
	var revisions []v1alpha1.PulsarRevision
	if err := json.Unmarshal([]byte(body), &revisions); err != nil || code != http.StatusOK || len(revisions) != 2 {
		t.Fatalf("%d %v %s", code, err, body)
	}
	if newest := revisions[0]; !newest.Current || newest.User != "pulsar:anonymous" || newest.Package != second ||
		!strings.HasSuffix(second, "@sha256-"+newest.Digest) {
		t.Errorf("the newest is %+v", newest)
	}
	if code, body := ask(t, http.MethodPost, path+"/rollback?revision=1"); code != http.StatusNoContent || body != "" {
		t.Fatalf("%d %s", code, body)
	}
	if location := locationOf(t, name); location != first {
		t.Errorf("the code is at %s, not at %s", location, first)
	}
	expectRevisions(t, "pulsarfunctions", objectName(name), "3 ", "2 ")
	if code, body := ask(t, http.MethodPost, path+"/rollback"); code != http.StatusNoContent {
		t.Fatalf("%d %s", code, body)
	}
	if location := locationOf(t, name); location != second {
		t.Errorf("the code is at %s, not at %s", location, second)
	}

	for _, refused := range []struct {
		method, path string
		code         int
		reason       string
	}{
		{http.MethodPost, path + "/rollback?revision=77", 400, "Function uploaded has no revision 77"},
		{http.MethodPost, path + "/rollback?revision=x", 400, "The revision must be a number"},
		{http.MethodPost, path + "/rollback?revision=-1", 400, "The revision must be a number"},
		{http.MethodPost, "functions/public/default/nothing/rollback", 404, "Function nothing doesn't exist"},
		{http.MethodGet, "sinks/public/default/nothing/revisions", 404, "Sink nothing doesn't exist"},
	} {
		if code, body := ask(t, refused.method, refused.path); code != refused.code || body != `{"reason":"`+refused.reason+`"}` {
			t.Errorf("%s %s: %d %s", refused.method, refused.path, code, body)
		}
	}

	// Code that is gone can't be brought back.
	if err := service(t).Delete(t.Context(), "", must[identity.PackageURL](t)(identity.ParsePackageURL(first))); err != nil {
		t.Fatal(err)
	}
	gone := `{"reason":"Revision 3 of uploaded can't be restored: its package ` + first + ` is gone from Pulsar's package service"}`
	if code, body := ask(t, http.MethodPost, path+"/rollback?revision=3"); code != http.StatusBadRequest || body != gone {
		t.Errorf("%d %s", code, body)
	}
	if location := locationOf(t, name); location != second {
		t.Errorf("the code is at %s, not at %s", location, second)
	}
}
