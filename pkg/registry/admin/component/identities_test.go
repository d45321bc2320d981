package component

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Who has a Pulsar identity already is told to those who may read the object.
func TestAlreadyExists(t *testing.T) {
	taken := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: "secret-project"}}
	added := &v1alpha1.PulsarSink{ObjectMeta: metav1.ObjectMeta{Name: "mine"}}
	added.Spec.Tenant, added.Spec.Namespace, added.Spec.Name = "acme", "orders", "echo"
	const hidden = "the name acme/orders/echo is taken in Pulsar"
	for name, test := range map[string]struct {
		decision authorizer.Decision
		err      error
		want     string
	}{
		"may read it": {authorizer.DecisionAllow, nil, "Pulsar function acme/orders/echo already exists as PulsarFunction secret-project"},
		"may not":     {authorizer.DecisionNoOpinion, nil, hidden},
		"not known":   {authorizer.DecisionNoOpinion, errors.New("away"), hidden},
	} {
		t.Run(name, func(t *testing.T) {
			authorize := authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
				if a.GetVerb() != "get" || a.GetAPIGroup() != "admin.functionmesh.io" || a.GetResource() != "pulsarfunctions" ||
					a.GetName() != "secret-project" || a.GetNamespace() != "team" || a.GetUser().GetName() != "alice" {
					t.Errorf("asked about %+v", a)
				}
				return test.decision, "", test.err
			})
			ctx := genericapirequest.WithUser(genericapirequest.WithNamespace(t.Context(), "team"), &user.DefaultInfo{Name: "alice"})
			err := (&checks{config: Config{Authorizer: authorize}}).alreadyExists(ctx, added, taken)
			if !apierrors.IsAlreadyExists(err) || err.Error() != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
