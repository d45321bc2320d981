package apigroup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// TestSuspendedFromTheBeginning creates what runs nothing, which a webhook of the
// operator would refuse to create.
func TestSuspendedFromTheBeginning(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		watch, err := k.resources.Watch(k.ctx, metav1.ListOptions{})
		k.check(err)
		defer watch.Stop()
		dry, err := k.views.Create(k.ctx, k.object("echo", "spec: {suspend: true, parallelism: 3}"), metav1.CreateOptions{DryRun: dryRun})
		k.check(err)
		created := k.create("echo", "spec: {suspend: true, parallelism: 3, minReplicas: 2}")
		for how, view := range map[string]*unstructured.Unstructured{"created": created, "read": k.get("echo"), "tried": dry} {
			if field(view, "spec", "suspend") != true || field(view, "spec", "parallelism") != int64(3) {
				t.Errorf("it is %s as %v", how, view.Object["spec"])
			}
		}
		if created.GetGeneration() != 2 {
			t.Errorf("the answer to the create has generation %d", created.GetGeneration())
		}
		var seen []string
		for len(seen) < 2 {
			event := <-watch.ResultChan()
			// A published status may come between the two.
			if got := fmt.Sprint(field(event.Object.(*unstructured.Unstructured), "spec", "replicas")); !slices.Contains(seen, got) {
				seen = append(seen, got)
			}
		}
		if !slices.Equal(seen, []string{"3", "0"}) {
			t.Errorf("the resource's numbers are %v", seen)
		}
		if got := field(k.behind("echo"), "spec", "minReplicas"); got != int64(2) {
			t.Errorf("suspended, the least number is %v", got)
		}
		// By apply as well.
		text, err := json.Marshal(k.object("applied", "spec: {suspend: true}").Object)
		k.check(err)
		k.check(second(k.views.Patch(k.ctx, "applied", types.ApplyYAMLPatchType, text, metav1.PatchOptions{FieldManager: "tester"})))
		if k.replicas("applied") != 0 {
			t.Errorf("applied, there are %d replicas", k.replicas("applied"))
		}
	})
}

// TestSuspensionFails has a cluster that lets nothing be stopped: what was to be
// suspended from the beginning runs, and its author hears that.
func TestSuspensionFails(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	policies := s.kube.AdmissionregistrationV1()
	policy := &admissionv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": s.namespace}},
				ResourceRules: []admissionv1.NamedRuleWithOperations{{RuleWithOperations: admissionv1.RuleWithOperations{
					Operations: []admissionv1.OperationType{admissionv1.Update},
					Rule:       admissionv1.Rule{APIGroups: []string{functions.Group}, APIVersions: []string{"*"}, Resources: []string{"*"}},
				}}},
			},
			Validations: []admissionv1.Validation{{Expression: "object.spec.replicas > 0", Message: "nothing stops here"}},
		},
	}
	s.check(second(policies.ValidatingAdmissionPolicies().Create(s.ctx, policy, metav1.CreateOptions{})))
	t.Cleanup(func() {
		_ = policies.ValidatingAdmissionPolicies().Delete(s.cleanupContext(), s.namespace, metav1.DeleteOptions{})
		_ = policies.ValidatingAdmissionPolicyBindings().Delete(s.cleanupContext(), s.namespace, metav1.DeleteOptions{})
	})
	s.check(second(policies.ValidatingAdmissionPolicyBindings().Create(s.ctx, &admissionv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace},
		Spec: admissionv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName: s.namespace, ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny},
		},
	}, metav1.CreateOptions{})))

	var err error
	s.eventually("the policy", func() error {
		function := newFunction("")
		function.GenerateName, function.Spec.Suspend = "echo-", true
		created, createErr := s.author.Create(s.ctx, function, metav1.CreateOptions{})
		err = createErr
		return errIf(err == nil, fmt.Sprint(created))
	})
	status := statusOf(t, err)
	if !strings.Contains(status.Message, "was created, but an update has to complete it") || !strings.Contains(status.Message, "nothing stops here") {
		t.Errorf("the answer is %+v", status)
	}
	noCRNames(t, err)
	running, err := s.author.Get(s.ctx, status.Details.Name, metav1.GetOptions{})
	s.check(err)
	if running.Spec.Suspend {
		t.Errorf("it is suspended all the same: %+v", running.Spec)
	}
}

// TestReplicasWriter has resources whose number of instances others declare.
func TestReplicasWriter(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("echo", "spec: {parallelism: 2}")
		declare := func(name, manager string, subresources ...string) {
			body := fmt.Sprintf(`{"apiVersion":"compute.functionmesh.io/v1alpha1","kind":%q,"spec":{"replicas":2}}`, strings.TrimPrefix(k.kind.Kind, "Pulsar"))
			_, err := k.resources.Patch(k.ctx, name, types.ApplyYAMLPatchType, []byte(body), metav1.PatchOptions{FieldManager: manager, Force: ptr.To(true)}, subresources...)
			k.check(err)
		}
		// A writer of the scale declares nothing.
		k.check(second(k.resources.Patch(k.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"replicas":4}}`), metav1.PatchOptions{FieldManager: "autoscaler"}, "scale")))
		k.check(second(k.patch("echo", `{"spec":{"suspend":true}}`)))
		k.check(second(k.patch("echo", `{"spec":{"suspend":false}}`)))

		declare("echo", "argocd-controller")
		for what, write := range map[string]func() error{
			"suspend":     func() error { return second(k.patch("echo", `{"spec":{"suspend":true}}`)) },
			"parallelism": func() error { return second(k.patch("echo", `{"spec":{"parallelism":5}}`)) },
		} {
			err := write()
			if err == nil {
				t.Errorf("%s: it is taken", what)
				continue
			}
			text := fmt.Sprintf("Operation cannot be fulfilled on %s.admin.functionmesh.io \"echo\": the number of its instances is declared by field manager \"argocd-controller\" on the resource behind it: change it there", k.kind.Resource)
			checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, fields: []string{"spec.parallelism"}, text: text, pulsar: text})
		}
		_, err := k.patch("echo", `{"spec":{"replicas":5}}`, "scale")
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"spec.replicas"}, text: `field manager "argocd-controller"`})
		k.check(second(k.patch("echo", `{"spec":{"logTopic":"persistent://public/default/log"}}`)))

		// Who once updated a resource has no claim to it, unless it says so.
		k.create("updated", "spec: {parallelism: 2}")
		k.check(second(k.resources.Patch(k.ctx, "updated", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{FieldManager: "by-hand"})))
		k.check(second(k.patch("updated", `{"spec":{"parallelism":4}}`)))
		k.check(second(k.resources.Patch(k.ctx, "updated", types.MergePatchType,
			[]byte(`{"metadata":{"annotations":{"argocd.argoproj.io/tracking-id":"x"}},"spec":{"replicas":3}}`), metav1.PatchOptions{FieldManager: "argocd"})))
		if _, err := k.patch("updated", `{"spec":{"parallelism":4}}`); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `"argocd"`) {
			t.Errorf("a claimed resource: %v", err)
		}
	})
}
