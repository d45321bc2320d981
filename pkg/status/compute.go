package status

import (
	"cmp"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Input is everything that a status depends on.
type Input struct {
	// UID, Generation, Created and Deleted are of the custom resource.
	UID        types.UID
	Generation int64
	Created    time.Time
	Deleted    bool
	// SpecGeneration is the first generation that has the spec of Generation, as far as
	// that is known; 0 for Generation itself.
	SpecGeneration int64
	// OperatorGeneration is the generation that the operator has acted on.
	OperatorGeneration int64
	// Unmanaged is true where the operator was told to leave the resource alone.
	Unmanaged bool
	// Replicas is how many instances there should be: none while suspended.
	Replicas int32
	// Selector is the operator's, for as long as there is no StatefulSet.
	Selector string

	// StatefulSet is nil while there is none. Pods are those that it controls.
	StatefulSet *appsv1.StatefulSet
	Pods        []*corev1.Pod

	// NotServed is why the object's namespace isn't the one for its Pulsar namespace,
	// empty if it is.
	NotServed string
	// Elder is the object that has the Pulsar identity by right; nil if this one has.
	Elder *Elder
	// Missing is what the object refers to and isn't there.
	Missing []Reference
	// Unchecked is why that isn't known, empty if it is.
	Unchecked string

	// Credential is what is known of the object's credential, nil if it has none or this
	// server looks at none.
	Credential *Credential
	// Package is what is known of the object's package, nil if it has none with a URL or
	// this server looks at none.
	Package *Package

	// Leftover is why the subscription of what is being deleted is still there, empty where
	// that isn't known or there is none.
	Leftover string

	// Previous is what was published last, nil if nothing was.
	Previous *Published
	Now      time.Time
}

// Compute returns the status of an object, and after what time it may be another
// one without a change of anything else: zero for never.
func Compute(in Input) (*Published, time.Duration) {
	c := &computation{Input: in}
	c.observe()
	c.conditions = conditions{generation: in.Generation, now: metav1.NewTime(in.Now.UTC().Truncate(time.Second)), previous: in.Previous}
	c.accept()
	c.judge()
	c.checkCredential()
	if c.Deleted && c.Leftover != "" {
		c.conditions.set(v1alpha1.ConditionSubscriptionRemoved, metav1.ConditionFalse, ReasonSubscriptionNotRemoved, c.Leftover)
	}
	c.checkPackage()
	published := &Published{
		Version:            version,
		UID:                in.UID,
		ObservedGeneration: in.Generation,
		Phase:              c.phase(),
		Selector:           in.Selector,
		Replicas:           c.set.Status.Replicas,
		ReadyReplicas:      c.set.Status.ReadyReplicas,
		Package:            c.published,
		Conditions:         ordered(c.conditions.list),
	}
	if selector := c.set.Spec.Selector; selector != nil {
		published.Selector = instancesSelector(selector)
	}
	return published, c.recheck
}

// instancesSelector returns a StatefulSet's selector for its own pods alone. The pod
// in which the operator removes the subscription in the end has the same labels: an
// autoscaler would take it for an instance that has nothing to do.
func instancesSelector(selector *metav1.LabelSelector) string {
	selector = selector.DeepCopy()
	selector.MatchExpressions = append(selector.MatchExpressions,
		metav1.LabelSelectorRequirement{Key: appsv1.StatefulSetPodNameLabel, Operator: metav1.LabelSelectorOpExists})
	return metav1.FormatLabelSelector(selector)
}

// computation is Compute under way.
type computation struct {
	Input

	conditions conditions
	// published is what is said of the package that instances got.
	published *PublishedPackage
	// set is the StatefulSet, an empty one if there is none.
	set      *appsv1.StatefulSet
	problems []*problem
	missing  []Reference
	// reconciled: the operator has acted. settled: as many pods as there should be
	// are there, with the current template. available: as many are ready.
	reconciled, settled, available bool
	stalled, ready                 bool
	recheck                        time.Duration
}

func (c *computation) observe() {
	c.reconciled = c.OperatorGeneration > 0 && c.OperatorGeneration >= cmp.Or(c.SpecGeneration, c.Generation)
	c.set = c.StatefulSet
	if c.set == nil {
		c.set = &appsv1.StatefulSet{}
		// What is suspended from the beginning may never get one.
		c.settled, c.available = c.Replicas == 0, c.Replicas == 0
		return
	}
	observed := &c.set.Status
	current := observed.ObservedGeneration >= c.set.Generation && ptr.Deref(c.set.Spec.Replicas, 1) == c.Replicas
	rolledOut := observed.UpdateRevision == observed.CurrentRevision || observed.UpdatedReplicas == c.Replicas
	c.settled = current && rolledOut && observed.Replicas == c.Replicas
	c.available = observed.ReadyReplicas >= c.Replicas
	c.problems = problems(c.Pods, c.set, c.Now)
}

// accept says whether the object can run as it is.
func (c *computation) accept() {
	accepted := func(value metav1.ConditionStatus, reason, message string) {
		c.conditions.set(v1alpha1.ConditionAccepted, value, reason, message)
	}
	c.missing = merge(c.Missing, missingOf(c.problems))
	running := c.Replicas > 0 && c.settled && c.available
	switch {
	case c.NotServed != "":
		accepted(metav1.ConditionFalse, ReasonNotServed, c.NotServed+notServedMessage)
	case c.Elder != nil:
		accepted(metav1.ConditionFalse, ReasonDuplicateIdentity, c.Elder.message())
	case len(c.missing) > 0:
		accepted(metav1.ConditionFalse, ReasonReferenceNotFound, missingMessage(c.missing))
	case c.Unchecked != "" && !running:
		accepted(metav1.ConditionUnknown, ReasonReferencesNotChecked, c.Unchecked)
	default:
		// All pods have started, so nothing that they refer to was missing.
		accepted(metav1.ConditionTrue, ReasonAccepted, "Nothing keeps the object from running.")
	}
}

// judge sets the other conditions.
func (c *computation) judge() {
	switch {
	case c.reconciled:
		c.conditions.set(v1alpha1.ConditionReconciled, metav1.ConditionTrue, ReasonReconciled, reconciledMessage)
	case c.Unmanaged:
		c.conditions.set(v1alpha1.ConditionReconciled, metav1.ConditionFalse, ReasonUnmanaged, unmanagedMessage)
	default:
		c.conditions.set(v1alpha1.ConditionReconciled, metav1.ConditionUnknown, ReasonPending, pendingMessage)
	}
	reason, message := c.instances()
	c.conditions.set(v1alpha1.ConditionAvailable, truth(c.available), reason, message)

	why, because := c.stalledBy()
	c.stalled = why != ""
	c.ready = c.reconciled && c.settled && c.available && c.Elder == nil
	switch {
	case c.ready && c.Replicas == 0:
		reason = ReasonSuspended
	case c.ready:
		reason = ReasonReady
	case c.stalled:
		reason, message = why, because
	case !c.reconciled:
		reason, message = ReasonPending, pendingMessage
	case c.available:
		reason = ReasonProgressing
	}
	c.conditions.set(v1alpha1.ConditionReady, truth(c.ready), reason, message)
	if c.stalled {
		c.conditions.set(v1alpha1.ConditionStalled, metav1.ConditionTrue, why, because)
	} else {
		c.conditions.set(v1alpha1.ConditionStalled, metav1.ConditionFalse, ReasonNone, "Nothing is known to be in the way.")
	}
	if c.ready || c.stalled {
		c.conditions.set(v1alpha1.ConditionReconciling, metav1.ConditionFalse, ReasonNone, "Nothing is on its way.")
	} else {
		c.conditions.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, ReasonProgressing, message)
	}
}

const unmanagedMessage = "The Function Mesh operator was told to leave the resource alone, and has not acted on this generation."

// instances says in one sentence, and a reason, how many instances there are.
func (c *computation) instances() (reason, message string) {
	observed := &c.set.Status
	switch {
	case c.Replicas == 0 && observed.Replicas == 0:
		return ReasonSuspended, "No instance should run, and none does."
	case c.Replicas == 0:
		return ReasonProgressing, fmt.Sprintf("No instance should run; %d have not stopped yet.", observed.Replicas)
	case c.StatefulSet == nil:
		return ReasonPending, "There is no StatefulSet yet."
	}
	message = fmt.Sprintf("%d of %d instances are ready.", observed.ReadyReplicas, c.Replicas)
	switch {
	case len(c.problems) > 0:
		worst := c.problems[0]
		message += " " + worst.String() + "."
		if others := len(c.problems) - 1; others > 0 {
			message += fmt.Sprintf(" %d more pods are not well.", others)
		}
		if c.available {
			return ReasonReady, message
		}
		return worst.reason, message
	case !c.available:
		return ReasonNotReady, message
	case !c.settled:
		return ReasonReady, message + " Others are being replaced or stopped."
	}
	return ReasonReady, message
}

// stalledBy says what is in the way that won't go away by itself, "" for nothing.
func (c *computation) stalledBy() (reason, message string) {
	switch {
	case c.Deleted:
		return "", ""
	case c.Elder != nil:
		return ReasonDuplicateIdentity, c.Elder.message()
	case c.Unmanaged && !c.reconciled:
		return ReasonUnmanaged, unmanagedMessage
	case c.settled && c.available && c.reconciled:
		return "", ""
	case c.settled && c.available:
		return c.silence()
	case len(c.missing) > 0 && c.Replicas > 0:
		rest := c.conditions.since(v1alpha1.ConditionAccepted).Add(patience).Sub(c.Now)
		if rest <= 0 {
			return ReasonReferenceNotFound, missingMessage(c.missing)
		}
		c.recheckIn(rest)
	}
	if !c.reconciled {
		// What fails may be what the new generation replaces.
		return c.silence()
	}
	for _, problem := range c.problems {
		stalled, rest := problem.stalls(c.Now)
		if stalled {
			return problem.reason, problem.String() + "."
		}
		c.recheckIn(rest)
	}
	return "", ""
}

func (c *computation) recheckIn(rest time.Duration) {
	if rest > 0 && (c.recheck == 0 || rest < c.recheck) {
		c.recheck = rest
	}
}

func (c *computation) phase() string {
	some := c.set.Status.ReadyReplicas > 0
	switch {
	case c.Deleted:
		return PhaseTerminating
	case c.Elder != nil:
		return PhaseDuplicate
	case c.Replicas == 0 && c.ready:
		return PhaseSuspended
	case c.Replicas == 0:
		return PhaseSuspending
	case c.ready:
		return PhaseRunning
	case c.available && !c.reconciled && !c.Unmanaged:
		return PhaseUpdating
	case c.stalled && !some:
		return PhaseFailed
	case c.stalled, c.reconciled && len(c.problems) > 0 && some:
		return PhaseDegraded
	case some:
		return PhaseUpdating
	}
	return PhasePending
}

func truth(value bool) metav1.ConditionStatus {
	if value {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}
