package revisions

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

func service(t *testing.T) *packageservice.Client {
	t.Helper()
	return must[*packageservice.Client](t)(packageservice.NewClient(env.pulsar.URL(), pulsaradmin.NewTransport()))
}

// newPackage returns a package with a content of its own.
func newPackage(text, manager string) packageservice.Package {
	digest := sha256.Sum256([]byte(text))
	return packageservice.Package{
		Name: identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: "collected",
			Version: packageservice.VersionOf(hex.EncodeToString(digest[:]))},
		Metadata: packageservice.Metadata{Description: text, Contact: "test", Properties: map[string]string{
			packageservice.PropertyManager: manager, packageservice.PropertyDigest: hex.EncodeToString(digest[:]), "other": "kept",
		}},
		Content: bytes.NewReader([]byte(text)), Size: int64(len(text)), Owned: packageservice.Managed,
	}
}

// upload puts a package into the package service, as the shim does.
func upload(t *testing.T, text, manager string) packageservice.Package {
	t.Helper()
	made := newPackage(text, manager)
	if err := service(t).Store(t.Context(), "", made); err != nil {
		t.Fatal(err)
	}
	return made
}

// isThere returns an error unless a package is there, or is gone, as it should be.
func isThere(ctx context.Context, client *packageservice.Client, name identity.PackageURL, want bool) error {
	_, err := client.Metadata(ctx, "", name)
	switch {
	case err != nil && !errors.Is(err, packageservice.ErrNotFound):
		return err
	case want != (err == nil):
		return fmt.Errorf("package %s: %v", name, err)
	}
	return nil
}

func expectGone(t *testing.T, name identity.PackageURL) {
	t.Helper()
	client := service(t)
	eventually(t, "the removal of a package", func(ctx context.Context) error {
		if err := isThere(ctx, client, name, false); err != nil {
			return err
		}
		// Pulsar removes it after what is said of it.
		content, err := client.Open(ctx, "", name)
		if err == nil {
			content.Close()
			return fmt.Errorf("the content of package %s is there", name)
		}
		if !errors.Is(err, packageservice.ErrNotFound) {
			return err
		}
		return nil
	})
}

// byHand makes a custom resource by hand, in a namespace of its own, that names code.
func byHand(t *testing.T, name, location string) {
	t.Helper()
	made := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "compute.functionmesh.io/v1alpha1", "kind": "Sink", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"tenant": "public", "namespace": "default", "name": name, "className": "org.example.S",
			"input": map[string]any{"topics": []any{"persistent://public/default/in"}},
			"java":  map[string]any{"jar": "/pulsar/x.jar", "jarLocation": location}},
	}}
	must[*unstructured.Unstructured](t)(resources("sinks").Create(t.Context(), made, metav1.CreateOptions{}))
}

// TestCollection leaves packages to nobody, to somebody by hand, to revisions and to
// others, and looks at which of them are removed.
func TestCollection(t *testing.T) {
	client := service(t)
	hand := upload(t, "by hand", packageservice.Manager)
	// Pulsar allows any type of package for any kind of component.
	byHand(t, "by-hand", hand.Name.String())
	foreign := upload(t, "foreign", "somebody else")
	tagged := newPackage("tagged", packageservice.Manager)
	tagged.Name.Version = "v1"
	if err := client.Upload(t.Context(), "", tagged.Name, tagged.Metadata, strings.NewReader("tagged")); err != nil {
		t.Fatal(err)
	}

	// What a revision names stays as long as that does.
	const name = "collected"
	admin(t, "functions", "create", "--jar", env.pulsar.Code.Jar, "--name", name, "--inputs", "in", "--classname", "org.example.Exclamation")
	former := must[identity.PackageURL](t)(identity.ParsePackageURL(locationOf(t, name)))
	expectRevisions(t, "pulsarfunctions", objectName(name), "1 ")
	admin(t, "functions", "update", "--jar", env.pulsar.Code.NAR, "--name", name)
	expectRevisions(t, "pulsarfunctions", objectName(name), "2 ", "1 ")
	present := must[identity.PackageURL](t)(identity.ParsePackageURL(locationOf(t, name)))

	// Nobody's goes, and that all the others were looked at as often.
	for _, text := range []string{"nobody's", "nobody's either"} {
		expectGone(t, upload(t, text, packageservice.Manager).Name)
	}
	for what, there := range map[string]identity.PackageURL{
		"named by hand": hand.Name, "somebody else's": foreign.Name, "not named by its content": tagged.Name, "a revision's": former, "present": present,
	} {
		if err := isThere(t.Context(), client, there, true); err != nil {
			t.Errorf("what is %s: %v", what, err)
		}
	}
	metadata := must[*packageservice.Metadata](t)(client.Metadata(t.Context(), "", foreign.Name))
	if _, marked := packageservice.UnusedSince(*metadata); marked {
		t.Error("somebody else's package is marked")
	}

	// What nobody names any more goes.
	admin(t, "functions", "delete", "--name", name)
	if err := resources("sinks").Delete(t.Context(), "by-hand", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, unnamed := range []identity.PackageURL{former, present, hand.Name} {
		expectGone(t, unnamed)
	}
	if err := isThere(t.Context(), client, foreign.Name, true); err != nil {
		t.Error(err)
	}
}

// TestRace names a package again that is about to be removed.
func TestRace(t *testing.T) {
	client := service(t)
	made := upload(t, "raced", packageservice.Manager)
	// It is named by hand, so that the server leaves it alone.
	byHand(t, "raced", made.Name.String())
	old := func() *packageservice.Metadata {
		return must[*packageservice.Metadata](t)(client.Metadata(t.Context(), "", made.Name))
	}
	announce := func() packageservice.Removal {
		return must[packageservice.Removal](t)(client.Announce(t.Context(), "", made.Name, *old(), time.Now()))
	}
	// Announced, and uploaded again soon: it isn't removed.
	removal := announce()
	if err := client.Store(t.Context(), "", made); err != nil {
		t.Fatal(err)
	}
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || gone {
		t.Fatalf("what was uploaded again is removed: %t, %v", gone, err)
	}
	// Announced, and uploaded again at the end of the notice: whoever uploads has it when
	// it returns.
	removal = announce()
	if !packageservice.AwaitNotice(t.Context()) {
		t.Fatal(t.Context().Err())
	}
	stored := make(chan error, 1)
	go func() { stored <- client.Store(t.Context(), "", made) }()
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || !gone {
		t.Fatalf("nobody has it yet, and it isn't removed: %t, %v", gone, err)
	}
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if err := isThere(t.Context(), client, made.Name, true); err != nil {
		t.Errorf("who uploaded it again doesn't have it: %v", err)
	}
	if old().Properties["other"] != "kept" {
		t.Errorf("its properties are %v", old().Properties)
	}

	// Claimed in between: it stays.
	removal = announce()
	if err := client.SetUnused(t.Context(), "", made.Name, *old(), false); err != nil {
		t.Fatal(err)
	}
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return true }); err != nil || gone {
		t.Errorf("what is in use again is removed: %t, %v", gone, err)
	}
	// Named in between: it stays.
	removal = announce()
	if gone, err := client.Finish(t.Context(), "", removal, func() bool { return false }); err != nil || gone {
		t.Errorf("what is named is removed: %t, %v", gone, err)
	}
}
