package tenancy

import (
	"fmt"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// siege is a tenant and somebody who may do everything in the namespace of another.
type siege struct {
	victim, thief   string
	name            identity.Name
	owner, attacker *caller
	// views and resources are the attacker's, in its own namespace.
	views, resources dynamic.ResourceInterface
}

func newSiege(t *testing.T, tenant string) *siege {
	t.Helper()
	s := &siege{name: identity.Name{Tenant: tenant, Namespace: "orders", Name: "victim"}}
	s.victim, s.thief = newNamespace(t, "victim", tenant+"/*"), newNamespace(t, "thief", tenant+"-thief/x")
	s.owner = newCaller(t, s.victim, "owner").bind(t, "functionmesh-pulsar-author")
	// Everything in a namespace is more than the role admin: the Namespace itself is
	// part of it.
	s.attacker = newCaller(t, s.thief, "attacker").bind(t, "cluster-admin")
	client := s.attacker.dynamic(t)
	s.views, s.resources = client.Resource(views).Namespace(s.thief), client.Resource(resources).Namespace(s.thief)
	eventually(t, "the victim's function", func() error {
		if got := call(t, s.owner.token, "POST", s.path(s.name.Name), "functionConfig", functionConfig); got.code != 204 {
			return fmt.Errorf("create answers %d %s", got.code, got.body)
		}
		return nil
	})
	eventually(t, "the attacker's rights", func() error {
		_, err := s.resources.List(t.Context(), metav1.ListOptions{})
		return err
	})
	return s
}

func (s *siege) path(name string) string { return functionPath(s.name.Tenant, s.name.Namespace, name) }

// expectHeld checks that the tenant has what it had, and nothing else.
func (s *siege) expectHeld(t *testing.T) {
	t.Helper()
	expectAnswer(t, "the tenant's list", call(t, s.owner.token, "GET", s.path(""), "", ""), 200, `["victim"]`)
	expectAnswer(t, "the tenant's function", call(t, s.owner.token, "GET", s.path("victim"), "", ""), 200, `"className":"org.example.F"`)
}

// TestForeignTenant tries to get into a tenant through each field of a view.
func TestForeignTenant(t *testing.T) {
	t.Parallel()
	s := newSiege(t, "foreign")
	foreign := "tenant: " + s.name.Tenant + ", namespace: orders, "
	const refusal = "does not serve Pulsar namespace"

	_, err := s.views.Create(t.Context(), function(t, "a", foreign), metav1.CreateOptions{})
	expectRefused(t, "create", err, refusal)
	_, err = s.views.Create(t.Context(), function(t, s.name.ObjectName(), foreign+"name: victim, "), metav1.CreateOptions{})
	expectRefused(t, "create under the name that the shim would give", err, refusal)
	_, err = s.views.Apply(t.Context(), "a", function(t, "a", foreign), metav1.ApplyOptions{FieldManager: "t", Force: true})
	expectRefused(t, "apply", err, refusal)

	own := must[*unstructured.Unstructured](t)(s.views.Create(t.Context(), function(t, "own", ""), metav1.CreateOptions{}))
	for what, patch := range map[string]string{
		"tenant":           `{"spec":{"tenant":"` + s.name.Tenant + `"}}`,
		"tenant and more":  `{"spec":{"tenant":"` + s.name.Tenant + `","namespace":"orders","name":"victim"}}`,
		"the server's key": `{"metadata":{"labels":{"admin.functionmesh.io/identity":"` + s.name.Label() + `"}}}`,
		"kept fields":      `{"metadata":{"annotations":{"admin.functionmesh.io/kept-fields":"{\"version\":1,\"spec\":{\"tenant\":\"` + s.name.Tenant + `\"}}"}}}`,
		"a status":         `{"metadata":{"annotations":{"admin.functionmesh.io/status":"{}"}}}`,
	} {
		if _, err := s.views.Patch(t.Context(), "own", types.MergePatchType, []byte(patch), metav1.PatchOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("%s: it is not refused: %v", what, err)
		}
	}
	_, err = s.views.Patch(t.Context(), "own", types.JSONPatchType, []byte(`[{"op":"replace","path":"/spec/tenant","value":"`+s.name.Tenant+`"}]`), metav1.PatchOptions{})
	if !apierrors.IsInvalid(err) {
		t.Errorf("JSON patch: %v", err)
	}
	_, err = s.views.Apply(t.Context(), "own", function(t, "own", foreign), metav1.ApplyOptions{FieldManager: "t", Force: true})
	if !apierrors.IsInvalid(err) {
		t.Errorf("apply of another tenant: %v", err)
	}
	changed := own.DeepCopy()
	if err := unstructured.SetNestedField(changed.Object, s.name.Tenant, "spec", "tenant"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.views.UpdateStatus(t.Context(), changed, metav1.UpdateOptions{}); err == nil {
		t.Error("the status can be written")
	}
	// Labels of the Java worker and an owner in the other namespace are taken, and mean
	// nothing.
	worker := function(t, "labelled", "")
	worker.SetLabels(map[string]string{"pulsar-tenant": s.name.Tenant, "pulsar-namespace": "orders", "pulsar-component": "victim", "pulsar-cluster": "dev"})
	worker.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "admin.functionmesh.io/v1alpha1", Kind: "PulsarFunction", Name: s.name.ObjectName(), UID: own.GetUID()}})
	if labelled, err := s.views.Create(t.Context(), worker, metav1.CreateOptions{}); err == nil && strings.HasPrefix(identityOf(labelled), s.name.Tenant+"/") {
		t.Errorf("with labels of the Java worker it is %s", identityOf(labelled))
	}
	s.expectHeld(t)
}

// TestForeignResource puts custom resources of a tenant beside the API, as who may write
// those can, and adopts them.
func TestForeignResource(t *testing.T) {
	t.Parallel()
	s := newSiege(t, "adopted")
	forged := resource(t, s.name.ObjectName(), s.name.Tenant, "orders", "victim")
	forged.SetLabels(map[string]string{identity.LabelIdentity: s.name.Label()})
	forged.SetAnnotations(map[string]string{"admin.functionmesh.io/status": `{"version":1,"conditions":[{"type":"Accepted","status":"True"}]}`})
	must[*unstructured.Unstructured](t)(s.resources.Create(t.Context(), forged, metav1.CreateOptions{}))
	intruder := identity.Name{Tenant: s.name.Tenant, Namespace: "orders", Name: "intruder"}
	worker := resource(t, identity.WorkerObjectName("dev", intruder.Tenant, intruder.Namespace, intruder.Name), intruder.Tenant, "orders", "x")
	worker.SetLabels(map[string]string{
		"pulsar-cluster": "dev", "pulsar-tenant": intruder.Tenant, "pulsar-namespace": "orders", "pulsar-component": intruder.Name,
	})
	must[*unstructured.Unstructured](t)(s.resources.Create(t.Context(), worker, metav1.CreateOptions{}))

	for _, name := range []string{forged.GetName(), worker.GetName()} {
		eventually(t, name+" not to be accepted", func() error {
			for _, condition := range conditions(must[*unstructured.Unstructured](t)(s.views.Get(t.Context(), name, metav1.GetOptions{}))) {
				if condition["type"] == "Accepted" && condition["reason"] == "NotServed" {
					return nil
				}
			}
			return errNotYet
		})
		_, err := s.views.Patch(t.Context(), name, types.MergePatchType, []byte(`{"spec":{"className":"org.example.Evil"}}`), metav1.PatchOptions{})
		expectRefused(t, "change of "+name, err, "does not serve Pulsar namespace")
		_, err = s.views.Get(t.Context(), name, metav1.GetOptions{}, "state")
		expectRefused(t, "state of "+name, err, "does not serve Pulsar namespace")
		if _, err := s.views.Patch(t.Context(), name, types.MergePatchType, []byte(`{"spec":{"replicas":2}}`), metav1.PatchOptions{}, "scale"); err != nil {
			t.Errorf("scale of %s: %v", name, err)
		}
	}
	s.expectHeld(t)
	expectAnswer(t, "the intruder", call(t, s.owner.token, "GET", s.path("intruder"), "", ""), 404, "Function intruder doesn't exist")
	// Its own function becomes one of the tenant's behind the API's back.
	must[*unstructured.Unstructured](t)(s.views.Create(t.Context(), function(t, "turned", ""), metav1.CreateOptions{}))
	patch := []byte(`{"spec":{"tenant":"` + s.name.Tenant + `","namespace":"orders","name":"turned"}}`)
	must[*unstructured.Unstructured](t)(s.resources.Patch(t.Context(), "turned", types.MergePatchType, patch, metav1.PatchOptions{}))
	_, err := s.views.Patch(t.Context(), "turned", types.MergePatchType, []byte(`{"spec":{"logTopic":"x"}}`), metav1.PatchOptions{})
	expectRefused(t, "change of what was turned", err, "does not serve Pulsar namespace")
	s.expectHeld(t)
	for _, name := range []string{forged.GetName(), worker.GetName(), "turned"} {
		if err := s.views.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("delete of %s: %v", name, err)
		}
	}
	s.expectHeld(t)
}

// TestForeignDoor comes to the shim, with every right in the wrong namespace.
func TestForeignDoor(t *testing.T) {
	t.Parallel()
	s := newSiege(t, "door")
	for _, test := range []struct{ method, name, config string }{
		{"GET", "", ""}, {"GET", "victim", ""}, {"GET", "absent", ""}, {"DELETE", "victim", ""}, {"POST", "new", functionConfig},
		{"POST", "victim", functionConfig}, {"PUT", "victim", `{"parallelism":2}`}, {"PUT", "absent", `{"parallelism":2}`},
	} {
		got := call(t, s.attacker.token, test.method, s.path(test.name), "functionConfig", test.config)
		expectAnswer(t, test.method+" "+test.name, got, 401, unauthorized)
	}
	// What the body says doesn't count.
	config := strings.Replace(functionConfig, "{", `{"tenant":"`+s.name.Tenant+`","namespace":"orders","name":"victim",`, 1)
	expectAnswer(t, "another tenant in the body", call(t, s.attacker.token, "POST", functionPath(s.name.Tenant+"-thief", "x", "mine"), "functionConfig", config), 204, "")
	// Nor do slashes that the path escapes.
	for _, path := range []string{
		functionPath(s.name.Tenant+"%2Forders", "x", "victim"), functionPath(s.name.Tenant+"-thief", "x%2F..%2F..%2F"+s.name.Tenant, "victim"),
	} {
		if got := call(t, s.attacker.token, "GET", path, "", ""); got.code == 200 {
			t.Errorf("%s answers %s", path, got.body)
		}
	}
	s.expectHeld(t)
}

// TestOwnNamespaceIsNoClaim has somebody with every right in a namespace, the Namespace
// itself among it, claim a tenant.
func TestOwnNamespaceIsNoClaim(t *testing.T) {
	t.Parallel()
	waitForPolicy(t)
	s := newSiege(t, "claimed")
	client := must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(s.attacker.config))
	if _, err := client.CoreV1().Namespaces().Patch(t.Context(), s.thief, types.MergePatchType, []byte(`{"metadata":{"labels":{"mine":"yes"}}}`), metav1.PatchOptions{}); err != nil {
		t.Errorf("a label of its own Namespace: %v", err)
	}
	for _, subresource := range [][]string{{}, {"status"}} {
		_, err := client.CoreV1().Namespaces().Patch(t.Context(), s.thief, types.MergePatchType, claimPatch(s.name.Tenant+"/orders"), metav1.PatchOptions{}, subresource...)
		if !apierrors.IsForbidden(err) {
			t.Errorf("a claim, subresource %v: %v", subresource, err)
		}
	}
	_, err := client.RbacV1().Roles(s.thief).Create(t.Context(), &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "claimer"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"admin.functionmesh.io"}, Resources: []string{"pulsartenants"}, Verbs: []string{"claim"}}},
	}, metav1.CreateOptions{})
	if err == nil {
		// A role in a namespace says nothing about a resource that is in none.
		_, err := client.CoreV1().Namespaces().Patch(t.Context(), s.thief, types.MergePatchType, claimPatch(s.name.Tenant+"/orders"), metav1.PatchOptions{})
		if !apierrors.IsForbidden(err) {
			t.Errorf("a claim with a role in the namespace: %v", err)
		}
	}
	s.expectHeld(t)
}

// TestWrongTokenIsNobody asks with a token that nobody issued for what nobody claims.
func TestWrongTokenIsNobody(t *testing.T) {
	t.Parallel()
	for _, path := range []string{functionPath("nowhere", "x", "f"), functionPath("nowhere", "x", "")} {
		expectAnswer(t, path, call(t, "no-token", "GET", path, "", ""), 401, unauthorized)
	}
}
