package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarLogOptions says what of which log the subresource log is asked for. Except for
// the instance it is what a pod's log is asked for.
type PulsarLogOptions struct {
	metav1.TypeMeta `json:",inline"`

	// The number of the instance whose log it is.
	// +optional
	Instance int32 `json:"instance,omitempty"`
	// The container of the instance's pod. Without it, the one that runs the instance.
	// +optional
	Container string `json:"container,omitempty"`
	// Goes on with what is logged from now on.
	// +optional
	Follow bool `json:"follow,omitempty"`
	// Returns the log of the container before its last restart.
	// +optional
	Previous bool `json:"previous,omitempty"`
	// Only what was logged in the last so many seconds. At most one of sinceSeconds and
	// sinceTime can be given.
	// +optional
	SinceSeconds *int64 `json:"sinceSeconds,omitempty"`
	// Only what was logged since then.
	// +optional
	SinceTime *metav1.Time `json:"sinceTime,omitempty"`
	// Begins each line with when it was logged.
	// +optional
	Timestamps bool `json:"timestamps,omitempty"`
	// At most so many lines, the last ones.
	// +optional
	TailLines *int64 `json:"tailLines,omitempty"`
	// At most about so many bytes.
	// +optional
	LimitBytes *int64 `json:"limitBytes,omitempty"`
}
