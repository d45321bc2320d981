package publisher

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// The reasons of events that aren't those of conditions.
const (
	reasonResumed   = "Resumed"
	reasonRecovered = "Recovered"
)

// event is what is worth telling of a change.
type event struct {
	eventType, reason, message string
}

// tell writes events of what has changed on the view.
func (p *Publisher) tell(object *component.Component, previous, published *status.Published) {
	if p.config.Recorder == nil {
		return
	}
	for _, event := range eventsOf(previous, published) {
		p.config.Recorder.Event(component.ViewReference(object), event.eventType, event.reason, event.message)
	}
}

// eventsOf returns what to tell of a change. previous is nil for a first status:
// that nothing is wrong is no news then.
func eventsOf(previous, published *status.Published) []event {
	var events []event
	warn := func(conditionType string, bad metav1.ConditionStatus) {
		before, now := previous.Condition(conditionType), published.Condition(conditionType)
		wasBad := before != nil && before.Status == bad
		switch {
		case now == nil:
			// What it was about is gone.
		case now.Status == bad && (!wasBad || before.Reason != now.Reason):
			news := event{corev1.EventTypeWarning, now.Reason, now.Message}
			// What is refused is stalled for the same reason, which is told once.
			if len(events) == 0 || events[0] != news {
				events = append(events, news)
			}
		case wasBad && now.Status != bad && now.Status != metav1.ConditionUnknown:
			events = append(events, event{corev1.EventTypeNormal, reasonRecovered, before.Reason + " is over."})
		}
	}
	warn(adminv1alpha1.ConditionAccepted, metav1.ConditionFalse)
	warn(adminv1alpha1.ConditionStalled, metav1.ConditionTrue)
	warn(adminv1alpha1.ConditionCredentialsValid, metav1.ConditionFalse)
	warn(adminv1alpha1.ConditionPackageResolved, metav1.ConditionFalse)
	if moved := published.Condition(adminv1alpha1.ConditionPackageResolved); moved != nil && moved.Reason == status.ReasonPackageMoved {
		last := previous.Condition(adminv1alpha1.ConditionPackageResolved)
		if (last == nil || last.Reason != moved.Reason) && !knewMoved(previous, published) {
			events = append(events, event{corev1.EventTypeWarning, moved.Reason, moved.Message})
		}
	}

	before, now := previous.Condition(adminv1alpha1.ConditionReady), published.Condition(adminv1alpha1.ConditionReady)
	if before != nil && before.Reason == now.Reason {
		return events
	}
	if before != nil && before.Reason == status.ReasonSuspended {
		events = append(events, event{corev1.EventTypeNormal, reasonResumed, "Instances are started."})
	}
	if now.Status == metav1.ConditionTrue {
		events = append(events, event{corev1.EventTypeNormal, now.Reason, now.Message})
	}
	return events
}

// knewMoved tells whether a package was seen with its other content before, and only
// nobody could say so meanwhile.
func knewMoved(previous, published *status.Published) bool {
	return previous != nil && previous.Package != nil && published.Package != nil &&
		previous.Package.MovedTo != "" && previous.Package.MovedTo == published.Package.MovedTo
}
