package controlplane

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// AdminConfig returns a client configuration with all rights. The caller owns it.
func (cp *ControlPlane) AdminConfig() *rest.Config { return rest.CopyConfig(cp.admin) }

// ClientCertConfig returns a client configuration for a user, a member of
// groups (and of system:authenticated), by a new client certificate.
func (cp *ControlPlane) ClientCertConfig(user string, groups ...string) (*rest.Config, error) {
	pair, err := cp.pki.cluster.SignClient(user, groups...)
	if err != nil {
		return nil, err
	}
	config := cp.AnonymousConfig()
	config.CertData, config.KeyData = pair.CertPEM, pair.KeyPEM
	return config, nil
}

// AnonymousConfig returns a client configuration without a credential.
func (cp *ControlPlane) AnonymousConfig() *rest.Config {
	return cp.anonymousConfig(cp.apiServer.Port())
}

func (cp *ControlPlane) anonymousConfig(port int) *rest.Config {
	return &rest.Config{
		Host:            httpsURL(port),
		TLSClientConfig: rest.TLSClientConfig{CAData: cp.pki.cluster.CertPEM()},
		// No client-side throttle: it would only make tests slow.
		QPS: -1,
	}
}

// TokenConfig returns a client configuration for a bearer token.
func (cp *ControlPlane) TokenConfig(token string) *rest.Config {
	config := cp.AnonymousConfig()
	config.BearerToken = token
	return config
}

// ServiceAccountToken asks for a token of an existing service account.
func (cp *ControlPlane) ServiceAccountToken(ctx context.Context, namespace, name string, lifetime time.Duration) (string, error) {
	seconds := int64(lifetime / time.Second)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	reply, err := cp.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("could not get a token for service account %s/%s: %w", namespace, name, err)
	}
	return reply.Status.Token, nil
}

// KubeconfigFor writes a kubeconfig for a service account's token to path.
func (cp *ControlPlane) KubeconfigFor(path, token string) error {
	return WriteKubeconfig(path, cp.TokenConfig(token))
}

// SignServerCert returns a serving certificate of the cluster's CA for host
// names or IP addresses.
func (cp *ControlPlane) SignServerCert(names ...string) (KeyPair, error) {
	return cp.pki.cluster.SignServer(names...)
}

// CAPEM returns the certificate of the cluster's CA, which signs kube-apiserver's
// serving certificate, client certificates and those of SignServerCert.
func (cp *ControlPlane) CAPEM() []byte { return cp.pki.cluster.CertPEM() }

// CAFile returns the path of CAPEM's certificate.
func (cp *ControlPlane) CAFile() string { return cp.pki.clusterCA }

// FrontProxyCA returns the authority whose certificates may speak for any user
// to aggregated API servers.
func (cp *ControlPlane) FrontProxyCA() *CA { return cp.pki.frontProxyAuthority }

// WriteKubeconfig writes a kubeconfig that does what config does, with
// everything embedded, for its owner's eyes only. It covers what this package
// makes: a CA, and a client certificate or a token.
func WriteKubeconfig(path string, config *rest.Config) error {
	const name = "functionmesh"
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	kubeconfig.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
		Token:                 config.BearerToken,
	}
	kubeconfig.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: metav1.NamespaceDefault}
	kubeconfig.CurrentContext = name
	data, err := clientcmd.Write(*kubeconfig)
	if err != nil {
		return fmt.Errorf("could not encode a kubeconfig: %w", err)
	}
	return writeFile(path, data)
}
