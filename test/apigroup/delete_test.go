package apigroup

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const ourFinalizer = "example.org/test"

func withFinalizer(f *v1alpha1.PulsarFunction) { f.Finalizers = []string{ourFinalizer} }

func TestDelete(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo")
	client := s.restClient(authorConfig)
	remove := func(body string) (metav1.Status, error) {
		var status metav1.Status
		request := client.Delete().Namespace(s.namespace).Resource("pulsarfunctions").Name("echo")
		if body != "" {
			request = request.Body([]byte(body))
		}
		err := request.Do(s.ctx).Into(&status)
		return status, err
	}
	status, err := remove("")
	s.check(err)
	if status.Status != metav1.StatusSuccess || status.Details == nil || status.Details.Name != "echo" || status.Details.UID != created.UID ||
		status.Details.Group != "admin.functionmesh.io" || status.Details.Kind != "pulsarfunctions" {
		t.Errorf("the answer is %+v", status)
	}
	s.gone("echo")
	err = s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: `pulsarfunctions.admin.functionmesh.io "echo" not found`})

	s.create("echo")
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{GracePeriodSeconds: ptr.To(int64(30))}))
	s.gone("echo")
}

func TestFinalizers(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo", withFinalizer)
	if got := s.cr("echo").GetFinalizers(); fmt.Sprint(got) != "["+ourFinalizer+"]" {
		t.Errorf("the custom resource's finalizers are %v", got)
	}
	s.mergeCR("echo", `{"metadata":{"finalizers":["`+ourFinalizer+`","example.org/other"]}}`)
	w, err := s.author.Watch(s.ctx, metav1.ListOptions{FieldSelector: "metadata.name=echo", ResourceVersion: created.ResourceVersion})
	s.check(err)
	defer w.Stop()
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{}))

	function := s.get("echo")
	if function.DeletionTimestamp == nil || function.Status.Phase != "Terminating" || len(function.Finalizers) != 2 {
		t.Errorf("in its end it is %+v", function)
	}
	// Deleting it again changes nothing.
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{}))

	t.Run("none is added in the end", func(t *testing.T) {
		late := function.DeepCopy()
		late.Finalizers = append(late.Finalizers, "example.org/late")
		late.ResourceVersion = ""
		if _, err := s.author.Update(s.ctx, late, metav1.UpdateOptions{}); !apierrors.IsInvalid(err) {
			t.Errorf("the answer is %v", err)
		} else {
			noCRNames(t, err)
		}
	})
	t.Run("one goes, the other stays", func(t *testing.T) {
		function := s.get("echo")
		function.Finalizers = []string{"example.org/other"}
		updated, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
		s.check(err)
		if fmt.Sprint(updated.Finalizers) != "[example.org/other]" || fmt.Sprint(s.cr("echo").GetFinalizers()) != "[example.org/other]" {
			t.Errorf("the finalizers are %v and %v", updated.Finalizers, s.cr("echo").GetFinalizers())
		}
	})
	t.Run("the last goes, and with it the object", func(t *testing.T) {
		patched, err := s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		s.check(err)
		if patched.Name != "echo" || len(patched.Finalizers) != 0 || patched.UID != created.UID {
			t.Errorf("the answer is %+v", patched)
		}
		s.gone("echo")
	})
	for terminating := false; ; {
		event := s.next(w)
		if event.Type == watch.Deleted {
			if !terminating {
				t.Error("no event told that the object was being deleted")
			}
			break
		}
		terminating = terminating || event.Object.(*v1alpha1.PulsarFunction).DeletionTimestamp != nil
	}
}

// TestFinalizerOfCollection deletes a collection of which one object has to wait.
func TestFinalizerOfCollection(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("a")
	s.create("b", withFinalizer)
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	s.gone("a")
	if function := s.get("b"); function.DeletionTimestamp == nil {
		t.Error("b is not being deleted")
	}
	_, err := s.author.Patch(s.ctx, "b", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	s.check(err)
	s.gone("b")
}

func TestPreconditions(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	function := s.create("echo")
	crUID := s.cr("echo").GetUID()
	_, err := s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
	s.check(err)

	for name, test := range map[string]struct {
		preconditions metav1.Preconditions
		text          string
	}{
		"another UID":             {metav1.Preconditions{UID: ptr.To(types.UID("11111111-2222-4333-8444-555555555555"))}, "UID in precondition: 11111111-2222-4333-8444-555555555555"},
		"no UID at all":           {metav1.Preconditions{UID: ptr.To(types.UID("nonsense"))}, "UID in precondition: nonsense"},
		"the custom resource's":   {metav1.Preconditions{UID: &crUID}, "UID in precondition"},
		"an old resource version": {metav1.Preconditions{ResourceVersion: &function.ResourceVersion}, "ResourceVersion in precondition: " + function.ResourceVersion},
	} {
		t.Run(name, func(t *testing.T) {
			err := s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{Preconditions: &test.preconditions})
			checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: test.text})
			if test.preconditions.UID != &crUID && strings.Contains(err.Error(), string(crUID)) {
				t.Errorf("the answer has the custom resource's UID: %v", err)
			}
			if test.preconditions.UID != nil && !strings.Contains(err.Error(), string(function.UID)) {
				t.Errorf("the answer doesn't have the view's UID: %v", err)
			}
		})
	}
	latest := s.get("echo")
	s.check(s.author.Delete(s.ctx, "echo", metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &latest.UID, ResourceVersion: &latest.ResourceVersion},
	}))
	s.gone("echo")
}
