package tenancy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	claims "github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// object reads an object from YAML.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

// function returns a valid PulsarFunction. identity is members of its spec in YAML's
// flow style, each with a comma behind.
func function(t *testing.T, name, identity string) *unstructured.Unstructured {
	t.Helper()
	return object(t, `
apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata: {name: `+name+`}
spec: {`+identity+` className: org.example.F, java: {}, inputs: ["persistent://public/default/in"], package: {location: "function://public/default/code@1"}}
`)
}

// resource returns the custom resource of a function as somebody writes it by hand.
func resource(t *testing.T, name, tenant, namespace, component string) *unstructured.Unstructured {
	t.Helper()
	return object(t, `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata: {name: `+name+`}
spec:
  {tenant: `+tenant+`, namespace: `+namespace+`, name: `+component+`, className: org.example.F, replicas: 1, clusterName: dev,
   java: {jar: /pulsar/code.jar, jarLocation: "function://public/default/code@1"}, pulsar: {pulsarConfig: dev-function-mesh-config},
   forwardSourceMessageProperty: true, input: {topics: ["persistent://public/default/in"], typeClassName: "[B"}}
`)
}

// annotate has a Namespace claim what the annotation says, or nothing where it is empty.
func annotate(t *testing.T, namespace, annotation string) {
	t.Helper()
	if _, err := kube().CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, claimPatch(annotation), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

func claimPatch(annotation string) []byte {
	value := any(annotation)
	if annotation == "" {
		value = nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{claims.Annotation: value}}})
	if err != nil {
		panic(err)
	}
	return patch
}

// expectRefused checks that something is refused as invalid, with words of the reason.
func expectRefused(t *testing.T, what string, err error, words string) {
	t.Helper()
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: it is not refused with %q: %v", what, words, err)
	}
}

// answer is what the shim said.
type answer struct {
	code int
	body string
}

// reason is Pulsar's text for an error.
func (a answer) reason() string {
	var members struct {
		Reason string `json:"reason"`
	}
	if json.Unmarshal([]byte(a.body), &members) != nil {
		return ""
	}
	return members.Reason
}

// call makes a request of Pulsar's admin API. Config, unless it is empty, is sent as the
// form that Pulsar's clients send, with the part of that name.
func call(t *testing.T, token, method, path, part, config string) answer {
	t.Helper()
	var body bytes.Buffer
	contentType := ""
	if config != "" {
		form := multipart.NewWriter(&body)
		writer := must[io.Writer](t)(form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf("form-data; name=%q", part)}, "Content-Type": {"application/json"},
		}))
		must[int](t)(io.WriteString(writer, config))
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		contentType = form.FormDataContentType()
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, env.ShimURL()+path, &body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return send(t, token, request)
}

func send(t *testing.T, token string, request *http.Request) answer {
	t.Helper()
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	return answer{code: response.StatusCode, body: string(must[[]byte](t)(io.ReadAll(io.LimitReader(response.Body, 1<<20))))}
}

// functionConfig is a valid function for Pulsar's clients.
const functionConfig = `{"className":"org.example.F","runtime":"JAVA","jar":"function://public/default/code@1","inputs":["persistent://public/default/in"]}`

// functionPath is the path of a function, or of all where the name is empty.
func functionPath(tenant, namespace, name string) string {
	return strings.TrimSuffix("/admin/v3/functions/"+tenant+"/"+namespace+"/"+name, "/")
}

// expectAnswer checks a code and words of the reason.
func expectAnswer(t *testing.T, what string, got answer, code int, words string) {
	t.Helper()
	if got.code != code || !strings.Contains(got.body, words) {
		t.Errorf("%s: the answer is %d %s, not %d %s", what, got.code, got.body, code, words)
	}
}
