package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarAction asks that something is done with what runs of a function, source or
// sink. It is what the subresources restart, suspend, resume and package are sent.
type PulsarAction struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Where it has a UID, the action is only for the object
	// with that UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The instance to restart. Without it the action is for all of them; only a restart
	// can be for one.
	// +optional
	Instance *int32 `json:"instance,omitempty"`

	// The URL of the package that is to be uploaded, for the subresource package alone.
	// Whoever gives it other content changes the code of all that names it.
	// +optional
	Package string `json:"package,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarInstances is what runs of a function, source or sink at the moment, as its
// pods and the instances in them say themselves. It is what the subresource instances
// answers.
type PulsarInstances struct {
	metav1.TypeMeta `json:",inline"`
	// Name, namespace and UID of the object, and the resource version that was looked at.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// How many instances there should be, or should be again.
	Parallelism int32 `json:"parallelism"`
	// No instance should run at the moment.
	// +optional
	Suspended bool `json:"suspended,omitempty"`
	// The instances, by their numbers.
	// +listType=atomic
	Instances []PulsarInstance `json:"instances"`
}

// PulsarInstance is one instance.
type PulsarInstance struct {
	// Its number. They count from 0.
	ID int32 `json:"id"`
	// Its pod, where there is one.
	// +optional
	Pod string `json:"pod,omitempty"`
	// The phase of its pod.
	// +optional
	Phase string `json:"phase,omitempty"`
	// Its pod is ready.
	Ready bool `json:"ready"`
	// How often its container was restarted.
	Restarts int32 `json:"restarts"`
	// What is wrong with it, in one word; nothing is where it is empty.
	// +optional
	Reason string `json:"reason,omitempty"`
	// The same in a sentence.
	// +optional
	Message string `json:"message,omitempty"`

	// What the instance says of itself. Absent where it wasn't asked, or didn't answer.
	// +optional
	Status *InstanceStatus `json:"status,omitempty"`
	// What the instance has counted. Absent where it wasn't asked, or didn't answer.
	// +optional
	Metrics *InstanceMetrics `json:"metrics,omitempty"`
	// Why the instance, whose pod runs, said nothing.
	// +optional
	Error string `json:"error,omitempty"`
}

// InstanceStatus is what an instance says of itself, under the names of Pulsar's own
// protocol.
type InstanceStatus struct {
	// It takes messages.
	Running bool `json:"running"`
	// Why it failed.
	// +optional
	FailureException string `json:"failureException,omitempty"`
	// How often it was restarted by what runs it, as far as it knows.
	NumRestarts int64 `json:"numRestarts"`
	// Messages that it received.
	NumReceived int64 `json:"numReceived"`
	// Messages that it dealt with.
	NumSuccessfullyProcessed int64 `json:"numSuccessfullyProcessed"`
	// Exceptions of the user's code.
	NumUserExceptions int64 `json:"numUserExceptions"`
	// The latest of them.
	// +optional
	// +listType=atomic
	LatestUserExceptions []InstanceException `json:"latestUserExceptions,omitempty"`
	// Exceptions of what runs the user's code.
	NumSystemExceptions int64 `json:"numSystemExceptions"`
	// The latest of them.
	// +optional
	// +listType=atomic
	LatestSystemExceptions []InstanceException `json:"latestSystemExceptions,omitempty"`
	// Exceptions of the source.
	NumSourceExceptions int64 `json:"numSourceExceptions"`
	// The latest of them.
	// +optional
	// +listType=atomic
	LatestSourceExceptions []InstanceException `json:"latestSourceExceptions,omitempty"`
	// Exceptions of the sink.
	NumSinkExceptions int64 `json:"numSinkExceptions"`
	// The latest of them.
	// +optional
	// +listType=atomic
	LatestSinkExceptions []InstanceException `json:"latestSinkExceptions,omitempty"`
	// How long it took for a message on average, in milliseconds.
	AverageLatency float64 `json:"averageLatency"`
	// When it last received a message, in milliseconds since 1970; 0 for never.
	LastInvocationTime int64 `json:"lastInvocationTime"`
}

// InstanceException is an exception and when it was thrown.
type InstanceException struct {
	// What it says.
	ExceptionString string `json:"exceptionString"`
	// When it was thrown, in milliseconds since 1970.
	TimestampMs int64 `json:"timestampMs"`
}

// InstanceMetrics is what an instance has counted since it started, and in the latest
// whole minute.
type InstanceMetrics struct {
	// Since it started.
	InstanceCounts `json:",inline"`
	// In the latest whole minute.
	OneMinute InstanceCounts `json:"oneMinute"`
	// When it last received a message, in milliseconds since 1970; 0 for never.
	LastInvocation int64 `json:"lastInvocation"`
	// What the user's code has measured, by name.
	// +optional
	UserMetrics map[string]float64 `json:"userMetrics,omitempty"`
}

// InstanceCounts is what an instance has counted in some time.
type InstanceCounts struct {
	// Messages that it received.
	ReceivedTotal int64 `json:"receivedTotal"`
	// Messages that it dealt with.
	ProcessedSuccessfullyTotal int64 `json:"processedSuccessfullyTotal"`
	// Exceptions of what runs the user's code.
	SystemExceptionsTotal int64 `json:"systemExceptionsTotal"`
	// Exceptions of the user's code.
	UserExceptionsTotal int64 `json:"userExceptionsTotal"`
	// How long it took for a message on average, in milliseconds; 0 for unknown.
	AvgProcessLatency float64 `json:"avgProcessLatency"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarInstancesOptions says which instances the subresource instances is asked for.
type PulsarInstancesOptions struct {
	metav1.TypeMeta `json:",inline"`

	// The number of the only one to ask for. Without it all are asked for.
	// +optional
	Instance *int32 `json:"instance,omitempty"`
}
