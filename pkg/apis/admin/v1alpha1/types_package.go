package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarPackage says where the code of a function, source or sink is. It is what the
// subresource package answers. Who may read it may read the code, which is not here: it
// comes from Pulsar.
type PulsarPackage struct {
	metav1.TypeMeta `json:",inline"`
	// Name, namespace and UID of the object, and the resource version that was looked at.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Where the code is, as the object's spec says it. Where it is empty, the image that
	// runs the code brings it along.
	// +optional
	Location string `json:"location,omitempty"`
	// The digest that the location's version is, in hexadecimal: the code can be nothing
	// else. Empty where the version says nothing about the code.
	// +optional
	SHA256 string `json:"sha256,omitempty"`
}

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarPackageOptions says which code the subresource package is asked for.
type PulsarPackageOptions struct {
	metav1.TypeMeta `json:",inline"`

	// Asks for the code of the function inside a sink instead of the sink's.
	// +optional
	TransformFunction bool `json:"transformFunction,omitempty"`
}
