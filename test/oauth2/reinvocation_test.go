package oauth2

import (
	"context"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestReinvoked has two admission policies change an object, so that all of admission is
// asked about it a second time.
func TestReinvoked(t *testing.T) {
	s := newSpace(t)
	s.account("alice", "alice", clientSecret)
	alice := s.author("alice")
	// What the first does the second time shows that it is asked again.
	s.mutating("a-first", "'second' in object.metadata.labels ? 'again' : 'first'")
	s.mutating("b-second", "'second'")
	s.eventually("the policies", func() error {
		function := newFunction("twice")
		function.Labels = map[string]string{"x": "y"}
		tried, err := alice.Create(s.ctx, function, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		switch {
		case err != nil:
			s.Fatal(err)
		case tried.Labels["again"] == "":
			return fmt.Errorf("they made its labels %v", tried.Labels)
		}
		return nil
	})
	function := newFunction("twice")
	function.Labels = map[string]string{"x": "y"}
	_, err := alice.Create(s.ctx, function, metav1.CreateOptions{})
	s.check(err)
	s.runsAs("twice", "alice")
}

// mutating makes a policy that gives functions of the test's namespace the label that an
// expression says.
func (s *space) mutating(name, label string) {
	s.Helper()
	name = s.namespace + "-" + name
	policies := s.kube.AdmissionregistrationV1()
	_, err := policies.MutatingAdmissionPolicies().Create(s.ctx, &admissionv1.MutatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionv1.MutatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Create},
					Rule:       admissionv1.Rule{APIGroups: []string{"admin.functionmesh.io"}, APIVersions: []string{"*"}, Resources: []string{"pulsarfunctions"}},
				}}},
			},
			ReinvocationPolicy: admissionv1.IfNeededReinvocationPolicy,
			FailurePolicy:      ptr.To(admissionv1.Fail),
			Mutations: []admissionv1.Mutation{{PatchType: admissionv1.PatchTypeJSONPatch, JSONPatch: &admissionv1.JSONPatch{
				Expression: "[JSONPatch{op: 'add', path: '/metadata/labels/' + (" + label + "), value: 'yes'}]",
			}}},
		},
	}, metav1.CreateOptions{})
	s.check(err)
	s.Cleanup(func() {
		s.check(policies.MutatingAdmissionPolicies().Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
	_, err = policies.MutatingAdmissionPolicyBindings().Create(s.ctx, &admissionv1.MutatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       admissionv1.MutatingAdmissionPolicyBindingSpec{PolicyName: name},
	}, metav1.CreateOptions{})
	s.check(err)
}
