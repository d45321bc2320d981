package controlplane

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
)

// pki holds the authorities of one control plane and the paths of the files
// made from them.
type pki struct {
	// cluster signs serving certificates and client certificates, as kubeadm's does.
	cluster             *CA
	frontProxyAuthority *CA

	clusterCA, clusterCAKey   string
	serving, servingKey       string
	frontProxyCA              string
	frontProxy, frontProxyKey string
	tokenKey, tokenPublicKey  string
	etcd                      etcdFiles
	// anyone trusts the cluster's CA and presents no certificate.
	anyone *tls.Config
}

// etcdFiles are signed by an authority of etcd's own: whoever can talk to etcd
// can do everything, and a kube-apiserver client certificate must not be enough.
type etcdFiles struct {
	ca                      string
	server, serverKey       string
	apiServer, apiServerKey string
	client                  *tls.Config
}

func newPKI(dir string) (*pki, error) {
	p := &pki{
		clusterCA:      filepath.Join(dir, "ca.crt"),
		frontProxyCA:   filepath.Join(dir, "front-proxy-ca.crt"),
		tokenKey:       filepath.Join(dir, "service-account.key"),
		tokenPublicKey: filepath.Join(dir, "service-account.pub"),
	}
	var err error
	if p.cluster, err = NewCA("kubernetes"); err != nil {
		return nil, err
	}
	if p.clusterCA, p.clusterCAKey, err = p.cluster.KeyPair().Write(dir, "ca"); err != nil {
		return nil, err
	}
	pair, err := p.cluster.SignServer(Loopback, "localhost", "kubernetes.default.svc")
	if err != nil {
		return nil, err
	}
	if p.serving, p.servingKey, err = pair.Write(dir, "serving"); err != nil {
		return nil, err
	}
	p.anyone = &tls.Config{RootCAs: certPool(p.cluster.CertPEM())}
	if err := p.addFrontProxy(dir); err != nil {
		return nil, err
	}
	if err := p.addEtcd(dir); err != nil {
		return nil, err
	}
	private, public, err := newSigningKey()
	if err != nil {
		return nil, err
	}
	if err := writeFile(p.tokenKey, private); err != nil {
		return nil, err
	}
	return p, writeFile(p.tokenPublicKey, public)
}

func (p *pki) addFrontProxy(dir string) error {
	var err error
	if p.frontProxyAuthority, err = NewCA("kubernetes-front-proxy"); err != nil {
		return err
	}
	if err := writeFile(p.frontProxyCA, p.frontProxyAuthority.CertPEM()); err != nil {
		return err
	}
	pair, err := p.frontProxyAuthority.SignClient(frontProxyName)
	if err != nil {
		return err
	}
	p.frontProxy, p.frontProxyKey, err = pair.Write(dir, "front-proxy-client")
	return err
}

func (p *pki) addEtcd(dir string) error {
	authority, err := NewCA("etcd")
	if err != nil {
		return err
	}
	p.etcd.ca = filepath.Join(dir, "etcd-ca.crt")
	if err := writeFile(p.etcd.ca, authority.CertPEM()); err != nil {
		return err
	}
	server, err := authority.signBoth(Loopback, "localhost")
	if err != nil {
		return err
	}
	if p.etcd.server, p.etcd.serverKey, err = server.Write(dir, "etcd-server"); err != nil {
		return err
	}
	client, err := authority.SignClient("kube-apiserver")
	if err != nil {
		return err
	}
	if p.etcd.apiServer, p.etcd.apiServerKey, err = client.Write(dir, "etcd-client"); err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(client.CertPEM, client.KeyPEM)
	if err != nil {
		return fmt.Errorf("could not read etcd's client certificate back: %w", err)
	}
	p.etcd.client = &tls.Config{RootCAs: certPool(authority.CertPEM()), Certificates: []tls.Certificate{certificate}}
	return nil
}
