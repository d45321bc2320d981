package oauth2

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// testToken has the form of a token; nobody verifies it here.
const testToken = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"

func tokenOf(token string) *v1alpha1.PulsarCredential {
	return &v1alpha1.PulsarCredential{Spec: v1alpha1.PulsarCredentialSpec{Token: token}}
}

// TestTokens hands tokens to a function that has no account.
func TestTokens(t *testing.T) {
	s := newSpace(t)
	_, err := s.crs.Create(s.ctx, resourceWithoutAccount("f"), metav1.CreateOptions{})
	s.check(err)
	alice, bob := s.author("alice"), s.author("bob")

	for what, token := range map[string]string{"none": "", "a word": "secret", "of a shell": "a.b.$(id)", "huge": strings.Repeat("a", 20<<10) + ".b.c"} {
		_, err := alice.CreateCredential(s.ctx, "f", tokenOf(token), metav1.CreateOptions{})
		if !apierrors.IsInvalid(err) || token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = alice.CreateCredential(s.ctx, "f", tokenOf(testToken), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	s.check(err)
	if got := s.authSecret("f"); got != "" {
		t.Errorf("a dry run gave it %q", got)
	}
	_, err = alice.CreateCredential(s.ctx, "f", tokenOf(testToken), metav1.CreateOptions{})
	s.check(err)
	first := s.authSecret("f")
	secret, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, first, metav1.GetOptions{})
	s.check(err)
	cr, err := s.crs.Get(s.ctx, "f", metav1.GetOptions{})
	s.check(err)
	if owners := secret.OwnerReferences; len(owners) != 1 || owners[0].UID != cr.GetUID() || owners[0].Kind != "Function" {
		t.Errorf("the Secret belongs to %+v", secret.OwnerReferences)
	}
	if got := fmt.Sprintf("%s %s", secret.Data["clientAuthenticationPlugin"], secret.Data["clientAuthenticationParameters"]); got !=
		"org.apache.pulsar.client.impl.auth.AuthenticationToken token:"+testToken {
		t.Errorf("the Secret holds %s", got)
	}
	if text := fmt.Sprint(cr.Object); strings.Contains(text, testToken) {
		t.Error("the custom resource has the token")
	}
	// It is Alice's: Bob can scale it, and not change its code.
	_, err = bob.Patch(s.ctx, "f", mergePatch, []byte(`{"spec":{"parallelism":2}}`), metav1.PatchOptions{})
	s.check(err)
	_, err = bob.Patch(s.ctx, "f", mergePatch, []byte(`{"spec":{"className":"evil.Code"}}`), metav1.PatchOptions{})
	s.refused(err, 403, "uses spec.auth.secretName, which isn't bound to the caller")
	_, err = alice.Patch(s.ctx, "f", mergePatch, []byte(`{"spec":{"className":"org.example.Better"}}`), metav1.PatchOptions{})
	s.check(err)

	// Another token is another Secret, and the first one goes.
	_, err = bob.CreateCredential(s.ctx, "f", tokenOf(testToken+"x"), metav1.CreateOptions{})
	s.check(err)
	if second := s.authSecret("f"); second == first || second == "" {
		t.Errorf("with another token it has Secret %q", second)
	}
	if _, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, first, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Secret of the first token: %v", err)
	}
	_, err = bob.Patch(s.ctx, "f", mergePatch, []byte(`{"spec":{"className":"org.example.Bobs"}}`), metav1.PatchOptions{})
	s.check(err)
	noSecretsIn(t, world.env.ControlPlane.LogPath(apiServerName), world.env.AuditLogPath(apiServerName))
}

// TestTokenForOtherCode hands a token over to what isn't any more as its owner saw it:
// somebody changed the code meanwhile, or made another object of that name.
func TestTokenForOtherCode(t *testing.T) {
	s := newSpace(t)
	_, err := s.crs.Create(s.ctx, resourceWithoutAccount("f"), metav1.CreateOptions{})
	s.check(err)
	alice, mallory := s.author("alice"), s.author("mallory")
	seen, err := alice.Get(s.ctx, "f", metav1.GetOptions{})
	s.check(err)
	_, err = mallory.Patch(s.ctx, "f", mergePatch, []byte(`{"spec":{"className":"evil.Code"}}`), metav1.PatchOptions{})
	s.check(err)
	changed, err := alice.Get(s.ctx, "f", metav1.GetOptions{})
	s.check(err)
	for what, metadata := range map[string]metav1.ObjectMeta{
		"other code":     {UID: seen.UID, Generation: seen.Generation},
		"another object": {UID: "00000000-0000-0000-0000-000000000000", Generation: changed.Generation},
	} {
		for _, dryRun := range [][]string{nil, {metav1.DryRunAll}} {
			credential := tokenOf(testToken)
			credential.ObjectMeta = metadata
			if _, err := alice.CreateCredential(s.ctx, "f", credential, metav1.CreateOptions{DryRun: dryRun}); !apierrors.IsConflict(err) {
				t.Errorf("%s, dry run %v: got %v", what, dryRun, err)
			}
		}
	}
	if got := s.authSecret("f"); got != "" {
		t.Errorf("it got the token in %q", got)
	}
	credential := tokenOf(testToken)
	credential.ObjectMeta = metav1.ObjectMeta{UID: changed.UID, Generation: changed.Generation}
	_, err = alice.CreateCredential(s.ctx, "f", credential, metav1.CreateOptions{})
	s.check(err)
	if s.authSecret("f") == "" {
		t.Error("what is as it was seen did not get the token")
	}
}

// TestTokensAtTheSameTime has several tokens handed over at once: some may be refused, and
// whichever stays has its Secret, and is the only one.
func TestTokensAtTheSameTime(t *testing.T) {
	s := newSpace(t)
	_, err := s.crs.Create(s.ctx, resourceWithoutAccount("f"), metav1.CreateOptions{})
	s.check(err)
	alice := s.author("alice")
	const times = 8
	results := make(chan error, times)
	for range times {
		go func() {
			_, err := alice.CreateCredential(s.ctx, "f", tokenOf(testToken), metav1.CreateOptions{})
			results <- err
		}()
	}
	taken := 0
	for range times {
		switch err := <-results; {
		case err == nil:
			taken++
		case !apierrors.IsConflict(err):
			t.Errorf("got %v", err)
		}
	}
	secrets, err := s.kube.CoreV1().Secrets(s.namespace).List(s.ctx, metav1.ListOptions{})
	s.check(err)
	if taken == 0 || len(secrets.Items) != 1 || secrets.Items[0].Name != s.authSecret("f") {
		t.Errorf("%d were taken, it has %q, and there are %d Secrets", taken, s.authSecret("f"), len(secrets.Items))
	}
}

func (s *space) authSecret(name string) string {
	s.Helper()
	cr, err := s.crs.Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	return s.authSecretOf(cr)
}

func (s *space) authSecretOf(cr *unstructured.Unstructured) string {
	s.Helper()
	secret, _, err := unstructured.NestedString(cr.Object, "spec", "pulsar", "authSecret")
	s.check(err)
	return secret
}

// resourceWithoutAccount is a custom resource as somebody wrote it by hand.
func resourceWithoutAccount(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "compute.functionmesh.io/v1alpha1", "kind": "Function",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"name": name, "tenant": "public", "namespace": "default", "clusterName": "dev", "className": "org.example.Echo", "replicas": int64(1), "minReplicas": int64(1),
			"image": "streamnative/pulsar-functions-java-runner:2.10.0.0-rc10", "forwardSourceMessageProperty": true, "maxPendingAsyncRequests": int64(1000),
			"autoAck": true, "processingGuarantee": "atleast_once", "subscriptionPosition": "latest",
			"java":      map[string]any{"jar": "/pulsar/echo.jar", "jarLocation": "function://public/default/echo@1"},
			"input":     map[string]any{"topics": []any{"persistent://public/default/in"}, "typeClassName": "[B"},
			"output":    map[string]any{"topic": "persistent://public/default/out", "typeClassName": "[B"},
			"pulsar":    map[string]any{"pulsarConfig": "dev-function-mesh-config"},
			"resources": map[string]any{"requests": map[string]any{"cpu": "1", "memory": "1Gi"}, "limits": map[string]any{"cpu": "1", "memory": "1Gi"}},
		},
	}}
}

// TestRotation changes an account, and takes it away.
func TestRotation(t *testing.T) {
	s := newSpace(t)
	s.account("alice", "alice", clientSecret)
	alice := s.author("alice")
	_, err := alice.Create(s.ctx, newFunction("f"), metav1.CreateOptions{})
	s.check(err)
	// Secrets aren't watched. Whatever happens to the object has its credential looked at.
	look := func() *unstructured.Unstructured {
		touch := fmt.Sprintf(`{"metadata":{"annotations":{"touched":%q}}}`, time.Now().String())
		cr, err := s.crs.Patch(s.ctx, "f", mergePatch, []byte(touch), metav1.PatchOptions{})
		s.check(err)
		return cr
	}
	const key = "admin.functionmesh.io/credential-hash"
	podHash := func(cr *unstructured.Unstructured) string {
		annotations, _, err := unstructured.NestedStringMap(cr.Object, "spec", "pod", "annotations")
		s.check(err)
		return annotations[key]
	}
	s.eventually("the first hash", func() error {
		if cr := look(); cr.GetAnnotations()[key] == "" || podHash(cr) != "" {
			return fmt.Errorf("the hash is %q, that of pods %q", cr.GetAnnotations()[key], podHash(cr))
		}
		return nil
	})
	_, err = s.kube.CoreV1().Secrets(s.namespace).Patch(s.ctx, "alice", mergePatch,
		[]byte(`{"stringData":{"auth.json":"{\"client_id\":\"alice\",\"client_secret\":\"another\",\"issuer_url\":\"x\"}"}}`), metav1.PatchOptions{})
	s.check(err)
	s.eventually("other pods", func() error {
		if cr := look(); podHash(cr) == "" {
			return errors.New("they are the same")
		}
		return nil
	})
	view, err := alice.Get(s.ctx, "f", metav1.GetOptions{})
	s.check(err)
	if view.Spec.Pod != nil && len(view.Spec.Pod.Annotations) > 0 {
		t.Errorf("the view shows %v", view.Spec.Pod.Annotations)
	}
	s.check(s.kube.CoreV1().Secrets(s.namespace).Delete(s.ctx, "alice", metav1.DeleteOptions{}))
	s.eventually("the condition", func() error {
		look()
		view, err := alice.Get(s.ctx, "f", metav1.GetOptions{})
		if err != nil {
			return err
		}
		condition := meta.FindStatusCondition(view.Status.Conditions, v1alpha1.ConditionCredentialsValid)
		if condition == nil || condition.Reason != "SecretNotFound" || !strings.Contains(condition.Message, "Secret alice") {
			return fmt.Errorf("it is %+v", condition)
		}
		return nil
	})
}
