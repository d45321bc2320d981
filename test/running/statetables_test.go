package running

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// TestStateInSharedTables proves that state isn't read or put where another Kubernetes
// namespace claims what is kept in the same tables, by neither door, for as long as it does.
func TestStateInSharedTables(t *testing.T) {
	if javaclient.Off() {
		t.Log("left out: PULSAR_JAVA_CLIENT=off")
		return
	}
	realPulsar(t)
	const word = "is kept in namespace tables_eu_orders of the state store, where another Kubernetes namespace may keep some, too"
	name := identity.Name{Tenant: "tables", Namespace: "eu-orders", Name: "shared"}
	function := makeFunction(t, name.Name, nil, func(function *v1alpha1.PulsarFunction) {
		function.Name = name.ObjectName()
		function.Spec.Tenant, function.Spec.Namespace = name.Tenant, name.Namespace
		function.Spec.Inputs = []string{"persistent://tables/eu-orders/in"}
	})
	expect := func(ctx context.Context, refused bool) error {
		object := statePath("pulsarfunctions", function.Name)
		path := env.ShimURL() + "/admin/v3/functions/tables/eu-orders/shared/state/k"
		code, answer, err := get(ctx, path, "")
		if err != nil {
			return err
		}
		putCode, put := postForm(t, path, "state", "application/json", `{"key":"k","stringValue":"v"}`)
		for what, text := range map[string]string{
			"kubectl's question":  first(getRaw(ctx, object+"?key=k")),
			"kubectl's put":       first(putRaw(ctx, object, fmt.Sprintf(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarState","metadata":{"name":%q},"spec":{"key":"k","stringValue":"v"}}`, function.Name))),
			"a client's question": fmt.Sprint(answer["reason"]),
			"a client's put":      put,
		} {
			if strings.Contains(text, word) != refused {
				return fmt.Errorf("%s is answered with %s", what, text)
			}
		}
		if (code == http.StatusBadRequest) != refused || (putCode == http.StatusBadRequest) != refused {
			return fmt.Errorf("a client's question is answered with %d, its put with %d", code, putCode)
		}
		return nil
	}
	alone := func(what string) {
		t.Helper()
		eventually(t, what, func(ctx context.Context) error { return expect(ctx, false) })
	}
	alone("state of nobody else to be asked for")

	namespaces := env.ControlPlane.Client().CoreV1().Namespaces()
	for _, claim := range []string{"tables-eu/orders", "tables-eu/*", "tables/eu_orders"} {
		claimant := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "tables-", Annotations: map[string]string{tenancy.Annotation: claim}}}
		claimant = must[*corev1.Namespace](t)(namespaces.Create(t.Context(), claimant, metav1.CreateOptions{}))
		eventually(t, "the claim of "+claim+" to count", func(ctx context.Context) error { return expect(ctx, true) })
		delete(claimant.Annotations, tenancy.Annotation)
		must[*corev1.Namespace](t)(namespaces.Update(t.Context(), claimant, metav1.UpdateOptions{}))
		alone("the claim of " + claim + " to end")
	}
}
