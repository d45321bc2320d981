package translation

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

func TestRestart(t *testing.T) {
	resource := map[string]any{"spec": map[string]any{"pod": map[string]any{"annotations": map[string]any{"a": "b"}}}}
	seen := map[string]bool{}
	for i := range 3 {
		if err := Restart(resource, time.Unix(5, int64(i))); err != nil {
			t.Fatal(err)
		}
		annotations, _, err := unstructured.NestedStringMap(resource, "spec", "pod", "annotations")
		if err != nil || annotations["a"] != "b" {
			t.Fatalf("annotations are %v (%v)", annotations, err)
		}
		seen[annotations[RestartedAnnotation]] = true
	}
	if len(seen) != 3 {
		t.Errorf("three restarts in a second are %v", seen)
	}
	if err := Restart(map[string]any{"spec": "text"}, time.Now()); err == nil {
		t.Error("what isn't a resource can be restarted")
	}
}

// TestRestartIsHidden: neither does a view show it, nor can an author write it.
func TestRestartIsHidden(t *testing.T) {
	both := map[string]string{RestartedAnnotation: "now", "a": "b"}
	var spec adminv1alpha1.ComponentSpec
	podFromCR(&computev1alpha1.CommonSpec{Pod: &computev1alpha1.PodPolicy{Annotations: both}}, &spec)
	if len(spec.Pod.Annotations) != 1 || spec.Pod.Annotations["a"] != "b" {
		t.Errorf("the view shows %v", spec.Pod.Annotations)
	}
	podFromCR(&computev1alpha1.CommonSpec{Pod: &computev1alpha1.PodPolicy{Annotations: map[string]string{RestartedAnnotation: "now"}}}, &spec)
	if spec.Pod != nil {
		t.Errorf("the view shows %+v", spec.Pod)
	}
	var cr computev1alpha1.CommonSpec
	podToCR(&adminv1alpha1.ComponentSpec{Pod: &adminv1alpha1.Pod{Annotations: both}}, &cr)
	if len(cr.Pod.Annotations) != 1 {
		t.Errorf("an author wrote %v", cr.Pod.Annotations)
	}
}
