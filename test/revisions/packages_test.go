package revisions

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
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

// keeper is who looks after packages in the installation that is tested.
func keeper(t *testing.T) packageservice.Keeper {
	t.Helper()
	system := must[*corev1.Namespace](t)(env.ControlPlane.Client().CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{}))
	return packageservice.Keeper{Manager: packageservice.Manager, Installation: string(system.UID)}
}

// newPackage returns a package with a content of its own.
func newPackage(text string, keeper packageservice.Keeper) packageservice.Package {
	digest := sha256.Sum256([]byte(text))
	return packageservice.Package{
		Name: identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: "collected",
			Version: packageservice.VersionOf(hex.EncodeToString(digest[:]))},
		Keeper: keeper,
		Metadata: packageservice.Metadata{Description: text, Properties: map[string]string{
			packageservice.PropertyDigest: hex.EncodeToString(digest[:]), "other": "kept",
		}},
		Content: bytes.NewReader([]byte(text)), Size: int64(len(text)), Owned: packageservice.Managed,
	}
}

// upload puts a package into the package service, as the shim does.
func upload(t *testing.T, text string, keeper packageservice.Keeper) packageservice.Package {
	t.Helper()
	made := newPackage(text, keeper)
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

// metadataOf returns what is said of a package.
func metadataOf(t *testing.T, name identity.PackageURL) packageservice.Metadata {
	t.Helper()
	return *must[*packageservice.Metadata](t)(service(t).Metadata(t.Context(), "", name))
}

// expectMetadata waits until something is said of a package.
func expectMetadata(t *testing.T, what string, name identity.PackageURL, condition func(packageservice.Metadata) bool) {
	t.Helper()
	client := service(t)
	eventually(t, what, func(ctx context.Context) error {
		metadata, err := client.Metadata(ctx, "", name)
		if err == nil && !condition(*metadata) {
			err = fmt.Errorf("package %s has %v", name, metadata.Properties)
		}
		return err
	})
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
