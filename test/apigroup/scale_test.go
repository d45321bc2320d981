package apigroup

import (
	"fmt"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// replicas returns what the custom resource behind an object says.
func (k *ofKind) replicas(name string) int64 {
	k.t.Helper()
	replicas, _ := field(k.behind(name), "spec", "replicas").(int64)
	return replicas
}

func TestScale(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "spec: {parallelism: 2}")
		scale, err := k.views.Get(k.ctx, "echo", metav1.GetOptions{}, "scale")
		k.check(err)
		if scale.GetAPIVersion() != "autoscaling/v1" || scale.GetKind() != "Scale" || field(scale, "spec", "replicas") != int64(2) ||
			scale.GetUID() != created.GetUID() || scale.GetResourceVersion() != created.GetResourceVersion() {
			t.Errorf("the scale is %v", scale.Object)
		}
		// What the operator observed is what an autoscaler goes by.
		resource := k.behind("echo")
		k.check(unstructured.SetNestedMap(resource.Object, map[string]any{
			"replicas": int64(1), "selector": "component=echo", "conditions": map[string]any{}, "observedGeneration": int64(1),
		}, "status"))
		if _, err := k.resources.UpdateStatus(k.ctx, resource, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		k.eventually("the selector", func() error {
			if scale, err = k.views.Get(k.ctx, "echo", metav1.GetOptions{}, "scale"); err != nil {
				return err
			}
			return errIf(field(scale, "status", "selector") != "component=echo", fmt.Sprint(scale.Object["status"]))
		})

		// The server itself writes the object while it publishes a status.
		update := func(options metav1.UpdateOptions) (updated *unstructured.Unstructured) {
			k.eventually("an update", func() error {
				if scale, err = k.views.Get(k.ctx, "echo", metav1.GetOptions{}, "scale"); err != nil {
					return err
				}
				k.check(unstructured.SetNestedField(scale.Object, int64(3), "spec", "replicas"))
				updated, err = k.views.Update(k.ctx, scale, options, "scale")
				return err
			})
			return updated
		}
		if tried := update(metav1.UpdateOptions{DryRun: dryRun}); field(tried, "spec", "replicas") != int64(3) || k.replicas("echo") != 2 {
			t.Errorf("after a dry run there are %d replicas", k.replicas("echo"))
		}
		stale := scale.DeepCopy()
		updated := update(metav1.UpdateOptions{FieldManager: "scaler"})
		if field(updated, "spec", "replicas") != int64(3) || k.replicas("echo") != 3 || field(k.get("echo"), "spec", "parallelism") != int64(3) {
			t.Errorf("after an update the scale is %v, the resource's number %d", updated.Object["spec"], k.replicas("echo"))
		}
		var manager string
		for _, entry := range k.get("echo").GetManagedFields() {
			if strings.Contains(string(entry.FieldsV1.GetRawBytes()), "f:parallelism") {
				manager += entry.Manager + "/" + entry.Subresource
			}
		}
		if manager != "scaler/scale" {
			t.Errorf("the parallelism is owned by %s", manager)
		}

		if _, err := k.views.Update(k.ctx, stale, metav1.UpdateOptions{}, "scale"); !apierrors.IsConflict(err) {
			t.Errorf("an old resource version: %v", err)
		}
		other := updated.DeepCopy()
		other.SetUID("00000000-0000-4000-8000-000000000001")
		_, err = k.views.Update(k.ctx, other, metav1.UpdateOptions{}, "scale")
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "UID in precondition"})
		_, err = k.patch("echo", `{"spec":{"replicas":-1}}`, "scale")
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"spec.replicas"}, text: "greater than or equal to 0"})
		_, err = k.patch("absent", `{"spec":{"replicas":1}}`, "scale")
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: `"absent" not found`})

		// To nothing is to suspend, and nobody but who resumes makes more of it.
		k.check(second(k.patch("echo", `{"spec":{"replicas":0}}`, "scale")))
		if view := k.get("echo"); field(view, "spec", "suspend") != true || field(view, "spec", "parallelism") != int64(3) || k.replicas("echo") != 0 {
			t.Errorf("scaled to nothing it is %v, with %d replicas", view.Object["spec"], k.replicas("echo"))
		}
		_, err = k.patch("echo", `{"spec":{"replicas":5}}`, "scale")
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"spec.replicas"}, text: "resume first"})
		generation := k.get("echo").GetGeneration()
		k.check(second(k.patch("echo", `{"spec":{"replicas":0}}`, "scale")))
		if k.get("echo").GetGeneration() != generation {
			t.Error("scaling to nothing again wrote something")
		}
		k.check(second(k.patch("echo", `{"spec":{"suspend":false}}`)))
		if k.replicas("echo") != 3 {
			t.Errorf("resumed, there are %d replicas", k.replicas("echo"))
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestKubectlScale(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	for _, kind := range kinds {
		s := kind.in(k.space)
		s.create(kind.Type, "")
		if out := k.run("", "scale", kind.short, kind.Type, "--replicas=4"); !strings.HasSuffix(out, kind.Type+" scaled\n") || s.replicas(kind.Type) != 4 {
			t.Errorf("it prints %s, and there are %d", out, s.replicas(kind.Type))
		}
		if got := k.try("", "scale", kind.short, kind.Type, "--current-replicas=1", "--replicas=5"); got.code == 0 || s.replicas(kind.Type) != 4 {
			t.Errorf("with another number than expected: %+v", got)
		}
		if got := k.run("", "get", kind.short, kind.Type, "--subresource=scale", "-o", "jsonpath={.spec.replicas}"); got != "4" {
			t.Errorf("the subresource prints %s", got)
		}
		if got := k.run("", "get", kind.short, kind.Type, "--subresource=scale", "-o", "name"); got == "" {
			t.Error("the subresource has no name")
		}
	}
}

// TestAutoscaler has autoscalers that target views, of which the real controller
// reads and writes the scale.
func TestAutoscaler(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("echo", "")
		autoscalers := k.kube.AutoscalingV2().HorizontalPodAutoscalers(k.namespace)
		_, err := autoscalers.Create(k.ctx, &autoscalingv2.HorizontalPodAutoscaler{
			ObjectMeta: metav1.ObjectMeta{Name: "echo"},
			Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
					APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: k.kind.Kind, Name: "echo",
				},
				MinReplicas: ptr.To[int32](3), MaxReplicas: 5,
			},
		}, metav1.CreateOptions{})
		k.check(err)
		k.eventually("the autoscaler", func() error {
			got, err := autoscalers.Get(k.ctx, "echo", metav1.GetOptions{})
			if err != nil {
				return err
			}
			for _, condition := range got.Status.Conditions {
				if condition.Type == autoscalingv2.AbleToScale && condition.Status == corev1.ConditionTrue && k.replicas("echo") == 3 {
					return nil
				}
			}
			return fmt.Errorf("there are %d replicas: %+v", k.replicas("echo"), got.Status.Conditions)
		})
	})
}

func TestKubectlAutoscale(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo")
	out, err := env.Kubectl(s.ctx, "--namespace", s.namespace, "autoscale", "pfn", "echo", "--min=2", "--max=3").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	created, err := s.kube.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Get(s.ctx, "echo", metav1.GetOptions{})
	s.check(err)
	if target := created.Spec.ScaleTargetRef; target.Kind != "PulsarFunction" || target.APIVersion != v1alpha1.SchemeGroupVersion.String() {
		t.Errorf("it targets %+v", target)
	}
}
