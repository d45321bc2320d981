package packages

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

func newClient(t *testing.T) *packageservice.Client {
	t.Helper()
	client, err := packageservice.NewClient(env.pulsar.URL(), pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newPackage returns a package with random content, under a name of this test.
func newPackage(t *testing.T, size int) (packageservice.Package, []byte) {
	t.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content) // It never fails.
	digest := sha256.Sum256(content)
	return packageservice.Package{
		Name: identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default",
			Name: strings.ReplaceAll(t.Name(), "/", "-") + " ü%&", Version: packageservice.VersionOf(hex.EncodeToString(digest[:]))},
		Metadata: packageservice.Metadata{Description: "a test's", Properties: map[string]string{"ours": "yes", packageservice.PropertyDigest: hex.EncodeToString(digest[:])}},
		Content:  bytes.NewReader(content),
		Size:     int64(size),
		Owned:    func(metadata packageservice.Metadata) bool { return metadata.Properties["ours"] == "yes" },
	}, content
}

func content(t *testing.T, client *packageservice.Client, name identity.PackageURL) []byte {
	t.Helper()
	reader, err := client.Open(t.Context(), "", name)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	read, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestStore(t *testing.T) {
	client := newClient(t)
	stored, want := newPackage(t, 3<<20)
	for range 2 { // The second time it is there already.
		if err := client.Store(t.Context(), "", stored); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(content(t, client, stored.Name), want) {
			t.Fatal("what is stored is not what was sent")
		}
	}
	metadata, err := client.Metadata(t.Context(), "", stored.Name)
	if err != nil || metadata.Properties["ours"] != "yes" || metadata.ModificationTime == 0 {
		t.Errorf("got %+v, %v", metadata, err)
	}
	if versions, err := client.Versions(t.Context(), "", stored.Name); err != nil || !slices.Equal(versions, []string{stored.Name.Version}) {
		t.Errorf("got %q, %v", versions, err)
	}
	for range 2 { // What is gone can be removed.
		if err := client.Delete(t.Context(), "", stored.Name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Metadata(t.Context(), "", stored.Name); !errors.Is(err, packageservice.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Open(t.Context(), "", stored.Name); !errors.Is(err, packageservice.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// Whoever may write packages can put something else under a digest's name.
func TestStoreOverOthers(t *testing.T) {
	client := newClient(t)
	for _, owned := range []string{"yes", "no"} {
		t.Run(owned, func(t *testing.T) {
			stored, want := newPackage(t, 4000)
			metadata := packageservice.Metadata{Properties: map[string]string{"ours": owned}}
			// Of ours, what is too short may be an upload that goes on.
			size := map[string]int{"yes": 5000, "no": 3000}[owned]
			if err := client.Upload(t.Context(), "", stored.Name, metadata, strings.NewReader(strings.Repeat("y", size))); err != nil {
				t.Fatal(err)
			}
			err := client.Store(t.Context(), "", stored)
			if owned == "no" {
				if !errors.Is(err, packageservice.ErrOtherContent) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(content(t, client, stored.Name), want) {
				t.Error("what is stored is not what was sent")
			}
		})
	}
}

// failing is a content that can't be read to its end.
type failing struct{ io.ReaderAt }

func (f failing) ReadAt(into []byte, at int64) (int, error) {
	if at > 1<<20 {
		return 0, errors.New("broken")
	}
	return f.ReaderAt.ReadAt(into, at)
}

func TestStoreInterrupted(t *testing.T) {
	client := newClient(t)
	stored, want := newPackage(t, 4<<20)
	whole := stored.Content
	stored.Content = failing{whole}
	if err := client.Store(t.Context(), "", stored); err == nil {
		t.Fatal("an upload that broke off was a success")
	}
	stored.Content = whole
	if err := client.Store(t.Context(), "", stored); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, client, stored.Name), want) {
		t.Error("what is stored is not what was sent")
	}
}

// meanwhile is a content that can't be read to its end, at which something is done.
type meanwhile struct {
	io.ReaderAt
	do func()
}

func (m meanwhile) ReadAt(into []byte, at int64) (int, error) {
	if at > 1<<20 {
		m.do()
		return 0, errors.New("broken")
	}
	return m.ReaderAt.ReadAt(into, at)
}

// TestStoreInterruptedByAnother has another replica replace what is being uploaded, which
// then fails.
func TestStoreInterruptedByAnother(t *testing.T) {
	client, other := newClient(t), newClient(t)
	stored, _ := newPackage(t, 4<<20)
	theirs, want := newPackage(t, 2<<20)
	stored.Name.Version = "latest"
	theirs.Name = stored.Name
	stored.Content = meanwhile{stored.Content, func() {
		if err := other.Delete(t.Context(), "", theirs.Name); err != nil {
			t.Error(err)
		}
		if err := other.Store(t.Context(), "", theirs); err != nil {
			t.Error(err)
		}
	}}
	if err := client.Store(t.Context(), "", stored); err == nil {
		t.Fatal("an upload that broke off was a success")
	}
	if !bytes.Equal(content(t, client, stored.Name), want) {
		t.Error("what another one stored is not there any more")
	}
}

// What is there is neither sent again nor removed when sending it would fail.
func TestStoreAgain(t *testing.T) {
	client := newClient(t)
	stored, want := newPackage(t, 4<<20)
	if err := client.Store(t.Context(), "", stored); err != nil {
		t.Fatal(err)
	}
	stored.Content = failing{stored.Content}
	if err := client.Store(t.Context(), "", stored); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if !bytes.Equal(content(t, client, stored.Name), want) {
		t.Error("what was stored is gone")
	}
}

func TestStoreAtOnce(t *testing.T) {
	client := newClient(t)
	stored, want := newPackage(t, 2<<20)
	failures := make(chan error)
	for range 8 {
		go func() { failures <- client.Store(t.Context(), "", stored) }()
	}
	for range 8 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if !bytes.Equal(content(t, client, stored.Name), want) {
		t.Error("what is stored is not what was sent")
	}
}
