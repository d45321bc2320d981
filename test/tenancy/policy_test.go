package tenancy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	claims "github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

var bindingResource = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}

// waitForPolicy waits until kube-apiserver enforces the policy, which it learns of by a
// watch.
func waitForPolicy(t *testing.T) {
	t.Helper()
	eventually(t, "the policy to be in force", func() error {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "never", Annotations: map[string]string{claims.Annotation: "no claim"}}}
		_, err := kube().CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil {
			return errNotYet
		}
		return nil
	})
}

// TestPolicy has somebody claim tenants who may change Namespaces, and claim one tenant.
func TestPolicy(t *testing.T) {
	waitForPolicy(t)
	home := newNamespace(t, "policy", "")
	operator := newCaller(t, home, "operator").
		bindEverywhere(t, clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{""},
			Resources: []string{"namespaces", "namespaces/status", "namespaces/finalize"}, Verbs: []string{"*"}})).
		bindEverywhere(t, clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"admin.functionmesh.io"},
			Resources: []string{"pulsartenants"}, ResourceNames: []string{"mine", "mine2"}, Verbs: []string{"claim"}}))
	client := must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(operator.config)).CoreV1().Namespaces()
	eventually(t, "the caller's rights", func() error {
		_, err := client.Patch(t.Context(), home, types.MergePatchType, claimPatch("mine/x"), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
	many := make([]string, 9)
	for i := range many {
		many[i] = fmt.Sprintf("t%d/x", i)
	}
	for _, test := range []struct {
		// before is what the Namespace has, after what the caller makes of it.
		before, after string
		refusal       string
	}{
		{"", "mine/a", ""},
		{"", "mine/a, mine2/*,mine/b ", ""},
		{"", "acme/a", "tenant acme"},
		{"", "mine/a,acme/*", "tenant acme"},
		{"", "mine/a,mine2/a,acme/a", "tenant acme"},
		{"mine/a", "acme/a", "tenant acme"},
		{"acme/a", "acme/a,mine/a", ""},
		{"acme/a,acme/b", " acme/b ,acme/a,mine/a", ""},
		{"acme/a", "acme/*", "tenant acme"},
		// What somebody else claimed can't be taken back either.
		{"acme/a,mine/a", "mine/a", "tenant acme"},
		{"acme/a", "", "tenant acme"},
		{"mine/a", "", ""},
		{"", "mine", "must have"},
		{"", "mine/a,", "must have"},
		{"", "mine/a\n,acme/*x", "must have"},
		{"", "mine/a b", "must have"},
		{"", "*/a", "must have"},
		{"", "mine/a\u00a0,mine/b", "must have"},
		{"", "mine/a/b", "must have"},
		{"", strings.Repeat("mine/a,", 128) + "mine/a", "must have"},
		{"", strings.Repeat("mine/a,", 127) + "mine/a", ""},
		{"", "mine/" + strings.Repeat("a", 8192), "must have"},
		{"", strings.Join(many, ","), "at most 8 tenants"},
	} {
		namespace := newNamespace(t, "policy", test.before)
		check := func(way string, err error) {
			t.Helper()
			what := fmt.Sprintf("%q to %.60q, %s", test.before, test.after, way)
			switch {
			case test.refusal == "" && err != nil:
				t.Errorf("%s: %v", what, err)
			case test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)):
				t.Errorf("%s: it is not refused with %q: %v", what, test.refusal, err)
			}
		}
		for _, subresource := range [][]string{{"status"}, {}} {
			options := metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}
			_, err := client.Patch(t.Context(), namespace, types.MergePatchType, claimPatch(test.after), options, subresource...)
			check("patch "+strings.Join(subresource, ""), err)
		}
		whole := must[*corev1.Namespace](t)(kube().CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}))
		whole.Annotations = map[string]string{claims.Annotation: test.after}
		_, err := client.Finalize(t.Context(), whole, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		check("finalize", err)
		_, err = client.Patch(t.Context(), namespace, types.MergePatchType, claimPatch(test.after), metav1.PatchOptions{})
		check("patch for good", err)
		if test.before == "" {
			created := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "policy-", Annotations: map[string]string{claims.Annotation: test.after}}}
			_, err = client.Create(t.Context(), created, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
			check("create", err)
		}
		// What the policy lets through is what the servers can read.
		if _, err := claims.Parse(test.after); (err != nil) != (test.refusal == "must have") && !strings.Contains(test.after, "\u00a0") {
			t.Errorf("%.60q: the servers read it otherwise: %v", test.after, err)
		}
	}
	// Other changes of a Namespace are nobody's business here.
	namespace := newNamespace(t, "policy", "acme/z")
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"a": "b"}, "annotations": map[string]string{"x": "y"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Patch(t.Context(), namespace, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Errorf("another annotation: %v", err)
	}
	_, err = client.Patch(t.Context(), namespace, types.MergePatchType, claimPatch("acme/y"), metav1.PatchOptions{})
	if !apierrors.IsForbidden(err) {
		t.Errorf("the refusal is %v", err)
	}
}
