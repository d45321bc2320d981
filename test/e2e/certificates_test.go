package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const certificateScript = "certificates/create.sh"

// certificateSecrets are what the script makes, the authorities first.
var certificateSecrets = []string{
	"functionmesh-serving-ca", "pulsar-admin-shim-front-proxy-ca",
	"functionmesh-apiserver-serving", "pulsar-admin-shim-serving", "pulsar-admin-shim-front-proxy",
}

// script runs the script and returns all it printed. It must never print a key.
func (c *manifestCluster) script(ctx context.Context, t *testing.T, args ...string) (string, error) {
	t.Helper()
	output, err := c.command(ctx, filepath.Join(c.artifacts, certificateScript), args...).CombinedOutput()
	if bytes.Contains(output, []byte("PRIVATE KEY")) {
		t.Fatal("the script printed a key")
	}
	return string(output), err
}

func (c *manifestCluster) mustScript(ctx context.Context, t *testing.T, args ...string) map[string]*corev1.Secret {
	t.Helper()
	output, err := c.script(ctx, t, args...)
	if err != nil {
		t.Fatalf("%s %v: %v: %s", certificateScript, args, err, output)
	}
	secrets := map[string]*corev1.Secret{}
	for _, name := range certificateSecrets {
		secret, err := c.controlPlane.Client().CoreV1().Secrets(systemNamespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for key, data := range secret.Data {
			if encoded := base64.StdEncoding.EncodeToString(data); key == "tls.key" && strings.Contains(output, encoded) {
				t.Fatalf("the script printed the key of %s", name)
			}
		}
		if len(secret.Annotations) > 0 {
			t.Errorf("Secret %s has annotations, which may repeat its content: %v", name, slices.Collect(maps.Keys(secret.Annotations)))
		}
		secrets[name] = secret
	}
	c.verifyCertificates(ctx, t, secrets)
	return secrets
}

func (c *manifestCluster) checkScriptNeedsBase(ctx context.Context, t *testing.T) {
	output, err := c.script(ctx, t)
	if err == nil || !strings.Contains(output, "kubectl apply -k artifacts/base") {
		t.Errorf("without the base the script says %q (%v)", output, err)
	}
}

// checkScript runs the script as an administrator would over a cluster's life.
func (c *manifestCluster) checkScript(ctx context.Context, t *testing.T) {
	for _, name := range []string{"x\nsubjectAltName=DNS:y", "-x", "a b", "$(id)", ""} {
		if output, err := c.script(ctx, t, "--shim-name", name); err == nil || !strings.Contains(output, "not a DNS name") {
			t.Errorf("the script answers the name %q with %q (%v)", name, output, err)
		}
	}
	first := c.mustScript(ctx, t)

	// Again: nothing changes.
	for name, secret := range c.mustScript(ctx, t) {
		if secret.ResourceVersion != first[name].ResourceVersion {
			t.Errorf("a second run wrote Secret %s", name)
		}
	}

	// A new name: only the certificate that lacks it is made again, and it stays.
	extra := []string{"--shim-name", "pulsar.example.com", "--shim-name", "192.0.2.7"}
	named := c.mustScript(ctx, t, extra...)
	checkChanged(t, first, named, "pulsar-admin-shim-serving")
	for _, name := range []string{"pulsar.example.com", "192.0.2.7"} {
		if err := leafOf(t, named["pulsar-admin-shim-serving"]).VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	checkChanged(t, named, c.mustScript(ctx, t))

	// Rotation: new keys, same authorities.
	rotated := c.mustScript(ctx, t, append(extra, "--rotate")...)
	checkChanged(t, named, rotated, certificateSecrets[2:]...)

	// A lost authority: it is made again, and what it had signed with it.
	err := c.controlPlane.Client().CoreV1().Secrets(systemNamespace).Delete(ctx, "pulsar-admin-shim-front-proxy-ca", metav1.DeleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkChanged(t, rotated, c.mustScript(ctx, t), "pulsar-admin-shim-front-proxy-ca", "pulsar-admin-shim-front-proxy")

	// The base can be applied again without losing the caBundle.
	before := c.caBundle(ctx, t)
	c.kubectl(ctx, t, "apply", "-k", filepath.Join(c.artifacts, "base"))
	if after := c.caBundle(ctx, t); after != before || after == "" {
		t.Errorf("the caBundle was %q and is %q", before, after)
	}
}

// checkChanged checks that exactly the named Secrets have new keys.
func checkChanged(t *testing.T, before, after map[string]*corev1.Secret, want ...string) {
	t.Helper()
	var changed []string
	for _, name := range certificateSecrets {
		if !bytes.Equal(before[name].Data["tls.key"], after[name].Data["tls.key"]) {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	if slices.Sort(want); !slices.Equal(changed, want) {
		t.Errorf("new keys in %v, not in %v", changed, want)
	}
}

func (c *manifestCluster) caBundle(ctx context.Context, t *testing.T) string {
	t.Helper()
	return c.kubectl(ctx, t, "get", "apiservice", "v1alpha1.admin.functionmesh.io", "-o", "jsonpath={.spec.caBundle}")
}

// verifyCertificates checks each certificate as the peer that it is meant for does.
func (c *manifestCluster) verifyCertificates(ctx context.Context, t *testing.T, secrets map[string]*corev1.Secret) {
	t.Helper()
	bundle, err := base64.StdEncoding.DecodeString(c.caBundle(ctx, t))
	if err != nil {
		t.Fatal(err)
	}
	server, shim, client := secrets["functionmesh-apiserver-serving"], secrets["pulsar-admin-shim-serving"], secrets["pulsar-admin-shim-front-proxy"]
	serverUse, clientUse := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	for _, peer := range []struct {
		who    string
		secret *corev1.Secret
		roots  []byte
		name   string
		usages []x509.ExtKeyUsage
	}{
		{"kube-apiserver", server, bundle, "functionmesh-apiserver.functionmesh-system.svc", serverUse},
		{"the shim", server, server.Data["ca.crt"], "functionmesh-apiserver.functionmesh-system.svc", serverUse},
		{"a caller of the shim", shim, shim.Data["ca.crt"], "pulsar-admin-shim.functionmesh-system.svc.cluster.local", serverUse},
		{"functionmesh-apiserver", client, client.Data["ca.crt"], "", clientUse},
	} {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(peer.roots)
		if _, err := leafOf(t, peer.secret).Verify(x509.VerifyOptions{Roots: roots, DNSName: peer.name, KeyUsages: peer.usages}); err != nil {
			t.Errorf("%s doesn't accept %s: %v", peer.who, peer.secret.Name, err)
		}
	}
	if name := leafOf(t, client).Subject.CommonName; name != "pulsar-admin-shim" {
		t.Errorf("the shim calls itself %q", name)
	}
	if bytes.Equal(client.Data["ca.crt"], server.Data["ca.crt"]) {
		t.Error("one authority signs serving certificates and those that may speak for others")
	}
}

// leafOf returns a Secret's certificate, after checking that the key fits it.
func leafOf(t *testing.T, secret *corev1.Secret) *x509.Certificate {
	t.Helper()
	if _, err := tls.X509KeyPair(secret.Data["tls.crt"], secret.Data["tls.key"]); err != nil {
		t.Fatal(fmt.Errorf("Secret %s: %w", secret.Name, err))
	}
	block, _ := pem.Decode(secret.Data["tls.crt"])
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
