package status

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

// allowLooking lets the server look for Secrets in a namespace, as documented.
func allowLooking(ctx context.Context, t *testing.T, namespace string) {
	t.Helper()
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "functionmesh-apiserver-references"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "functionmesh-apiserver-references"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: devenv.SystemNamespace, Name: devenv.APIServerServiceAccount}},
	}
	if _, err := env.ControlPlane.Client().RbacV1().RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// TestMissingSecret is of a namespace where the server may look: it names the Secret
// while the pod says nothing, and notices when it is there.
func TestMissingSecret(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	allowLooking(ctx, t, namespace)
	cr := newCR("Function", "needy", "needy", 1)
	if err := unstructured.SetNestedField(cr.Object, "token-of-needy", "spec", "pulsar", "authSecret"); err != nil {
		t.Fatal(err)
	}
	cr.SetLabels(map[string]string{operator.Ignored: "yes"})
	createCR(ctx, t, "functions", namespace, cr)
	view := waitFor(ctx, t, namespace, "needy", v1alpha1.ConditionAccepted, "ReferenceNotFound")
	if text := message(view, v1alpha1.ConditionAccepted); !strings.Contains(text, "Secret token-of-needy (spec.auth.secretName)") {
		t.Error(text)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token-of-needy"}, StringData: map[string]string{"password": "hunter2"}}
	if _, err := env.ControlPlane.Client().CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	waitFor(ctx, t, namespace, "needy", v1alpha1.ConditionAccepted, "Accepted")
}

// TestMayNotLook is of a namespace where the server may not look, which it says; what
// the kubelet tells, it tells all the same.
func TestMayNotLook(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	create(ctx, t, namespace, newFunction("blind", 1))
	waitFor(ctx, t, namespace, "blind", v1alpha1.ConditionAccepted, "Accepted")
	failure := controlplane.PodFailure{Reason: "ImagePullBackOff", Message: `Back-off pulling image "runner:1"`}
	if err := env.ControlPlane.FailPod(ctx, namespace, "blind-function-0", failure); err != nil {
		t.Fatal(err)
	}
	view := waitFor(ctx, t, namespace, "blind", v1alpha1.ConditionAccepted, "ReferencesNotChecked")
	if text := message(view, v1alpha1.ConditionAccepted); !strings.Contains(text, "functionmesh-apiserver-references") {
		t.Error(text)
	}
	failure = controlplane.PodFailure{Reason: "CreateContainerConfigError", Message: `secret "database" not found`}
	if err := env.ControlPlane.FailPod(ctx, namespace, "blind-function-0", failure); err != nil {
		t.Fatal(err)
	}
	view = waitFor(ctx, t, namespace, "blind", v1alpha1.ConditionAccepted, "ReferenceNotFound")
	if text := message(view, v1alpha1.ConditionAccepted); !strings.Contains(text, "Secret database") {
		t.Error(text)
	}
}

// TestDuplicates lets a sink and two functions have the identity of a function that
// is older, as a race between creates may.
func TestDuplicates(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	elder := createCR(ctx, t, "functions", namespace, newCR("Function", "elder", "same", 1))
	// Creation times are in whole seconds.
	eventually(ctx, t, "the next second", func() error {
		if time.Since(elder.GetCreationTimestamp().Time) < time.Second {
			return errNotYet
		}
		return nil
	})
	ours := map[string]string{identity.LabelIdentity: identity.Name{Tenant: "public", Namespace: "default", Name: "same"}.Label()}
	younger := newCR("Sink", "younger", "same", 2)
	younger.SetLabels(ours)
	createCR(ctx, t, "sinks", namespace, younger)
	createCR(ctx, t, "functions", namespace, newCR("Function", "foreign", "same", 1))

	published := waitForCR(ctx, t, "sinks", namespace, "younger", v1alpha1.ConditionAccepted, "DuplicateIdentity")
	if text := published.Condition(v1alpha1.ConditionAccepted).Message; !strings.Contains(text, "PulsarFunction elder") || !strings.Contains(text, "kept stopped") {
		t.Error(text)
	}
	eventually(ctx, t, "the younger one to be stopped", func() error { return replicasAre(ctx, t, "sinks", namespace, "younger", 0) })
	eventually(ctx, t, "the younger one's pods to go", func() error {
		set, err := env.ControlPlane.Client().AppsV1().StatefulSets(namespace).Get(ctx, "younger-sink", metav1.GetOptions{})
		if err != nil || set.Status.Replicas != 0 {
			return errNotYet
		}
		return nil
	})
	// What wasn't made here is told of, and left alone.
	view := waitFor(ctx, t, namespace, "foreign", v1alpha1.ConditionAccepted, "DuplicateIdentity")
	if text := message(view, v1alpha1.ConditionAccepted); !strings.Contains(text, "not stopped") {
		t.Error(text)
	}
	if err := replicasAre(ctx, t, "functions", namespace, "foreign", 1); err != nil {
		t.Errorf("a resource that was not made here: %v", err)
	}
	waitFor(ctx, t, namespace, "elder", v1alpha1.ConditionReady, "Ready")

	for _, name := range []string{"elder", "foreign"} {
		if err := views.AdminV1alpha1().PulsarFunctions(namespace).Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	waitForCR(ctx, t, "sinks", namespace, "younger", v1alpha1.ConditionReady, "Ready")
	if err := replicasAre(ctx, t, "sinks", namespace, "younger", 2); err != nil {
		t.Errorf("when the elder was gone: %v", err)
	}
	for key := range getCR(ctx, t, "sinks", namespace, "younger").GetAnnotations() {
		if strings.Contains(key, "stopped") || strings.Contains(key, "suspended") {
			t.Errorf("annotation %s is left", key)
		}
	}
}

func replicasAre(ctx context.Context, t *testing.T, resource, namespace, name string, want int64) error {
	t.Helper()
	replicas, _, err := unstructured.NestedInt64(getCR(ctx, t, resource, namespace, name).Object, "spec", "replicas")
	if err == nil && replicas != want {
		return fmt.Errorf("%s has %d replicas", name, replicas)
	}
	return err
}

// TestAutoscalers leaves one autoscaler behind, as the operator does, beside others
// that must stay.
func TestAutoscalers(t *testing.T) {
	ctx := testContext(t)
	namespace := newNamespace(ctx, t)
	scaled := newCR("Function", "scaled", "scaled", 1)
	if err := unstructured.SetNestedField(scaled.Object, int64(3), "spec", "maxReplicas"); err != nil {
		t.Fatal(err)
	}
	scaled = createCR(ctx, t, "functions", namespace, scaled)
	plain := createCR(ctx, t, "functions", namespace, newCR("Function", "plain", "plain", 1))
	other := createCR(ctx, t, "functions", namespace, newCR("Function", "other", "other", 1))

	own := autoscalerOf(other)
	own.OwnerReferences = nil
	for _, autoscaler := range []*autoscalingv2.HorizontalPodAutoscaler{autoscalerOf(scaled), own, autoscalerOf(plain)} {
		if _, err := env.ControlPlane.Client().AutoscalingV2().HorizontalPodAutoscalers(namespace).Create(ctx, autoscaler, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(name string) error {
		_, err := env.ControlPlane.Client().AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		return errNotYet
	}
	eventually(ctx, t, "the autoscaler to go", func() error { return gone("plain-function") })
	patch := []byte(`[{"op":"remove","path":"/spec/maxReplicas"}]`)
	for _, name := range []string{"scaled-function", "other-function"} {
		if gone(name) == nil {
			t.Errorf("autoscaler %s was deleted", name)
		}
	}
	if _, err := env.Dynamic().Resource(operator.Resource("functions")).Namespace(namespace).
		Patch(ctx, "scaled", "application/json-patch+json", patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the autoscaler to go with maxReplicas", func() error { return gone("scaled-function") })
	if gone("other-function") == nil {
		t.Error("an autoscaler of somebody else was deleted")
	}
}

func autoscalerOf(cr *unstructured.Unstructured) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: operator.ChildMeta(cr, "function"),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			MaxReplicas: 3,
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: cr.GetAPIVersion(), Kind: cr.GetKind(), Name: cr.GetName(),
			},
		},
	}
}
