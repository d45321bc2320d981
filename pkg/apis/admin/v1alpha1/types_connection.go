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

	// What the server found out in a request that changes the credential. It is written
	// with it, and never read back; no client sees or sets it.
	Resolved *ResolvedCredential `json:"-"`
	// For whom the credential was bound to the object, as far as that is known. No
	// client sees or sets it.
	Bound *CredentialBinding `json:"-"`
}

// OAuth2 names the account of instances.
type OAuth2 struct {
	// A Secret in the object's namespace with the account's key file. Without one the
	// account is the caller's own, by the rules that the server is configured with.
	// +optional
	SecretName string `json:"secretName,omitempty"`
}

// ResolvedCredential is what a request that changes a credential writes beside it.
// +k8s:openapi-gen=false
type ResolvedCredential struct {
	// Binding says for whom it is.
	Binding CredentialBinding
	// Key is the key in the Secret; it and what follows are empty for what is no OAuth2
	// account.
	Key string
	// IssuerURL, Audience and Scope are those that a token is asked for with.
	IssuerURL, Audience, Scope string
	// SecretVersion is the resource version of the Secret that was looked at.
	SecretVersion string
}

// CredentialBinding says for whom a Secret is an object's credential: that caller may
// change what the object does with it, and others only if they may read the Secret.
// +k8s:openapi-gen=false
type CredentialBinding struct {
	// SecretName is the Secret in the object's namespace.
	SecretName string
	// User is the name of the caller, and Role the role in Pulsar, where there is one.
	User, Role string
	// Rule is how the Secret was found.
	Rule CredentialRule
}

// CredentialRule is a way to find a credential.
type CredentialRule string

// The ways to find a credential.
const (
	// CredentialByAnnotation is of a Secret with an annotation that has the role.
	CredentialByAnnotation CredentialRule = "annotation"
	// CredentialByName is of a Secret that is called like the role.
	CredentialByName CredentialRule = "name"
	// CredentialExplicit is of a Secret that the caller named and may read.
	CredentialExplicit CredentialRule = "explicit"
	// CredentialToken is of a Secret that the server made of the caller's token.
	CredentialToken CredentialRule = "token"
)

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
