package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// PulsarTrigger asks where a message goes that triggers a function, and where its answer
// comes from: it is what is created as subresource trigger, and answered with its status.
// The message itself is sent by who asks, with their own credential for Pulsar.
type PulsarTrigger struct {
	metav1.TypeMeta `json:",inline"`
	// Standard object metadata. Where it has a UID, the question is only about the object
	// with that UID.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The question.
	// +optional
	Spec PulsarTriggerSpec `json:"spec,omitempty"`
	// The answer.
	// +optional
	Status PulsarTriggerStatus `json:"status,omitempty"`
}

// PulsarTriggerSpec is what is asked for.
type PulsarTriggerSpec struct {
	// The topic that the message is to go to, one that the function consumes. Without it,
	// the function's only one.
	// +optional
	Topic string `json:"topic,omitempty"`
}

// PulsarTriggerStatus is how a function is triggered.
type PulsarTriggerStatus struct {
	// The URL of the Pulsar cluster for clients that send and receive messages.
	ServiceURL string `json:"serviceUrl"`
	// The cluster's HTTP(S) URL.
	WebServiceURL string `json:"webServiceUrl"`
	// The full name of the topic to send to.
	Topic string `json:"topic"`
	// The full name of the topic to which the function sends its answers. A function
	// without one gives none.
	// +optional
	OutputTopic string `json:"outputTopic,omitempty"`
}
