package pinning

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

// store keeps packages by their path, as far as these tests need. What it does is tested
// with a Pulsar in test/packages.
type store struct {
	lock     sync.Mutex
	contents map[string]string
	// stored is when the tag was, and moving has it stored anew with each look.
	stored int64
	moving bool
	// meant is the digest that is said to be the content's, and growing has more of the
	// content arrive with each look.
	meant     string
	growing   bool
	downloads int
}

func (s *store) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	path, isMetadata := strings.CutSuffix(strings.TrimPrefix(request.URL.Path, "/admin/v3/packages/"), "/metadata")
	content, found := s.contents[path]
	switch {
	case request.Method == http.MethodPost:
		if err := request.ParseMultipartForm(1 << 20); err != nil {
			writer.WriteHeader(http.StatusBadRequest)
			return
		}
		file, _, err := request.FormFile("file")
		if err != nil {
			writer.WriteHeader(http.StatusBadRequest)
			return
		}
		sent, _ := io.ReadAll(file) // What is missing is seen by who compares.
		s.contents[path] = string(sent)
		writer.WriteHeader(http.StatusNoContent)
	case !found:
		writer.WriteHeader(http.StatusNotFound)
	case isMetadata:
		fmt.Fprintf(writer, `{"modificationTime":%d,"properties":{"sha256":%q}}`, s.stored, s.meant)
		if s.moving {
			s.stored++
		}
	default:
		s.downloads++
		_, _ = io.WriteString(writer, content)
		if s.growing {
			s.contents[path] += "."
		}
	}
}

const helloDigest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func newPinner(t *testing.T) (*Pinner, *store, Subject) {
	t.Helper()
	kept := &store{contents: map[string]string{"function/a/b/c/v1": "hello"}, stored: 1}
	server := httptest.NewServer(kept)
	t.Cleanup(server.Close)
	client, err := packageservice.NewClient(server.URL, pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	pinner := New(map[string]*packageservice.Client{"pulsar": client}, func() string { return "here" }, 10)
	pinner.pause = time.Millisecond
	return pinner, kept, Subject{
		Place: "here", Cluster: "pulsar", Package: identity.PackageURL{Type: "function", Tenant: "a", Namespace: "b", Name: "c", Version: "v1"},
		Title: "Function", Of: identity.Name{Tenant: "a", Namespace: "b", Name: "f"},
	}
}

// Whoever wants a tag pinned gets the same name, and the package is read once.
func TestPinOnce(t *testing.T) {
	pinner, kept, subject := newPinner(t)
	want := "function://a/b/c@sha256-" + helloDigest
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() {
			if pinned, err := pinner.Pin(t.Context(), subject); err != nil || pinned.String() != want {
				t.Errorf("got %s, %v", pinned, err)
			}
		})
	}
	running.Wait()
	if kept.downloads != 1 || kept.contents["function/a/b/c/sha256-"+helloDigest] != "hello" {
		t.Errorf("%d downloads made %q", kept.downloads, kept.contents)
	}
	// What was removed is stored again, and another content gets another name.
	delete(kept.contents, "function/a/b/c/sha256-"+helloDigest)
	if _, err := pinner.Pin(t.Context(), subject); err != nil || kept.contents["function/a/b/c/sha256-"+helloDigest] != "hello" {
		t.Errorf("it isn't there again: %v", err)
	}
	kept.contents["function/a/b/c/v1"], kept.stored = "world", 2
	if pinned, err := pinner.Pin(t.Context(), subject); err != nil || pinned.String() == want {
		t.Errorf("another content became %s, %v", pinned, err)
	}
}

func TestPinRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*store, *Subject)
		want   error
	}{
		"missing":            {func(s *store, _ *Subject) { clear(s.contents) }, packageservice.ErrNotFound},
		"too large":          {func(s *store, _ *Subject) { s.contents["function/a/b/c/v1"] = "0123456789a" }, packageservice.ErrTooLarge},
		"empty":              {func(s *store, _ *Subject) { s.contents["function/a/b/c/v1"] = "" }, packageservice.ErrEmpty},
		"replaced meanwhile": {func(s *store, _ *Subject) { s.moving = true }, ErrChanged},
		"half of it":         {func(s *store, _ *Subject) { s.meant = strings.Repeat("ab", 32) }, ErrChanged},
		"still growing":      {func(s *store, _ *Subject) { s.growing, s.stored = true, time.Now().UnixMilli() }, ErrChanged},
		"unknown cluster":    {func(_ *store, subject *Subject) { subject.Cluster = "other" }, ErrUnknownCluster},
	} {
		pinner, kept, subject := newPinner(t)
		test.change(kept, &subject)
		if pinned, err := pinner.Pin(t.Context(), subject); !errors.Is(err, test.want) {
			t.Errorf("%s: got %s, %v", name, pinned, err)
		}
		if len(kept.contents) > 1 {
			t.Errorf("%s: something was stored: %q", name, kept.contents)
		}
	}
	// What is pinned isn't asked for.
	pinner, kept, subject := newPinner(t)
	clear(kept.contents)
	subject.Package.Version = packageservice.VersionOf(helloDigest)
	if pinned, err := pinner.Pin(t.Context(), subject); err != nil || pinned != subject.Package {
		t.Errorf("got %s, %v", pinned, err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	subject.Package.Version = "v2"
	if _, err := pinner.Pin(gone, subject); err == nil {
		t.Error("one who left got an answer")
	}
}

// What was stored just now is pinned when it is all there.
func TestPinYoung(t *testing.T) {
	for name, test := range map[string]struct {
		change    func(*store)
		downloads int
	}{
		"young":         {func(s *store) { s.stored = time.Now().UnixMilli() }, 2},
		"with a digest": {func(s *store) { s.stored, s.meant = time.Now().UnixMilli(), helloDigest }, 1},
		"old":           {func(*store) {}, 1},
	} {
		pinner, kept, subject := newPinner(t)
		test.change(kept)
		if _, err := pinner.Pin(t.Context(), subject); err != nil || kept.downloads != test.downloads {
			t.Errorf("%s: %v after %d downloads", name, err, kept.downloads)
		}
	}
}

// Half of the slots are for others.
func TestPinSlots(t *testing.T) {
	pinner, _, subject := newPinner(t)
	for range maxAtOnce / 2 {
		if !pinner.slots.Enter(subject.Place) {
			t.Fatal("there is no slot")
		}
	}
	if _, err := pinner.Pin(t.Context(), subject); !errors.Is(err, ErrBusy) {
		t.Errorf("beyond its share: %v", err)
	}
	subject.Place = "there"
	if _, err := pinner.Pin(t.Context(), subject); err != nil {
		t.Errorf("another place: %v", err)
	}
	pinner.slots.Leave("here")
	subject.Place, subject.Package.Version = "here", "v1"
	if _, err := pinner.Pin(t.Context(), subject); err != nil {
		t.Errorf("with a slot of its own again: %v", err)
	}
}
