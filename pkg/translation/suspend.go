package translation

import (
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// SuspendedParallelismAnnotation holds, on a custom resource that is scaled to
// nothing, how many instances there will be again.
const SuspendedParallelismAnnotation = ReservedPrefix + "suspended-parallelism"

// replicasToCR writes how many instances there are now, and what the view says of
// later.
func replicasToCR(spec *adminv1alpha1.ComponentSpec, resource computev1alpha1.Component) {
	cr := resource.Common()
	cr.Replicas = spec.Parallelism
	if !spec.Suspend {
		return
	}
	cr.Replicas = ptr.To[int32](0)
	annotations := resource.GetAnnotations()
	setKey(&annotations, SuspendedParallelismAnnotation, strconv.Itoa(int(ptr.Deref(spec.Parallelism, adminv1alpha1.DefaultParallelism))))
	resource.SetAnnotations(annotations)
}

// replicasFromCR is the inverse of replicasToCR. Whoever scaled a resource to nothing
// suspended it; the annotation of one that runs is left over from earlier.
func replicasFromCR(resource computev1alpha1.Component, spec *adminv1alpha1.ComponentSpec) {
	replicas := resource.Common().Replicas
	if replicas == nil || *replicas != 0 {
		spec.Parallelism = replicas
		return
	}
	spec.Suspend = true
	spec.Parallelism = ptr.To(suspendedParallelism(resource))
}

func suspendedParallelism(resource metav1.Object) int32 {
	parallelism, err := strconv.ParseInt(resource.GetAnnotations()[SuspendedParallelismAnnotation], 10, 32)
	if err != nil || parallelism < 1 {
		return adminv1alpha1.DefaultParallelism
	}
	return int32(parallelism)
}
