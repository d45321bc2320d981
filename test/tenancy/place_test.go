package tenancy

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// identityOf returns the identity that a view shows.
func identityOf(view *unstructured.Unstructured) string {
	return nested(view, "spec", "tenant") + "/" + nested(view, "spec", "namespace") + "/" + nested(view, "spec", "name")
}

func nested(object *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(object.Object, path...)
	return text
}

// TestDefaults leaves the identity out: it is that of the one Pulsar namespace that is
// served, even of a Namespace that was made a moment ago.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ claim, identity, want string }{
		{"one/orders", "", "one/orders/f"},
		{"tenant/orders", "tenant: tenant,", "tenant/orders/f"},
		{"named/orders", "name: g,", "named/orders/g"},
	} {
		namespace := newNamespace(t, "defaults", test.claim)
		created := must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views).Namespace(namespace).
			Create(t.Context(), function(t, "f", test.identity), metav1.CreateOptions{}))
		if got := identityOf(created); got != test.want {
			t.Errorf("in what serves %s it is %s, not %s", test.claim, got, test.want)
		}
	}
	// Of several none is the one.
	several := newNamespace(t, "defaults", "several/a, several/b")
	_, err := env.Dynamic().Resource(views).Namespace(several).Create(t.Context(), function(t, "f", ""), metav1.CreateOptions{})
	expectRefused(t, "without an identity", err, "does not serve Pulsar namespace public/default")
	// The default namespace serves what nobody claims.
	created := must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views).Namespace(metav1.NamespaceDefault).
		Create(t.Context(), function(t, "tenancy-default", ""), metav1.CreateOptions{}))
	if got := identityOf(created); got != "public/default/tenancy-default" {
		t.Errorf("in the default namespace it is %s", got)
	}
}

// TestPlaces creates functions where they belong and where they don't, on every way of
// creating one.
func TestPlaces(t *testing.T) {
	t.Parallel()
	all := newNamespace(t, "places", "places/*")
	exact := newNamespace(t, "places", "places/orders")
	none := newNamespace(t, "places", "")
	for _, test := range []struct {
		namespace, pulsar string
		served            bool
	}{
		{all, "billing", true}, {all, "orders", false}, {exact, "orders", true}, {exact, "billing", false},
		{none, "orders", false}, {none, "billing", false}, {metav1.NamespaceDefault, "orders", false}, {metav1.NamespaceDefault, "billing", false},
	} {
		client := env.Dynamic().Resource(views).Namespace(test.namespace)
		object := "f-" + test.pulsar
		made := func() *unstructured.Unstructured {
			return function(t, object, "tenant: places, namespace: "+test.pulsar+",")
		}
		generated := made()
		generated.SetName("")
		generated.SetGenerateName("generated-")
		named := func(err error, way string) {
			t.Helper()
			what := fmt.Sprintf("places/%s in %s, %s", test.pulsar, test.namespace, way)
			if test.served && err != nil {
				t.Errorf("%s: %v", what, err)
			} else if !test.served {
				expectRefused(t, what, err, "does not serve Pulsar namespace places/"+test.pulsar)
			}
		}
		_, err := client.Create(t.Context(), made(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		named(err, "dry run")
		_, err = client.Apply(t.Context(), object, made(), metav1.ApplyOptions{FieldManager: "t", DryRun: []string{metav1.DryRunAll}})
		named(err, "apply, dry run")
		_, err = client.Create(t.Context(), generated, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		named(err, "generated name")
		_, err = client.Apply(t.Context(), object, made(), metav1.ApplyOptions{FieldManager: "t"})
		named(err, "apply")
		if !test.served {
			_, err = client.Create(t.Context(), made(), metav1.CreateOptions{})
			named(err, "create")
		}
	}
	// Through the other door each finds its way.
	for pulsar, namespace := range map[string]string{"billing": all, "orders": exact} {
		author := newCaller(t, namespace, "author").bind(t, "functionmesh-pulsar-author")
		eventually(t, "the shim to know who serves places/"+pulsar, func() error {
			if got := call(t, author.token, "POST", functionPath("places", pulsar, "rest"), "functionConfig", functionConfig); got.code != 204 {
				return fmt.Errorf("create answers %d %s", got.code, got.body)
			}
			return nil
		})
		name := identity.Name{Tenant: "places", Namespace: pulsar, Name: "rest"}
		must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views).Namespace(namespace).Get(t.Context(), name.ObjectName(), metav1.GetOptions{}))
		expectAnswer(t, "list", call(t, author.token, "GET", functionPath("places", pulsar, ""), "", ""), 200, `["f-`+pulsar+`","rest"]`)
	}
}

// TestContradiction lets two Namespaces claim the same: nothing new comes into being in
// either, and what is there stays.
func TestContradiction(t *testing.T) {
	t.Parallel()
	first := newNamespace(t, "both", "both/orders")
	author := newCaller(t, first, "author").bind(t, "functionmesh-pulsar-author")
	eventually(t, "a function", func() error {
		if got := call(t, author.token, "POST", functionPath("both", "orders", "f"), "functionConfig", functionConfig); got.code != 204 {
			return fmt.Errorf("create answers %d %s", got.code, got.body)
		}
		return nil
	})
	second := newNamespace(t, "both", "other/x,both/orders")
	for _, namespace := range []string{first, second} {
		client := env.Dynamic().Resource(views).Namespace(namespace)
		eventually(t, "the contradiction to be known", func() error {
			_, err := client.Create(t.Context(), function(t, "g", "tenant: both, namespace: orders,"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			if err == nil || !strings.Contains(err.Error(), "more than one Kubernetes namespace") {
				return fmt.Errorf("create answers %v", err)
			}
			return nil
		})
		eventually(t, "an event of "+namespace, func() error { return eventOf(t, namespace, "both/orders is claimed by") })
	}
	expectAnswer(t, "create", call(t, author.token, "POST", functionPath("both", "orders", "g"), "functionConfig", functionConfig), 400, "more than one Kubernetes namespace")
	client := env.Dynamic().Resource(views).Namespace(first)
	object := identity.Name{Tenant: "both", Namespace: "orders", Name: "f"}.ObjectName()
	_, err := client.Patch(t.Context(), object, types.MergePatchType, []byte(`{"spec":{"logTopic":"log"}}`), metav1.PatchOptions{})
	if err != nil {
		t.Errorf("an update of what is there: %v", err)
	}
	annotate(t, second, "other/x")
	eventually(t, "the contradiction to be over", func() error {
		if got := call(t, author.token, "POST", functionPath("both", "orders", "g"), "functionConfig", functionConfig); got.code != 204 {
			return fmt.Errorf("create answers %d %s", got.code, got.body)
		}
		return nil
	})
}

// eventOf returns nil if there is an event of a Namespace with such words.
func eventOf(t *testing.T, namespace, words string) error {
	t.Helper()
	events, err := kube().CoreV1().Events(metav1.NamespaceDefault).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.kind=Namespace,involvedObject.name=" + namespace})
	if err != nil {
		return err
	}
	for _, event := range events.Items {
		if strings.Contains(event.Message, words) && event.Reason == "InvalidPulsarNamespaces" {
			return nil
		}
	}
	return errNotYet
}

// TestFollowing moves a Pulsar namespace from one Namespace to another. What is left
// behind can be scaled and deleted, and isn't there for Pulsar's clients.
func TestFollowing(t *testing.T) {
	t.Parallel()
	from := newNamespace(t, "from", "moving/orders")
	to := newNamespace(t, "to", "")
	author := newCaller(t, from, "author").bind(t, "functionmesh-pulsar-author")
	newAuthor := newCaller(t, to, "author").bind(t, "functionmesh-pulsar-author")
	client := must[*unstructured.Unstructured]
	old := env.Dynamic().Resource(views).Namespace(from)
	client(t)(old.Create(t.Context(), function(t, "f", ""), metav1.CreateOptions{}))
	eventually(t, "the function at the shim", func() error {
		if got := call(t, author.token, "GET", functionPath("moving", "orders", "f"), "", ""); got.code != 200 {
			return fmt.Errorf("get answers %d %s", got.code, got.body)
		}
		return nil
	})
	annotate(t, from, "")
	annotate(t, to, "moving/*")
	eventually(t, "the status to say so", func() error {
		for _, condition := range conditions(client(t)(old.Get(t.Context(), "f", metav1.GetOptions{}))) {
			if condition["type"] == "Accepted" && condition["status"] == "False" && condition["reason"] == "NotServed" {
				return nil
			}
		}
		return errNotYet
	})
	eventually(t, "the function to be gone for Pulsar's clients", func() error {
		if got := call(t, newAuthor.token, "GET", functionPath("moving", "orders", "f"), "", ""); got.code != 404 {
			return fmt.Errorf("get answers %d %s", got.code, got.body)
		}
		return nil
	})
	expectAnswer(t, "list", call(t, newAuthor.token, "GET", functionPath("moving", "orders", ""), "", ""), 200, "[]")
	expectAnswer(t, "list by who may not", call(t, author.token, "GET", functionPath("moving", "orders", ""), "", ""), 401, unauthorized)

	_, err := old.Patch(t.Context(), "f", types.MergePatchType, []byte(`{"spec":{"className":"org.example.Other"}}`), metav1.PatchOptions{})
	expectRefused(t, "a change of what it does", err, "any more")
	for _, change := range []string{`{"spec":{"parallelism":2}}`, `{"spec":{"suspend":true}}`, `{"spec":{"suspend":false}}`, `{"metadata":{"labels":{"a":"b"}}}`} {
		if _, err := old.Patch(t.Context(), "f", types.MergePatchType, []byte(change), metav1.PatchOptions{}); err != nil {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := old.Patch(t.Context(), "f", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{}, "scale"); err != nil {
		t.Errorf("scale: %v", err)
	}
	if list := must[*unstructured.UnstructuredList](t)(old.List(t.Context(), metav1.ListOptions{})); len(list.Items) != 1 {
		t.Errorf("%d are listed", len(list.Items))
	}
	// The other one has its place now, whatever is left behind.
	expectAnswer(t, "create", call(t, newAuthor.token, "POST", functionPath("moving", "orders", "f"), "functionConfig", functionConfig), 204, "")
	if err := old.Delete(t.Context(), "f", metav1.DeleteOptions{}); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func conditions(view *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(view.Object, "status", "conditions")
	var all []map[string]any
	for _, item := range list {
		if condition, ok := item.(map[string]any); ok {
			all = append(all, condition)
		}
	}
	return all
}

// TestUnreadableClaim gives a Namespace an annotation that can't be read, which the
// admission policy would have refused: it claims nothing, and an event says so.
func TestUnreadableClaim(t *testing.T) {
	namespace := newNamespace(t, "unreadable", "unreadable/orders")
	binding := "functionmesh-pulsar-namespaces"
	policies := kube().AdmissionregistrationV1().ValidatingAdmissionPolicyBindings()
	without := must[*unstructured.Unstructured](t)(env.Dynamic().Resource(bindingResource).Get(t.Context(), binding, metav1.GetOptions{}))
	if err := policies.Delete(t.Context(), binding, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the policy to be gone", func() error {
		_, err := kube().CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, claimPatch("unreadable/orders,acme"), metav1.PatchOptions{})
		return err
	})
	without.SetResourceVersion("")
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(bindingResource).Create(t.Context(), without, metav1.CreateOptions{}))
	waitForPolicy(t)
	eventually(t, "an event", func() error { return eventOf(t, namespace, `"acme" is neither tenant/namespace nor tenant/*`) })
	_, err := env.Dynamic().Resource(views).Namespace(namespace).
		Create(t.Context(), function(t, "f", "tenant: unreadable, namespace: orders,"), metav1.CreateOptions{})
	expectRefused(t, "create", err, "does not serve Pulsar namespace unreadable/orders")
	annotate(t, namespace, "unreadable/orders")
	eventually(t, "the claim to be read", func() error {
		_, err := env.Dynamic().Resource(views).Namespace(namespace).Create(t.Context(), function(t, "f", ""), metav1.CreateOptions{})
		return err
	})
}
