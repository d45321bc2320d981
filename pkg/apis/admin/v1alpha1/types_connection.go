package v1alpha1

import "k8s.io/apimachinery/pkg/runtime"

// Auth says how instances prove to Pulsar who they are. At most one of its members
// is set.
type Auth struct {
	// A Secret in the object's namespace with the keys clientAuthenticationPlugin and
	// clientAuthenticationParameters.
	// +optional
	SecretName string `json:"secretName,omitempty"`
	// An OAuth2 account. Its issuer, audience and scope are not shown: they are the
	// server's to decide.
	// +optional
	OAuth2 *OAuth2 `json:"oauth2,omitempty"`
}

// OAuth2 names the account of instances.
type OAuth2 struct {
	// A Secret in the object's namespace with the account's key file.
	SecretName string `json:"secretName"`
}

// TLS says how instances use TLS towards Pulsar.
type TLS struct {
	// Use TLS.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
	// Talk to brokers whose certificate can't be verified.
	// +optional
	AllowInsecure bool `json:"allowInsecure,omitempty"`
	// Verify that the certificate is for the broker's name.
	// +optional
	HostnameVerification bool `json:"hostnameVerification,omitempty"`
	// A Secret in the object's namespace with certificates of authorities.
	// +optional
	CertSecretName string `json:"certSecretName,omitempty"`
	// The key in that Secret.
	// +optional
	CertSecretKey string `json:"certSecretKey,omitempty"`
	// A Secret with all of these settings, as the Java worker made it. The other
	// members count for more.
	// +optional
	SecretName string `json:"secretName,omitempty"`
}

// PackageService says where packages are fetched from.
type PackageService struct {
	// A ConfigMap in the object's namespace with the keys webServiceURL and
	// brokerServiceURL.
	ConfigMapName string `json:"configMapName"`
	// How the download proves who it is.
	// +optional
	Auth *Auth `json:"auth,omitempty"`
	// How the download uses TLS.
	// +optional
	TLS *TLS `json:"tls,omitempty"`
}

// StateConfig says where a component keeps state.
type StateConfig struct {
	// The URL of the state store, such as bk://host:4181.
	ServiceURL string `json:"serviceUrl"`
	// The Java class by which state is kept, instead of Pulsar's own.
	// +optional
	JavaProvider *StateProvider `json:"javaProvider,omitempty"`
}

// StateProvider is a class by which state is kept.
type StateProvider struct {
	// The class, a Java binary name.
	ClassName string `json:"className"`
	// What the class is configured with: a JSON object. Function Mesh's definition
	// has no members there yet, and the operator passes none on.
	// +optional
	Config *runtime.RawExtension `json:"config,omitempty"`
}
