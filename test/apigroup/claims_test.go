package apigroup

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// TestClaims has labels and annotations by which tools know what they made. Those
// of the view and of the custom resource may not be mixed up.
func TestClaims(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	const (
		instance = "app.kubernetes.io/instance"
		tracking = "argocd.argoproj.io/tracking-id"
		managed  = "app.kubernetes.io/managed-by"
		release  = "meta.helm.sh/release-name"
		applied  = "kubectl.kubernetes.io/last-applied-configuration"
	)
	s.createCR("by-hand", `
metadata:
  labels: {app.kubernetes.io/instance: of-cr, app.kubernetes.io/managed-by: Helm, team: blue}
  annotations: {argocd.argoproj.io/tracking-id: "cr:x", meta.helm.sh/release-name: cr, kubectl.kubernetes.io/last-applied-configuration: "{cr}", note: both}
`)
	shown := s.get("by-hand")
	if len(shown.Labels) != 1 || shown.Labels["team"] != "blue" || len(shown.Annotations) != 1 || shown.Annotations["note"] != "both" {
		t.Errorf("the view shows the labels %v and annotations %v", shown.Labels, shown.Annotations)
	}

	shown.Labels[instance], shown.Labels[managed] = "of-view", "argo"
	shown.Annotations[tracking], shown.Annotations[release], shown.Annotations[applied] = "view:x", "view", "{view}"
	updated, err := s.author.Update(s.ctx, shown, metav1.UpdateOptions{})
	s.check(err)
	for _, function := range []*v1alpha1.PulsarFunction{updated, s.get("by-hand")} {
		if function.Labels[instance] != "of-view" || function.Labels[managed] != "argo" || function.Annotations[tracking] != "view:x" ||
			function.Annotations[release] != "view" || function.Annotations[applied] != "{view}" {
			t.Errorf("the view's claims are %v and %v", function.Labels, function.Annotations)
		}
	}
	checkCR := func() {
		t.Helper()
		cr := s.cr("by-hand")
		labels, annotations := cr.GetLabels(), cr.GetAnnotations()
		if labels[instance] != "of-cr" || labels[managed] != "Helm" || annotations[tracking] != "cr:x" ||
			annotations[release] != "cr" || annotations[applied] != "{cr}" {
			t.Errorf("the custom resource's claims are %v and %v", labels, annotations)
		}
	}
	checkCR()

	for selector, want := range map[string]string{
		instance + "=of-view":                "by-hand",
		instance + "=of-cr":                  "",
		instance:                             "by-hand",
		"!" + instance:                       "",
		instance + "!=of-view":               "",
		instance + " in (of-view,x)":         "by-hand",
		instance + "=of-view,team=blue":      "by-hand",
		instance + " notin (of-cr)":          "by-hand",
		managed + "=argo,team in (red,x)":    "",
		"applyset.kubernetes.io/part-of=any": "",
	} {
		if got := s.names(metav1.ListOptions{LabelSelector: selector}); got != want {
			t.Errorf("%s selects %q, not %q", selector, got, want)
		}
	}
	// A collection's deletion by a claim must not take those of the other side.
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: instance + "=of-cr"}))

	_, err = s.author.Patch(s.ctx, "by-hand", types.MergePatchType,
		[]byte(`{"metadata":{"labels":{"`+instance+`":null},"annotations":{"`+applied+`":null}}}`), metav1.PatchOptions{})
	s.check(err)
	function := s.get("by-hand")
	if _, found := function.Labels[instance]; found || function.Annotations[applied] != "" {
		t.Errorf("after they were removed the view has %v and %v", function.Labels, function.Annotations)
	}
	checkCR()
}

// TestReservedKeys checks that what the server keeps for itself is neither shown
// nor taken from a caller.
func TestReservedKeys(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo", func(f *v1alpha1.PulsarFunction) { f.Spec.CustomRuntimeOptions = "{}" })
	if len(created.Labels)+len(created.Annotations) != 0 {
		t.Errorf("the view shows %v and %v", created.Labels, created.Annotations)
	}
	for _, patch := range []string{
		`{"metadata":{"labels":{"admin.functionmesh.io/identity":"x"}}}`,
		`{"metadata":{"annotations":{"admin.functionmesh.io/kept-fields":"{}"}}}`,
		`{"metadata":{"annotations":{"admin.functionmesh.io/managed-fields":"[]"}}}`,
	} {
		_, err := s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		if err == nil {
			t.Errorf("%s is taken", patch)
			continue
		}
		noCRNames(t, err)
	}
	if got := s.get("echo"); got.ResourceVersion != created.ResourceVersion {
		t.Error("a refused patch wrote")
	}
}
