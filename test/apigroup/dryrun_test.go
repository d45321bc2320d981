package apigroup

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

var dryRun = []string{metav1.DryRunAll}

// TestDryRun checks that nothing is stored, and that the answer is what it would be.
func TestDryRun(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created, err := k.views.Create(k.ctx, k.object("absent", ""), metav1.CreateOptions{DryRun: dryRun})
		k.check(err)
		if member(created, "spec.tenant") != "public" || created.GetName() != "absent" || created.GetUID() == "" {
			t.Errorf("a dry create returns %+v", created)
		}
		applied, err := k.views.Apply(k.ctx, "absent", k.object("absent", ""), metav1.ApplyOptions{DryRun: dryRun, FieldManager: "tester"})
		k.check(err)
		if len(applied.GetManagedFields()) != 1 {
			t.Errorf("a dry apply returns %+v", applied)
		}
		if resources, err := k.resources.List(k.ctx, metav1.ListOptions{}); err != nil || len(resources.Items) != 0 {
			t.Errorf("a dry create stored something: %v, %v", resources, err)
		}
		// What objects need of their namespace is not made for a dry run either.
		if _, err := k.kube.CoreV1().ConfigMaps(k.namespace).Get(k.ctx, connectionName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("after a dry create, ConfigMap %s: %v", connectionName, err)
		}

		before := k.create("echo", "")
		object := before.DeepCopy()
		k.check(unstructured.SetNestedField(object.Object, int64(7), "spec", "parallelism"))
		part := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": before.GetAPIVersion(), "kind": before.GetKind(), "spec": map[string]any{"parallelism": int64(7)},
		}}
		for name, write := range map[string]func() (*unstructured.Unstructured, error){
			"update": func() (*unstructured.Unstructured, error) {
				return k.views.Update(k.ctx, object, metav1.UpdateOptions{DryRun: dryRun})
			},
			"patch": func() (*unstructured.Unstructured, error) {
				return k.views.Patch(k.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":7}}`), metav1.PatchOptions{DryRun: dryRun})
			},
			"apply": func() (*unstructured.Unstructured, error) {
				return k.views.Apply(k.ctx, "echo", part, metav1.ApplyOptions{DryRun: dryRun, FieldManager: "tester", Force: true})
			},
		} {
			dry, err := write()
			if err != nil || member(dry, "spec.parallelism") != int64(7) || dry.GetGeneration() != before.GetGeneration()+1 {
				t.Errorf("a dry %s returns %+v, %v", name, dry, err)
				continue
			}
			// Else kubectl diff would show what nobody is going to change.
			if !sameJSON(t, dry.Object["status"], before.Object["status"]) {
				t.Errorf("a dry %s changes the status to %+v", name, dry.Object["status"])
			}
		}
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{DryRun: dryRun}))
		if after := k.get("echo"); !sameJSON(t, after, before) {
			t.Errorf("a dry run stored %+v", after)
		}
	})
}

// TestDryRunConflicts checks that a dry run refuses what the real one would.
func TestDryRunConflicts(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		stale := k.create("echo", "")
		version := stale.GetResourceVersion()
		k.mustPatch("echo", `{"spec":{"parallelism":2}}`)

		k.check(unstructured.SetNestedField(stale.Object, int64(7), "spec", "parallelism"))
		_, err := k.views.Update(k.ctx, stale, metav1.UpdateOptions{DryRun: dryRun})
		checkRefusal(t, err, modified)
		body := `{"metadata":{"resourceVersion":"` + version + `"},"spec":{"parallelism":7}}`
		_, err = k.views.Patch(k.ctx, "echo", types.MergePatchType, []byte(body), metav1.PatchOptions{DryRun: dryRun})
		checkRefusal(t, err, modified)

		_, err = k.views.Create(k.ctx, k.object("echo", ""), metav1.CreateOptions{DryRun: dryRun})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonAlreadyExists, text: "already exists", pulsar: k.kind.Title + " echo already exists"})
		_, err = k.views.Create(k.ctx, k.object("invalid", "spec: {"+k.kind.broken+"}"), metav1.CreateOptions{DryRun: dryRun})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{k.kind.brokenIn}, pulsar: k.kind.brokenText})

		err = k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{DryRun: dryRun, Preconditions: &metav1.Preconditions{ResourceVersion: ptr.To(version)}})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "ResourceVersion in precondition"})
		checkRefusal(t, k.views.Delete(k.ctx, "absent", metav1.DeleteOptions{DryRun: dryRun}), k.notFound("absent"))
	})
}

// TestBackendIsAsked has a rule that only kube-apiserver knows: a policy for the
// custom resources. What it says comes to the view's users in the view's terms,
// in dry runs as well.
func TestBackendIsAsked(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.refuseReplicas("refused-by-policy", 13)
		k.create("echo", "")

		for name, write := range map[string]func(dry []string) error{
			"create": func(dry []string) error {
				_, err := k.views.Create(k.ctx, k.object("other", "spec: {parallelism: 13}"), metav1.CreateOptions{DryRun: dry})
				return err
			},
			"patch": func(dry []string) error {
				_, err := k.views.Patch(k.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":13}}`), metav1.PatchOptions{DryRun: dry})
				return err
			},
		} {
			for way, dry := range map[string][]string{"dry run": dryRun, "for real": nil} {
				err := write(dry)
				if err == nil || !strings.Contains(err.Error(), "thirteen brings bad luck") {
					t.Errorf("%s, %s: %v", name, way, err)
					continue
				}
				noCRNames(t, err)
			}
		}
		if got := member(k.behind("echo"), "spec.replicas"); got != int64(1) {
			t.Errorf("the custom resource has %v replicas", got)
		}
	})
}
