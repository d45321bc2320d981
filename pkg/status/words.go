package status

import "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"

// The phases that an object can be in: one word for people.
const (
	// PhasePending is before the first instance is ready.
	PhasePending = "Pending"
	// PhaseReconciled is said where nobody observes instances: the operator has
	// acted.
	PhaseReconciled = "Reconciled"
	// PhaseRunning is with all instances ready.
	PhaseRunning = "Running"
	// PhaseUpdating is on the way from one spec to another, with ready instances.
	PhaseUpdating = "Updating"
	// PhaseDegraded is with too few ready instances.
	PhaseDegraded = "Degraded"
	// PhaseFailed is with none, and no hope.
	PhaseFailed = "Failed"
	// PhaseSuspending is while instances stop, PhaseSuspended when they have.
	PhaseSuspending = "Suspending"
	PhaseSuspended  = "Suspended"
	// PhaseDuplicate is of what another object's Pulsar identity keeps from running.
	PhaseDuplicate       = "Duplicate"
	PhaseTerminating     = "Terminating"
	PhaseNotTranslatable = "NotTranslatable"
)

// The reasons of conditions. A pod's problem is a reason as well, in the words of
// the kubelet or the scheduler: CrashLoopBackOff, ImagePullBackOff, Unschedulable.
const (
	ReasonPending    = "Pending"
	ReasonReconciled = "Reconciled"
	// ReasonUnmanaged is of a resource that the operator was told to leave alone.
	ReasonUnmanaged = "Unmanaged"
	// ReasonOperatorSilent is of a resource that the operator should have acted on.
	ReasonOperatorSilent = "OperatorSilent"
	// ReasonNotObserved is where nobody observes instances.
	ReasonNotObserved = "NotObserved"
	// ReasonNewerVersion is of a status that this server can't read.
	ReasonNewerVersion = "NewerVersion"
	// ReasonNewGeneration is of an object that changed since it was observed.
	ReasonNewGeneration = "NewGeneration"

	ReasonReady       = "Ready"
	ReasonSuspended   = "Suspended"
	ReasonProgressing = "Progressing"
	ReasonNotReady    = "NotReady"
	ReasonNone        = "None"

	ReasonAccepted          = "Accepted"
	ReasonDuplicateIdentity = "DuplicateIdentity"
	// ReasonNotServed is of an object in a namespace that doesn't serve its Pulsar
	// namespace.
	ReasonNotServed            = "NotServed"
	ReasonReferenceNotFound    = "ReferenceNotFound"
	ReasonReferencesNotChecked = "ReferencesNotChecked"

	ReasonCredentialsValid      = "CredentialsValid"
	ReasonCredentialsNotChecked = "CredentialsNotChecked"
	ReasonSecretNotFound        = "SecretNotFound"
	ReasonCredentialsInvalid    = "CredentialsInvalid"
	ReasonCredentialsExpired    = "CredentialsExpired"

	ReasonPackageResolved = "Resolved"
	// ReasonPackageMoved is of a tag that means another content than the one that
	// instances got.
	ReasonPackageMoved    = "Moved"
	ReasonPackageNotFound = "NotFound"
	// ReasonPackageUnusable is of a package that the component can't run.
	ReasonPackageUnusable = "Unusable"
	// ReasonPackageNotChecked is where nobody has looked, or may look.
	ReasonPackageNotChecked = "NotChecked"
	// ReasonPackageNotConfigured is where no package service is known.
	ReasonPackageNotConfigured = "NotConfigured"
	ReasonPackageUnreachable   = "Unreachable"
	// ReasonPackageForbidden is where Pulsar doesn't let the server look.
	ReasonPackageForbidden = "Forbidden"

	ReasonSubscriptionNotRemoved = "SubscriptionNotRemoved"
)

// conditionTypes are the conditions of a published status, in their order. All are
// always there, except that what has no credential, or no package URL, has no condition
// about it, and what isn't being deleted none about its subscription: one that came and
// went would lose the time of its last transition, and can't be waited for.
var conditionTypes = []string{
	v1alpha1.ConditionReady,
	v1alpha1.ConditionReconciling,
	v1alpha1.ConditionStalled,
	v1alpha1.ConditionAccepted,
	v1alpha1.ConditionReconciled,
	v1alpha1.ConditionAvailable,
	v1alpha1.ConditionCredentialsValid,
	v1alpha1.ConditionPackageResolved,
	v1alpha1.ConditionSubscriptionRemoved,
}
