package oauth2

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestTrust has a server keep the certificates of brokers for what it makes.
func TestTrust(t *testing.T) {
	s := bareSpace(t)
	const name = "functionmesh-apiserver-trust"
	file := filepath.Join(t.TempDir(), "brokers.crt")
	first, second := world.env.ControlPlane.CAPEM(), world.env.ShimCA.CertPEM()
	s.check(os.WriteFile(file, first, 0o600))
	config := strings.Replace(devenv.DefaultConfig, "serviceUrl: pulsar://localhost:6650", "serviceUrl: pulsar+ssl://localhost:6651\n  trustCertsFile: "+file, 1)
	server, err := world.env.StartAPIServer(s.ctx, devenv.APIServerOptions{Name: name, ExtraArgs: []string{"--leader-elect=false", "--controllers=trust-certificates"}, Config: config})
	s.check(err)
	t.Cleanup(server.Stop)
	client, err := world.env.ControlPlane.ClientCertConfig("trusting")
	s.check(err)
	client.Host, client.WarningHandler = "https://localhost:"+strconv.Itoa(server.Port()), rest.NoWarnings{}
	s.bind(userSubject("trusting"), devenv.AuthorRole)
	views := versioned.NewForConfigOrDie(client).AdminV1alpha1().PulsarFunctions(s.namespace)

	s.eventually("the author's rights", func() error {
		_, err := views.List(s.ctx, metav1.ListOptions{Limit: 1})
		return err
	})
	_, err = views.Create(s.ctx, newFunction("echo"), metav1.CreateOptions{})
	s.refused(err, 422, "RoleBinding there of ClusterRole functionmesh-apiserver-tokens")
	s.bind(rbacv1.Subject{Kind: rbacv1.ServiceAccountKind, Name: devenv.APIServerServiceAccount, Namespace: devenv.SystemNamespace}, "functionmesh-apiserver-tokens")
	s.eventually("the server's rights", func() error {
		_, err := views.Create(s.ctx, newFunction("echo"), metav1.CreateOptions{})
		return err
	})
	cr, err := s.crs.Get(s.ctx, "echo", metav1.GetOptions{})
	s.check(err)
	tls, _, err := unstructured.NestedMap(cr.Object, "spec", "pulsar", "tlsConfig")
	s.check(err)
	if want := map[string]any{"enabled": true, "hostnameVerification": true, "certSecretName": "echo-function-trust", "certSecretKey": "ca.crt"}; fmt.Sprint(tls) != fmt.Sprint(want) {
		t.Errorf("the resource has %v", tls)
	}
	s.trusts("echo", cr, first)

	// Other certificates, of which the next change of the object tells the loop.
	s.check(os.WriteFile(file, second, 0o600))
	_, err = views.Patch(s.ctx, "echo", mergePatch, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
	s.check(err)
	s.trusts("echo", cr, second)

	// What is no certificate changes nothing.
	s.check(os.WriteFile(file, []byte("none"), 0o600))
	_, err = views.Create(s.ctx, newFunction("later"), metav1.CreateOptions{})
	s.check(err)
	s.check(os.WriteFile(file, first, 0o600))
	later, err := s.crs.Get(s.ctx, "later", metav1.GetOptions{})
	s.check(err)
	s.trusts("later", later, first)

	// Somebody else's Secret of that name is left alone.
	_, err = s.kube.CoreV1().Secrets(s.namespace).Create(s.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "taken-function-trust"}, StringData: map[string]string{"x": "y"}}, metav1.CreateOptions{})
	s.check(err)
	_, err = views.Create(s.ctx, newFunction("taken"), metav1.CreateOptions{})
	s.refused(err, 409, `the Secret "taken-function-trust" where the server keeps the certificates of its brokers is there already`)

	s.check(views.Delete(s.ctx, "echo", metav1.DeleteOptions{}))
	s.eventually("the Secret to go with its owner", func() error {
		_, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, "echo-function-trust", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there: %v", err)
	})
}

// trusts waits until the Secret of a function's own has certificates.
func (s *space) trusts(name string, owner *unstructured.Unstructured, certificates []byte) {
	s.Helper()
	s.eventually("the certificates of "+name, func() error {
		secret, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, name+"-function-trust", metav1.GetOptions{})
		switch {
		case err != nil:
			return err
		case len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != owner.GetUID():
			s.Fatalf("it belongs to %v", secret.OwnerReferences)
		case !bytes.Equal(secret.Data["ca.crt"], certificates):
			return fmt.Errorf("it has %.40q", secret.Data["ca.crt"])
		}
		return nil
	})
}
