package apigroup

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

const (
	ourFinalizer = "example.org/test"
	finalized    = "metadata: {finalizers: [" + ourFinalizer + "]}"
	// unfinalize is a patch.
	unfinalize = `{"metadata":{"finalizers":null}}`
)

func TestDelete(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "")
		var status metav1.Status
		k.check(k.restClient(authorConfig).Delete().Namespace(k.namespace).Resource(k.kind.Resource).Name("echo").Do(k.ctx).Into(&status))
		if status.Status != metav1.StatusSuccess || status.Details == nil || status.Details.Name != "echo" || status.Details.UID != created.GetUID() ||
			status.Details.Group != "admin.functionmesh.io" || status.Details.Kind != k.kind.Resource {
			t.Errorf("the answer is %+v", status)
		}
		k.gone("echo")
		checkRefusal(t, k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{}), k.notFound("echo"))

		k.create("echo", "")
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(30))}))
		k.gone("echo")
	})
}

func TestFinalizers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", finalized)
		if got := k.behind("echo").GetFinalizers(); fmt.Sprint(got) != "["+ourFinalizer+"]" {
			t.Errorf("the custom resource's finalizers are %v", got)
		}
		k.patchBehind("echo", `{"metadata":{"finalizers":["`+ourFinalizer+`","example.org/other"]}}`)
		w, err := k.views.Watch(k.ctx, metav1.ListOptions{FieldSelector: "metadata.name=echo", ResourceVersion: created.GetResourceVersion()})
		k.check(err)
		defer w.Stop()
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{}))

		object := k.get("echo")
		if object.GetDeletionTimestamp() == nil || member(object, "status.phase") != "Terminating" || len(object.GetFinalizers()) != 2 {
			t.Errorf("in its end it is %+v", object)
		}
		// Deleting it again changes nothing.
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{}))

		t.Run("none is added in the end", func(t *testing.T) {
			late := object.DeepCopy()
			late.SetFinalizers(append(late.GetFinalizers(), "example.org/late"))
			late.SetResourceVersion("")
			if _, err := k.update(late); !apierrors.IsInvalid(err) {
				t.Errorf("the answer is %v", err)
			} else {
				noCRNames(t, err)
			}
		})
		t.Run("one goes, the other stays", func(t *testing.T) {
			object := k.get("echo")
			object.SetFinalizers([]string{"example.org/other"})
			updated, err := k.update(object)
			k.check(err)
			if behind := k.behind("echo"); fmt.Sprint(updated.GetFinalizers()) != "[example.org/other]" || fmt.Sprint(behind.GetFinalizers()) != "[example.org/other]" {
				t.Errorf("the finalizers are %v and %v", updated.GetFinalizers(), behind.GetFinalizers())
			}
		})
		t.Run("the last goes, and with it the object", func(t *testing.T) {
			patched := k.mustPatch("echo", unfinalize)
			if patched.GetName() != "echo" || len(patched.GetFinalizers()) != 0 || patched.GetUID() != created.GetUID() {
				t.Errorf("the answer is %+v", patched)
			}
			k.gone("echo")
		})
		for terminating := false; ; {
			event := k.next(w)
			if event.Type == watch.Deleted {
				if !terminating {
					t.Error("no event told that the object was being deleted")
				}
				break
			}
			terminating = terminating || event.Object.(*unstructured.Unstructured).GetDeletionTimestamp() != nil
		}
	})
}

// TestFinalizerOfCollection deletes a collection of which one object has to wait.
func TestFinalizerOfCollection(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("a", "")
		k.create("b", finalized)
		k.check(k.views.DeleteCollection(k.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
		k.gone("a")
		if k.get("b").GetDeletionTimestamp() == nil {
			t.Error("b is not being deleted")
		}
		k.mustPatch("b", unfinalize)
		k.gone("b")
	})
}

func TestPreconditions(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		object := k.create("echo", "")
		uid, version, behind := object.GetUID(), object.GetResourceVersion(), k.behind("echo").GetUID()
		k.mustPatch("echo", `{"spec":{"parallelism":2}}`)

		for name, test := range map[string]struct {
			preconditions metav1.Preconditions
			text          string
		}{
			"another UID":             {metav1.Preconditions{UID: ptr.To(types.UID("11111111-2222-4333-8444-555555555555"))}, "UID in precondition: 11111111-2222-4333-8444-555555555555"},
			"no UID at all":           {metav1.Preconditions{UID: ptr.To(types.UID("nonsense"))}, "UID in precondition: nonsense"},
			"the custom resource's":   {metav1.Preconditions{UID: &behind}, "UID in precondition"},
			"an old resource version": {metav1.Preconditions{ResourceVersion: &version}, "ResourceVersion in precondition: " + version},
		} {
			t.Run(name, func(t *testing.T) {
				err := k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{Preconditions: &test.preconditions})
				checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: test.text})
				if test.preconditions.UID != &behind && strings.Contains(err.Error(), string(behind)) {
					t.Errorf("the answer has the custom resource's UID: %v", err)
				}
				if test.preconditions.UID != nil && !strings.Contains(err.Error(), string(uid)) {
					t.Errorf("the answer doesn't have the view's UID: %v", err)
				}
			})
		}
		latest := ptr.To(k.get("echo").GetResourceVersion())
		k.check(k.views.Delete(k.ctx, "echo", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: latest}}))
		k.gone("echo")
	})
}
