package shim

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

var testName = identity.Name{Tenant: "t", Namespace: "n", Name: "f"}

const testPath = functionsPath + "/t/n/f"

var (
	testResource = v1alpha1.Resource("pulsarfunctions")
	notFound     = apierrors.NewNotFound(testResource, testName.ObjectName())
	forbidden    = apierrors.NewForbidden(testResource, testName.ObjectName(), errors.New("user x cannot"))
)

// answers are what a server says to each kind of call, one after the other; the last
// of a kind stays. It stands for no API server: it only answers.
type answers struct {
	t    *testing.T
	lock sync.Mutex
	// by is keyed by method, with " dry" for those that must change nothing and
	// " credential" for those of that subresource. A value is an object, a
	// *apierrors.StatusError or a *metav1.Status.
	by map[string][]any
	// others are what there is of other kinds than functions, by resource; what isn't
	// there isn't found. They don't count as calls.
	others map[string]any
	// calls are the keys in the order in which they were asked for, bodies what came.
	calls  []string
	bodies map[string]string
}

func newAnswers(t *testing.T, by map[string][]any) *answers {
	return &answers{t: t, by: by, bodies: map[string]string{}}
}

func (a *answers) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	a.lock.Lock()
	defer a.lock.Unlock()
	key := request.Method
	if request.URL.Query().Get("dryRun") == metav1.DryRunAll {
		key += " dry"
	}
	if subresource := path.Base(request.URL.Path); subresource == "credential" {
		key += " " + subresource
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		a.t.Error(err)
	}
	writer.Header().Set("Content-Type", "application/json")
	for _, resource := range []string{"pulsarsinks", "pulsarsources"} {
		if strings.Contains(request.URL.Path, "/"+resource+"/") && request.Method == http.MethodGet {
			a.answer(writer, cmp.Or(a.others[resource], any(notFound)))
			return
		}
	}
	a.calls, a.bodies[key] = append(a.calls, key), string(body)
	if strings.HasSuffix(request.URL.Path, "/pulsarfunctions") && request.Method == http.MethodGet {
		writeJSON(writer, mustRequest(a.t), http.StatusOK, map[string]any{
			"kind": "PulsarFunctionList", "apiVersion": "admin.functionmesh.io/v1alpha1", "metadata": map[string]any{}, "items": []any{},
		})
		return
	}
	next := a.by[key]
	switch {
	case len(next) == 0:
		a.t.Errorf("unexpected %s %s", key, request.URL)
		writer.WriteHeader(http.StatusTeapot)
		return
	case len(next) > 1:
		a.by[key] = next[1:]
	}
	a.answer(writer, next[0])
}

func (a *answers) answer(writer http.ResponseWriter, answer any) {
	switch answer := answer.(type) {
	case *apierrors.StatusError:
		status := answer.Status()
		status.Kind, status.APIVersion, status.Status = "Status", "v1", metav1.StatusFailure
		writeJSON(writer, mustRequest(a.t), int(status.Code), status)
	case v1alpha1.Component:
		object := answer.DeepCopyObject()
		object.GetObjectKind().SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(answer.ComponentKind().Kind))
		writeJSON(writer, mustRequest(a.t), http.StatusOK, object)
	case *metav1.Status:
		writeJSON(writer, mustRequest(a.t), http.StatusCreated, map[string]any{"kind": "Status", "apiVersion": "v1", "status": answer.Status})
	}
}

// count returns how often a kind of call was made.
func (a *answers) count(key string) int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return len(slices.DeleteFunc(slices.Clone(a.calls), func(call string) bool { return call != key }))
}

// send makes a request for the test's function, with a form unless it has no parts.
func send(handler http.Handler, method string, parts ...[2]string) *httptest.ResponseRecorder {
	return sendWith(handler, method, "", parts...)
}

// sendWith is send with a token.
func sendWith(handler http.Handler, method, token string, parts ...[2]string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, testPath, strings.NewReader(body(parts...)))
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func partOf(name, content string) [2]string {
	return [2]string{`Content-Disposition: form-data; name="` + name + "\"\r\nContent-Type: application/json", content}
}

func expectAnswer(t *testing.T, what string, answer *httptest.ResponseRecorder, code int, reason string) {
	t.Helper()
	got := ""
	if answer.Body.Len() > 0 {
		got = reasonIn(t, answer)
	}
	if answer.Code != code || got != reason {
		t.Errorf("%s: got %d %q, want %d %q", what, answer.Code, got, code, reason)
	}
}

// testKinds returns the kinds without a server.
func testKinds() []*kind {
	client, err := versioned.NewForConfig(&rest.Config{Host: "https://127.0.0.1:1"})
	if err != nil {
		panic(err)
	}
	return newKinds(client.AdminV1alpha1())
}

func liveFunction() *v1alpha1.PulsarFunction {
	function := newTestFunction(testName.ObjectName(), 0, testName)
	function.Spec.Java = &v1alpha1.JavaRuntime{}
	return function
}

func goingFunction() *v1alpha1.PulsarFunction {
	function := liveFunction()
	function.DeletionTimestamp = ptr.To(metav1.Now())
	return function
}

// shortly makes a handler that waits as shortly as it can be told to.
func shortly(options *Options) { options.RequestTimeout = time.Second }

func TestConfigIsReadAfterTheCallerIsKnown(t *testing.T) {
	server := newAnswers(t, map[string][]any{"GET": {apierrors.NewUnauthorized("no")}})
	handler := newTestHandler(t, server.ServeHTTP, nil)
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		expectAnswer(t, method, send(handler, method, partOf("functionConfig", "{")), 401, reasonUnauthorized)
		for _, parts := range [][][2]string{{partOf("url", "x")}, {partOf("functionConfig", " null ")}, {partOf("functionConfig", "")}} {
			before := len(server.calls)
			expectAnswer(t, method, send(handler, method, parts...), 400, "Function config is not provided")
			if len(server.calls) != before {
				t.Error("the API server was asked without a config")
			}
		}
	}
}

func TestOwnRefusalsNeedTheRight(t *testing.T) {
	for _, test := range []struct {
		what, method string
		found        any
		parts        [][2]string
		reason       string
	}{
		{"create of what exists", "POST", liveFunction(), [][2]string{partOf("functionConfig", "{}")}, "Function f already exists"},
		{"create with bad JSON", "POST", notFound, [][2]string{partOf("functionConfig", "{")}, "Function config is not valid JSON: unexpected EOF"},
		{"create with a file", "POST", notFound, [][2]string{partOf("functionConfig", "{}"), partOf("data", "x")}, errUpload(testKinds()[0]).reason},
		{"update of what is missing", "PUT", notFound, [][2]string{partOf("functionConfig", "{}")}, "Function f doesn't exist"},
		{"update without a change", "PUT", liveFunction(), [][2]string{partOf("functionConfig", "{}")}, "Update contains no change"},
		{"update of what can't change", "PUT", liveFunction(), [][2]string{partOf("functionConfig", `{"runtime":"PYTHON"}`)}, "Runtime cannot be altered"},
		{"update with bad JSON", "PUT", liveFunction(), [][2]string{partOf("functionConfig", "{")}, "Function config is not valid JSON: unexpected EOF"},
		{"update with a file", "PUT", liveFunction(), [][2]string{partOf("functionConfig", "{}"), partOf("data", "x")}, errUpload(testKinds()[0]).reason},
	} {
		key := map[string]string{"POST": "POST dry", "PUT": "PATCH dry"}[test.method]
		for _, right := range []struct {
			answer any
			code   int
			reason string
		}{
			{forbidden, 401, reasonUnauthorized},
			{liveFunction(), 400, test.reason},
			{notFound, 400, test.reason},
			{&apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: `admission webhook "w" denied the request: no`}}, 400, test.reason},
		} {
			server := newAnswers(t, map[string][]any{"GET": {test.found}, key: {right.answer}})
			answer := send(newTestHandler(t, server.ServeHTTP, nil), test.method, test.parts...)
			expectAnswer(t, test.what, answer, right.code, right.reason)
			if server.count(key) != 1 {
				t.Errorf("%s: the calls were %q", test.what, server.calls)
			}
		}
	}
}

func TestDeleteWaitsUntilTheObjectIsGone(t *testing.T) {
	recreated := liveFunction()
	recreated.UID = "another"
	for what, gone := range map[string]any{"gone": notFound, "created again": recreated, "nobody knows": apierrors.NewInternalError(errors.New("x"))} {
		server := newAnswers(t, map[string][]any{"GET": {liveFunction(), goingFunction(), goingFunction(), gone}, "DELETE": {liveFunction()}})
		expectAnswer(t, what, send(newTestHandler(t, server.ServeHTTP, nil), http.MethodDelete), 204, "")
		if got := server.count("GET"); got != 4 {
			t.Errorf("%s: the API server was asked %d times", what, got)
		}
	}
	server := newAnswers(t, map[string][]any{"GET": {liveFunction(), goingFunction()}, "DELETE": {liveFunction()}})
	expectAnswer(t, "never", send(newTestHandler(t, server.ServeHTTP, shortly), http.MethodDelete), 204, "")
	if got := server.count("GET"); got < 3 {
		t.Errorf("an object that stays was asked for %d times", got)
	}
}

func TestCreateWaitsForADeletion(t *testing.T) {
	exists := apierrors.NewAlreadyExists(testResource, testName.ObjectName())
	config := partOf("functionConfig", `{"jar":"function://t/n/p@1","inputs":["in"]}`)
	for _, test := range []struct {
		what   string
		by     map[string][]any
		code   int
		reason string
	}{
		{"going", map[string][]any{"GET": {notFound, goingFunction(), goingFunction(), notFound}, "POST": {exists, liveFunction()}}, 204, ""},
		{"gone just now", map[string][]any{"GET": {notFound}, "POST": {exists, liveFunction()}}, 204, ""},
		{"made meanwhile", map[string][]any{"GET": {notFound, liveFunction()}, "POST": {exists}}, 400, "Function f already exists"},
		{"nobody sees why", map[string][]any{"GET": {notFound}, "POST": {exists}}, 400, "Function f already exists"},
		{"stays", map[string][]any{"GET": {goingFunction()}, "POST": {exists}}, 400, "Function f is still being deleted. Please try again."},
	} {
		answer := send(newTestHandler(t, newAnswers(t, test.by).ServeHTTP, shortly), http.MethodPost, config)
		expectAnswer(t, test.what, answer, test.code, test.reason)
	}
}

func TestUpdateSendsTheDifference(t *testing.T) {
	server := newAnswers(t, map[string][]any{"GET": {liveFunction()}, "PATCH": {liveFunction()}})
	handler := newTestHandler(t, server.ServeHTTP, nil)
	answer := send(handler, http.MethodPut, partOf("functionConfig", `{"parallelism":3,"userConfig":{"n":9007199254740993}}`))
	expectAnswer(t, "update", answer, 204, "")
	if want := `{"metadata":{"resourceVersion":"1"},"spec":{"parallelism":3,"userConfig":{"n":9007199254740993}}}`; server.bodies["PATCH"] != want {
		t.Errorf("the patch is %s", server.bodies["PATCH"])
	}
	if warnings := answer.Header().Values("Warning"); len(warnings) > 0 {
		t.Errorf("the warnings are %q", warnings)
	}

	answer = send(handler, http.MethodPut, partOf("functionConfig", `{}`), partOf("updateOptions", `{"updateAuthData":true}`))
	expectAnswer(t, "update of auth data", answer, 204, "")
	if want := `299 - "` + authDataHasNoEffect + `"`; answer.Header().Get("Warning") != want {
		t.Errorf("the warnings are %q", answer.Header().Values("Warning"))
	}
}

func TestUpdateThatNoPatchCanSay(t *testing.T) {
	server := newAnswers(t, map[string][]any{"GET": {liveFunction()}, "PUT": {liveFunction()}})
	answer := send(newTestHandler(t, server.ServeHTTP, nil), http.MethodPut, partOf("functionConfig", `{"userConfig":{"a":{"b":null}}}`))
	expectAnswer(t, "update", answer, 204, "")
	if sent := server.bodies["PUT"]; !strings.Contains(sent, `{"a":{"b":null}}`) || !strings.Contains(sent, `"resourceVersion":"1"`) {
		t.Errorf("what was sent is %s", sent)
	}
}

func TestUpdateIsTriedAgain(t *testing.T) {
	conflict := apierrors.NewConflict(testResource, testName.ObjectName(), errors.New("changed"))
	newer := liveFunction()
	newer.ResourceVersion, newer.Spec.LogTopic = "2", "log"
	server := newAnswers(t, map[string][]any{"GET": {liveFunction(), newer}, "PATCH": {conflict, newer}})
	answer := send(newTestHandler(t, server.ServeHTTP, nil), http.MethodPut, partOf("functionConfig", `{"parallelism":3}`))
	expectAnswer(t, "update", answer, 204, "")
	if want := `{"metadata":{"resourceVersion":"2"},"spec":{"parallelism":3}}`; server.bodies["PATCH"] != want {
		t.Errorf("the patch is %s", server.bodies["PATCH"])
	}

	server = newAnswers(t, map[string][]any{"GET": {newer}, "PATCH": {conflict}})
	answer = send(newTestHandler(t, server.ServeHTTP, nil), http.MethodPut, partOf("functionConfig", `{"parallelism":3}`))
	expectAnswer(t, "update that is refused for another reason", answer, 409, conflict.Error())
	if got := server.count("PATCH"); got != 1 {
		t.Errorf("the patch was sent %d times", got)
	}
}
