package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarState is what a function, source or sink keeps under one key. It is what the
// subresource state answers, and takes.
type PulsarState struct {
	metav1.TypeMeta `json:",inline"`
	// Name, namespace and UID of the object. Where it has a UID, a value is only for the
	// object with that UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The key and its value.
	Spec PulsarStateSpec `json:"spec"`
}

// PulsarStateSpec is a key and its value. A value that is put has one of the members; of
// several, bytes count before a text, and that before a number. A value that is read has
// a text, or bytes where they are none in UTF-8, and besides a number where there are
// eight of them. A counter has a number alone, and can't be put.
type PulsarStateSpec struct {
	// The key.
	Key string `json:"key"`
	// The value as a text.
	// +optional
	StringValue *string `json:"stringValue,omitempty"`
	// The value as bytes.
	// +optional
	ByteValue []byte `json:"byteValue,omitempty"`
	// The value as a number: a counter's, or the eight bytes of one, the highest first.
	// +optional
	NumberValue *int64 `json:"numberValue,omitempty"`
	// How often the value was changed. It is only ever read.
	// +optional
	Version *int64 `json:"version,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarStateOptions says for what the subresource state is asked.
type PulsarStateOptions struct {
	metav1.TypeMeta `json:",inline"`

	// The key.
	Key string `json:"key"`
}
