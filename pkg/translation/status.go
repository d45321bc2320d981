package translation

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// The phases that an object can be in.
const (
	PhasePending         = "Pending"
	PhaseReconciled      = "Reconciled"
	PhaseTerminating     = "Terminating"
	PhaseNotTranslatable = "NotTranslatable"
)

// The reasons of conditions.
const (
	ReasonPending          = "Pending"
	ReasonReconciled       = "Reconciled"
	ReasonNoPackageService = "NoPackageService"
	ReasonNotTranslatable  = "NotTranslatable"
)

// componentStatus says what the operator has done. Of its own conditions it says
// nothing: they aren't kept up to date. The time of each condition is the
// object's, because a read has no memory of when anything changed.
//
// meta and observed are the custom resource's metadata and status; spec is the view's.
func componentStatus(meta *metav1.ObjectMeta, observed *computev1alpha1.Status, spec *adminv1alpha1.ComponentSpec) adminv1alpha1.ComponentStatus {
	var status adminv1alpha1.ComponentStatus
	if observed != nil {
		status.ObservedGeneration = observed.ObservedGeneration
		status.Replicas = observed.Replicas
	}
	condition := func(conditionType string, value metav1.ConditionStatus, reason, message string) {
		status.Conditions = append(status.Conditions, metav1.Condition{
			Type:               conditionType,
			Status:             value,
			ObservedGeneration: meta.Generation,
			LastTransitionTime: meta.CreationTimestamp,
			Reason:             reason,
			Message:            message,
		})
	}
	if status.ObservedGeneration > 0 && status.ObservedGeneration >= meta.Generation {
		status.Phase = PhaseReconciled
		condition(adminv1alpha1.ConditionReconciled, metav1.ConditionTrue, ReasonReconciled,
			"The Function Mesh operator has acted on this generation.")
	} else {
		status.Phase = PhasePending
		condition(adminv1alpha1.ConditionReconciled, metav1.ConditionUnknown, ReasonPending,
			"The Function Mesh operator has not acted on this generation yet.")
	}
	if pkg := spec.Package; pkg != nil && identity.IsPackageURL(pkg.Location) {
		condition(adminv1alpha1.ConditionPackageResolved, metav1.ConditionUnknown, ReasonNoPackageService,
			"No package service is configured that could say whether the package exists.")
	}
	if meta.DeletionTimestamp != nil {
		status.Phase = PhaseTerminating
	}
	return status
}
