package translation

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// PulsarIdentity returns the identity that the view of a custom resource of any
// kind has in Pulsar, of the resource's metadata and what its spec has in common
// with those of the other kinds.
func PulsarIdentity(meta metav1.ObjectMeta, spec *computev1alpha1.CommonSpec) identity.Name {
	resource := &computev1alpha1.Function{ObjectMeta: meta, Spec: computev1alpha1.FunctionSpec{CommonSpec: *spec}}
	return identity.Name{
		Tenant:    orDefault(spec.Tenant, adminv1alpha1.DefaultTenant),
		Namespace: orDefault(spec.Namespace, adminv1alpha1.DefaultNamespace),
		Name:      componentName(resource),
	}
}
