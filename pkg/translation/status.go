package translation

import (
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

// The reasons of the conditions that translation itself gives.
const (
	ReasonNoPackageService = "NoPackageService"
	ReasonNotTranslatable  = "NotTranslatable"
)

// componentStatus returns what was published of a custom resource, or what can be
// told of it alone, and adds what is known of the package.
//
// meta and observed are the custom resource's metadata and status; spec is the view's.
func componentStatus(meta *metav1.ObjectMeta, observed *computev1alpha1.Status, spec *adminv1alpha1.ComponentSpec) adminv1alpha1.ComponentStatus {
	projected := status.Project(meta, observed)
	if pkg := spec.Package; pkg != nil && identity.IsPackageURL(pkg.Location) {
		projected.Conditions = append(projected.Conditions, metav1.Condition{
			Type:               adminv1alpha1.ConditionPackageResolved,
			Status:             metav1.ConditionUnknown,
			ObservedGeneration: meta.Generation,
			LastTransitionTime: meta.CreationTimestamp,
			Reason:             ReasonNoPackageService,
			Message:            "No package service is configured that could say whether the package exists.",
		})
	}
	return projected
}
