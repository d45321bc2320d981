package apigroup

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
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
		scale, err = k.views.Get(k.ctx, "echo", metav1.GetOptions{}, "scale")
		k.check(err)
		if field(scale, "status", "replicas") != int64(1) {
			t.Errorf("the status of the scale is %v", scale.Object["status"])
		}

		stale := scale.DeepCopy()
		k.check(unstructured.SetNestedField(scale.Object, int64(3), "spec", "replicas"))
		if _, err := k.views.Update(k.ctx, scale, metav1.UpdateOptions{DryRun: dryRun}, "scale"); err != nil || k.replicas("echo") != 2 {
			t.Errorf("after a dry run there are %d replicas: %v", k.replicas("echo"), err)
		}
		updated, err := k.views.Update(k.ctx, scale, metav1.UpdateOptions{FieldManager: "scaler"}, "scale")
		k.check(err)
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
		version := k.get("echo").GetResourceVersion()
		k.check(second(k.patch("echo", `{"spec":{"replicas":0}}`, "scale")))
		if k.get("echo").GetResourceVersion() != version {
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
		if version := k.get("echo").GetResourceVersion(); created.GetResourceVersion() != version {
			t.Errorf("it was created with version %s, and has %s", created.GetResourceVersion(), version)
		}
		for _, want := range []string{"ADDED 3", "MODIFIED 0"} {
			event := <-watch.ResultChan()
			if got := fmt.Sprint(event.Type, " ", field(event.Object.(*unstructured.Unstructured), "spec", "replicas")); got != want {
				t.Errorf("the resource is %s, not %s", got, want)
			}
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
			"scale":       func() error { return second(k.patch("echo", `{"spec":{"replicas":5}}`, "scale")) },
		} {
			err := write()
			if err == nil {
				t.Errorf("%s: it is taken", what)
				continue
			}
			text := fmt.Sprintf("Operation cannot be fulfilled on %s.admin.functionmesh.io \"echo\": the number of its instances is declared by field manager \"argocd-controller\" on the resource behind it: change it there", k.kind.Resource)
			checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, fields: []string{"spec.parallelism"}, text: text, pulsar: text})
		}
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

// TestUniquenessAcrossKinds creates objects of one identity in Pulsar.
func TestUniquenessAcrossKinds(t *testing.T) {
	t.Parallel()
	for _, first := range kinds {
		t.Run(first.Kind, func(t *testing.T) {
			t.Parallel()
			s := newSpace(t)
			const identity = "spec: {tenant: acme, namespace: orders, name: Echo}"
			first.in(s).create("first", identity)
			for _, second := range kinds {
				k := second.in(s)
				for _, name := range []string{"second", "first"} {
					if name == "first" && first.Kind == second.Kind {
						continue
					}
					_, err := k.views.Create(s.ctx, k.object(name, identity), metav1.CreateOptions{})
					checkRefusal(t, err, refusal{
						reason: metav1.StatusReasonAlreadyExists, pulsar: second.Title + " Echo already exists",
						text: "Pulsar " + first.Type + " acme/orders/Echo already exists as " + first.Kind + " first",
					})
				}
			}
			// By hand, without the server's label.
			made := first.in(s)
			resource := made.behind("first")
			resource.SetName("by-hand")
			resource.SetLabels(nil)
			resource.SetResourceVersion("")
			s.check(unstructured.SetNestedField(resource.Object, "ByHand", "spec", "name"))
			s.check(second(made.resources.Create(s.ctx, resource, metav1.CreateOptions{})))
			other := kinds[0]
			if first.Kind == other.Kind {
				other = kinds[1]
			}
			k := other.in(s)
			_, err := k.views.Create(s.ctx, k.object("third", "spec: {tenant: acme, namespace: orders, name: ByHand}"), metav1.CreateOptions{DryRun: dryRun})
			checkRefusal(t, err, refusal{
				reason: metav1.StatusReasonAlreadyExists, pulsar: other.Title + " ByHand already exists",
				text: "Pulsar " + first.Type + " acme/orders/ByHand already exists as " + first.Kind + " by-hand",
			})
		})
	}
}
