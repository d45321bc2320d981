package component

import (
	"bytes"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// replicasPath is where every kind of custom resource has its number of instances.
var replicasPath = fieldpath.MakePathOrDie("spec", "replicas")

// startFirst says how to create a component that is suspended from the beginning: the
// operator's webhook refuses to create what runs no instance, but not to stop it.
func startFirst(obj runtime.Object) (runtime.Object, func(runtime.Object)) {
	if !obj.(v1alpha1.Component).Common().Suspend {
		return nil, nil
	}
	running := obj.DeepCopyObject()
	running.(v1alpha1.Component).Common().Suspend = false
	return running, func(obj runtime.Object) { obj.(v1alpha1.Component).Common().Suspend = true }
}

// checkReplicasWriter refuses a change of the number of instances where somebody
// else declares that number on the custom resource: what is written there would be
// undone, and what was meant to be stopped would run again.
//
// Whoever writes the subresource scale, as an autoscaler does, declares nothing. Nor
// does who once wrote the resource without claiming it, such as the Java worker.
func checkReplicasWriter(stored, before, after map[string]any) *metav1.StatusCause {
	if reflect.DeepEqual(replicasOf(before), replicasOf(after)) {
		return nil
	}
	resource := &unstructured.Unstructured{Object: stored}
	claimed := isClaimed(resource)
	for _, entry := range resource.GetManagedFields() {
		switch {
		case entry.Manager == crstorage.FieldManager, entry.Subresource != "", !ownsReplicas(entry):
			continue
		case entry.Operation != metav1.ManagedFieldsOperationApply && !claimed:
			continue
		}
		return &metav1.StatusCause{
			Field: "spec.parallelism",
			Message: fmt.Sprintf("the number of its instances is declared by field manager %q on the resource behind it: change it there",
				entry.Manager),
		}
	}
	return nil
}

func replicasOf(resource map[string]any) any {
	replicas, _, err := unstructured.NestedFieldNoCopy(resource, "spec", "replicas")
	if err != nil {
		return nil
	}
	return replicas
}

func ownsReplicas(entry metav1.ManagedFieldsEntry) bool {
	if entry.FieldsV1 == nil {
		return false
	}
	var owned fieldpath.Set
	return owned.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())) == nil && owned.Has(replicasPath)
}

// isClaimed tells whether a tool manages a custom resource, as the labels and
// annotations say which such tools set.
func isClaimed(resource metav1.Object) bool {
	for _, keys := range []map[string]string{resource.GetLabels(), resource.GetAnnotations()} {
		for key := range keys {
			if translation.Claimed(key) {
				return true
			}
		}
	}
	return false
}

// replicasOfView returns how many instances of a component should run now. Of one that
// can't be shown it isn't known.
func replicasOfView(component v1alpha1.Component) int32 {
	spec := component.Common()
	if spec.Suspend {
		return 0
	}
	return ptr.Deref(spec.Parallelism, 0)
}
