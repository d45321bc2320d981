package translation

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// The phases of objects that are so whatever was observed.
const (
	PhaseTerminating     = status.PhaseTerminating
	PhaseNotTranslatable = status.PhaseNotTranslatable
)

// ReasonNotTranslatable is the reason of the condition that translation itself gives.
const ReasonNotTranslatable = "NotTranslatable"

// componentStatus returns what was published of a custom resource, or what can be
// told of it alone. Of a package of which nothing was published it says so.
//
// object and observed are the custom resource's metadata and status; spec is the view's.
func componentStatus(object *metav1.ObjectMeta, observed *computev1alpha1.Status, spec *adminv1alpha1.ComponentSpec) adminv1alpha1.ComponentStatus {
	projected := status.Project(object, observed)
	if pkg := spec.Package; pkg != nil && identity.IsPackageURL(pkg.Location) &&
		meta.FindStatusCondition(projected.Conditions, adminv1alpha1.ConditionPackageResolved) == nil {
		projected.Conditions = append(projected.Conditions, metav1.Condition{
			Type:               adminv1alpha1.ConditionPackageResolved,
			Status:             metav1.ConditionUnknown,
			ObservedGeneration: object.Generation,
			LastTransitionTime: object.CreationTimestamp,
			Reason:             status.ReasonPackageNotChecked,
			Message:            "Whether the package is there has not been checked.",
		})
	}
	return projected
}
