package oauth2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// tenant is that of all components that are made through a shim.
const tenant = "people"

// restKind is what differs between the kinds.
type restKind struct {
	// path and part are in requests; crKind is the custom resource's.
	path, part, crKind string
	config             string
}

var restKinds = []restKind{
	{"functions", "functionConfig", "Function", `{"className":"org.example.C","inputs":["persistent://public/default/in"],"output":"persistent://public/default/out","runtime":"JAVA","jar":"function://public/default/c@1"}`},
	{"sources", "sourceConfig", "Source", `{"className":"org.example.C","topicName":"persistent://public/default/out","archive":"source://public/default/c@1"}`},
	{"sinks", "sinkConfig", "Sink", `{"className":"org.example.C","inputs":["persistent://public/default/in"],"archive":"sink://public/default/c@1"}`},
}

// eachKind runs a test for the three kinds.
func eachKind(t *testing.T, test func(t *testing.T, kind restKind)) {
	for _, kind := range restKinds {
		t.Run(kind.path, func(t *testing.T) { test(t, kind) })
	}
}

// claim has the namespace serve the one in Pulsar that is called like it.
func (s *space) claim() {
	s.Helper()
	_, err := s.kube.CoreV1().Namespaces().Patch(s.ctx, s.namespace, mergePatch,
		fmt.Appendf(nil, `{"metadata":{"annotations":{%q:"%s/%s"}}}`, tenancy.Annotation, tenant, s.namespace), metav1.PatchOptions{})
	s.check(err)
}

// served waits until a shim knows what the namespace claims. Until then it looks in the
// default namespace, where nobody here has rights.
func (s *space) served(shim *controlplane.Server, kind restKind, token string) {
	s.Helper()
	s.eventually("the shim to know the claim", func() error {
		if got := s.send(shim, http.MethodPut, kind, token, "{}", false); got.code != http.StatusBadRequest {
			return fmt.Errorf("an update of nothing is answered %d %s", got.code, got.body)
		}
		return nil
	})
}

// tokenFor returns a token of Pulsar's for a role, another one each time.
func (s *space) tokenFor(role string) string {
	s.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: world.secret}, nil)
	s.check(err)
	claims, err := json.Marshal(map[string]any{"sub": role, "exp": time.Now().Add(time.Hour).Unix()})
	s.check(err)
	signed, err := signer.Sign(claims)
	s.check(err)
	token, err := signed.CompactSerialize()
	s.check(err)
	return token
}

// reply is what a shim answered.
type reply struct {
	code int
	body string
}

// send asks a shim for component c of a kind, and checks that the answer has no token.
func (s *space) send(shim *controlplane.Server, method string, kind restKind, token, config string, updateAuthData bool) reply {
	s.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	parts := [][2]string{{kind.part, config}}
	if updateAuthData {
		parts = append(parts, [2]string{"updateOptions", `{"updateAuthData":true}`})
	}
	for _, part := range parts {
		writer, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="` + part[0] + `"`}, "Content-Type": {"application/json"}})
		s.check(err)
		_, err = io.WriteString(writer, part[1])
		s.check(err)
	}
	s.check(form.Close())
	url := "http://" + controlplane.Loopback + ":" + strconv.Itoa(shim.Port()) + "/admin/v3/" + kind.path + "/" + tenant + "/" + s.namespace + "/c"
	request, err := http.NewRequestWithContext(s.ctx, method, url, &body)
	s.check(err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	s.check(err)
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	s.check(err)
	if strings.Contains(string(content)+fmt.Sprint(response.Header), token) {
		s.Errorf("the answer has the token: %s", content)
	}
	return reply{response.StatusCode, string(content)}
}

// create makes component c, once the servers know what the namespace serves.
func (s *space) create(shim *controlplane.Server, kind restKind, token string) reply {
	s.Helper()
	var got reply
	s.eventually("the namespace to be known", func() error {
		got = s.send(shim, http.MethodPost, kind, token, kind.config, false)
		if strings.Contains(got.body, "serves") {
			return errors.New(got.body)
		}
		return nil
	})
	return got
}

func (s *space) expect(what string, got reply, code int, text string) {
	s.Helper()
	if got.code != code || !strings.Contains(got.body, text) {
		s.Errorf("%s: got %d %s, want %d with %q", what, got.code, got.body, code, text)
	}
}

// resource returns the custom resource of component c.
func (s *space) resource(kind restKind) *unstructured.Unstructured {
	s.Helper()
	list, err := world.env.Dynamic().Resource(functions.GroupVersion().WithResource(kind.path)).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
	s.check(err)
	if len(list.Items) != 1 {
		s.Fatalf("there are %d custom resources, not one", len(list.Items))
	}
	return &list.Items[0]
}

// holdsToken checks that a component has a token in a Secret of its own, whose name it
// returns, and has it nowhere else.
func (s *space) holdsToken(kind restKind, token string) string {
	s.Helper()
	cr := s.resource(kind)
	name := s.authSecretOf(cr)
	secret, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	if owners := secret.OwnerReferences; len(owners) != 1 || owners[0].UID != cr.GetUID() || owners[0].Kind != kind.crKind || owners[0].Name != cr.GetName() {
		s.Errorf("the Secret belongs to %+v", owners)
	}
	if got := string(secret.Data["clientAuthenticationParameters"]); got != "token:"+token {
		s.Errorf("the Secret holds %s", got)
	}
	if strings.Contains(fmt.Sprint(cr.Object), token) {
		s.Error("the custom resource has the token")
	}
	return name
}

// TestTokensThroughShim has components run with the token that their authors called with.
func TestTokensThroughShim(t *testing.T) {
	eachKind(t, func(t *testing.T, kind restKind) {
		s := newSpace(t)
		s.claim()
		s.author("alice")
		s.author("bob")
		ofAlice, ofBob := s.tokenFor("alice"), s.tokenFor("bob")
		s.served(world.tokens, kind, ofAlice)
		s.expect("create", s.create(world.tokens, kind, ofAlice), 204, "")
		first := s.holdsToken(kind, ofAlice)

		// What somebody else does to it doesn't change whose it is.
		s.expect("scale", s.send(world.tokens, http.MethodPut, kind, ofBob, `{"parallelism":2}`, false), 204, "")
		s.expect("other code", s.send(world.tokens, http.MethodPut, kind, ofBob, `{"className":"evil.Code"}`, false), 401, "")
		s.expect("a refused update", s.send(world.tokens, http.MethodPut, kind, ofBob, `{"className":"evil code"}`, true), 400, "className")
		if s.holdsToken(kind, ofAlice) != first {
			t.Error("it got another Secret")
		}

		// Who gives it his own token may do both at once.
		s.expect("his own", s.send(world.tokens, http.MethodPut, kind, ofBob, `{"className":"org.example.Bobs"}`, true), 204, "")
		second := s.holdsToken(kind, ofBob)
		if className, _, _ := unstructured.NestedString(s.resource(kind).Object, "spec", "className"); className != "org.example.Bobs" {
			t.Errorf("its class is %q", className)
		}
		s.expect("hers again", s.send(world.tokens, http.MethodPut, kind, ofAlice, `{}`, true), 204, "")
		s.holdsToken(kind, ofAlice)
		for _, former := range []string{first, second} {
			if _, err := s.kube.CoreV1().Secrets(s.namespace).Get(s.ctx, former, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("the Secret of an earlier token: %v", err)
			}
		}
		noTokensIn(t, ofAlice, ofBob)
	})
}

// TestTokenThatCanNotBeKept is about a namespace where the server may keep none.
func TestTokenThatCanNotBeKept(t *testing.T) {
	s, kind := bareSpace(t), restKinds[0]
	s.claim()
	s.author("alice")
	token := s.tokenFor("alice")
	s.served(world.tokens, kind, token)
	const why = "does not have the caller's credential, which an update with updateAuthData repeats: "
	got := s.create(world.tokens, kind, token)
	s.expect("create", got, 400, "Function c was created, and "+why)
	s.expect("create", got, 400, "functionmesh-apiserver-tokens")
	s.expect("update", s.send(world.tokens, http.MethodPut, kind, token, `{"className":"org.example.Other"}`, true), 400, "functionmesh-apiserver-tokens")
	if className, _, _ := unstructured.NestedString(s.resource(kind).Object, "spec", "className"); className != "org.example.C" {
		t.Errorf("it was updated without the token: its class is %q", className)
	}
	noTokensIn(t, token)
}

// noTokensIn scrapes the logs of all servers that tokens went through.
func noTokensIn(t *testing.T, tokens ...string) {
	t.Helper()
	control := world.env.ControlPlane
	for _, name := range []string{"shim-tokens", "shim-accounts", "functionmesh-apiserver", apiServerName} {
		noTextsIn(t, control.LogPath(name), tokens...)
	}
	noTextsIn(t, world.env.AuditLogPath("functionmesh-apiserver"), tokens...)
}

// TestAccountsThroughShim has components of each kind run with accounts that are found by
// either rule.
func TestAccountsThroughShim(t *testing.T) {
	eachKind(t, func(t *testing.T, kind restKind) {
		s := newSpace(t)
		s.claim()
		s.account("of-a-person", "alice", clientSecret)
		s.annotate("of-a-person", "alice@p1")
		s.account("bob", "bob", clientSecret)
		s.author("alice@p1")
		s.author("bob")
		ofAlice, ofBob := s.tokenFor("alice@p1"), s.tokenFor("bob")
		s.served(world.accounts, kind, ofAlice)
		s.expect("create", s.create(world.accounts, kind, ofAlice), 204, "")
		s.resourceRunsAs(s.resource(kind), "of-a-person")

		s.expect("scale", s.send(world.accounts, http.MethodPut, kind, ofBob, `{"parallelism":2}`, false), 204, "")
		s.expect("other code", s.send(world.accounts, http.MethodPut, kind, ofBob, `{"className":"evil.Code"}`, false), 401, "")
		s.resourceRunsAs(s.resource(kind), "of-a-person")
		s.expect("his own", s.send(world.accounts, http.MethodPut, kind, ofBob, `{"className":"org.example.Bobs"}`, true), 204, "")
		s.resourceRunsAs(s.resource(kind), "bob")
		s.expect("her code", s.send(world.accounts, http.MethodPut, kind, ofAlice, `{"className":"evil.Code"}`, false), 401, "")
		s.expect("hers again", s.send(world.accounts, http.MethodPut, kind, ofAlice, `{}`, true), 204, "")
		s.resourceRunsAs(s.resource(kind), "of-a-person")
		// Whoever has an account gets no Secret for the token.
		if got := s.authSecretOf(s.resource(kind)); got != "" {
			t.Errorf("it has Secret %q", got)
		}
		noTokensIn(t, ofAlice, ofBob)
		noSecretsIn(t, world.env.ControlPlane.LogPath("shim-accounts"))
	})
}

// annotate says whose an account is.
func (s *space) annotate(secret, role string) {
	s.Helper()
	_, err := s.kube.CoreV1().Secrets(s.namespace).Patch(s.ctx, secret, mergePatch,
		fmt.Appendf(nil, `{"metadata":{"annotations":{"cloud.streamnative.io/service-account.email":%q}}}`, role), metav1.PatchOptions{})
	s.check(err)
}

// TestRolesOfOneName has two roles that are stripped to the same name, and one Secret.
func TestRolesOfOneName(t *testing.T) {
	s := newSpace(t)
	s.account("carol", "carol", clientSecret)
	first, second := s.author("carol@p1"), s.author("carol@p2")
	_, err := first.Create(s.ctx, newFunction("first"), metav1.CreateOptions{})
	s.check(err)
	s.runsAs("first", "carol")
	_, err = second.Create(s.ctx, newFunction("second"), metav1.CreateOptions{})
	s.refused(err, 422, `Secret "carol" may be the account of more than one role`)
	_, err = second.Patch(s.ctx, "first", mergePatch, []byte(`{"spec":{"className":"evil.Code"}}`), metav1.PatchOptions{})
	s.refused(err, 403, "isn't bound to the caller")

	// Its annotation decides, for the second and against the first.
	s.annotate("carol", "carol@p2")
	_, err = second.Create(s.ctx, newFunction("second"), metav1.CreateOptions{})
	s.check(err)
	s.runsAs("second", "carol")
	_, err = first.Create(s.ctx, newFunction("third"), metav1.CreateOptions{})
	s.refused(err, 422, "its annotation cloud.streamnative.io/service-account.email says that it is another's")
}
