package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

const (
	// manifestTimeout bounds each wait; tests share the machine with others.
	manifestTimeout = 5 * time.Minute
	systemNamespace = "functionmesh-system"
)

// manifestCluster is a control plane for manifests alone: what they change, the
// APIService above all, would disturb tests that use the servers.
type manifestCluster struct {
	controlPlane *controlplane.ControlPlane
	artifacts    string
	kubectlPath  string
	dynamic      dynamic.Interface
	warnings     *warnings
}

// startManifestCluster starts a control plane whose kube-apiserver audits by the
// policy that artifacts/ ships.
func startManifestCluster(ctx context.Context, t *testing.T) *manifestCluster {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	c := &manifestCluster{
		artifacts:   filepath.Join(root, "artifacts"),
		kubectlPath: filepath.Join(root, "bin", "kubectl"),
		warnings:    &warnings{},
	}
	c.controlPlane, err = controlplane.Start(ctx, controlplane.Options{
		BinDir:             filepath.Join(root, "bin"),
		Dir:                t.TempDir(),
		Logf:               t.Logf,
		ExtraAPIServerArgs: []string{"--audit-policy-file=" + filepath.Join(c.artifacts, "base", "audit-policy.yaml")},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.controlPlane.Stop)
	config := c.controlPlane.AdminConfig()
	config.WarningHandler = c.warnings
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	return c
}

// warnings collects what kube-apiserver warns of.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	texts := w.texts
	w.texts = nil
	return texts
}

// command returns a command whose kubectl has all rights in this cluster.
func (c *manifestCluster) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(),
		"KUBECTL="+c.kubectlPath,
		"KUBECONFIG="+c.controlPlane.AdminKubeconfig(),
		"KUBECACHEDIR="+filepath.Join(c.controlPlane.Dir(), "kubectl-cache"))
	return cmd
}

// kubectl runs kubectl and returns what it printed.
func (c *manifestCluster) kubectl(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := c.command(ctx, c.kubectlPath, args...)
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(output)
}

// render returns the objects of a kustomization in artifacts/.
func (c *manifestCluster) render(ctx context.Context, t *testing.T, kustomization string) []*unstructured.Unstructured {
	t.Helper()
	output := c.kubectl(ctx, t, "kustomize", filepath.Join(c.artifacts, kustomization))
	return decodeObjects(t, strings.NewReader(output))
}

func decodeObjects(t *testing.T, r io.Reader) []*unstructured.Unstructured {
	t.Helper()
	decoder := utilyaml.NewYAMLOrJSONDecoder(r, 4096)
	var objects []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// find returns the objects of a kind.
func find(objects []*unstructured.Unstructured, kind string) []*unstructured.Unstructured {
	return slices.DeleteFunc(slices.Clone(objects), func(object *unstructured.Unstructured) bool {
		return object.GetKind() != kind
	})
}

// as converts an object to its Go type; a field that the type lacks is an error.
func as[T any](t *testing.T, object *unstructured.Unstructured) *T {
	t.Helper()
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed, true); err != nil {
		t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
	}
	return typed
}

// installCertManagerCRDs installs the CRDs of the cert-manager release that
// test/certmanager pins. They come out of the Go module itself.
func (c *manifestCluster) installCertManagerCRDs(ctx context.Context, t *testing.T) {
	t.Helper()
	const module = "github.com/cert-manager/cert-manager"
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = "../certmanager"
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("could not get %s: %v: %s", module, err, output)
	}
	var downloaded struct{ Dir, Version string }
	if err := json.Unmarshal(output, &downloaded); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	t.Logf("checking certificates against the CRDs of cert-manager %s", downloaded.Version)
	for _, resource := range []string{"issuers", "certificates"} {
		c.kubectl(ctx, t, "create", "-f", filepath.Join(downloaded.Dir, "deploy", "crds", "cert-manager.io_"+resource+".yaml"))
		// kubectl wait gives up on a definition that has no conditions yet.
		waitFor(ctx, t, resource+" to be established", func(ctx context.Context) (bool, error) {
			err := c.command(ctx, c.kubectlPath, "wait", "--for=condition=Established", "--timeout=10s", "crd/"+resource+".cert-manager.io").Run()
			return err == nil, err
		})
	}
}

// dryRun creates the object without storing it, and fails for an unknown field, a
// value that isn't allowed, and anything that kube-apiserver warns of.
func (c *manifestCluster) dryRun(ctx context.Context, t *testing.T, mapper meta.RESTMapper, object *unstructured.Unstructured) {
	t.Helper()
	what := fmt.Sprintf("%s %s", object.GetKind(), object.GetName())
	kind := object.GroupVersionKind()
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	var client dynamic.ResourceInterface = c.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace())
	}
	c.warnings.take()
	_, err = client.Create(ctx, object, metav1.CreateOptions{
		DryRun:          []string{metav1.DryRunAll},
		FieldValidation: metav1.FieldValidationStrict,
	})
	// The namespace is there already.
	if err != nil && (object.GetKind() != "Namespace" || !apierrors.IsAlreadyExists(err)) {
		t.Errorf("%s: %v", what, err)
	}
	if texts := c.warnings.take(); len(texts) > 0 {
		t.Errorf("%s: %s", what, strings.Join(texts, "; "))
	}
}

func (c *manifestCluster) restMapper(t *testing.T) meta.RESTMapper {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(c.controlPlane.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	resources, err := restmapper.GetAPIGroupResources(client)
	if err != nil {
		t.Fatal(err)
	}
	return restmapper.NewDiscoveryRESTMapper(resources)
}

// waitFor asks a condition until it holds; what says what is awaited.
func waitFor(ctx context.Context, t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, manifestTimeout)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		done, err := condition(ctx)
		if done {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("gave up waiting for %s (last error: %v)", what, err)
		}
	}
}
