package oauth2

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
)

// account makes a Secret exactly as the Java worker's documentation 0.6.0 has it.
func (s *space) account(name, client, secret string) *corev1.Secret {
	s.Helper()
	created, err := s.kube.CoreV1().Secrets(s.namespace).Create(s.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		StringData: map[string]string{
			"auth.json": fmt.Sprintf(`{"type":"client_credentials","client_id":%q,"client_secret":%q,"issuer_url":%q}`, client, secret, world.provider.Issuer()),
			"clientAuthenticationParameters": fmt.Sprintf(`{"audience":%q,"issuerUrl":%q,"privateKey":"file:///mnt/secrets/auth.json","type":"client_credentials"}`,
				audience, world.provider.Issuer()),
		},
	}, metav1.CreateOptions{})
	s.check(err)
	return created
}

func newFunction(name string) *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Echo", Java: &v1alpha1.JavaRuntime{},
				Package: &v1alpha1.Package{Location: "function://public/default/echo@1"},
			},
			InputConfig:  v1alpha1.InputConfig{Inputs: []string{"persistent://public/default/in"}},
			OutputConfig: v1alpha1.OutputConfig{Output: "persistent://public/default/out"},
		},
	}
}

// runsAs checks with which account a custom resource runs.
func (s *space) runsAs(name, secret string) {
	s.Helper()
	cr, err := s.crs.Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	s.resourceRunsAs(cr, secret)
}

func (s *space) resourceRunsAs(cr *unstructured.Unstructured, secret string) {
	s.Helper()
	got, _, err := unstructured.NestedStringMap(cr.Object, "spec", "pulsar", "authConfig", "oauth2Config")
	s.check(err)
	want := map[string]string{"audience": audience, "issuerUrl": world.provider.Issuer(), "scope": "", "keySecretName": secret, "keySecretKey": "auth.json"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s runs with %v, not %v", cr.GetName(), got, want)
	}
}

func (s *space) refused(err error, code int32, text string) {
	s.Helper()
	if err == nil {
		s.Errorf("it was not refused, want %d with %q", code, text)
		return
	}
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code != code || !strings.Contains(err.Error(), text) {
		s.Errorf("got %v, want %d with %q", err, code, text)
	}
	if strings.Contains(err.Error(), clientSecret) {
		s.Errorf("the answer has the client's secret: %v", err)
	}
}

const mergePatch = types.MergePatchType

// TestOwnAccount has people of both doors make functions that run as themselves.
func TestOwnAccount(t *testing.T) {
	s := newSpace(t)
	s.account("alice", "alice", clientSecret)
	s.account("bob", "bob", clientSecret)
	alice, bob := s.author("alice"), s.person("bob")
	for name, author := range map[string]adminclient.PulsarFunctionInterface{"alice": alice, "bob": bob} {
		created, err := author.Create(s.ctx, newFunction("of-"+name), metav1.CreateOptions{})
		s.check(err)
		if auth := created.Spec.Auth; auth == nil || auth.OAuth2 == nil || auth.OAuth2.SecretName != name {
			t.Errorf("the view of %s shows account %+v", name, auth)
		}
		s.runsAs("of-"+name, name)
	}

	// Bob may scale, stop, label and size what is Alice's, and it stays hers.
	for _, patch := range []string{`{"spec":{"parallelism":3}}`, `{"spec":{"suspend":true}}`, `{"spec":{"suspend":false}}`, `{"metadata":{"labels":{"a":"b"}}}`,
		`{"spec":{"resources":{"requests":{"cpu":"2"},"limits":{"cpu":"2"}}}}`} {
		_, err := bob.Patch(s.ctx, "of-alice", mergePatch, []byte(patch), metav1.PatchOptions{})
		s.check(err)
	}
	s.runsAs("of-alice", "alice")
	// A whole replacement that says nothing of the account leaves it, too.
	current, err := bob.Get(s.ctx, "of-alice", metav1.GetOptions{})
	s.check(err)
	current.Spec.Auth = nil
	_, err = bob.Update(s.ctx, current, metav1.UpdateOptions{})
	s.check(err)
	s.runsAs("of-alice", "alice")
	// Alice may change her code, and does so from either door.
	_, err = s.person("alice").Patch(s.ctx, "of-alice", mergePatch, []byte(`{"spec":{"className":"org.example.Better"}}`), metav1.PatchOptions{})
	s.check(err)
	// Bob makes it his own, code and all.
	_, err = bob.Patch(s.ctx, "of-alice", mergePatch, []byte(`{"spec":{"className":"org.example.Bobs","auth":{"oauth2":{"secretName":null}}}}`), metav1.PatchOptions{})
	s.check(err)
	s.runsAs("of-alice", "bob")
	_, err = alice.Patch(s.ctx, "of-alice", mergePatch, []byte(`{"spec":{"className":"org.example.Again"}}`), metav1.PatchOptions{})
	s.refused(err, 403, `spec.className uses spec.auth.oauth2.secretName, which isn't bound to the caller`)
}

// TestAttacks tries to run, or to have something run, as somebody else.
func TestAttacks(t *testing.T) {
	s := newSpace(t)
	s.account("alice", "alice", clientSecret)
	s.account("mallory", "mallory", clientSecret)
	s.account("etl", "etl", clientSecret)
	alice, mallory := s.author("alice"), s.author("mallory")
	_, err := alice.Create(s.ctx, newFunction("victim"), metav1.CreateOptions{})
	s.check(err)

	uses := "uses spec.auth.oauth2.secretName, which isn't bound to the caller"
	for what, attack := range map[string]struct {
		patch string
		code  int32
		text  string
	}{
		"her function, other code":     {`{"spec":{"className":"evil.Code"}}`, 403, uses},
		"her function, other package":  {`{"spec":{"package":{"location":"function://evil/default/code@1"}}}`, 403, uses},
		"her data, elsewhere":          {`{"spec":{"output":"persistent://evil/default/out"}}`, 403, uses},
		"her function, his inputs":     {`{"spec":{"inputs":["persistent://evil/default/in"]}}`, 403, uses},
		"another configuration":        {`{"spec":{"userConfig":{"sendTo":"evil"}}}`, 403, uses},
		"an environment":               {`{"spec":{"pod":{"env":[{"name":"JAVA_TOOL_OPTIONS","value":"-javaagent:evil"}]}}}`, 403, uses},
		"a broker without verifying":   {`{"spec":{"tls":{"enabled":true,"allowInsecure":true}}}`, 403, uses},
		"her account in a variable":    {`{"spec":{"pod":{"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"alice","key":"auth.json"}}}]}}}`, 403, "the right to get secrets"},
		"an account that isn't his":    {`{"spec":{"auth":{"oauth2":{"secretName":"etl"}}}}`, 403, `the right to get secrets "etl"`},
		"an issuer, as a field":        {`{"spec":{"auth":{"oauth2":{"issuerUrl":"https://evil"}}}}`, 0, ""},
		"the binding, as a field":      {`{"spec":{"auth":{"Bound":{"User":"pulsar:mallory"},"Resolved":{"IssuerURL":"https://evil"}}}}`, 0, ""},
		"the binding, as annotation":   {`{"metadata":{"annotations":{"admin.functionmesh.io/credential-binding":"{\"version\":1,\"secretName\":\"alice\",\"user\":\"pulsar:mallory\",\"rule\":\"name\"}"}}}`, 0, ""},
		"code under cover of a scale":  {`{"spec":{"parallelism":2,"className":"evil.Code"}}`, 403, uses},
		"code with an unchanged name":  {`{"spec":{"auth":{"oauth2":{"secretName":"alice"}},"className":"evil.Code"}}`, 403, uses},
		"his account, nobody's client": {`{"spec":{"auth":{"oauth2":{"secretName":null}}}}`, 422, "does not give a token"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := mallory.Patch(s.ctx, "victim", mergePatch, []byte(attack.patch), metav1.PatchOptions{})
			if attack.code != 0 {
				s.refused(err, attack.code, attack.text)
			}
			s.runsAs("victim", "alice")
			_, err = mallory.Patch(s.ctx, "victim", mergePatch, []byte(`{"spec":{"className":"evil.Code"}}`), metav1.PatchOptions{})
			s.refused(err, 403, uses)
		})
	}
	// Every key of a Secret in auth.secretName becomes a variable, such as the one that says
	// where Pulsar is. One that he may read is no way to her account, or to what else a
	// function holds.
	s.allowSecret("pulsar:mallory", "variables")
	variables := []byte(`{"spec":{"auth":{"secretName":"variables"}}}`)
	s.eventually("the right", func() error {
		function := newFunction("own")
		function.Spec.Auth = &v1alpha1.Auth{SecretName: "variables"}
		_, err := mallory.Create(s.ctx, function, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
	_, err = mallory.Patch(s.ctx, "victim", mergePatch, variables, metav1.PatchOptions{})
	s.refused(err, 422, "may not be set together with secretName")
	s.runsAs("victim", "alice")

	// His own account with an issuer of his own gets nothing sent there.
	s.check(s.kube.CoreV1().Secrets(s.namespace).Delete(s.ctx, "mallory", metav1.DeleteOptions{}))
	_, err = s.kube.CoreV1().Secrets(s.namespace).Create(s.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "mallory"}, StringData: map[string]string{
		"auth.json":                      `{"client_id":"mallory","client_secret":"` + clientSecret + `","issuer_url":"https://evil.example.org"}`,
		"clientAuthenticationParameters": `{"issuerUrl":"https://evil.example.org","audience":"a"}`,
	}}, metav1.CreateOptions{})
	s.check(err)
	_, err = mallory.Create(s.ctx, newFunction("lure"), metav1.CreateOptions{})
	s.refused(err, 422, "is of issuer https://evil.example.org, which this server is not configured")
	_, err = mallory.Create(s.ctx, newFunction("lure"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	s.refused(err, 422, "is not configured")
	noSecretsIn(t, world.env.ControlPlane.LogPath(apiServerName), world.env.AuditLogPath(apiServerName))
}

// noSecretsIn scrapes logs for the secrets of accounts.
func noSecretsIn(t *testing.T, files ...string) {
	t.Helper()
	for _, file := range files {
		noTextsIn(t, file, clientSecret, testToken)
	}
}

func noTextsIn(t *testing.T, file string, texts ...string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if bytes.Contains(data, []byte(text)) {
			t.Errorf("%s has a secret", file)
		}
	}
}

// TestExplicit names a Secret, which the right to read it allows.
func TestExplicit(t *testing.T) {
	s := newSpace(t)
	s.account("etl", "etl", clientSecret)
	alice := s.author("alice")
	function := newFunction("etl")
	function.Spec.Auth = &v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: "etl"}}
	_, err := alice.Create(s.ctx, function, metav1.CreateOptions{})
	s.refused(err, 403, `the right to get secrets "etl"`)
	s.allowSecret("pulsar:alice", "etl")
	s.eventually("the right", func() error {
		_, err := alice.Create(s.ctx, function, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
	_, err = alice.Create(s.ctx, function, metav1.CreateOptions{})
	s.check(err)
	s.runsAs("etl", "etl")
}

// TestWrongAccounts says why an account isn't taken.
func TestWrongAccounts(t *testing.T) {
	s := newSpace(t)
	alice := s.author("alice")
	_, err := alice.Create(s.ctx, newFunction("f"), metav1.CreateOptions{})
	s.refused(err, 422, `there is no account for role "alice"`)
	s.account("alice", "alice", "wrong-"+clientSecret)
	_, err = alice.Create(s.ctx, newFunction("f"), metav1.CreateOptions{})
	s.refused(err, 422, "does not give a token for the account (status 40")
	// A dry run asks nobody.
	_, err = alice.Create(s.ctx, newFunction("f"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	s.check(err)

	bare := bareSpace(t)
	_, err = bare.author("alice").Create(bare.ctx, newFunction("f"), metav1.CreateOptions{})
	bare.refused(err, 422, "it needs a RoleBinding there of ClusterRole functionmesh-apiserver-oauth2")
}
