package status

import (
	"context"
	"fmt"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

// raiseEveryWrite gives functions of a namespace another spec, and so another
// generation, with every write: the operator's webhook does so to some.
func raiseEveryWrite(ctx context.Context, t *testing.T, namespace string) {
	t.Helper()
	admission := env.ControlPlane.Client().AdmissionregistrationV1()
	name := "raise-" + namespace
	_, err := admission.MutatingAdmissionPolicies().Create(ctx, &admissionregistrationv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.MutatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Update},
					Rule: admissionregistrationv1.Rule{
						APIGroups: []string{"compute.functionmesh.io"}, APIVersions: []string{"v1alpha1"}, Resources: []string{"functions"},
					},
				}}},
			},
			Mutations: []admissionregistrationv1.Mutation{{
				PatchType: admissionregistrationv1.PatchTypeJSONPatch,
				JSONPatch: &admissionregistrationv1.JSONPatch{Expression: `[JSONPatch{op: "add", path: "/spec/downloaderImage",
					value: has(object.spec.downloaderImage) && object.spec.downloaderImage == "a" ? "b" : "a"}]`},
			}},
			ReinvocationPolicy: admissionregistrationv1.NeverReinvocationPolicy,
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = admission.MutatingAdmissionPolicyBindings().Create(ctx, &admissionregistrationv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       admissionregistrationv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(ctx)
		if err := admission.MutatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		if err := admission.MutatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	probe := newCR("Function", "probe", "probe", 1)
	probe.SetLabels(map[string]string{operator.Ignored: "true"})
	before := createCR(ctx, t, "functions", namespace, probe)
	tries := 0
	eventually(ctx, t, "a write to raise a generation", func() error {
		tries++
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"test/write":"%d"}}}`, tries)
		after, err := env.Dynamic().Resource(operator.Resource("functions")).Namespace(namespace).
			Patch(ctx, "probe", types.MergePatchType, patch, metav1.PatchOptions{})
		if err != nil {
			return err
		}
		if after.GetGeneration() == before.GetGeneration() {
			return fmt.Errorf("it is still %d", after.GetGeneration())
		}
		return nil
	})
}

// TestRaisedGenerations has a status published although each write makes a generation
// of which nothing is published yet.
func TestRaisedGenerations(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	raiseEveryWrite(ctx, t, namespace)
	created := create(ctx, t, namespace, newFunction("raised", 1))
	waitForCR(ctx, t, "functions", namespace, "raised", v1alpha1.ConditionReady, "Ready")
	if _, err := views.AdminV1alpha1().PulsarFunctions(namespace).
		Patch(ctx, created.Name, types.MergePatchType, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "two instances", func() error {
		published := waitForCR(ctx, t, "functions", namespace, "raised", v1alpha1.ConditionReady, "Ready")
		if published.ReadyReplicas != 2 {
			return fmt.Errorf("there are %d", published.ReadyReplicas)
		}
		return nil
	})
}
