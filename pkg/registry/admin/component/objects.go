package component

import (
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// sameSpec tells whether two objects of one kind differ in nothing but their
// metadata and status.
func sameSpec(a, b v1alpha1.Component) bool {
	other := b.DeepCopyObject().(v1alpha1.Component)
	copySpec(other, a)
	return equality.Semantic.DeepEqual(other, b)
}

// copySpec gives an object the spec of another of its kind.
func copySpec(to, from v1alpha1.Component) {
	kept := to.DeepCopyObject().(v1alpha1.Component)
	// No interface can name the specs, which are of a type for each kind.
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(from.DeepCopyObject()).Elem())
	*metaOf(to) = *metaOf(kept)
	*to.ObservedStatus() = *kept.ObservedStatus()
	to.GetObjectKind().SetGroupVersionKind(kept.GetObjectKind().GroupVersionKind())
}

func metaOf(component v1alpha1.Component) *metav1.ObjectMeta {
	return component.(metav1.ObjectMetaAccessor).GetObjectMeta().(*metav1.ObjectMeta)
}
