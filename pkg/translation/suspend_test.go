package translation

import (
	"testing"

	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Suspending keeps the number of instances, whoever does it and however it ends.
func TestSuspend(t *testing.T) {
	forKinds(t, func(t *testing.T, kind testedKind) {
		view := kind.newView()
		view.SetName("x")
		view.Common().Java = &adminv1alpha1.JavaRuntime{}
		view.Common().Parallelism = ptr.To[int32](3)
		raw := written(t, kind, view)
		annotation := []string{"metadata", "annotations", SuspendedParallelismAnnotation}
		check := func(step string, suspended bool, parallelism int32, replicas int64, kept any) {
			t.Helper()
			spec := mustTranslate(t, kind, raw).Common()
			if spec.Suspend != suspended || ptr.Deref(spec.Parallelism, 0) != parallelism ||
				member(raw, []string{"spec", "replicas"}) != replicas || member(raw, annotation) != kept {
				t.Errorf("%s: suspend %v, parallelism %d, replicas %v, annotation %v", step, spec.Suspend, *spec.Parallelism,
					member(raw, []string{"spec", "replicas"}), member(raw, annotation))
			}
		}
		change := func(apply func(spec *adminv1alpha1.ComponentSpec)) {
			t.Helper()
			view := mustTranslate(t, kind, raw)
			apply(view.Common())
			if _, err := updateOf(kind, raw, view); err != nil {
				t.Fatal(err)
			}
		}
		check("created", false, 3, 3, nil)
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend = true })
		check("suspended", true, 3, 0, "3")
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Parallelism = ptr.To[int32](5) })
		check("another number", true, 5, 0, "5")
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.ClassName = "org.example.Other" })
		check("another class", true, 5, 0, "5")
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend = false })
		check("resumed", false, 5, 5, nil)

		raw["spec"].(map[string]any)["replicas"] = int64(0)
		check("scaled to nothing", true, 1, 0, nil)
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend = true })
		check("suspended again", true, 1, 0, nil)
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend, spec.Parallelism = false, ptr.To[int32](2) })
		check("resumed with another number", false, 2, 2, nil)

		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend = true })
		raw["spec"].(map[string]any)["replicas"] = int64(4)
		check("started by somebody else", false, 4, 4, "2")
		change(func(spec *adminv1alpha1.ComponentSpec) { spec.Suspend = true })
		check("suspended once more", true, 4, 0, "4")
	})
}
