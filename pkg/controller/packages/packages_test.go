package packages

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// service answers as a package service may, by the path after the type of package, and
// counts how often it is asked. It stands for no Pulsar: it only answers.
type service struct {
	answers map[string]string
	code    int
	asked   atomic.Int32
	server  *httptest.Server
}

func newResolver(t *testing.T, answers map[string]string) (*Resolver, *service, *clocktesting.FakeClock) {
	t.Helper()
	s := &service{answers: answers, code: http.StatusOK}
	s.server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		s.asked.Add(1)
		answer, found := s.answers[strings.TrimPrefix(request.URL.EscapedPath(), "/admin/v3/packages/function/")]
		switch {
		case s.code != http.StatusOK:
			writer.WriteHeader(s.code)
		case !found:
			writer.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(writer, answer)
	}))
	t.Cleanup(s.server.Close)
	client, err := packageservice.NewClient(s.server.URL, pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	namespaces := informers.NewSharedInformerFactory(fake.NewClientset(), 0).Core().V1().Namespaces().Informer()
	if err := namespaces.GetStore().Add(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: "other", Annotations: map[string]string{tenancy.Annotation: "acme/orders"},
	}}); err != nil {
		t.Fatal(err)
	}
	claims, err := tenancy.NewIndex(namespaces, "here")
	if err != nil {
		t.Fatal(err)
	}
	clock := clocktesting.NewFakeClock(time.Unix(1_800_000_000, 0))
	return New(Config{Clock: clock, Services: map[string]*packageservice.Client{"pulsar-config": client}, Claims: claims, Interval: 5 * time.Minute}), s, clock
}

func object(location string) *component.Component {
	return &component.Component{
		ObjectMeta: metav1.ObjectMeta{Namespace: "here", Name: "f"},
		Package:    &component.Package{Location: location, ConfigMap: "pulsar-config"},
	}
}

// askFor has an object's package asked for, if somebody is to be asked.
func (r *Resolver) askFor(t *testing.T, object *component.Component) (*status.Package, time.Duration) {
	t.Helper()
	return r.askSince(t, object, time.Time{})
}

// askSince is askFor when an instance started then.
func (r *Resolver) askSince(t *testing.T, object *component.Component, started time.Time) (*status.Package, time.Duration) {
	t.Helper()
	again := time.Duration(0)
	if service, settled := r.subject(object); settled == nil {
		_, again = r.ask(t.Context(), service, *object.Package, started)
	}
	return r.Known(object), again
}

func TestResolve(t *testing.T) {
	const at = "2026-01-02T03:04:05Z"
	program := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xb7\x00" + strings.Repeat("\x00", 100)
	const metadata = `{"modificationTime":1767323045678}`
	r, asked, _ := newResolver(t, map[string]string{
		"a/b/plain/latest/metadata": metadata, "a/b/plain/latest": "text",
		"a/b/told/v1/metadata": `{"modificationTime":1767323045678,"properties":{"sha256":"` + digest + `"}}`, "a/b/told/v1": "text",
		"a/b/lies/v1/metadata": `{"modificationTime":1767323045678,"properties":{"sha256":"../../etc/passwd"}}`, "a/b/lies/v1": "text",
		"a/b/anew/v1/metadata": `{"createTime":1767323045678,"modificationTime":1777323045678}`, "a/b/anew/v1": "text",
		"a/b/n/sha256-" + digest + "/metadata": metadata, "a/b/n/sha256-" + digest: "text",
		"a/b/empty/v1/metadata": metadata, "a/b/empty/v1": "",
		"a/b/go/v1/metadata": metadata, "a/b/go/v1": program,
		"a/b/script/v1/metadata": metadata, "a/b/script/v1": "#!/bin/sh",
		"a/b/half/v1/metadata": metadata,
	})
	for location, want := range map[string]string{
		"function://a/b/plain":                 "Resolved function://a/b/plain@latest " + at,
		"function://a/b/told@v1":               "Resolved function://a/b/told@v1 " + at + " " + digest,
		"function://a/b/lies@v1":               "Resolved function://a/b/lies@v1 " + at,
		"function://a/b/n@sha256-" + digest:    "Resolved function://a/b/n@sha256-" + digest + " " + at + " " + digest + " pinned",
		"function://a/b/gone@sha256-" + digest: "NotFound function://a/b/gone@sha256-" + digest + " " + digest + " pinned",
		"function://a/b/go@v1":                 "Resolved function://a/b/go@v1 " + at + " arm64",
		"function://a/b/script@v1":             "Unusable function://a/b/script@v1 " + at,
		"function://a/b/anew@v1":               "Resolved function://a/b/anew@v1 " + at + " stored then",
		"function://a/b/half@v1":               "NotFound function://a/b/half@v1",
		"function://a/b/empty@v1":              "NotFound function://a/b/empty@v1",
		"function://a/b":                       "Unusable function://a/b",
		"function://acme/orders/n":             "NotChecked function://acme/orders/n@latest",
	} {
		of := object(location)
		of.Package.Program = strings.Contains(location, "/go@") || strings.Contains(location, "/script@")
		before := asked.asked.Load()
		known, _ := r.askFor(t, of)
		got := known.Reason() + " " + known.Location
		if known.ModificationTime != nil {
			got += " " + known.ModificationTime.UTC().Format(time.RFC3339)
		}
		for _, text := range []string{known.Digest, known.Architecture} {
			if text != "" {
				got += " " + text
			}
		}
		if known.ModificationTime != nil && !known.Described {
			got += " stored then"
		}
		if known.Pinned {
			got += " pinned"
		}
		if got != want {
			t.Errorf("%s: got %s", location, got)
		}
		if known.Reason() == status.ReasonPackageNotChecked && asked.asked.Load() != before {
			t.Errorf("%s: the server's account looked into a namespace that this one doesn't serve", location)
		}
	}
	elsewhere := object("function://a/b/plain")
	elsewhere.Package.ConfigMap = "another"
	if known, _ := r.askFor(t, elsewhere); known.Reason() != status.ReasonPackageNotConfigured {
		t.Errorf("at another cluster: %+v", known)
	}
	if r.Known(&component.Component{}) != nil {
		t.Error("something is known of no package")
	}
}

// Many objects with the same package ask once, until it is time again.
func TestResolveOnce(t *testing.T) {
	r, asked, clock := newResolver(t, map[string]string{"a/b/c/latest/metadata": `{}`, "a/b/c/latest": "text"})
	of := object("function://a/b/c")
	if known := r.Known(of); !known.Pending || asked.asked.Load() != 0 {
		t.Errorf("before anybody asked: %+v", known)
	}
	for range 10 {
		if known, again := r.askFor(t, of); known.Reason() != status.ReasonPackageResolved || again != 5*time.Minute {
			t.Fatalf("got %+v, again in %s", known, again)
		}
	}
	// The content is looked for once, too.
	if got := asked.asked.Load(); got != 2 {
		t.Errorf("asked %d times", got)
	}
	clock.Step(5 * time.Minute)
	delete(asked.answers, "a/b/c/latest/metadata")
	if known, again := r.askFor(t, of); !known.Missing || again != time.Minute || asked.asked.Load() != 3 {
		t.Errorf("later: %+v, again in %s, asked %d times", known, again, asked.asked.Load())
	}
}

// What instances that start get is asked for soon, once for each start.
func TestAskAfterStart(t *testing.T) {
	r, asked, clock := newResolver(t, map[string]string{"a/b/c/latest/metadata": `{"createTime":1000}`, "a/b/c/latest": "text"})
	of := object("function://a/b/c")
	began := clock.Now()
	r.askFor(t, of)
	clock.Step(time.Second)
	// Not before the answer, by whatever clock.
	ahead := clock.Now().Add(time.Hour)
	for _, test := range []struct {
		step    time.Duration
		started time.Time
		again   time.Duration
		asked   int32
	}{
		{0, began, 5*time.Minute - time.Second, 2},
		{0, clock.Now(), soonest - time.Second, 2},
		{soonest, clock.Now(), 5 * time.Minute, 3},
		{time.Second, clock.Now(), 5*time.Minute - time.Second, 3},
		{soonest, ahead, 5 * time.Minute, 4},
		{soonest, ahead, 5*time.Minute - soonest, 4},
	} {
		clock.Step(test.step)
		if _, again := r.askSince(t, of, test.started); again != test.again || asked.asked.Load() != test.asked {
			t.Errorf("%+v: again in %s, asked %d times", test, again, asked.asked.Load())
		}
	}
}

// A program is read once for each content.
func TestLookInsideOnce(t *testing.T) {
	r, asked, clock := newResolver(t, map[string]string{"a/b/c/v1/metadata": `{"modificationTime":1000}`, "a/b/c/v1": "text"})
	of := object("function://a/b/c@v1")
	of.Package.Program = true
	for _, want := range []int32{2, 3, 5} {
		if known, _ := r.askFor(t, of); known.Reason() != status.ReasonPackageUnusable || asked.asked.Load() != want {
			t.Errorf("%+v after %d requests, not %d", known, asked.asked.Load(), want)
		}
		clock.Step(5 * time.Minute)
		if want == 3 {
			asked.answers["a/b/c/v1/metadata"] = `{"modificationTime":2000}`
		}
	}
}

func TestResolveFailures(t *testing.T) {
	r, asked, clock := newResolver(t, nil)
	for code, want := range map[int]string{
		http.StatusUnauthorized: status.ReasonPackageForbidden, http.StatusForbidden: status.ReasonPackageForbidden,
		http.StatusInternalServerError: status.ReasonPackageUnreachable, http.StatusServiceUnavailable: status.ReasonPackageUnreachable,
	} {
		asked.code = code
		before := asked.asked.Load()
		if known, again := r.askFor(t, object(fmt.Sprintf("function://a/b/c@%d", code))); known.Reason() != want || again != time.Minute || asked.asked.Load() == before {
			t.Errorf("%d: %+v, again in %s", code, known, again)
		}
	}
	// One that gives no answer is left alone for a while, whatever the package.
	asked.server.CloseClientConnections()
	url := asked.server.URL
	asked.server.Close()
	for i, want := range []time.Duration{time.Minute, downFor} {
		if known, again := r.askFor(t, object(fmt.Sprintf("function://a/b/d@%d", i))); known.Reason() != status.ReasonPackageUnreachable || again != want || strings.Contains(known.Why, url) {
			t.Errorf("%+v, again in %s", known, again)
		}
	}
	if r.downUntil("pulsar-config").IsZero() {
		t.Error("a service that gives no answer is asked again at once")
	}
	clock.Step(downFor)
	if !r.downUntil("pulsar-config").IsZero() {
		t.Error("a service that gave no answer is never asked again")
	}
}
