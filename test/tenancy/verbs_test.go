package tenancy

import (
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// TestVerbsAsRBACSays asks for each verb on each resource and subresource as each caller,
// with a Kubernetes client.
func TestVerbsAsRBACSays(t *testing.T) {
	t.Parallel()
	m := newMatrix(t, "verbs")
	answers := map[string]bool{}
	dry := []string{metav1.DryRunAll}
	eventually(t, "the last caller's rights", func() error {
		if !m.may(t, m.callers[len(m.callers)-1], right{"deletecollection", "pulsarfunctions"}) {
			return errNotYet
		}
		return nil
	})
	subresources := servedSubresources(t)
	for title, resource := range kindsByTitle {
		gvr := views.GroupVersion().WithResource(resource)
		id := identity.Name{Tenant: m.tenant, Namespace: "x", Name: title}
		there := must[*unstructured.Unstructured](t)(env.Dynamic().Resource(gvr).Namespace(m.namespace).Create(t.Context(), component(t, title, id), metav1.CreateOptions{}))
		// Loops write what they observe of it and keep of it.
		there.SetResourceVersion("")
		another := component(t, title, identity.Name{Tenant: m.tenant, Namespace: "x", Name: title + "-other"})
		for _, c := range m.callers {
			client := c.dynamic(t).Resource(gvr).Namespace(m.namespace)
			label := []byte(`{"metadata":{"labels":{"a":"b"}}}`)
			attempts := map[right]func() error{
				{"get", resource}:  func() error { return second(client.Get(t.Context(), there.GetName(), metav1.GetOptions{})) },
				{"list", resource}: func() error { return second(client.List(t.Context(), metav1.ListOptions{})) },
				{"watch", resource}: func() error {
					watcher, err := client.Watch(t.Context(), metav1.ListOptions{})
					if err == nil {
						watcher.Stop()
					}
					return err
				},
				{"create", resource}: func() error { return second(client.Create(t.Context(), another, metav1.CreateOptions{DryRun: dry})) },
				{"update", resource}: func() error { return second(client.Update(t.Context(), there, metav1.UpdateOptions{DryRun: dry})) },
				{"patch", resource}: func() error {
					return second(client.Patch(t.Context(), there.GetName(), types.MergePatchType, label, metav1.PatchOptions{DryRun: dry}))
				},
				{"delete", resource}: func() error { return client.Delete(t.Context(), there.GetName(), metav1.DeleteOptions{DryRun: dry}) },
				{"deletecollection", resource}: func() error {
					return client.DeleteCollection(t.Context(), metav1.DeleteOptions{DryRun: dry}, metav1.ListOptions{})
				},
			}
			for r, attempt := range attempts {
				err := attempt()
				switch allowed := m.mayAll(t, c, []right{r}, answers); {
				case allowed && err != nil:
					t.Errorf("%s as %s: %v", r, c.name, err)
				case !allowed && !apierrors.IsForbidden(err):
					t.Errorf("%s as %s: it is not forbidden: %v", r, c.name, err)
				}
			}
			for _, r := range subresources {
				parent, subresource, _ := strings.Cut(r.resource, "/")
				if parent != resource {
					continue
				}
				code := c.rawCode(t, r.verb, "/apis/"+gvr.GroupVersion().String()+"/namespaces/"+m.namespace+"/"+resource+"/"+there.GetName()+"/"+subresource)
				if allowed := m.mayAll(t, c, append(besides[subresource], r), answers); allowed == (code == http.StatusForbidden) {
					t.Errorf("%s as %s: the answer is %d, and that it is allowed is %t", r, c.name, code, allowed)
				}
			}
		}
	}
}

// besides are the rights that subresources need besides their own.
var besides = map[string][]right{"log": {{"get", "pods/log"}}}

// servedSubresources are the verbs of all subresources that are served.
func servedSubresources(t *testing.T) []right {
	t.Helper()
	list := must[*metav1.APIResourceList](t)(kube().Discovery().ServerResourcesForGroupVersion(views.GroupVersion().String()))
	var rights []right
	for _, resource := range list.APIResources {
		if !strings.Contains(resource.Name, "/") {
			continue
		}
		for _, verb := range resource.Verbs {
			rights = append(rights, right{verb, resource.Name})
		}
	}
	if len(rights) == 0 {
		t.Fatal("there are no subresources")
	}
	return rights
}

// methods are how verbs of subresources are asked for.
var methods = map[string]string{
	"get": http.MethodGet, "create": http.MethodPost, "update": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete,
}

// rawCode asks for something without saying anything, and returns the code of the answer.
func (c *caller) rawCode(t *testing.T, verb, path string) int {
	t.Helper()
	method, known := methods[verb]
	if !known {
		t.Fatalf("nobody knows how to ask for verb %s of %s", verb, path)
	}
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), method, c.config.Host+path+"?dryRun=All", strings.NewReader("{}")))
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", string(types.MergePatchType))
	}
	client := must[*http.Client](t)(rest.HTTPClientFor(c.config))
	response := must[*http.Response](t)(client.Do(request))
	defer response.Body.Close()
	return response.StatusCode
}

func second[T any](_ T, err error) error { return err }
