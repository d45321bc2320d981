package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarRollback asks that a function, source or sink gets the code and the
// configuration of one of its revisions again: it is what subresource rollback is sent.
type PulsarRollback struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Where it has a UID, the rollback is only for the object
	// with that UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The number of the revision. Without it, or with 0, it is the latest that isn't what
	// the object is now.
	// +optional
	Revision int64 `json:"revision,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarRevisions are the revisions that are kept of a function, source or sink. It is
// what subresource revisions answers.
type PulsarRevisions struct {
	metav1.TypeMeta `json:",inline"`
	// Name, namespace and UID of the object, and the resource version that was looked at.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The revisions, the newest first.
	// +listType=atomic
	Revisions []PulsarRevision `json:"revisions"`
}

// PulsarRevision is the code and the configuration that a function, source or sink had
// at some time.
type PulsarRevision struct {
	// Its number, by which a rollback names it. One that is used again gets a new number.
	Revision int64 `json:"revision"`
	// The ControllerRevision in the object's namespace that holds it.
	Name string `json:"name"`
	// It is what the object is now.
	// +optional
	Current bool `json:"current,omitempty"`
	// When the object became so, for the last time.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
	// Who made it so. It is empty where nobody is known, such as after a change of the
	// resource behind the object.
	// +optional
	User string `json:"user,omitempty"`
	// The field manager that changed the resource behind the object, where no user is
	// known.
	// +optional
	Manager string `json:"manager,omitempty"`
	// Where its code is.
	// +optional
	Package string `json:"package,omitempty"`
	// The digest of its code, where that is known from its location.
	// +optional
	Digest string `json:"digest,omitempty"`
	// The object's spec, without what no revision has: how many instances run, and by
	// which credential.
	Spec runtime.RawExtension `json:"spec"`
}

// SpecChange is who gives a component other code or another configuration.
// +k8s:openapi-gen=false
type SpecChange struct {
	// User is the name of the caller.
	User string
	// Time is when the request was made.
	Time metav1.Time
	// Generation is what the object's generation becomes, Hash that of its revision. Later
	// changes of one or the other are somebody else's.
	Generation int64
	Hash       string
}
