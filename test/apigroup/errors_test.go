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
func (k *ofKind) refuseReplicas(name string, replicas int) {
	k.t.Helper()
	name += "." + k.namespace
	policies := k.kube.AdmissionregistrationV1()
	_, err := policies.ValidatingAdmissionPolicies().Create(k.ctx, &admissionregistrationv1.ValidatingAdmissionPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: k.namespace}},
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: admissionregistrationv1.RuleWithOperations{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.OperationAll},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{functions.Group}, APIVersions: []string{"*"}, Resources: []string{k.kind.crs}},
				}}},
			},
			Validations: []admissionregistrationv1.Validation{{
				Expression: fmt.Sprintf("!has(object.spec.replicas) || object.spec.replicas != %d", replicas),
				Message:    "thirteen brings bad luck",
			}},
		},
	}, metav1.CreateOptions{})
	k.check(err)
	_, err = policies.ValidatingAdmissionPolicyBindings().Create(k.ctx, &admissionregistrationv1.ValidatingAdmissionPolicyBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{
			PolicyName:        name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny},
		},
	}, metav1.CreateOptions{})
	k.check(err)
	k.t.Cleanup(func() {
		// The test's context is over by now.
		ctx := k.cleanupContext()
		k.check(policies.ValidatingAdmissionPolicyBindings().Delete(ctx, name, metav1.DeleteOptions{}))
		k.check(policies.ValidatingAdmissionPolicies().Delete(ctx, name, metav1.DeleteOptions{}))
	})
	k.eventually("the policy to be in force", func() error {
		_, err := k.resources.Create(k.ctx, k.resource("probe", fmt.Sprintf("spec: {replicas: %d}", replicas)), metav1.CreateOptions{DryRun: dryRun})
		return errIf(err == nil, "it is not")
	})
}

// TestNamespaces creates where nothing can be created.
func TestNamespaces(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		space := *k.space
		space.namespace += "-absent"
		nowhere := space.views(adminConfig, k.kind)
		for way, dry := range map[string][]string{"dry run": dryRun, "for real": nil} {
			_, err := nowhere.Create(k.ctx, k.object("echo", ""), metav1.CreateOptions{DryRun: dry})
			if !apierrors.IsNotFound(err) || !strings.Contains(err.Error(), `namespaces "`+space.namespace+`" not found`) {
				t.Errorf("in no namespace, %s: %v", way, err)
				continue
			}
			noCRNames(t, err)
		}
		if list, err := nowhere.List(k.ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
			t.Errorf("a list of no namespace: %v, %v", list, err)
		}

		// A finalizer keeps the namespace in its end.
		k.create("echo", finalized)
		k.create("other", "")
		k.check(k.kube.CoreV1().Namespaces().Delete(k.ctx, k.namespace, metav1.DeleteOptions{}))
		admin := k.space.views(adminConfig, k.kind)
		_, err := admin.Create(k.ctx, k.object("late", ""), metav1.CreateOptions{})
		if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			t.Errorf("in a namespace that goes away: %v", err)
		} else {
			noCRNames(t, err)
		}
		k.eventually("the objects to be deleted with the namespace", func() error {
			list, err := admin.List(k.ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			return errIf(len(list.Items) != 1 || list.Items[0].GetDeletionTimestamp() == nil, fmt.Sprint(list.Items))
		})
		_, err = admin.Patch(k.ctx, "echo", types.JSONPatchType, []byte(`[{"op":"remove","path":"/metadata/finalizers"}]`), metav1.PatchOptions{})
		k.check(err)
		k.eventually("the end of the namespace", func() error {
			_, err := k.kube.CoreV1().Namespaces().Get(k.ctx, k.namespace, metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			return fmt.Errorf("it is still there (%v)", err)
		})
	})
}

// TestQuota checks that a quota on the custom resources holds for views too, and
// that its text still names what the administrator limited.
func TestQuota(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		counted := corev1.ResourceName("count/" + k.kind.behind().GroupResource().String())
		// A quota whose resource the controller doesn't know yet is looked at again only
		// minutes later, or when it changes.
		quotas := k.kube.CoreV1().ResourceQuotas(k.namespace)
		attempt := 0
		k.eventually("the quota to be counted", func() error {
			attempt++
			hard := corev1.ResourceList{counted: resource.MustParse("1"), corev1.ResourcePods: *resource.NewQuantity(int64(attempt), resource.DecimalSI)}
			quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Spec: corev1.ResourceQuotaSpec{Hard: hard}}
			if attempt == 1 {
				_, err := quotas.Create(k.ctx, quota, metav1.CreateOptions{})
				return errors.Join(err, errors.New("it was just created"))
			}
			quota, err := quotas.Get(k.ctx, "one", metav1.GetOptions{})
			if err != nil {
				return err
			}
			if _, known := quota.Status.Used[counted]; known {
				return nil
			}
			quota.Spec.Hard = hard
			_, err = quotas.Update(k.ctx, quota, metav1.UpdateOptions{})
			return errors.Join(err, errors.New("it has no status"))
		})
		k.create("one", "")
		_, err := k.views.Create(k.ctx, k.object("two", ""), metav1.CreateOptions{})
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), fmt.Sprintf("exceeded quota: one, requested: %s=1", counted)) {
			t.Errorf("over the quota: %v", err)
		}
	})
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
