package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarCredential hands a function, source or sink the caller's own credential for
// Pulsar: it is what is created as subresource credential. It can't be read again.
type PulsarCredential struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Where it has a UID or a generation, the credential is only
	// for the object that has the same: for the code that was looked at.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The credential.
	Spec PulsarCredentialSpec `json:"spec"`
}

// PulsarCredentialSpec is a credential for Pulsar.
type PulsarCredentialSpec struct {
	// A token of Pulsar's token authentication: a JSON Web Token.
	Token string `json:"token"`
}
