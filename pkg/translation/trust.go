package translation

import (
	"slices"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

const (
	// TrustKey is the key of the certificates in the Secret that the server makes of
	// those by which a component's brokers are verified.
	TrustKey = "ca.crt"

	trustSuffix = "-trust"
)

// TrustSecretName returns the name of that Secret, for a component of a kind.
func TrustSecretName(kind adminv1alpha1.ComponentKind, name string) string {
	return name + "-" + kind.Type + trustSuffix
}

// HasTrustSecret tells whether a component's brokers are verified by what the server
// keeps for it.
func HasTrustSecret(component adminv1alpha1.Component) bool {
	tls := component.Common().TLS
	return tls != nil && tls.Enabled && tls.CertSecretName == TrustSecretName(component.ComponentKind(), component.GetName())
}

// setTrust has the brokers of a component verified by the certificates that the
// configuration has for its cluster, where it uses TLS, or its author says nothing of it,
// and no other certificates are named. One that exists and is before keeps what it has.
func (t *Translator[CR, P, View]) setTrust(view, before adminv1alpha1.Component) {
	spec := view.Common()
	parts := defaultableOf(view)
	if parts.tls == nil || before != nil && !HasTrustSecret(before) || !slices.ContainsFunc(t.config.PulsarClusters, func(cluster configv1alpha1.PulsarCluster) bool {
		return cluster.Name == spec.Cluster && cluster.TrustCertsFile != ""
	}) {
		return
	}
	if spec.TLS == nil {
		spec.TLS = &adminv1alpha1.TLS{Enabled: true, HostnameVerification: true}
	}
	if tls := spec.TLS; tls.Enabled && tls.CertSecretName == "" && tls.CertSecretKey == "" && tls.SecretName == "" {
		tls.CertSecretName, tls.CertSecretKey = TrustSecretName(t.kind.names, view.GetName()), TrustKey
	}
}
