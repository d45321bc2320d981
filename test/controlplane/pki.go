package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLifetime is how long every certificate of a control plane is
// valid. Nothing renews them: a control plane is thrown away long before.
const certificateLifetime = 365 * 24 * time.Hour

// KeyPair is a certificate and its private key, both PEM-encoded.
type KeyPair struct {
	CertPEM []byte
	KeyPEM  []byte
}

// Write stores the pair as NAME.crt and NAME.key in dir and returns both paths.
// The key is readable by its owner only.
func (k KeyPair) Write(dir, name string) (certFile, keyFile string, err error) {
	certFile, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	if err := writeFile(certFile, k.CertPEM); err != nil {
		return "", "", err
	}
	if err := writeFile(keyFile, k.KeyPEM); err != nil {
		return "", "", err
	}
	return certFile, keyFile, nil
}

func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("could not create the directory of %s: %w", path, err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("could not write %s: %w", path, err)
	}
	return nil
}

// CA is a self-signed certificate authority that lives in memory.
type CA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pair        KeyPair
}

// NewCA makes an authority whose subject's common name is name.
func NewCA(name string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("could not make the key of CA %s: %w", name, err)
	}
	template, err := newTemplate(pkix.Name{CommonName: name})
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	pair, certificate, err := sign(template, template, key, key)
	if err != nil {
		return nil, fmt.Errorf("could not sign CA %s: %w", name, err)
	}
	return &CA{certificate: certificate, key: key, pair: pair}, nil
}

// CertPEM returns the authority's own certificate.
func (c *CA) CertPEM() []byte { return c.pair.CertPEM }

// KeyPair returns the authority's certificate and signing key.
func (c *CA) KeyPair() KeyPair { return c.pair }

// SignServer returns a serving certificate for names, which are host names or
// IP addresses; the first is also the common name.
func (c *CA) SignServer(names ...string) (KeyPair, error) {
	return c.issue(pkix.Name{CommonName: names[0]}, names, x509.ExtKeyUsageServerAuth)
}

// SignClient returns a client certificate by which kube-apiserver knows its
// bearer as user, a member of groups.
func (c *CA) SignClient(user string, groups ...string) (KeyPair, error) {
	return c.issue(pkix.Name{CommonName: user, Organization: groups}, nil, x509.ExtKeyUsageClientAuth)
}

// signBoth returns a certificate for both ends of a connection, as etcd needs
// for its peer port.
func (c *CA) signBoth(names ...string) (KeyPair, error) {
	return c.issue(pkix.Name{CommonName: names[0]}, names, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)
}

func (c *CA) issue(subject pkix.Name, names []string, usages ...x509.ExtKeyUsage) (KeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return KeyPair{}, fmt.Errorf("could not make the key of %s: %w", subject.CommonName, err)
	}
	template, err := newTemplate(subject)
	if err != nil {
		return KeyPair{}, err
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, usages
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	pair, _, err := sign(template, c.certificate, key, c.key)
	if err != nil {
		return KeyPair{}, fmt.Errorf("could not sign the certificate of %s: %w", subject.CommonName, err)
	}
	return pair, nil
}

func newTemplate(subject pkix.Name) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("could not make a serial number: %w", err)
	}
	now := time.Now()
	return &x509.Certificate{
		Subject:      subject,
		SerialNumber: serial,
		// A minute back: clocks of containers on one machine may differ a bit.
		NotBefore: now.Add(-time.Minute),
		NotAfter:  now.Add(certificateLifetime),
	}, nil
}

func sign(template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (KeyPair, *x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return KeyPair{}, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return KeyPair{}, nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return KeyPair{}, nil, err
	}
	return KeyPair{CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), KeyPEM: keyPEM}, certificate, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("could not encode a private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// newSigningKey returns a private key and its public half, both PEM-encoded,
// for kube-apiserver's service account tokens.
func newSigningKey() (private, public []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("could not make the service account key: %w", err)
	}
	private, err = encodeKey(key)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, nil, fmt.Errorf("could not encode the service account key: %w", err)
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
