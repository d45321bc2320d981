package status

import (
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// Project returns the status of the view of a custom resource: what was published
// of it, or what can be told of the resource alone. observed is what the operator
// wrote, nil before it has.
func Project(meta *metav1.ObjectMeta, observed *computev1alpha1.Status) v1alpha1.ComponentStatus {
	published, err := Decode(meta)
	var status v1alpha1.ComponentStatus
	switch {
	case err == nil:
		status = published.project(meta)
	case errors.Is(err, ErrNewer):
		status = ofResource(meta, observed, ReasonNewerVersion,
			"What was observed is published in a format that this server doesn't know: a newer one wrote it.")
	default:
		status = ofResource(meta, observed, ReasonNotObserved, "Whether instances are ready has not been observed.")
	}
	if meta.DeletionTimestamp != nil {
		status.Phase = PhaseTerminating
	}
	return status
}

// project shows that the object has changed since it was observed, which must be
// seen at once and not when the next status is published.
func (p *Published) project(meta *metav1.ObjectMeta) v1alpha1.ComponentStatus {
	status := v1alpha1.ComponentStatus{
		ObservedGeneration: p.ObservedGeneration,
		Replicas:           p.Replicas,
		ReadyReplicas:      p.ReadyReplicas,
		Selector:           p.Selector,
		Phase:              p.Phase,
		Conditions:         p.Conditions,
	}
	if p.Package != nil {
		status.Package = &p.Package.PackageStatus
	}
	if p.ObservedGeneration >= meta.Generation {
		return status
	}
	if status.ReadyReplicas > 0 {
		status.Phase = PhaseUpdating
	} else {
		status.Phase = PhasePending
	}
	for i := range status.Conditions {
		condition := &status.Conditions[i]
		if condition.Type != v1alpha1.ConditionReconciling {
			continue
		}
		condition.Status = metav1.ConditionTrue
		condition.ObservedGeneration = meta.Generation
		condition.Reason = ReasonNewGeneration
		condition.Message = "The object has changed since it was observed."
	}
	return status
}

// ofResource says what the operator has done. Of its own conditions it says
// nothing: they aren't kept up to date. The time of each condition is the
// object's, because a read has no memory of when anything changed. reason and
// message are why it isn't known whether instances are ready.
func ofResource(meta *metav1.ObjectMeta, observed *computev1alpha1.Status, reason, message string) v1alpha1.ComponentStatus {
	var status v1alpha1.ComponentStatus
	if observed != nil {
		status.ObservedGeneration = observed.ObservedGeneration
		status.Replicas = observed.Replicas
		status.Selector = observed.Selector
	}
	conditions := conditions{generation: meta.Generation, now: meta.CreationTimestamp}
	if status.ObservedGeneration > 0 && status.ObservedGeneration >= meta.Generation {
		status.Phase = PhaseReconciled
		conditions.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
		conditions.set(v1alpha1.ConditionReconciled, metav1.ConditionTrue, ReasonReconciled, reconciledMessage)
	} else {
		status.Phase = PhasePending
		conditions.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, ReasonPending, pendingMessage)
		conditions.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, ReasonPending, pendingMessage)
		conditions.set(v1alpha1.ConditionReconciled, metav1.ConditionUnknown, ReasonPending, pendingMessage)
	}
	status.Conditions = conditions.list
	return status
}

const (
	reconciledMessage = "The Function Mesh operator has acted on this generation."
	pendingMessage    = "The Function Mesh operator has not acted on this generation yet."
)

// conditions collects conditions of one generation.
type conditions struct {
	generation int64
	// now is the time of what has changed since previous.
	now      metav1.Time
	previous *Published
	list     []metav1.Condition
}

// maxMessage bounds a condition's message, in bytes.
const maxMessage = 1024

func (c *conditions) set(conditionType string, value metav1.ConditionStatus, reason, message string) {
	condition := metav1.Condition{
		Type:               conditionType,
		Status:             value,
		ObservedGeneration: c.generation,
		LastTransitionTime: c.now,
		Reason:             reason,
		Message:            shorten(message, maxMessage),
	}
	if before := c.previous.Condition(conditionType); before != nil && before.Status == value {
		condition.LastTransitionTime = before.LastTransitionTime
	}
	c.list = append(c.list, condition)
}

// since returns when a condition got its status.
func (c *conditions) since(conditionType string) metav1.Time {
	for _, condition := range c.list {
		if condition.Type == conditionType {
			return condition.LastTransitionTime
		}
	}
	return c.now
}
