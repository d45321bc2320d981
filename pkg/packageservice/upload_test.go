package packageservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// memory answers like a package service that holds one package. What a real one does is
// tried elsewhere; this one is stopped at moments at which a real one can't be.
type memory struct {
	lock sync.Mutex
	// metadata is nil where there is no package.
	metadata *Metadata
	content  []byte
	// before is called with each request for a package and not what is said of it, by its
	// method, of which the first one is number 1. The lock is held.
	before func(method string, number int)
	asked  map[string]int
	// described is called after each request for what is said of a package, by its method.
	// The lock is held.
	described func(method string)
}

func (m *memory) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	m.lock.Lock()
	defer m.lock.Unlock()
	defer m.answered(request)
	describes := strings.HasSuffix(request.URL.Path, "/metadata")
	if !describes {
		m.asked[request.Method]++
		m.before(request.Method, m.asked[request.Method])
	}
	switch {
	case request.Method == http.MethodPost && m.metadata != nil:
		writer.WriteHeader(http.StatusConflict)
	case request.Method == http.MethodPost:
		m.upload(request)
	case m.metadata == nil:
		writer.WriteHeader(http.StatusNotFound)
	case request.Method == http.MethodDelete:
		m.metadata = nil
	case describes && request.Method == http.MethodPut:
		metadata := Metadata{}
		_ = json.NewDecoder(request.Body).Decode(&metadata)
		m.metadata = &metadata
	case describes:
		_ = json.NewEncoder(writer).Encode(m.metadata)
	default:
		_, _ = writer.Write(m.content)
	}
}

func (m *memory) answered(request *http.Request) {
	if strings.HasSuffix(request.URL.Path, "/metadata") && m.described != nil {
		m.described(request.Method)
	}
}

// upload says of a package what it will be before it has its content. Others may ask for
// it meanwhile. A body that breaks off is one that nobody reads the answer to.
func (m *memory) upload(request *http.Request) {
	form, err := request.MultipartReader()
	if err != nil {
		return
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return
		}
		if part.FormName() == "metadata" {
			metadata := Metadata{}
			_ = json.NewDecoder(part).Decode(&metadata)
			m.put(metadata, "", time.Now())
			continue
		}
		m.lock.Unlock()
		content, err := io.ReadAll(part)
		m.lock.Lock()
		if err == nil {
			m.content = content
		}
	}
}

// put makes a package that was changed at a time. The lock is held.
func (m *memory) put(metadata Metadata, content string, at time.Time) {
	metadata.ModificationTime = at.UnixMilli()
	m.metadata, m.content = &metadata, []byte(content)
}

// clientOf returns a client of a service.
func clientOf(t *testing.T, service *memory) *Client {
	t.Helper()
	service.asked = map[string]int{}
	if service.before == nil {
		service.before = func(string, int) {}
	}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	client, err := NewClient(server.URL, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var latest = identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "lib", Version: "latest"}

// ofContent returns a package of which any that is ours is replaced.
func ofContent(text string) Package {
	return Package{
		Name: latest, Metadata: described(text, "us"), Content: strings.NewReader(text), Size: int64(len(text)),
		Owned: func(metadata Metadata) bool { return metadata.Properties["by"] == "us" },
	}
}

func described(text, by string) Metadata {
	sum := sha256.Sum256([]byte(text))
	return Metadata{Properties: map[string]string{"by": by, PropertyDigest: hex.EncodeToString(sum[:]), PropertySize: strconv.Itoa(len(text))}}
}

// expectKept fails unless a service has a content.
func expectKept(t *testing.T, service *memory, want string) {
	t.Helper()
	service.lock.Lock()
	defer service.lock.Unlock()
	if service.metadata == nil || string(service.content) != want {
		t.Errorf("there is %+v with %q, not %q", service.metadata, service.content, want)
	}
}

// breaking can't be read, and does something before it says so.
type breaking func()

func (b breaking) ReadAt([]byte, int64) (int, error) {
	b()
	return 0, errors.New("broken")
}

// TestFailedUploads looks at what failed uploads remove: what is theirs, and not what
// another process has put in its place.
func TestFailedUploads(t *testing.T) {
	for _, theirs := range []string{"", "theirs, which is whole"} {
		service := &memory{}
		client, stored := clientOf(t, service), ofContent("ours")
		stored.Content = breaking(func() {
			err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
				service.lock.Lock()
				defer service.lock.Unlock()
				if service.metadata == nil {
					return false, nil
				}
				if theirs != "" {
					service.put(described(theirs, "us"), theirs, time.Now())
				}
				return true, nil
			})
			if err != nil {
				t.Errorf("nothing came to the service: %v", err)
			}
		})
		if err := client.Store(t.Context(), "", stored); err == nil {
			t.Error("an upload that broke off was a success")
		}
		if theirs != "" {
			expectKept(t, service, theirs)
		} else if service.metadata != nil {
			t.Errorf("it left %+v", service.metadata)
		}
	}
}

// TestStoreOver stores over what is there already.
func TestStoreOver(t *testing.T) {
	const other = "others', which is longer"
	young, old := time.Now(), time.Now().Add(-2*unfinishedAfter)
	for name, test := range map[string]struct {
		by, content string
		at          time.Time
		want        error
	}{
		"another one of ours":           {"us", other, young, nil},
		"half of an old one":            {"us", other[:3], old, nil},
		"something else of ours":        {"us", "x", old, nil},
		"one that is not ours":          {"them", other, young, ErrOtherContent},
		"half of one that is not ours":  {"them", other[:3], young, ErrOtherContent},
		"the same, which isn't ours":    {"them", "ours", young, nil},
		"far more than is said of ours": {"us", strings.Repeat(other, 100), young, nil},
	} {
		service := &memory{}
		client, stored := clientOf(t, service), ofContent("ours")
		service.put(described(other, test.by), test.content, test.at)
		if err := client.Store(t.Context(), "", stored); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v", name, err)
		}
		want := "ours"
		if test.want != nil {
			want = test.content
		}
		expectKept(t, service, want)
		if reads := service.asked[http.MethodGet]; reads != 1 {
			t.Errorf("%s: it was read %d times", name, reads)
		}
	}
}

// TestStoreWaits has another process upload another content: it is let finish, also
// where what there is of it is longer than what is to be stored.
func TestStoreWaits(t *testing.T) {
	service := &memory{}
	service.before = func(method string, number int) {
		switch {
		case method == http.MethodGet && number == 2:
			service.put(described("others'", "us"), "others'", time.Now())
		case method == http.MethodDelete && string(service.content) != "others'":
			t.Error("an upload that goes on was removed")
		}
	}
	client := clientOf(t, service)
	service.put(described("others'", "us"), "others", time.Now())
	if err := client.Store(t.Context(), "", ofContent("ours")); err != nil {
		t.Error(err)
	}
	expectKept(t, service, "ours")
}

// TestStoreContended has another process put its package where this one has just removed
// the former.
func TestStoreContended(t *testing.T) {
	for name, test := range map[string]struct {
		by    string
		times int
		want  error
	}{
		"once":                 {"us", 1, nil},
		"each time":            {"us", maxRounds, errContended},
		"one that is not ours": {"them", 1, ErrOtherContent},
	} {
		service := &memory{}
		service.before = func(method string, number int) {
			if method == http.MethodPost && number <= test.times {
				service.put(described("others'", test.by), "others'", time.Now())
			}
		}
		client := clientOf(t, service)
		service.put(described("before", "us"), "before", time.Now())
		if err := client.Store(t.Context(), "", ofContent("ours")); !errors.Is(err, test.want) {
			t.Errorf("%s: got %v", name, err)
		}
		want := "ours"
		if test.want != nil {
			want = "others'"
		}
		expectKept(t, service, want)
	}
}

// TestDigestOf takes digests as they are written.
func TestDigestOf(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	digest := hex.EncodeToString(sum[:])
	for version, want := range map[string]string{
		VersionOf(digest): digest, VersionOf(strings.ToUpper(digest)): digest, "latest": "", "sha256-x": "", digest: "", VersionOf("g" + digest[1:]): "",
	} {
		if got := DigestOf(version); got != want {
			t.Errorf("%q: got %q", version, got)
		}
	}
}
