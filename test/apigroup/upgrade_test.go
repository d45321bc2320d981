package apigroup

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// TestAnnotationsOfNewerVersions has objects that a newer server wrote, as after a
// downgrade or in the middle of a rollout. What it stored beside the fields can't be
// read; it is reported, stays through every kind of write, and hides nothing else.
func TestAnnotationsOfNewerVersions(t *testing.T) {
	newer := map[string]string{
		translation.KeptFieldsAnnotation: `{"version":99,"fieldOfTomorrow":{"deep":[1,2]}}`,
		translation.BuiltinAnnotation:    `{"version":99,"name":"of-tomorrow"}`,
		status.Annotation:                `{"version":99,"phase":"OfTomorrow"}`,
	}
	forEachKind(t, func(t *testing.T, k *ofKind) {
		k.create("echo", "")
		k.patchBehind("echo", text(t, map[string]any{"metadata": map[string]any{"annotations": newer}}))
		// The operator has acted, so that what was observed since matters.
		_, err := k.resources.Patch(k.ctx, "echo", types.MergePatchType,
			[]byte(`{"status":{"observedGeneration":1,"replicas":1,"selector":"a=b","conditions":{}}}`), metav1.PatchOptions{}, "status")
		k.check(err)

		list, err := k.views.List(k.ctx, metav1.ListOptions{})
		k.check(err)
		for how, view := range map[string]*unstructured.Unstructured{"get": k.get("echo"), "list": &list.Items[0]} {
			if member(view, "spec.className") == nil || len(view.GetAnnotations()) != 0 {
				t.Errorf("a %s shows %v", how, view)
			}
			conditions := text(t, member(view, "status.conditions"))
			for _, want := range []string{translation.ReasonKeptFieldsUnread, "has version 99, which this server doesn't know", status.ReasonNewerVersion} {
				if !strings.Contains(conditions, want) {
					t.Errorf("in a %s the conditions don't have %q: %s", how, want, conditions)
				}
			}
		}

		writes := map[string]func(parallelism int64) error{
			"update": func(parallelism int64) error {
				object := k.get("echo")
				k.check(unstructured.SetNestedField(object.Object, parallelism, "spec", "parallelism"))
				return second(k.update(object))
			},
			"patch": func(parallelism int64) error {
				return second(k.patch("echo", fmt.Sprintf(`{"spec":{"parallelism":%d}}`, parallelism)))
			},
			"apply": func(parallelism int64) error {
				return second(k.apply("tester", k.applied(false, fmt.Sprintf("spec: {parallelism: %d}", parallelism)), true))
			},
		}
		parallelism := int64(1)
		for how, write := range writes {
			parallelism++
			k.check(write(parallelism))
			behind := k.behind("echo")
			kept := maps.Clone(behind.GetAnnotations())
			maps.DeleteFunc(kept, func(key, _ string) bool { _, ours := newer[key]; return !ours })
			if !maps.Equal(kept, newer) || member(behind, "spec.replicas") != parallelism {
				t.Errorf("after an %s the annotations are %v, the replicas %v", how, kept, member(behind, "spec.replicas"))
			}
		}

		// What would have to be stored there isn't, and its author hears that.
		k.warnings.take()
		k.mustPatch("echo", `{"spec":{"customRuntimeOptions":"{\"maxReplicas\":9}"}}`)
		if texts := fmt.Sprint(k.warnings.take()); !strings.Contains(texts, "spec.customRuntimeOptions is not stored: annotation "+translation.KeptFieldsAnnotation) {
			t.Errorf("the warnings are %s", texts)
		}
		if got := k.behind("echo").GetAnnotations()[translation.KeptFieldsAnnotation]; got != newer[translation.KeptFieldsAnnotation] {
			t.Errorf("the annotation is now %s", got)
		}
	})
}
