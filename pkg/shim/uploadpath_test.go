package shim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// asked is what a server was asked for, each with its method.
type asked struct {
	lock  sync.Mutex
	calls []string
}

// by records what a handler is asked for.
func (a *asked) by(handler http.HandlerFunc) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		a.lock.Lock()
		a.calls = append(a.calls, request.Method+" "+request.URL.Path)
		a.lock.Unlock()
		handler(writer, request)
	}
}

// knows is an API server that refuses what isn't among the resources that the caller may
// use, and says of all else that it is package location of an object.
func knows(t *testing.T, mayUse string, object v1alpha1.Component, location string) http.HandlerFunc {
	server := newAnswers(t, nil)
	return func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Set("Content-Type", "application/json")
		switch {
		case mayUse == "" || !strings.Contains(request.URL.Path, "/"+mayUse+"/"):
			server.answer(writer, forbidden)
		case strings.HasSuffix(request.URL.Path, "/package"):
			answer := v1alpha1.PulsarPackage{Location: location}
			answer.APIVersion, answer.Kind = v1alpha1.SchemeGroupVersion.String(), "PulsarPackage"
			if object != nil {
				answer.UID = object.GetUID()
			}
			_ = json.NewEncoder(writer).Encode(answer)
		default:
			server.answer(writer, object)
		}
	}
}

// newContentHandler returns the shim's handler between an API server and a package
// service.
func newContentHandler(t *testing.T, apiServer, packageService http.HandlerFunc) http.Handler {
	t.Helper()
	service := httptest.NewServer(packageService)
	t.Cleanup(service.Close)
	return newTestHandler(t, apiServer, func(options *Options) { options.PackageServiceURL = service.URL })
}

// TestUploadToPathAsks asks for rights before it takes a file, or where the path comes
// after that, before it takes anything from whom nobody knows.
func TestUploadToPathAsks(t *testing.T) {
	path, file := partOf(partPath, "sink://t/n/f@v1"), partOf(partData, "content")
	const root = "GET /apis/admin.functionmesh.io/v1alpha1"
	right := "POST /apis/admin.functionmesh.io/v1alpha1/namespaces/pulsar/pulsarsinks/" + testName.ObjectName() + "/package"
	unknown := func(writer http.ResponseWriter, _ *http.Request) {
		newAnswers(t, nil).answer(writer, apierrors.NewUnauthorized("no"))
	}
	for name, test := range map[string]struct {
		apiServer http.HandlerFunc
		parts     [][2]string
		code      int
		asked     []string
		stored    bool
	}{
		"the path first":             {knows(t, "pulsarsinks", nil, ""), [][2]string{path, file}, 204, []string{right, root, right}, true},
		"the file first":             {knows(t, "pulsarsinks", nil, ""), [][2]string{file, path}, 204, []string{root, right}, true},
		"no right, the path first":   {knows(t, "pulsarfunctions", nil, ""), [][2]string{path, file}, 401, []string{right}, false},
		"no right, the file first":   {knows(t, "pulsarfunctions", nil, ""), [][2]string{file, path}, 401, []string{root, right}, false},
		"nobody, the path first":     {unknown, [][2]string{path, file}, 401, []string{right}, false},
		"nobody, the file first":     {unknown, [][2]string{file, path}, 401, []string{root}, false},
		"nobody, and no path at all": {unknown, [][2]string{file}, 401, []string{root}, false},
		"nobody, and no file at all": {unknown, [][2]string{path}, 401, []string{right}, false},
		"no path at all":             {knows(t, "pulsarsinks", nil, ""), [][2]string{file}, 400, []string{root}, false},
		"no file at all":             {knows(t, "pulsarsinks", nil, ""), [][2]string{path}, 400, []string{right}, false},
	} {
		var apiServer, service asked
		handler := newContentHandler(t, apiServer.by(test.apiServer), service.by(func(writer http.ResponseWriter, request *http.Request) {
			_, _ = io.Copy(io.Discard, request.Body)
			if request.Method == http.MethodGet {
				writer.WriteHeader(http.StatusNotFound)
			}
		}))
		request := httptest.NewRequest(http.MethodPost, functionsPath+"/upload", strings.NewReader(body(test.parts...)))
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != test.code {
			t.Errorf("%s: got %d %s", name, answer.Code, answer.Body)
		}
		if !slices.Equal(apiServer.calls, test.asked) {
			t.Errorf("%s: the API server was asked %q", name, apiServer.calls)
		}
		if stored := slices.Contains(service.calls, "POST /admin/v3/packages/sink/t/n/f/v1"); stored != test.stored || !stored && len(service.calls) > 0 {
			t.Errorf("%s: the package service was asked %q", name, service.calls)
		}
	}
}

// TestUploadToPathTells tells the API server which package it is that gets other content,
// so that it can refuse that for what runs it already.
func TestUploadToPathTells(t *testing.T) {
	for path, want := range map[string]string{"t/n/f": "function://t/n/f@latest", "sink://t/n/f@v1": "sink://t/n/f@v1"} {
		var told []string
		handler := newContentHandler(t, func(writer http.ResponseWriter, request *http.Request) {
			var action v1alpha1.PulsarAction
			if request.Method == http.MethodPost && json.NewDecoder(request.Body).Decode(&action) == nil {
				told = append(told, action.Package)
			}
			newAnswers(t, nil).answer(writer, forbidden)
		}, func(http.ResponseWriter, *http.Request) { t.Error("the package service is asked") })
		request := httptest.NewRequest(http.MethodPost, functionsPath+"/upload", strings.NewReader(body(partOf(partPath, path), partOf(partData, "content"))))
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		answer := httptest.NewRecorder()
		if handler.ServeHTTP(answer, request); answer.Code != http.StatusUnauthorized || !slices.Equal(told, []string{want}) {
			t.Errorf("%s: the API server is told %q, and the answer is %d %s", path, told, answer.Code, answer.Body)
		}
	}
}

// lookupAt returns a lookup at an API server where one Kubernetes namespace serves
// everything.
func lookupAt(t *testing.T, apiServer http.HandlerFunc) *lookup {
	t.Helper()
	server := httptest.NewServer(apiServer)
	t.Cleanup(server.Close)
	client, err := versioned.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return &lookup{kinds: newKinds(client.AdminV1alpha1()), places: fixedPlaces{"pulsar"}}
}

// TestPlacesOfContent has callers invent tenants: they count as one.
func TestPlacesOfContent(t *testing.T) {
	l := lookupAt(t, knows(t, "pulsarfunctions", nil, ""))
	for _, path := range []string{"t/n/f", "invented/x/f"} {
		location, place, err := l.mayUploadTo(t.Context(), path)
		if err != nil || place != "pulsar" {
			t.Errorf("an upload to %s counts for %q, %v", path, place, err)
		}
		if place, err = l.mayDownload(t.Context(), location); err != nil || place != "pulsar" {
			t.Errorf("a download of %s counts for %q, %v", path, place, err)
		}
	}
	var counted []string
	form := &pathForm{
		may: func(path string) (identity.PackageURL, string, error) {
			return identity.PackageURL{}, "place", map[string]error{"refused": errors.New("refused")}[path]
		},
		takeFile: func(_ io.Reader, place string) (*upload, error) {
			counted = append(counted, place)
			return nil, nil
		},
	}
	for _, parts := range [][][2]string{
		{partOf(partPath, "x"), partOf(partData, "x")}, {partOf(partData, "x"), partOf(partPath, "x")}, {partOf(partPath, "refused"), partOf(partData, "x")},
	} {
		form.path = nil
		request := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body(parts...)))
		request.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		if err := readParts(request, formLimits{config: 100, parts: maxParts}, form.take); (err != nil) != (parts[0][1] == "refused") {
			t.Error(err)
		}
	}
	if want := []string{"place", ""}; !slices.Equal(counted, want) {
		t.Errorf("the files count for %q", counted)
	}
}

// TestReplacesAt says what an upload to a path takes the place of.
func TestReplacesAt(t *testing.T) {
	mine, other := digestOf([]byte("mine")), digestOf([]byte("other"))
	upload := &upload{digest: mine}
	for _, test := range []struct {
		version, by, digest string
		want                bool
	}{
		{"latest", pathManager, mine, true},
		{"latest", pathManager, other, true},
		{"latest", packageservice.Manager, other, false},
		{"latest", "somebody", mine, false},
		{"v1", pathManager, mine, true},
		{"v1", pathManager, other, false},
		{"v1", packageservice.Manager, mine, false},
		{packageservice.VersionOf(mine), pathManager, mine, true},
		{packageservice.VersionOf(mine), packageservice.Manager, mine, true},
		{packageservice.VersionOf(mine), packageservice.Manager, other, false},
		{packageservice.VersionOf(mine), "somebody", mine, false},
	} {
		metadata := packageservice.Metadata{Properties: map[string]string{packageservice.PropertyManager: test.by, packageservice.PropertyDigest: test.digest}}
		if got := upload.replacesAt(identity.PackageURL{Version: test.version})(metadata); got != test.want {
			t.Errorf("%+v: got %t", test, got)
		}
	}
}

// TestDownloadAsks has callers who aren't known, or may read one kind alone, download.
func TestDownloadAsks(t *testing.T) {
	sink := &v1alpha1.PulsarSink{}
	sink.Namespace, sink.Name, sink.UID, sink.ResourceVersion = "pulsar", testName.ObjectName(), "u", "1"
	sink.Spec.Tenant, sink.Spec.Namespace, sink.Spec.Name = testName.Tenant, testName.Namespace, testName.Name
	const location = "sink://t/n/f@v1"
	service := func(writer http.ResponseWriter, request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/metadata") {
			_, _ = io.WriteString(writer, "{}")
			return
		}
		_, _ = io.WriteString(writer, "content")
	}
	for name, test := range map[string]struct {
		mayUse, path string
		code         int
		want         string
	}{
		"a sink, with sinks alone":               {"pulsarsinks", testPath + downloadPath, 200, "content"},
		"a sink's package, with sinks alone":     {"pulsarsinks", functionsPath + downloadPath + "?path=" + url.QueryEscape(location), 200, "content"},
		"a function's, with sinks alone":         {"pulsarsinks", functionsPath + downloadPath + "?path=t/n/f", 401, reasonUnauthorized},
		"a sink, with sources alone":             {"pulsarsources", testPath + downloadPath, 401, reasonUnauthorized},
		"a sink, with no right":                  {"", testPath + downloadPath, 401, reasonUnauthorized},
		"a sink's package, with functions alone": {"pulsarfunctions", functionsPath + downloadPath + "?path=" + url.QueryEscape(location), 401, reasonUnauthorized},
	} {
		apiServer := knows(t, test.mayUse, sink, location)
		if test.mayUse == "pulsarsources" {
			apiServer = newAnswers(t, map[string][]any{"GET": {forbidden}}).ServeHTTP
		}
		answer := serve(newContentHandler(t, apiServer, service), http.MethodGet, test.path, nil)
		if answer.Code != test.code || !strings.Contains(answer.Body.String(), test.want) {
			t.Errorf("%s: got %d %s", name, answer.Code, answer.Body)
		}
	}
	// Of what nobody serves there is nothing to ask for but who asks.
	for code, refused := range map[int]any{http.StatusUnauthorized: apierrors.NewUnauthorized("no"), http.StatusServiceUnavailable: apierrors.NewServiceUnavailable("no")} {
		handler := newTestHandlerAt(t, claimedPlaces{}, func(writer http.ResponseWriter, _ *http.Request) { newAnswers(t, nil).answer(writer, refused) })
		if answer := serve(handler, http.MethodGet, functionsPath+downloadPath+"?path=t/n/f", nil); answer.Code != code {
			t.Errorf("an API server that says %d: got %d %s", code, answer.Code, answer.Body)
		}
	}
}
