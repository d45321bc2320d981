package tenancy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// TestUploadOverWhatOthersRun asks to upload packages of which some are the code of what
// runs with credentials: in the spec, and in the custom resource alone. Only who may use
// those may give them other content. That is asked as the shim does, before it takes a file.
func TestUploadOverWhatOthersRun(t *testing.T) {
	t.Parallel()
	namespace := newNamespace(t, "upload", "upload/x")
	const author = "functionmesh-pulsar-author"
	secrets := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}})
	hidden := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"compute.functionmesh.io"}, Resources: []string{"functions"}, Verbs: []string{"get"}})
	plain := newCaller(t, namespace, "plain").bind(t, author)
	owner := newCaller(t, namespace, "owner").bind(t, secrets).bind(t, hidden).bind(t, author)

	create := func(name, members string) {
		t.Helper()
		made := function(t, name, "tenant: upload, namespace: x, name: "+name+", "+members)
		made.Object["spec"].(map[string]any)["package"] = map[string]any{"location": "function://upload/x/" + name}
		must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views).Namespace(namespace).Create(t.Context(), made, metav1.CreateOptions{}))
	}
	create("credential", "auth: {secretName: token},")
	create("account", "pod: {serviceAccountName: builder},")
	create("free", "")
	sink := component(t, "sink", identity.Name{Tenant: "upload", Namespace: "x", Name: "sink"})
	spec := sink.Object["spec"].(map[string]any)
	spec["package"], spec["auth"] = map[string]any{"location": "function://upload/x/shared@v1"}, map[string]any{"secretName": "token"}
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views.GroupVersion().WithResource("pulsarsinks")).Namespace(namespace).Create(t.Context(), sink, metav1.CreateOptions{}))
	byHand := resource(t, "hidden", "upload", "x", "hidden")
	if err := unstructured.SetNestedField(byHand.Object, "function://upload/x/hidden@latest", "spec", "java", "jarLocation"); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedMap(byHand.Object, map[string]any{"clientAuthenticationPlugin": "org.example.P", "clientAuthenticationParameters": "p"},
		"spec", "pulsar", "authConfig", "genericAuth"); err != nil {
		t.Fatal(err)
	}
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(resources).Namespace(namespace).Create(t.Context(), byHand, metav1.CreateOptions{}))

	ask := func(c *caller, location string) (int, string) {
		return c.post(t, "/apis/"+views.GroupVersion().String()+"/namespaces/"+namespace+"/pulsarfunctions/any/package", map[string]any{
			"apiVersion": views.GroupVersion().String(), "kind": "PulsarAction", "package": location,
		})
	}
	eventually(t, "the rights of both", func() error {
		for _, c := range []*caller{plain, owner} {
			if code, body := ask(c, ""); code != http.StatusCreated {
				return fmt.Errorf("%s: %d %s", c.name, code, body)
			}
		}
		if code, body := ask(owner, "function://upload/x/credential"); code != http.StatusCreated {
			return fmt.Errorf("the owner: %d %s", code, body)
		}
		return nil
	})
	digest := "@sha256-" + strings.Repeat("0", 64)
	for location, refused := range map[string]bool{
		"function://upload/x/credential": true, "function://upload/x/credential@latest": true, "function://upload/x/account@latest": true,
		"function://upload/x/shared@v1": true, "function://upload/x/hidden": true,
		"function://upload/x/credential@v2": false, "function://upload/x/credential" + digest: false, "sink://upload/x/credential": false,
		"function://upload/x/free": false, "function://upload/x/shared@v2": false, "function://upload/x/nothing": false,
	} {
		code, body := ask(plain, location)
		if refused && (code != http.StatusForbidden || !strings.Contains(body, "runs with an account which isn't the caller's")) || !refused && code != http.StatusCreated {
			t.Errorf("%s without the right to what it runs with: %d %s", location, code, body)
		}
		if strings.Contains(body, "token") || strings.Contains(body, "builder") {
			t.Errorf("%s: the refusal names what the caller may not read: %s", location, body)
		}
		if location == "function://upload/x/account@latest" {
			continue
		}
		if code, body := ask(owner, location); code != http.StatusCreated {
			t.Errorf("%s with the rights: %d %s", location, code, body)
		}
	}
	if code, _ := ask(plain, "function://upload/x"); code != http.StatusBadRequest {
		t.Errorf("what is no package: %d", code)
	}
	eventually(t, "what was to be uploaded, in the audit log", func() error {
		if len(auditEvents(t, func(event *auditv1.Event) bool {
			return event.User.Username == plain.user() && event.Annotations["admin.functionmesh.io/package"] == "function://upload/x/credential@latest" &&
				event.ResponseStatus != nil && event.ResponseStatus.Code == http.StatusForbidden
		})) == 0 {
			return errNotYet
		}
		return nil
	})
}

// post sends an object as JSON to kube-apiserver, and returns the code and the body of the
// answer.
func (c *caller) post(t *testing.T, path string, object map[string]any) (int, string) {
	t.Helper()
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodPost, c.config.Host+path,
		strings.NewReader(string(must[[]byte](t)(json.Marshal(object))))))
	request.Header.Set("Content-Type", "application/json")
	client := must[*http.Client](t)(rest.HTTPClientFor(c.config))
	response := must[*http.Response](t)(client.Do(request))
	defer response.Body.Close()
	return response.StatusCode, string(must[[]byte](t)(io.ReadAll(io.LimitReader(response.Body, 1<<20))))
}
