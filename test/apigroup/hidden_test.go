package apigroup

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestHiddenCredentials changes what runs with credentials that only the custom resource
// shows. Who may read those may use them; nobody else's code gets them.
func TestHiddenCredentials(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.createBehind("held", `spec: {pulsar: {authConfig: {genericAuth: {clientAuthenticationPlugin: a.B, clientAuthenticationParameters: "token:a.b.c"}}}}`)
		patch := func(patch string, subresources ...string) error {
			_, err := k.views.Patch(k.ctx, "held", types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
			return err
		}
		for _, change := range []string{`{"spec":{"className":"evil.Code"}}`, `{"spec":{"package":{"location":"function://evil/default/code@1"}}}`, `{"spec":{"logTopic":"persistent://public/default/log"}}`} {
			switch err := patch(change); {
			case !apierrors.IsForbidden(err):
				t.Errorf("%s: %v", change, err)
			case !strings.Contains(err.Error(), "needs the right to get "+k.kind.crs+`.compute.functionmesh.io "held"`):
				t.Errorf("%s: the refusal is %v", change, err)
			case strings.Contains(err.Error(), "a.b.c"):
				t.Errorf("%s: the refusal has the credential: %v", change, err)
			}
		}
		for _, change := range []string{`{"spec":{"parallelism":2}}`, `{"metadata":{"labels":{"team":"blue"}}}`, `{"spec":{"suspend":true}}`, `{"spec":{"suspend":false}}`, `{"spec":{"resources":{"limits":{"cpu":"3"}}}}`} {
			k.check(patch(change))
		}
		k.check(patch(`{"spec":{"replicas":3}}`, "scale"))
		if got := member(k.behind("held"), "spec.className"); got == "evil.Code" {
			t.Error("the code was changed")
		}

		k.allow(authorUser, "read-resources", rbacv1.PolicyRule{APIGroups: []string{functions.Group}, Resources: []string{k.kind.crs}, Verbs: []string{"get"}})
		k.eventually("the right", func() error { return patch(`{"spec":{"className":"org.example.Better"}}`) })
		if got := member(k.behind("held"), "spec.pulsar.authConfig.genericAuth.clientAuthenticationParameters"); got != "token:a.b.c" {
			t.Errorf("the credential is now %v", got)
		}
	})
}
