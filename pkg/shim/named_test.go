package shim

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// newFetcher returns uploads of a package service that only answers, by version.
func newFetcher(t *testing.T) *uploads {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch version := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]; version {
		case "there":
			_, _ = io.WriteString(writer, "0123456789")
		case "large":
			_, _ = io.WriteString(writer, "0123456789a")
		case "empty":
		case "cut":
			writer.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(writer, "0123")
		case "hangs":
			<-request.Context().Done()
		case "missing":
			writer.WriteHeader(http.StatusNotFound)
		case "forbidden":
			writer.WriteHeader(http.StatusForbidden)
		default:
			writer.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	client, err := packageservice.NewClient(server.URL, pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	return newUploads(&packages{service: client}, 10)
}

// What isn't there is refused as by Pulsar; what can't be had keeps nobody from creating a
// component.
func TestFetch(t *testing.T) {
	uploads := newFetcher(t)
	for version, want := range map[string]struct {
		fetched bool
		code    int
	}{
		"there": {true, 0}, "missing": {false, http.StatusBadRequest}, "empty": {false, http.StatusBadRequest},
		"large": {false, 0}, "cut": {false, 0}, "forbidden": {false, 0}, "failing": {false, 0},
	} {
		location := identity.PackageURL{Type: "sink", Tenant: "a", Namespace: "b", Name: "c", Version: version}
		// A slot that isn't freed would be missing in the end.
		for range maxUploads {
			fetched, err := uploads.fetch(t.Context(), location, "t")
			if (fetched != nil) != want.fetched || codeOf(err) != want.code || (err != nil) != (want.code != 0) {
				t.Fatalf("%s: got %+v, %v", version, fetched, err)
			}
			if version == "missing" && err.Error() != packageservice.MissingReason {
				t.Errorf("a missing package is refused with %v", err)
			}
			if fetched != nil {
				fetched.Close()
			}
		}
	}
	for range maxUploads / 2 {
		uploads.slots.Enter("t")
	}
	there := identity.PackageURL{Type: "sink", Tenant: "a", Namespace: "b", Name: "c", Version: "there"}
	if fetched, err := uploads.fetch(t.Context(), there, "t"); fetched != nil || err != nil {
		t.Errorf("without a slot: %+v, %v", fetched, err)
	}
}

// What takes too long leaves time for the rest of the request, and what others' files take
// is nobody else's failure.
func TestCompleteNamedInTime(t *testing.T) {
	c := &components{uploads: newFetcher(t)}
	c.uploads.inspecting <- struct{}{}
	for _, version := range []string{"hangs", "there"} {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		function := liveFunction()
		function.Spec.Package = &v1alpha1.Package{Location: "function://a/b/c@" + version}
		form := &form{}
		looked, err := c.completeNamed(ctx, form, function, nil)
		if looked || err != nil || ctx.Err() != nil {
			t.Errorf("%s: %t, %v, %v", version, looked, err, ctx.Err())
		}
		if form.closeNamed(); c.uploads.slots.Taken() != 0 {
			t.Errorf("%s: a slot isn't freed", version)
		}
	}
	// What can't run is refused.
	<-c.uploads.inspecting
	function := liveFunction()
	function.Spec.Package = &v1alpha1.Package{Location: "function://a/b/c@there"}
	if looked, err := c.completeNamed(t.Context(), &form{}, function, nil); !looked || codeOf(err) != http.StatusBadRequest {
		t.Errorf("no archive: %t, %v", looked, err)
	}
}

// An update to a package that can't be looked into forgets what the old file was called,
// and says that types may be other ones.
func TestUpdateToForbiddenPackage(t *testing.T) {
	before := liveFunction()
	before.Spec.ClassName, before.Spec.InputTypeClassName = "A", "java.lang.String"
	before.Spec.Package = &v1alpha1.Package{Location: "function://a/b/c@there", FileName: "old.jar"}
	server := newAnswers(t, map[string][]any{"PATCH dry": {before}, "PATCH": {before}})
	api := httptest.NewServer(server)
	t.Cleanup(api.Close)
	client, err := versioned.NewForConfig(&rest.Config{Host: api.URL})
	if err != nil {
		t.Fatal(err)
	}
	c := &components{kind: newKinds(client.AdminV1alpha1())[0], uploads: newFetcher(t), budget: newBudget(1 << 20)}
	for config, warned := range map[string]bool{
		`{"jar":"function://a/b/c@forbidden"}`: true, `{"parallelism":2}`: false,
	} {
		ctx := caller.NewContext(t.Context(), "1", caller.Credential{})
		form := &form{kind: c.kind, config: []byte(config)}
		if err := c.tryUpdate(ctx, before.DeepCopy(), testName, form, ""); err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		if got := len(caller.FromContext(ctx).Warnings()); (got == 1) != warned {
			t.Errorf("%s: %d warnings", config, got)
		}
		if got := strings.Contains(server.bodies["PATCH"], `"fileName":null`); got != warned {
			t.Errorf("%s: sent %s", config, server.bodies["PATCH"])
		}
	}
}

func TestLooksInto(t *testing.T) {
	function := func(location, class string) *v1alpha1.PulsarFunction {
		made := &v1alpha1.PulsarFunction{}
		made.Spec.ClassName, made.Spec.Package = class, &v1alpha1.Package{Location: location}
		return made
	}
	const url = "function://a/b/c@v1"
	generic, elsewhere := function(url, "A"), function(url, "A")
	generic.Spec.Generic = &v1alpha1.GenericRuntime{Language: "nodejs"}
	elsewhere.Spec.PackageService = &v1alpha1.PackageService{ConfigMapName: "other"}
	c := &components{uploads: newUploads(nil, 10)}
	for name, test := range map[string]struct {
		object, before v1alpha1.Component
		want           bool
	}{
		"new":             {function(url, "A"), nil, true},
		"the same":        {function(url, "A"), function(url, "A"), false},
		"another class":   {function(url, "B"), function(url, "A"), true},
		"another package": {function(url, "A"), function(url+"2", "A"), true},
		"http":            {function("https://example.org/a.jar", "A"), nil, false},
		"built in":        {function("builtin://a", "A"), nil, false},
		"none":            {&v1alpha1.PulsarFunction{}, nil, false},
		"generic":         {generic, nil, false},
		"elsewhere":       {elsewhere, nil, false},
	} {
		if got := c.looksInto(test.object, test.before); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if (&components{}).looksInto(function(url, "A"), nil) {
		t.Error("a package is looked for where there is no package service")
	}
}
