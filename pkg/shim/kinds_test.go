package shim

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// directory answers with what it has under a path, and 404 otherwise. Paths begin
// behind the Kubernetes namespace, or behind the version. It stands for no API server:
// it only answers.
type directory struct {
	t *testing.T
	// by is keyed by method and path; a value is an object or a list, or an
	// *apierrors.StatusError.
	by   map[string]any
	lock sync.Mutex
	// calls are the keys in the order in which they were asked for.
	calls []string
}

func (d *directory) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	d.lock.Lock()
	defer d.lock.Unlock()
	_, path, _ := strings.Cut(request.URL.Path, "/v1alpha1")
	key := request.Method + " " + strings.TrimPrefix(strings.TrimPrefix(path, "/namespaces/pulsar"), "/")
	if request.URL.Query().Get("labelSelector") != "" {
		key += "?label"
	}
	d.calls = append(d.calls, key)
	answer, known := d.by[key]
	if !known {
		answer = apierrors.NewNotFound(v1alpha1.Resource("things"), path)
	}
	if refused, isError := answer.(*apierrors.StatusError); isError {
		status := refused.Status()
		status.Kind, status.APIVersion, status.Status = "Status", "v1", metav1.StatusFailure
		writeJSON(writer, mustRequest(d.t), int(status.Code), status)
		return
	}
	writeJSON(writer, mustRequest(d.t), http.StatusOK, answer)
}

func (d *directory) handler(t *testing.T, change func(*Options)) http.Handler {
	t.Helper()
	d.t = t
	return newTestHandler(t, d.ServeHTTP, change)
}

// objectOf returns an object of a kind with the test's identity, as JSON has it.
func objectOf(kind v1alpha1.ComponentKind, name string) map[string]any {
	return map[string]any{
		"kind": kind.Kind, "apiVersion": "admin.functionmesh.io/v1alpha1",
		"metadata": map[string]any{"name": name, "uid": "u", "resourceVersion": "1"},
		"spec":     map[string]any{"tenant": "t", "namespace": "n", "name": "f", "className": "a.B", "inputs": []string{"in"}},
		"status":   map[string]any{"replicas": 2},
	}
}

func listOf(kind string, items ...map[string]any) map[string]any {
	return map[string]any{"kind": kind + "List", "apiVersion": "admin.functionmesh.io/v1alpha1", "metadata": map[string]any{}, "items": items}
}

func sendTo(handler http.Handler, method, path string, parts ...[2]string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body(parts...)))
	request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

// The kinds share one name space: what has the name as another kind is in the way of a
// create, and isn't there for everything else.
func TestKindsShareOneNameSpace(t *testing.T) {
	object := testName.ObjectName()
	has := map[string]any{
		"GET pulsarfunctions/" + object: objectOf(v1alpha1.FunctionKind, object),
		"POST pulsarsinks":              objectOf(v1alpha1.SinkKind, object),
		"GET pulsarsinks?label":         listOf("PulsarSink"),
		"GET pulsarsources?label":       listOf("PulsarSource"),
		"PATCH pulsarsinks/" + object:   apierrors.NewNotFound(v1alpha1.Resource("pulsarsinks"), object),
		"GET pulsarsources/" + object:   forbidden,
	}
	for _, path := range []string{sinksPath + "/t/n/f", "/admin/v3/sink/t/n/f"} {
		config := partOf("sinkConfig", `{"inputs":["in"],"archive":"sink://t/n/p@1"}`)
		handler := (&directory{by: has}).handler(t, nil)
		expectAnswer(t, "create", sendTo(handler, "POST", path, config), 400, "Sink f already exists")
		expectAnswer(t, "update", sendTo(handler, "PUT", path, config), 404, "Sink f doesn't exist")
		expectAnswer(t, "get", sendTo(handler, "GET", path), 404, "Sink f doesn't exist")
		expectAnswer(t, "delete", sendTo(handler, "DELETE", path), 404, "Sink f doesn't exist")
		expectAnswer(t, "no config", sendTo(handler, "POST", path, partOf("functionConfig", "{}")), 400, "Sink config is not provided")
		upload := sendTo(handler, "PUT", functionsPath+"/t/n/f", partOf("functionConfig", "{}"), partOf("data", "x"))
		if reason := reasonIn(t, upload); !strings.Contains(reason, "with a function") {
			t.Errorf("got %q", reason)
		}
	}
	// Nothing of the name, and no right to see other kinds: it is created.
	delete(has, "GET pulsarfunctions/"+object)
	has["GET pulsarfunctions/"+object] = forbidden
	handler := (&directory{by: has}).handler(t, nil)
	expectAnswer(t, "create", sendTo(handler, "POST", sinksPath+"/t/n/f", partOf("sinkConfig", `{"inputs":["in"]}`)), 204, "")
	expectAnswer(t, "update", sendTo(handler, "PUT", sinksPath+"/t/n/f", partOf("sinkConfig", `{}`)), 400, "Sink f doesn't exist")
}

func TestKindsAreFoundAlike(t *testing.T) {
	object := testName.ObjectName()
	for _, kind := range testKinds() {
		server := &directory{by: map[string]any{
			"GET " + kind.Resource + "/" + object:    objectOf(kind.ComponentKind, object),
			"PATCH " + kind.Resource + "/" + object:  objectOf(kind.ComponentKind, object),
			"DELETE " + kind.Resource + "/" + object: objectOf(kind.ComponentKind, object),
			"GET " + kind.Resource:                   listOf(kind.Kind, objectOf(kind.ComponentKind, object)),
		}}
		handler := server.handler(t, shortly)
		for _, root := range kind.roots {
			get := sendTo(handler, "GET", root+"/t/n/f")
			if get.Code != 200 || !strings.Contains(get.Body.String(), `"className":"a.B"`) {
				t.Errorf("%s: got %d %s", root, get.Code, get.Body)
			}
			if list := sendTo(handler, "GET", root+"/t/n"); list.Code != 200 || list.Body.String() != `["f"]` {
				t.Errorf("%s: got %d %s", root, list.Code, list.Body)
			}
			expectAnswer(t, root, sendTo(handler, "PUT", root+"/t/n/f", partOf(kind.configPart(), `{"parallelism":3}`)), 204, "")
			expectAnswer(t, root, sendTo(handler, "PUT", root+"/t/n/f", partOf(kind.configPart(), `{"processingGuarantees":"MANUAL"}`)), 400, "Processing Guarantees cannot be altered")
		}
		expectAnswer(t, "delete", sendTo(handler, "DELETE", kind.roots[0]+"/t/n/f"), 204, "")
		if !slices.Contains(server.calls, "DELETE "+kind.Resource+"/"+object) {
			t.Errorf("the calls were %q", server.calls)
		}
	}
}
