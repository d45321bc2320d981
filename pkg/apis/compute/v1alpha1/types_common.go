package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// CommonSpec is what the specs of all kinds have.
type CommonSpec struct {
	// +optional
	Name string `json:"name,omitempty"`
	// +optional
	ClassName string `json:"className,omitempty"`
	// +optional
	Tenant string `json:"tenant,omitempty"`
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// +optional
	ClusterName string `json:"clusterName,omitempty"`

	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:default=1
	MinReplicas *int32 `json:"minReplicas,omitempty"`
	// MaxReplicas turns autoscaling on.
	// +optional
	MaxReplicas *int32 `json:"maxReplicas,omitempty"`
	// +optional
	ShowPreciseParallelism bool `json:"showPreciseParallelism,omitempty"`

	// +optional
	Image string `json:"image,omitempty"`
	// ImagePullPolicy is overwritten by the operator.
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// +optional
	ImageHasPulsarctl bool `json:"imageHasPulsarctl,omitempty"`
	// ImageHasGet says that the image has wget.
	// +optional
	ImageHasGet bool `json:"imageHasGet,omitempty"`
	// +optional
	DownloaderImage string `json:"downloaderImage,omitempty"`
	// +optional
	CleanupImage string `json:"cleanupImage,omitempty"`
	// +optional
	FilebeatImage string `json:"filebeatImage,omitempty"`

	// +optional
	Resources *Resources `json:"resources,omitempty"`
	// +optional
	SecretsMap map[string]SecretRef `json:"secretsMap,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`
	// +optional
	ProcessingGuarantee ProcessingGuarantee `json:"processingGuarantee,omitempty"`
	// +optional
	RuntimeFlags string `json:"runtimeFlags,omitempty"`
	// +optional
	LogTopic string `json:"logTopic,omitempty"`
	// +optional
	LogTopicAgent LogTopicAgent `json:"logTopicAgent,omitempty"`

	// +optional
	Pulsar *PulsarMessaging `json:"pulsar,omitempty"`
	// +optional
	PulsarPackageService *PulsarMessaging `json:"pulsarPackageService,omitempty"`
	// +optional
	StatefulConfig *StatefulConfig `json:"statefulConfig,omitempty"`
	// +optional
	Pod *PodPolicy `json:"pod,omitempty"`

	// +optional
	Java *JavaRuntime `json:"java,omitempty"`
	// +optional
	Python *PythonRuntime `json:"python,omitempty"`
	// +optional
	Golang *GoRuntime `json:"golang,omitempty"`
	// +optional
	GenericRuntime *GenericRuntime `json:"genericRuntime,omitempty"`
}

// ConsumeSpec is what the specs of Functions and Sinks have.
type ConsumeSpec struct {
	// +optional
	Input InputConf `json:"input,omitempty"`
	// +optional
	SubscriptionName string `json:"subscriptionName,omitempty"`
	// SubscriptionPosition is earliest where it is absent.
	// +optional
	SubscriptionPosition SubscriptionPosition `json:"subscriptionPosition,omitempty"`
	// +optional
	CleanupSubscription *bool `json:"cleanupSubscription,omitempty"`
	// Timeout is in milliseconds.
	// +optional
	Timeout *int32 `json:"timeout,omitempty"`
	// +optional
	AutoAck *bool `json:"autoAck,omitempty"`
	// +optional
	MaxMessageRetry *int32 `json:"maxMessageRetry,omitempty"`
	// +optional
	DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
	// +optional
	RetainOrdering bool `json:"retainOrdering,omitempty"`
	// +optional
	RetainKeyOrdering bool `json:"retainKeyOrdering,omitempty"`
}

// ProduceSpec is what the specs of Functions and Sources have.
type ProduceSpec struct {
	// +optional
	Output OutputConf `json:"output,omitempty"`
	// ForwardSourceMessageProperty is dereferenced by the operator without a check.
	// +optional
	ForwardSourceMessageProperty *bool `json:"forwardSourceMessageProperty,omitempty"`
}

// ProcessingGuarantee is what Pulsar guarantees about each message.
// +kubebuilder:validation:Enum=atleast_once;atmost_once;effectively_once;manual
type ProcessingGuarantee string

// The guarantees, as Function Mesh spells them.
const (
	AtLeastOnce     ProcessingGuarantee = "atleast_once"
	AtMostOnce      ProcessingGuarantee = "atmost_once"
	EffectivelyOnce ProcessingGuarantee = "effectively_once"
	Manual          ProcessingGuarantee = "manual"
)

// SubscriptionPosition is where a new subscription begins.
// +kubebuilder:validation:Enum=latest;earliest
type SubscriptionPosition string

// The positions, as Function Mesh spells them.
const (
	Latest   SubscriptionPosition = "latest"
	Earliest SubscriptionPosition = "earliest"
)

// LogTopicAgent is who sends the log to the log topic.
// +kubebuilder:validation:Enum=runtime;sidecar
type LogTopicAgent string

// The agents.
const (
	LogRuntime LogTopicAgent = "runtime"
	LogSidecar LogTopicAgent = "sidecar"
)

// +kubebuilder:pruning:PreserveUnknownFields

// Resources is core/v1 ResourceRequirements.
type Resources struct {
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Claims []corev1.ResourceClaim `json:"claims,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// SecretRef names a key of a Secret.
type SecretRef struct {
	// +optional
	Key string `json:"key,omitempty"`
	// Path is the name of the Secret.
	// +optional
	Path string `json:"path,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// PulsarMessaging says how instances reach Pulsar.
type PulsarMessaging struct {
	// PulsarConfig is the name of a ConfigMap with keys webServiceURL and
	// brokerServiceURL.
	// +optional
	PulsarConfig string `json:"pulsarConfig,omitempty"`
	// AuthSecret is the name of a Secret.
	// +optional
	AuthSecret string `json:"authSecret,omitempty"`
	// TLSSecret is the name of a Secret. TLSConfig counts for more.
	// +optional
	TLSSecret string `json:"tlsSecret,omitempty"`
	// +optional
	TLSConfig *TLSConfig `json:"tlsConfig,omitempty"`
	// AuthConfig counts for more than AuthSecret whenever it is there.
	// +optional
	AuthConfig *AuthConfig `json:"authConfig,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// TLSConfig says how instances use TLS.
type TLSConfig struct {
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// +optional
	AllowInsecure bool `json:"allowInsecure,omitempty"`
	// +optional
	HostnameVerification bool `json:"hostnameVerification,omitempty"`
	// +optional
	CertSecretName string `json:"certSecretName,omitempty"`
	// +optional
	CertSecretKey string `json:"certSecretKey,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// AuthConfig has what a view shows of an account. What else is in it, credentials
// in plain text among it, is neither read nor written.
type AuthConfig struct {
	// +optional
	OAuth2Config *OAuth2Config `json:"oauth2Config,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// OAuth2Config is an account. What it requires is left out of what is written, where
// only a part of it is: it says no more than what the definition checks.
type OAuth2Config struct {
	// +kubebuilder:validation:Required
	Audience string `json:"audience,omitempty"`
	// +kubebuilder:validation:Required
	IssuerURL string `json:"issuerUrl,omitempty"`
	// +optional
	Scope *string `json:"scope,omitempty"`
	// +kubebuilder:validation:Required
	KeySecretName string `json:"keySecretName,omitempty"`
	// +kubebuilder:validation:Required
	KeySecretKey string `json:"keySecretKey,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// StatefulConfig says where state is kept.
type StatefulConfig struct {
	// +optional
	Pulsar *PulsarStateStore `json:"pulsar,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// PulsarStateStore is Pulsar's own state store.
type PulsarStateStore struct {
	ServiceURL string `json:"serviceUrl"`
	// +optional
	JavaProvider *JavaStateProvider `json:"javaProvider,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// JavaStateProvider is the class by which Java instances keep state.
type JavaStateProvider struct {
	ClassName string `json:"className"`
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	Config *runtime.RawExtension `json:"config,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// Status is what the operator wrote about a resource.
type Status struct {
	// Conditions are by component, such as StatefulSet. The operator does not keep
	// them up to date.
	Conditions map[string]ResourceCondition `json:"conditions"`
	// Replicas is what the operator asked for, not what is ready.
	Replicas int32 `json:"replicas"`
	// Selector selects the pods, as a text.
	Selector string `json:"selector"`
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// ResourceCondition is the operator's own kind of condition.
type ResourceCondition struct {
	// +optional
	Condition string `json:"condition,omitempty"`
	// +optional
	Status metav1.ConditionStatus `json:"status,omitempty"`
	// +optional
	Action string `json:"action,omitempty"`
}
