package apigroup

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestUntranslatable has custom resources that no view can show. They may not
// disturb the others, and can be deleted.
func TestUntranslatable(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	w, err := s.author.Watch(s.ctx, metav1.ListOptions{})
	s.check(err)
	s.create("aa-fine")
	broken := []struct{ name, changes, cause string }{
		{"no-runtime", "spec: {java: null}", "it has none of the blocks spec.java, spec.python, spec.golang and spec.genericRuntime"},
		{"two-runtimes", "spec: {python: {py: x.py}}", "it has more than one runtime: java, python"},
		// The definition's schema takes a quantity that is none.
		{"odd-quantity", "spec: {resources: {limits: {cpu: 1e1.5}}}", "quantit"},
	}
	for _, b := range broken {
		s.createCR(b.name, b.changes)
	}
	s.create("zy-fine")
	s.create(lastName)

	list, err := s.author.List(s.ctx, metav1.ListOptions{})
	s.check(err)
	listed := map[string]*v1alpha1.PulsarFunction{}
	for i := range list.Items {
		listed[list.Items[i].Name] = &list.Items[i]
	}
	watched := strings.Join(s.collect(w), "\n")
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			for how, function := range map[string]*v1alpha1.PulsarFunction{"list": listed[b.name], "get": s.get(b.name)} {
				if function == nil {
					t.Fatalf("it is not in a %s", how)
				}
				condition := meta.FindStatusCondition(function.Status.Conditions, v1alpha1.ConditionTranslated)
				if condition == nil || condition.Status != metav1.ConditionFalse || !strings.Contains(condition.Message, b.cause) {
					t.Errorf("in a %s the condition is %+v", how, condition)
				}
				if function.Status.Phase != "NotTranslatable" || function.UID == "" || function.ResourceVersion == "" {
					t.Errorf("a %s shows %+v", how, function)
				}
			}
			if !strings.Contains(watched, "ADDED "+b.name+" ") {
				t.Errorf("the watch doesn't have it:\n%s", watched)
			}
			for how, write := range map[string]func() error{
				"update": func() error {
					function := newFunction(b.name)
					_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
					return err
				},
				"patch": func() error {
					_, err := s.author.Patch(s.ctx, b.name, types.MergePatchType, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
					return err
				},
				"apply": func() error {
					_, err := s.apply("tester", b.name, "spec: {parallelism: 2}", true)
					return err
				},
			} {
				err := write()
				if err == nil {
					t.Errorf("%s: it is taken", how)
					continue
				}
				status := statusOf(t, err)
				if status.Code != 422 || !strings.Contains(status.Message, b.cause) || len(status.Details.Causes) == 0 || status.Details.Causes[0].Field != "spec" {
					t.Errorf("%s: the answer is %+v", how, status)
				}
				noCRNames(t, err)
			}
			s.check(s.author.Delete(s.ctx, b.name, metav1.DeleteOptions{}))
			s.gone(b.name)
		})
	}
	for _, name := range []string{"aa-fine", "zy-fine", lastName} {
		if function := listed[name]; function == nil || function.Spec.ClassName != "org.example.Echo" || function.Status.Phase != "Pending" {
			t.Errorf("%s is listed as %+v", name, function)
		}
	}
}

// TestTurnsUntranslatable changes a custom resource while it is watched, to and fro.
func TestTurnsUntranslatable(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo")
	w, err := s.author.Watch(s.ctx, metav1.ListOptions{ResourceVersion: created.ResourceVersion})
	s.check(err)
	defer w.Stop()
	phase := func() string {
		event := s.next(w)
		function, ok := event.Object.(*v1alpha1.PulsarFunction)
		if !ok {
			t.Fatalf("the event is %s %+v", event.Type, event.Object)
		}
		return fmt.Sprint(event.Type, " ", function.Status.Phase)
	}
	s.mergeCR("echo", `{"spec":{"python":{"py":"x.py"}}}`)
	if got := phase(); got != "MODIFIED NotTranslatable" {
		t.Errorf("first comes %s", got)
	}
	s.mergeCR("echo", `{"spec":{"python":null}}`)
	if got := phase(); got != "MODIFIED Pending" {
		t.Errorf("then comes %s", got)
	}
	s.mergeCR("echo", `{"spec":{"python":{"py":"x.py"}}}`)
	if got := phase(); got != "MODIFIED NotTranslatable" {
		t.Errorf("then comes %s", got)
	}
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	if got := phase(); got != "DELETED NotTranslatable" {
		t.Errorf("at last comes %s", got)
	}
}
