package pulsarclients

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// kubectl runs kubectl with all rights and returns what it printed.
func kubectl(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := world.env.Kubectl(t.Context(), args...)
	cmd.Stdin = strings.NewReader(stdin)
	output, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(output), string(exit.Stderr), err
	}
	return string(output), "", err
}

func mustKubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	stdout, stderr, err := kubectl(t, stdin, args...)
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, stderr)
	}
	return stdout
}

// view returns the object that is a function, which must be the only one.
func view(t *testing.T, name identity.Name) *v1alpha1.PulsarFunction {
	t.Helper()
	list := must[*v1alpha1.PulsarFunctionList](t)(world.views.List(t.Context(), metav1.ListOptions{}))
	var found []*v1alpha1.PulsarFunction
	for i := range list.Items {
		spec := &list.Items[i].Spec
		if (identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}) == name {
			found = append(found, &list.Items[i])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d PulsarFunctions are %s", len(found), name)
	}
	return found[0]
}

// resource returns the Function resource with an object's name.
func resource(t *testing.T, objectName string) *unstructured.Unstructured {
	t.Helper()
	return must[*unstructured.Unstructured](t)(world.resources.Get(t.Context(), objectName, metav1.GetOptions{}))
}

// expectGone checks that neither door, nor the custom resource, has a function.
func expectGone(t *testing.T, name identity.Name, objectName string) {
	t.Helper()
	expect(t, "get of a deleted function", rest().get(t, name), 404, "Function "+name.Name+" doesn't exist")
	if _, err := world.views.Get(t.Context(), objectName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the PulsarFunction of deleted %s: %v", name, err)
	}
	if _, err := world.resources.Get(t.Context(), objectName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the Function of deleted %s: %v", name, err)
	}
}

// field returns a field of an object, nil when it isn't there.
func field(object map[string]any, path ...string) any {
	var value any = object
	for _, name := range path {
		members, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = members[name]
	}
	return value
}

// expectFields checks fields, named by their paths with dots between.
func expectFields(t *testing.T, what string, object map[string]any, want map[string]any) {
	t.Helper()
	for path, value := range want {
		if got := field(object, strings.Split(path, ".")...); encode(t, got) != encode(t, value) {
			t.Errorf("%s: %s is %s, not %s", what, path, encode(t, got), encode(t, value))
		}
	}
}

// pulsarReason returns the text for Pulsar's clients in a refusal of the API
// server, where it has to be the last cause.
func pulsarReason(err error) (string, error) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return "", fmt.Errorf("not refused: %w", err)
	}
	details := status.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return "", fmt.Errorf("no causes: %w", err)
	}
	last := details.Causes[len(details.Causes)-1]
	if last.Type != v1alpha1.CauseTypePulsarReason {
		return "", fmt.Errorf("the last cause is of type %s: %w", last.Type, err)
	}
	return last.Message, nil
}

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
