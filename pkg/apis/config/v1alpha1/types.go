package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// FunctionMeshAPIServerConfiguration is what an administrator decides for every
// function, whichever door it comes through.
type FunctionMeshAPIServerConfiguration struct {
	metav1.TypeMeta `json:",inline"`

	// PulsarClusters are the Pulsar clusters that functions can run against, at
	// least one. The first is used where a function names none.
	PulsarClusters []PulsarCluster `json:"pulsarClusters"`
	// RunnerImages are the images that run functions.
	RunnerImages RunnerImages `json:"runnerImages"`
	// DefaultNamespace is the Kubernetes namespace that serves the Pulsar namespaces
	// which no Namespace claims by annotation admin.functionmesh.io/pulsar-namespaces.
	// Without it nothing can be created in those. With * they may be in every Kubernetes
	// namespace: whoever may write functions in any can then run code as any tenant that
	// isn't claimed. pulsar-admin-shim has a flag of the same name, which names one.
	DefaultNamespace string `json:"defaultNamespace,omitempty"`
	// PackageDirectory is where packages lie in a container. Default /pulsar.
	PackageDirectory string `json:"packageDirectory,omitempty"`
	// AdditionalPackageURLPatterns are regular expressions, each of which must
	// match a whole URL, of http(s) URLs that packages may be fetched from. Without
	// one only package URLs (function://tenant/namespace/name@version) are taken.
	AdditionalPackageURLPatterns []string `json:"additionalPackageUrlPatterns,omitempty"`
	// PinPackages says whether a package that a component names by a tag is stored once more
	// under its digest, and the component names that: it then runs what it was created
	// with, whatever becomes of the tag. It needs AdminURL of every cluster, with an account
	// that may read and write packages. --pin-packages overrides it.
	PinPackages bool `json:"pinPackages,omitempty"`
	// DefaultResources are the requests and limits of a function that asks for
	// none: cpu and memory. Default 1 and 1Gi, as in Pulsar.
	DefaultResources corev1.ResourceList `json:"defaultResources,omitempty"`
	// MinResources and MaxResources bound what an instance may ask for: cpu and
	// memory. What is absent is not bounded.
	MinResources corev1.ResourceList `json:"minResources,omitempty"`
	MaxResources corev1.ResourceList `json:"maxResources,omitempty"`
	// ConnectorsFile has the built-in connectors and functions, in the format of the
	// Java worker's connectors.yaml. The server follows its changes. Without it there
	// are none.
	ConnectorsFile string `json:"connectorsFile,omitempty"`
	// FunctionEnabled, SourceEnabled and SinkEnabled say whether objects of a kind may
	// be created and changed. Default true.
	FunctionEnabled *bool `json:"functionEnabled,omitempty"`
	SourceEnabled   *bool `json:"sourceEnabled,omitempty"`
	SinkEnabled     *bool `json:"sinkEnabled,omitempty"`
	// Defaults are what new components of every kind get beside what their authors say,
	// FunctionDefaults, SourceDefaults and SinkDefaults those of one kind: where both
	// say something of the same name, the kind's counts.
	Defaults         ComponentDefaults `json:"defaults,omitempty"`
	FunctionDefaults ComponentDefaults `json:"functionDefaults,omitempty"`
	SourceDefaults   ComponentDefaults `json:"sourceDefaults,omitempty"`
	SinkDefaults     ComponentDefaults `json:"sinkDefaults,omitempty"`
	// OAuth2 says with which accounts functions run. Without it the server resolves
	// none, and an account can't be named either.
	OAuth2 *OAuth2 `json:"oauth2,omitempty"`
}

// ComponentDefaults are parts of a component that it gets when it is created, each
// unless its author sets that of the same name, mount path or key. They are shown in the
// component, and an update that leaves them out doesn't take them away, as long as they
// are configured. Its author needs no right for them. Existing components don't get them.
type ComponentDefaults struct {
	// Labels are of the object and of its pods.
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations are of pods.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Env are environment variables of instances.
	Env []corev1.EnvVar `json:"env,omitempty"`
	// ServiceAccountName is the account that pods run with.
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// ImagePullPolicy says when images are pulled, ImagePullSecrets with which Secrets.
	ImagePullPolicy  corev1.PullPolicy             `json:"imagePullPolicy,omitempty"`
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// Volumes are of pods, and VolumeMounts where instances have them.
	Volumes      []corev1.Volume      `json:"volumes,omitempty"`
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty"`
	// InitContainers run before the instance.
	InitContainers []corev1.Container `json:"initContainers,omitempty"`
	// JavaOpts are options of the Java virtual machine, of components in Java that have
	// none of their own.
	JavaOpts []string `json:"javaOpts,omitempty"`
	// ExtraDependenciesDir has further classes of components in Java.
	ExtraDependenciesDir string `json:"extraDependenciesDir,omitempty"`
	// TLS is how instances reach brokers, of components whose authors say nothing of it.
	// A Secret that it names is one of each namespace. Go functions can't use it.
	TLS *adminv1alpha1.TLS `json:"tls,omitempty"`
}

// OAuth2 says how the account of a function's author is found.
type OAuth2 struct {
	// Issuers are those whose accounts are taken, at least one.
	Issuers []OAuth2Issuer `json:"issuers"`
	// SecretRules are the ways in which the Secret of a caller's account is found:
	// annotation, a Secret with an annotation that has the caller's role, and name, a
	// Secret that is called like it. Default both. --oauth2-secret-rules overrides it.
	SecretRules []string `json:"secretRules,omitempty"`
	// SecretAnnotationKey is the annotation's key. Default
	// cloud.streamnative.io/service-account.email, as the Java worker has it.
	SecretAnnotationKey string `json:"secretAnnotationKey,omitempty"`
	// Required says whether what has no other credential must have an account. Default
	// true: a function whose author has none is refused.
	Required *bool `json:"required,omitempty"`
	// KubernetesUserPrefix begins the names of those Kubernetes users that have a role
	// in Pulsar, which is the rest of the name. Default none: each user's name is a
	// role. Service accounts have none, nor has any other name that begins with system:.
	KubernetesUserPrefix string `json:"kubernetesUserPrefix,omitempty"`
	// Verify says whether the issuer is asked for a token before an account is taken.
	// --verify-oauth2 overrides it.
	Verify bool `json:"verify,omitempty"`
}

// OAuth2Issuer is an issuer whose accounts functions may have.
type OAuth2Issuer struct {
	// IssuerURL is the issuer's URL, https, or http on a loopback address.
	IssuerURL string `json:"issuerUrl"`
	// Audience and Scope are asked for where the Secret doesn't say.
	Audience string `json:"audience,omitempty"`
	Scope    string `json:"scope,omitempty"`
	// CAFile has the certificates that the issuer's is verified with, instead of the
	// system's.
	CAFile string `json:"caFile,omitempty"`
}

// PulsarCluster is a Pulsar cluster and how an instance reaches it.
type PulsarCluster struct {
	// Name is the cluster's name in Pulsar.
	Name string `json:"name"`
	// ServiceURL is the brokers' binary protocol URL: pulsar:// or pulsar+ssl://.
	ServiceURL string `json:"serviceUrl"`
	// WebServiceURL is the brokers' HTTP(S) URL. Instances download packages there.
	WebServiceURL string `json:"webServiceUrl"`
	// AdminURL is the HTTP(S) URL where this server uses Pulsar itself, with an account of
	// its own: it asks whether tenants and namespaces exist. Objects of those that don't
	// are refused, and so is every new object while nothing answers there. Without it
	// nobody is asked.
	AdminURL string `json:"adminUrl,omitempty"`
	// AdminTokenFile has the token of the server's account, which is shown at AdminURL and
	// nowhere else. It is read again when it changes. Without it no credential is shown.
	AdminTokenFile string `json:"adminTokenFile,omitempty"`
	// AdminCAFile has the certificates that AdminURL's is verified with, instead of the
	// system's.
	AdminCAFile string `json:"adminCaFile,omitempty"`
	// TrustCertsFile has certificates, PEM, of the authorities by which the brokers' are
	// verified. New components that use TLS and name no certificates of their own get them
	// in a Secret of their own, and so do those whose authors say nothing of TLS, unless
	// defaults say something. The file is read again as it changes.
	TrustCertsFile string `json:"trustCertsFile,omitempty"`
	// StateStorageURL is the URL of the table service where components keep state, such as
	// bk://host:4181. New ones that can keep state get it as their spec.stateConfig, unless
	// their authors name another, and it is the only one where this server reads and writes
	// state. Without it no component gets a store, and no state is read or written.
	StateStorageURL string `json:"stateStorageUrl,omitempty"`
	// ConfigMapName is the ConfigMap with both URLs that each namespace gets, if it
	// has none of that name yet. Default <name>-function-mesh-config, as the Java
	// worker calls it.
	ConfigMapName string `json:"configMapName,omitempty"`
}

// RunnerImages is an image per language runtime.
type RunnerImages struct {
	// Java runs Java functions.
	Java string `json:"java,omitempty"`
	// Python runs Python functions.
	Python string `json:"python,omitempty"`
	// Go runs Go functions.
	Go string `json:"go,omitempty"`
}
