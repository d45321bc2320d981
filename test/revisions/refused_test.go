package revisions

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// refuseLate has a policy refuse what changes functions of certain names, and let the same
// pass as a dry run.
func refuseLate(t *testing.T) {
	t.Helper()
	const name, text = "refuse-late", "Not on a day like this."
	policies := env.ControlPlane.Client().AdmissionregistrationV1()
	must[*admissionregistrationv1.ValidatingAdmissionPolicy](t)(policies.ValidatingAdmissionPolicies().Create(t.Context(), &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{
				RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{"admin.functionmesh.io"}, APIVersions: []string{"*"}, Resources: []string{"pulsarfunctions"}},
				},
			}}},
			Validations: []admissionregistrationv1.Validation{{
				Expression: `has(request.dryRun) && request.dryRun || !object.metadata.name.startsWith(request.operation == 'CREATE' ? 'refused' : 'keeps')`,
				Message:    text,
			}},
		},
	}, metav1.CreateOptions{}))
	must[*admissionregistrationv1.ValidatingAdmissionPolicyBinding](t)(policies.ValidatingAdmissionPolicyBindings().Create(t.Context(), &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: name, ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}, metav1.CreateOptions{}))
	probe := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "admin.functionmesh.io/v1alpha1", "kind": "PulsarFunction", "metadata": map[string]any{"name": "refused-at-last"},
		"spec": map[string]any{"className": "org.example.F", "java": map[string]any{}, "package": map[string]any{"location": "function://public/default/code@1"},
			"inputs": []any{"persistent://public/default/in"}},
	}}
	eventually(t, "the policy to be known", func(ctx context.Context) error {
		_, err := views("pulsarfunctions").Create(ctx, probe, metav1.CreateOptions{})
		switch {
		case err == nil:
			err = views("pulsarfunctions").Delete(ctx, probe.GetName(), metav1.DeleteOptions{})
			return errors.Join(errors.New("it isn't yet"), err)
		case strings.Contains(err.Error(), text):
			return nil
		}
		return err
	})
}

// expectRefused runs a command of pulsar-admin that is refused once its file is stored.
func expectRefused(t *testing.T, arguments ...string) {
	t.Helper()
	result, err := env.java.Run(t.Context(), env.ShimURL(), arguments...)
	if err != nil || result.Exit == 0 || !strings.Contains(result.Out+result.Err, "Not on a day like this.") {
		t.Fatalf("%q: %v %d: %s%s", arguments, err, result.Exit, result.Out, result.Err)
	}
}

// leaveRefused leaves the code of a creation and of an update that failed after their
// uploads.
func leaveRefused(t *testing.T, left *leftovers) {
	refuseLate(t)
	versionsOf := func(name string) []string {
		return must[[]string](t)(service(t).Versions(t.Context(), "", identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: name, Version: "latest"}))
	}
	expectRefused(t, "functions", "create", "--jar", variant(t, env.pulsar.Code.Jar, "refused"), "--name", "refused", "--inputs", "in", "--classname", "org.example.Exclamation")
	if _, err := resources("functions").Get(t.Context(), objectName("refused"), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("there is a function: %v", err)
	}

	admin(t, "functions", "create", "--jar", variant(t, env.pulsar.Code.Jar, "keeps"), "--name", "keeps", "--inputs", "in", "--classname", "org.example.Exclamation")
	before := must[*unstructured.Unstructured](t)(resources("functions").Get(t.Context(), objectName("keeps"), metav1.GetOptions{}))
	present := packageOf(t, "keeps")
	expectRefused(t, "functions", "update", "--jar", variant(t, env.pulsar.Code.Jar, "keeps-again"), "--name", "keeps")
	after := must[*unstructured.Unstructured](t)(resources("functions").Get(t.Context(), objectName("keeps"), metav1.GetOptions{}))
	if before.GetGeneration() != after.GetGeneration() {
		t.Error("the refused update changed the function")
	}
	left.stays["that of a function whose update failed"] = present

	for name, want := range map[string]int{"refused": 1, "keeps": 2} {
		versions := versionsOf(name)
		if len(versions) != want {
			t.Fatalf("%s has packages %s", name, fmt.Sprint(versions))
		}
		for _, version := range versions {
			if stored := (identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: name, Version: version}); stored != present {
				left.gone = append(left.gone, stored)
			}
		}
	}
}
