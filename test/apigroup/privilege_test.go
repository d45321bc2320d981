package apigroup

import (
	"fmt"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestPrivileges gives an author one right after another that the pods need.
func TestPrivileges(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		const user = "plain-author"
		config, err := env.ControlPlane.ClientCertConfig(user)
		k.check(err)
		config.WarningHandler = rest.NoWarnings{}
		views := k.space.views(config, k.kind)
		k.bind(user, devenv.AuthorRole)
		k.eventually("the author's rights", func() error {
			return second(views.List(k.ctx, metav1.ListOptions{}))
		})
		tests := []struct{ name, changes, field, right string }{
			{"service-account", "spec: {pod: {serviceAccountName: builder}}", "spec.pod.serviceAccountName", `use serviceaccounts "builder"`},
			{"secret", "spec: {secrets: {PASSWORD: {path: database, key: password}}}", "spec.secrets[PASSWORD]", `get secrets "database"`},
			{"auth", "spec: {auth: {secretName: token}}", "spec.auth.secretName", `get secrets "token"`},
			{"env", "spec: {pod: {env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]}}",
				"spec.pod.env[A].valueFrom.configMapKeyRef", `get configmaps "settings"`},
			{"image", "spec: {pod: {image: example.org/mine}}", "spec.pod.image", fmt.Sprintf(`customize %s.admin.functionmesh.io "image"`, k.kind.Resource)},
		}
		for _, test := range tests {
			want := refusal{
				reason: metav1.StatusReasonForbidden, fields: []string{test.field}, pulsar: "Client is not authorized to perform operation",
				text: fmt.Sprintf("%s needs the right to %s in namespace %q", test.field, test.right, k.namespace),
			}
			_, err := views.Create(k.ctx, k.object(test.name, test.changes), metav1.CreateOptions{})
			checkRefusal(t, err, want)
			_, err = views.Create(k.ctx, k.object(test.name, test.changes), metav1.CreateOptions{DryRun: dryRun})
			checkRefusal(t, err, want)
			if _, err := k.resources.Get(k.ctx, test.name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("what was refused is there: %v", err)
			}
			// An update is no way around it, but what is there already can stay.
			k.check(second(views.Create(k.ctx, k.object(test.name, ""), metav1.CreateOptions{})))
			_, err = views.Update(k.ctx, k.object(test.name, test.changes), metav1.UpdateOptions{})
			checkRefusal(t, err, want)
		}

		k.bind(user, devenv.CustomizerRole)
		k.allow(user, "references",
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{"database", "token"}, Verbs: []string{"get"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}},
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"serviceaccounts"}, ResourceNames: []string{"builder"}, Verbs: []string{"use"}},
		)
		for _, test := range tests {
			k.eventually("the right to "+test.right, func() error {
				return second(views.Update(k.ctx, k.object(test.name, test.changes), metav1.UpdateOptions{}))
			})
		}
		_, err = views.Update(k.ctx, k.object("secret", "spec: {secrets: {PASSWORD: {path: other, key: password}}}"), metav1.UpdateOptions{})
		checkRefusal(t, err, refusal{
			reason: metav1.StatusReasonForbidden, fields: []string{"spec.secrets[PASSWORD]"}, pulsar: "Client is not authorized to perform operation", text: `get secrets "other"`,
		})
		// Somebody without these rights may scale and label what has them.
		k.check(second(k.patch("service-account", `{"metadata":{"labels":{"team":"blue"}},"spec":{"parallelism":3}}`)))
		k.check(second(k.patch("image", `{"spec":{"replicas":2}}`, "scale")))
	})
}
