package shim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// stateServer has one object of a kind, and answers to its state.
type stateServer struct {
	resource string
	answer   any
	key, put string
}

func (s *stateServer) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	write := func(code int, value any) {
		writer.Header().Set("Content-Type", "application/json")
		writeJSON(writer, httptest.NewRequest(http.MethodGet, "/", nil), code, value)
	}
	refuse := func(err *apierrors.StatusError) {
		status := err.Status()
		status.Kind, status.APIVersion = "Status", "v1"
		write(int(status.Code), status)
	}
	object := "/" + s.resource + "/" + testName.ObjectName()
	switch {
	case strings.HasSuffix(request.URL.Path, object+"/state"):
		s.key = request.URL.Query().Get("key")
		body, _ := io.ReadAll(request.Body)
		s.put = string(body)
		if err, ok := s.answer.(*apierrors.StatusError); ok {
			refuse(err)
			return
		}
		write(http.StatusOK, s.answer)
	case strings.HasSuffix(request.URL.Path, object):
		kind := map[string]string{"pulsarfunctions": "PulsarFunction", "pulsarsinks": "PulsarSink"}[s.resource]
		write(http.StatusOK, map[string]any{
			"kind": kind, "apiVersion": "admin.functionmesh.io/v1alpha1",
			"metadata": map[string]any{"name": testName.ObjectName(), "namespace": "pulsar", "uid": "u-1"},
			"spec":     map[string]any{"tenant": "t", "namespace": "n", "name": "f"},
		})
	case request.URL.Query().Has("labelSelector"):
		write(http.StatusOK, map[string]any{
			"kind": "PulsarFunctionList", "apiVersion": "admin.functionmesh.io/v1alpha1", "metadata": map[string]any{}, "items": []any{},
		})
	default:
		refuse(notFound)
	}
}

// reasoned is an error with Pulsar's text.
func reasoned(err *apierrors.StatusError, reason string) *apierrors.StatusError {
	if err.ErrStatus.Details == nil {
		err.ErrStatus.Details = &metav1.StatusDetails{}
	}
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: v1alpha1.CauseTypePulsarReason, Message: reason}}
	return err
}

func TestState(t *testing.T) {
	text := func(text string) *string { return &text }
	state := &v1alpha1.PulsarState{
		TypeMeta: metav1.TypeMeta{Kind: "PulsarState", APIVersion: "admin.functionmesh.io/v1alpha1"},
		Spec:     v1alpha1.PulsarStateSpec{Key: "a/b", StringValue: text(""), Version: new(int64)},
	}
	const path = testPath + "/state/a%2Fb"
	for _, resource := range []string{"pulsarfunctions", "pulsarsinks"} {
		server := &stateServer{resource: resource, answer: state}
		handler := newTestHandler(t, server.ServeHTTP, nil)
		got := serve(handler, http.MethodGet, path, nil)
		if want := `{"key":"a/b","stringValue":"","version":0}`; got.Code != http.StatusOK || got.Body.String() != want || server.key != "a/b" {
			t.Errorf("of %s: %d %s, asked for %q", resource, got.Code, got.Body, server.key)
		}
		got = postState(handler, path, partOf("state", `{"key":"a/b","byteValue":"/wAB","version":9}`))
		if got.Code != http.StatusNoContent || !strings.Contains(server.put, `"byteValue":"/wAB"`) || !strings.Contains(server.put, `"uid":"u-1"`) {
			t.Errorf("of %s: %d %s, put %s", resource, got.Code, got.Body, server.put)
		}
	}
	for what, test := range map[string]struct {
		answer error
		code   int
		reason string
	}{
		"no such key": {reasoned(apierrors.NewNotFound(testResource, "f"), "key 'a/b' doesn't exist."), 404, "key 'a/b' doesn't exist."},
		"no store":    {reasoned(apierrors.NewServiceUnavailable("it keeps none"), "State storage"), 503, "State storage"},
		"a counter":   {reasoned(apierrors.NewBadRequest("x"), "it is a counter"), 400, "it is a counter"},
		"too large":   {apierrors.NewRequestEntityTooLargeError("it is too large"), 413, "Request entity too large: it is too large"},
		"forbidden":   {forbidden, 401, "Client is not authorized to perform operation"},
	} {
		handler := newTestHandler(t, (&stateServer{resource: "pulsarfunctions", answer: test.answer}).ServeHTTP, nil)
		expectAnswer(t, what, serve(handler, http.MethodGet, path, nil), test.code, test.reason)
		expectAnswer(t, what, postState(handler, path, partOf("state", `{"key":"a/b"}`)), test.code, test.reason)
	}
	none := newTestHandler(t, (&stateServer{resource: "pulsarconnectors"}).ServeHTTP, nil)
	expectAnswer(t, "of nothing", serve(none, http.MethodGet, path, nil), 404, "'f' is not found")
}

// TestStateOfNewSink proves that a sink is found by its label, too: one that was made a
// moment ago by a tool has a name that nothing else tells.
func TestStateOfNewSink(t *testing.T) {
	handler := newTestHandler(t, func(writer http.ResponseWriter, request *http.Request) {
		answer := func(code int, value any) {
			writer.Header().Set("Content-Type", "application/json")
			writeJSON(writer, httptest.NewRequest(http.MethodGet, "/", nil), code, value)
		}
		items := []any{}
		switch {
		case strings.HasSuffix(request.URL.Path, "/pulsarsinks/own-name/state"):
			answer(http.StatusOK, &v1alpha1.PulsarState{
				TypeMeta: metav1.TypeMeta{Kind: "PulsarState", APIVersion: "admin.functionmesh.io/v1alpha1"}, Spec: v1alpha1.PulsarStateSpec{Key: "k"},
			})
		case !request.URL.Query().Has("labelSelector"):
			answer(http.StatusNotFound, notFound.Status())
		default:
			if strings.HasSuffix(request.URL.Path, "/pulsarsinks") {
				items = append(items, map[string]any{
					"metadata": map[string]any{"name": "own-name", "namespace": "pulsar", "uid": "u-1"},
					"spec":     map[string]any{"tenant": "t", "namespace": "n", "name": "f"},
				})
			}
			kind := map[bool]string{true: "PulsarSinkList", false: "PulsarFunctionList"}[len(items) > 0]
			answer(http.StatusOK, map[string]any{"kind": kind, "apiVersion": "admin.functionmesh.io/v1alpha1", "metadata": map[string]any{}, "items": items})
		}
	}, nil)
	if got := serve(handler, http.MethodGet, testPath+"/state/k", nil); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestPutStateRefused proves that no body is read of who may not put.
func TestPutStateRefused(t *testing.T) {
	for what, test := range map[string]struct {
		answer *apierrors.StatusError
		code   int
	}{"forbidden": {forbidden, 401}, "not found": {notFound, 404}} {
		handler := newTestHandler(t, func(writer http.ResponseWriter, _ *http.Request) {
			writer.Header().Set("Content-Type", "application/json")
			writeJSON(writer, httptest.NewRequest(http.MethodGet, "/", nil), test.code, test.answer.Status())
		}, nil)
		request := httptest.NewRequest(http.MethodPost, testPath+"/state/k", unreadable{t})
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != test.code {
			t.Errorf("%s: %d %s", what, recorder.Code, recorder.Body)
		}
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// TestPutLargeText proves that the largest text fits into a request to the API server,
// whatever its characters are.
func TestPutLargeText(t *testing.T) {
	server := &stateServer{resource: "pulsarfunctions", answer: &v1alpha1.PulsarState{
		TypeMeta: metav1.TypeMeta{Kind: "PulsarState", APIVersion: "admin.functionmesh.io/v1alpha1"},
	}}
	handler := newTestHandler(t, server.ServeHTTP, nil)
	for _, character := range []string{"<", `\u003c`} {
		got := postState(handler, testPath+"/state/k", partOf("state", `{"key":"k","stringValue":"`+strings.Repeat(character, 1_000_000)+`"}`))
		if got.Code != http.StatusNoContent || len(server.put) > 1_400_000 || !strings.Contains(server.put, `"byteValue":"PDw8`) {
			t.Errorf("%s: %d %s, %d bytes were put", character, got.Code, got.Body, len(server.put))
		}
	}
}

// TestPutStateSlots proves that only so many states are held at once.
func TestPutStateSlots(t *testing.T) {
	handler := newTestHandler(t, (&stateServer{resource: "pulsarfunctions", answer: notFound}).ServeHTTP, nil)
	const path = testPath + "/state/k"
	var writers []*io.PipeWriter
	ended := make(chan struct{})
	for range maxStates / 2 {
		reader, writer := io.Pipe()
		writers = append(writers, writer)
		request := httptest.NewRequest(http.MethodPost, path, reader)
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		go func() {
			handler.ServeHTTP(httptest.NewRecorder(), request)
			ended <- struct{}{}
		}()
		// Who reads has a slot.
		if _, err := io.WriteString(writer, "--"); err != nil {
			t.Error(err)
		}
	}
	expectAnswer(t, "one too many", postState(handler, path, partOf("state", `{"key":"k"}`)), 429,
		"Too many states are put at once. Please try again in a little while.")
	for _, writer := range writers {
		writer.Close()
		<-ended
	}
	if got := postState(handler, path, partOf("state", `{}`)); got.Code != http.StatusBadRequest {
		t.Errorf("afterwards: %d %s", got.Code, got.Body)
	}
}

func TestPutStateForms(t *testing.T) {
	handler := newTestHandler(t, (&stateServer{resource: "pulsarfunctions", answer: notFound}).ServeHTTP, nil)
	const path = testPath + "/state/k"
	for what, test := range map[string]struct {
		part   [2]string
		code   int
		reason string
	}{
		"another key":   {partOf("state", `{"key":"other"}`), 400, reasonKeysDiffer},
		"no key":        {partOf("state", `{}`), 400, reasonKeysDiffer},
		"null":          {partOf("state", `null`), 400, "The state is not provided"},
		"no state":      {partOf("other", `{"key":"k"}`), 400, "The state is not provided"},
		"no JSON":       {[2]string{`Content-Disposition: form-data; name="state"`, `{"key":"k"}`}, 400, "The state is not provided"},
		"not an object": {partOf("state", `[]`), 400, "The state is not a JSON object"},
		"bad bytes":     {partOf("state", `{"key":"k","byteValue":"!"}`), 400, "byteValue must be bytes in base64"},
		"bad number":    {partOf("state", `{"key":"k","numberValue":"x"}`), 400, "numberValue must be a whole number from -9223372036854775808 to 9223372036854775807"},
		"too large":     {partOf("state", `"`+strings.Repeat("x", maxStateBytes)+`"`), 413, `Part "state" is larger than 6356992 bytes`},
		"not UTF-8":     {partOf("state", "{\"key\":\"k\",\"stringValue\":\"\xff\"}"), 400, "The state is not valid JSON: it is not UTF-8"},
	} {
		expectAnswer(t, what, postState(handler, path, test.part), test.code, test.reason)
	}
	expectAnswer(t, "no form", serve(handler, http.MethodPost, path, nil), 415, "Content-Type must be multipart/form-data with a boundary")
}

func postState(handler http.Handler, path string, part [2]string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body(part)))
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}
