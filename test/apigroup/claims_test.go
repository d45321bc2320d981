package apigroup

import (
	"maps"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestClaims has labels and annotations by which tools know what they made. Those
// of the view and of the custom resource may not be mixed up.
func TestClaims(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		const (
			instance = "app.kubernetes.io/instance"
			tracking = "argocd.argoproj.io/tracking-id"
			managed  = "app.kubernetes.io/managed-by"
			release  = "meta.helm.sh/release-name"
			applied  = "kubectl.kubernetes.io/last-applied-configuration"
		)
		k.createBehind("by-hand", `
metadata:
  labels: {app.kubernetes.io/instance: of-cr, app.kubernetes.io/managed-by: Helm, team: blue}
  annotations: {argocd.argoproj.io/tracking-id: "cr:x", meta.helm.sh/release-name: cr, kubectl.kubernetes.io/last-applied-configuration: "{cr}", note: both}
`)
		shown := k.get("by-hand")
		labels, annotations := shown.GetLabels(), shown.GetAnnotations()
		if len(labels) != 1 || labels["team"] != "blue" || len(annotations) != 1 || annotations["note"] != "both" {
			t.Errorf("the view shows the labels %v and annotations %v", labels, annotations)
		}

		labels[instance], labels[managed] = "of-view", "argo"
		annotations[tracking], annotations[release], annotations[applied] = "view:x", "view", "{view}"
		shown.SetLabels(labels)
		shown.SetAnnotations(annotations)
		updated, err := k.update(shown)
		k.check(err)
		for _, view := range []*unstructured.Unstructured{updated, k.get("by-hand")} {
			if !maps.Equal(view.GetLabels(), labels) || !maps.Equal(view.GetAnnotations(), annotations) {
				t.Errorf("the view's claims are %v and %v", view.GetLabels(), view.GetAnnotations())
			}
		}
		checkCR := func() {
			t.Helper()
			resource := k.behind("by-hand")
			labels, annotations := resource.GetLabels(), resource.GetAnnotations()
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
			if got := k.names(metav1.ListOptions{LabelSelector: selector}); got != want {
				t.Errorf("%s selects %q, not %q", selector, got, want)
			}
		}
		// A collection's deletion by a claim must not take those of the other side.
		k.check(k.views.DeleteCollection(k.ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: instance + "=of-cr"}))

		left := k.mustPatch("by-hand", `{"metadata":{"labels":{"`+instance+`":null},"annotations":{"`+applied+`":null}}}`)
		if _, found := left.GetLabels()[instance]; found || left.GetAnnotations()[applied] != "" {
			t.Errorf("after they were removed the view has %v and %v", left.GetLabels(), left.GetAnnotations())
		}
		checkCR()
	})
}

// TestReservedKeys checks that what the server keeps for itself is neither shown
// nor taken from a caller.
func TestReservedKeys(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "spec: {customRuntimeOptions: '{}'}")
		if len(created.GetLabels())+len(created.GetAnnotations()) != 0 {
			t.Errorf("the view shows %v and %v", created.GetLabels(), created.GetAnnotations())
		}
		for _, patch := range []string{
			`{"metadata":{"labels":{"admin.functionmesh.io/identity":"x"}}}`,
			`{"metadata":{"annotations":{"admin.functionmesh.io/kept-fields":"{}"}}}`,
			`{"metadata":{"annotations":{"admin.functionmesh.io/managed-fields":"[]"}}}`,
		} {
			if _, err := k.patch("echo", patch); err == nil {
				t.Errorf("%s is taken", patch)
			} else {
				noCRNames(t, err)
			}
		}
		if got := k.get("echo"); got.GetResourceVersion() != created.GetResourceVersion() {
			t.Error("a refused patch wrote")
		}
	})
}
