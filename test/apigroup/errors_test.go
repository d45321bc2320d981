package apigroup

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// refuseReplicas installs a policy by which custom resources in this namespace may
// not have that many replicas, and waits until it is in force.
func (s *space) refuseReplicas(name string, replicas int) {
	s.t.Helper()
	name += "." + s.namespace
	policies := s.kube.AdmissionregistrationV1()
	_, err := policies.ValidatingAdmissionPolicies().Create(s.ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: s.namespace}},
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{functions.Group}, APIVersions: []string{"*"}, Resources: []string{functions.Resource}},
				}}},
			},
			Validations: []admissionregistrationv1.Validation{{
				Expression: fmt.Sprintf("!has(object.spec.replicas) || object.spec.replicas != %d", replicas),
				Message:    "thirteen brings bad luck",
			}},
		},
	}, metav1.CreateOptions{})
	s.check(err)
	_, err = policies.ValidatingAdmissionPolicyBindings().Create(s.ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}, metav1.CreateOptions{})
	s.check(err)
	s.t.Cleanup(func() {
		// The test's context is over by now.
		ctx := s.cleanupContext()
		s.check(policies.ValidatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}))
		s.check(policies.ValidatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}))
	})
	s.eventually("the policy to be in force", func() error {
		_, err := s.crs.Create(s.ctx, newCR(s.t, "probe", fmt.Sprintf("spec: {replicas: %d}", replicas)), metav1.CreateOptions{DryRun: dryRun})
		return errIf(err == nil, "it is not")
	})
}

// TestNamespaces creates where nothing can be created.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	nowhere := *s
	nowhere.namespace = s.namespace + "-absent"
	for kind, dry := range map[string][]string{"dry run": dryRun, "for real": nil} {
		_, err := nowhere.functions(adminConfig).Create(s.ctx, newFunction("echo"), metav1.CreateOptions{DryRun: dry})
		if !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), `namespaces "`+nowhere.namespace+`" not found`) {
			t.Errorf("in no namespace, %s: %v", kind, err)
			continue
		}
		noCRNames(t, err)
	}
	if list, err := nowhere.functions(adminConfig).List(s.ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
		t.Errorf("a list of no namespace: %v, %v", list, err)
	}

	// A finalizer keeps the namespace in its end.
	s.create("echo", withFinalizer)
	s.check(s.kube.CoreV1().Namespaces().Delete(s.ctx, s.namespace, metav1.DeleteOptions{}))
	_, err := s.admin.Create(s.ctx, newFunction("late"), metav1.CreateOptions{})
	if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		t.Errorf("in a namespace that goes away: %v", err)
	} else {
		noCRNames(t, err)
	}
	_, err = s.admin.Patch(s.ctx, "echo", types.JSONPatchType, []byte(`[{"op":"remove","path":"/metadata/finalizers"}]`), metav1.PatchOptions{})
	s.check(err)
	s.eventually("the end of the namespace", func() error {
		_, err := s.kube.CoreV1().Namespaces().Get(s.ctx, s.namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is still there (%v)", err)
	})
}

// TestQuota checks that a quota on the custom resources holds for views too, and
// that its text still names what the administrator limited.
func TestQuota(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	const counted = "count/functions.compute.functionmesh.io"
	// A quota whose resource the controller doesn't know yet is looked at again only
	// minutes later, or when it changes.
	quotas := s.kube.CoreV1().ResourceQuotas(s.namespace)
	attempt := 0
	s.eventually("the quota to be counted", func() error {
		attempt++
		hard := corev1.ResourceList{counted: resource.MustParse("1"), corev1.ResourcePods: *resource.NewQuantity(int64(attempt), resource.DecimalSI)}
		quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}
		if attempt == 1 {
			_, err := quotas.Create(s.ctx, quota, metav1.CreateOptions{})
			return errors.Join(err, errors.New("it was just created"))
		}
		quota, err := quotas.Get(s.ctx, "one", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if _, known := quota.Status.Used[counted]; known {
			return nil
		}
		quota.Spec.Hard = hard
		_, err = quotas.Update(s.ctx, quota, metav1.UpdateOptions{})
		return errors.Join(err, errors.New("it has no status"))
	})
	s.create("one")
	_, err := s.author.Create(s.ctx, newFunction("two"), metav1.CreateOptions{})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "exceeded quota: one, requested: "+counted+"=1") {
		t.Errorf("over the quota: %v", err)
	}
}

// TestOversizedObject has what Kubernetes itself takes of no object.
func TestOversizedObject(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	large := newFunction("large")
	large.Annotations = map[string]string{"example.org/large": strings.Repeat("x", 300<<10)}
	_, err := s.author.Create(s.ctx, large, metav1.CreateOptions{})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"metadata.annotations"}, text: "may not be more than 262144 bytes"})
}
