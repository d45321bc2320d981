package shim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var (
	taken    = &metav1.Status{Status: metav1.StatusSuccess}
	conflict = apierrors.NewConflict(testResource, testName.ObjectName(), errors.New("changed"))
	// noTokens is what a server says that may keep no tokens.
	noTokens = apierrors.NewForbidden(testResource, testName.ObjectName(), errors.New("no"))

	newConfig = partOf("functionConfig", `{"jar":"function://t/n/p@1","inputs":["in"]}`)
	otherCode = partOf("functionConfig", `{"className":"Other"}`)
	noChange  = partOf("functionConfig", `{}`)
	authData  = partOf("updateOptions", `{"updateAuthData":true}`)
)

func withAuth(auth *v1alpha1.Auth) *v1alpha1.PulsarFunction {
	function := liveFunction()
	function.Spec.Auth = auth
	return function
}

func goFunction() *v1alpha1.PulsarFunction {
	function := liveFunction()
	function.Spec.Java, function.Spec.Go = nil, &v1alpha1.Runtime{}
	return function
}

// withTokens makes a handler that knows Pulsar's tokens.
func withTokens(t *testing.T) func(*Options) {
	return func(options *Options) {
		options.Authentication.Tokens.SecretKeyFile = writeFile(t, "secret", tokenSecret)
		options.Authentication.ProxyRoles = []string{"proxy"}
	}
}

// writes are the calls that change something, or would.
func (a *answers) writes() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a.calls), func(call string) bool { return call == "GET" }), ", ")
}

func TestTokenOfANewComponent(t *testing.T) {
	alice := signedToken(t, `{"sub":"alice"}`)
	for _, test := range []struct {
		what, token string
		created     *v1alpha1.PulsarFunction
		handOver    any
		code        int
		reason      string
		writes      string
	}{
		{"Pulsar's token", alice, liveFunction(), taken, 204, "", "POST, POST credential"},
		{"Kubernetes' token", "opaque", liveFunction(), nil, 204, "", "POST"},
		{"nobody", "", liveFunction(), nil, 204, "", "POST"},
		{"it has an account", alice, withAuth(&v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: "alice"}}), nil, 204, "", "POST"},
		{"it can't use one", alice, goFunction(), nil, 204, "", "POST"},
		{"refused", alice, liveFunction(), noTokens, 401,
			"Function f was created, and does not have the caller's credential, which an update with updateAuthData repeats: " + reasonUnauthorized, "POST, POST credential"},
	} {
		server := newAnswers(t, map[string][]any{"GET": {notFound}, "POST": {test.created}, "POST credential": {test.handOver}})
		handler := newTestHandler(t, server.ServeHTTP, withTokens(t))
		answer := sendWith(handler, http.MethodPost, test.token, newConfig)
		expectAnswer(t, test.what, answer, test.code, test.reason)
		if got := server.writes(); got != test.writes {
			t.Errorf("%s: the calls were %s, not %s", test.what, got, test.writes)
		}
		if handed := server.bodies["POST credential"]; handed != "" && !strings.Contains(handed, `"token":"`+alice+`"`) {
			t.Errorf("%s: what was handed over is %s", test.what, handed)
		}
		if strings.Contains(answer.Body.String(), alice) {
			t.Errorf("%s: the answer has the token", test.what)
		}
	}
}

// TestProxysTokenIsNotHandedOver: it isn't that of who calls.
func TestProxysTokenIsNotHandedOver(t *testing.T) {
	server := newAnswers(t, map[string][]any{"GET": {notFound}, "POST": {liveFunction()}})
	handler := newTestHandler(t, func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Accept") == "application/vnd.functionmesh.authorization-only" {
			// The proxy may do it.
			writer.WriteHeader(http.StatusNotAcceptable)
			return
		}
		server.ServeHTTP(writer, request)
	}, withTokens(t))
	inner := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		request.Header.Set("X-Original-Principal", "alice")
		handler.ServeHTTP(writer, request)
	})
	answer := sendWith(inner, http.MethodPost, signedToken(t, `{"sub":"proxy"}`), newConfig)
	if answer.Code != http.StatusNoContent || server.count("POST credential") != 0 {
		t.Errorf("got %d %s, the calls were %s", answer.Code, answer.Body, server.writes())
	}
}

// TestTokenOfAnUpdate: no code may run with a token that wasn't meant for it, whatever is
// refused and whenever.
func TestTokenOfAnUpdate(t *testing.T) {
	alice := signedToken(t, `{"sub":"alice"}`)
	foreign := withAuth(&v1alpha1.Auth{SecretName: "of-bob"})
	forbiddenCode := &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: `admission webhook "w" denied the request: no`}}
	const all = "POST dry credential, PATCH, POST credential"
	for _, test := range []struct {
		what, token string
		found       *v1alpha1.PulsarFunction
		parts       [][2]string
		dry, patch  any
		handOver    []any
		code        int
		reason      string
		writes      string
		takesAway   bool
	}{
		{"other code", alice, foreign, [][2]string{otherCode, authData}, taken, foreign, []any{taken}, 204, "", all, true},
		{"the credential alone", alice, foreign, [][2]string{noChange, authData}, taken, foreign, []any{taken}, 204, "", all, false},
		{"no token is kept", alice, foreign, [][2]string{otherCode, authData}, noTokens, nil, nil, 401, reasonUnauthorized, "POST dry credential", false},
		{"the update is refused", alice, foreign, [][2]string{otherCode, authData}, taken, forbiddenCode, nil, 400,
			`Function f cannot be admitted:- admission webhook "w" denied the request: no`, "POST dry credential, PATCH", true},
		{"the token is refused after all", alice, foreign, [][2]string{otherCode, authData}, taken, foreign, []any{noTokens}, 401,
			"The update of Function f was stored, but the component does not have the caller's credential, which an update with updateAuthData repeats: " + reasonUnauthorized, all, true},
		{"without updateAuthData", alice, foreign, [][2]string{otherCode}, nil, foreign, nil, 204, "", "PATCH", false},
		{"Kubernetes' token", "opaque", foreign, [][2]string{otherCode, authData}, nil, foreign, nil, 204, "", "PATCH", false},
		{"an account", alice, withAuth(&v1alpha1.Auth{OAuth2: &v1alpha1.OAuth2{SecretName: "bob"}}), [][2]string{noChange, authData}, nil, foreign, nil, 204, "", "PATCH", false},
		{"in Go", alice, goFunction(), [][2]string{noChange, authData}, nil, goFunction(), nil, 204, "", "PATCH", false},
	} {
		server := newAnswers(t, map[string][]any{"GET": {test.found}, "POST dry credential": {test.dry}, "PATCH": {test.patch}, "POST credential": test.handOver})
		answer := sendWith(newTestHandler(t, server.ServeHTTP, withTokens(t)), http.MethodPut, test.token, test.parts...)
		expectAnswer(t, test.what, answer, test.code, test.reason)
		if got := server.writes(); got != test.writes {
			t.Errorf("%s: the calls were %s, not %s", test.what, got, test.writes)
		}
		if got := strings.Contains(server.bodies["PATCH"], `"auth":null`); got != test.takesAway {
			t.Errorf("%s: the patch is %s", test.what, server.bodies["PATCH"])
		}
		if warned := answer.Header().Get("Warning") != ""; warned != (test.what == "Kubernetes' token" || test.what == "in Go") {
			t.Errorf("%s: the warnings are %q", test.what, answer.Header().Values("Warning"))
		}
	}
}

// TestTokenOfAnUpdateIsTriedAgain: somebody else's change between the two steps is no
// reason to leave the component as nobody.
func TestTokenOfAnUpdateIsTriedAgain(t *testing.T) {
	newer := liveFunction()
	newer.ResourceVersion, newer.Spec.ClassName = "2", "Other"
	server := newAnswers(t, map[string][]any{
		"GET": {liveFunction(), liveFunction(), newer}, "POST dry credential": {taken}, "PATCH": {newer}, "POST credential": {conflict, taken},
	})
	answer := sendWith(newTestHandler(t, server.ServeHTTP, withTokens(t)), http.MethodPut, signedToken(t, `{"sub":"alice"}`), otherCode, authData)
	expectAnswer(t, "update", answer, 204, "")
	if want := "POST dry credential, PATCH, POST credential, PATCH, POST credential"; server.writes() != want {
		t.Errorf("the calls were %s", server.writes())
	}
}
