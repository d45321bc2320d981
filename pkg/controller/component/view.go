package component

import (
	corev1 "k8s.io/api/core/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// ViewReference returns what events of a resource are about: the view of it, since
// that is what people look at.
func ViewReference(component *Component) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion:      adminv1alpha1.SchemeGroupVersion.String(),
		Kind:            component.Kind.Kind,
		Namespace:       component.Namespace,
		Name:            component.Name,
		UID:             translation.ViewUID(component.UID),
		ResourceVersion: component.ResourceVersion,
	}
}
