package packages

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// statusTimeout is generous: packages are asked for every few seconds here.
const statusTimeout = 2 * time.Minute

// uploadPackage puts a file into Pulsar's package service with Pulsar's own tool.
func uploadPackage(t *testing.T, location, file string) {
	t.Helper()
	adminAt(t, env.pulsar.URL(), 0, "packages", "upload", location, "--path", file, "--description", "a test's")
	t.Cleanup(func() { removePackage(t, location) })
}

func removePackage(t *testing.T, location string) {
	t.Helper()
	name, err := identity.ParsePackageURL(location)
	if err != nil {
		t.Fatal(err)
	}
	// The test's own context has ended when it cleans up.
	if err := newClient(t).Delete(context.Background(), "", name); err != nil {
		t.Error(err)
	}
}

// apply has kubectl apply a manifest.
func apply(t *testing.T, manifest string) {
	t.Helper()
	command := env.devenv.Kubectl(t.Context(), "apply", "-f", "-")
	command.Stdin = strings.NewReader(manifest)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// kubectl runs kubectl and returns what it prints.
func kubectl(t *testing.T, arguments ...string) string {
	t.Helper()
	output, err := env.devenv.Kubectl(t.Context(), arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v: %s", arguments, err, output)
	}
	return string(output)
}

// waitPackage waits until condition PackageResolved of an object has a status and a
// reason, and returns the object's status.
func waitPackage(t *testing.T, resource, name string, value metav1.ConditionStatus, reason string) v1alpha1.ComponentStatus {
	t.Helper()
	var object struct {
		Status v1alpha1.ComponentStatus `json:"status"`
	}
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, statusTimeout, true, func(context.Context) (bool, error) {
		object.Status = v1alpha1.ComponentStatus{}
		if err := json.Unmarshal([]byte(kubectl(t, "get", resource, name, "-o", "json")), &object); err != nil {
			return false, err
		}
		condition := conditionOf(object.Status)
		return condition != nil && condition.Status == value && condition.Reason == reason, nil
	})
	if err != nil {
		t.Fatalf("%s never becomes %s for %s: %+v", name, value, reason, object.Status)
	}
	return object.Status
}

func conditionOf(observed v1alpha1.ComponentStatus) *metav1.Condition {
	for i := range observed.Conditions {
		if observed.Conditions[i].Type == v1alpha1.ConditionPackageResolved {
			return &observed.Conditions[i]
		}
	}
	return nil
}

func function(name, location string) string {
	return fmt.Sprintf(`apiVersion: admin.functionmesh.io/v1alpha1
kind: PulsarFunction
metadata: {name: %s, namespace: default}
spec:
  tenant: public
  namespace: default
  inputs: [in]
  className: org.apache.pulsar.functions.api.examples.ExclamationFunction
  java: {}
  package: {location: "%s"}
`, name, location)
}

// TestTag follows a tag: it is there, it moves, it goes, and Pulsar goes and comes back.
func TestTag(t *testing.T) {
	const location = "function://public/default/tagged@latest"
	examples := archive(t, "pulsar-functions-api-examples")
	uploadPackage(t, location, examples)
	apply(t, function("tagged", "function://public/default/tagged"))
	t.Cleanup(func() {
		_ = env.devenv.Kubectl(context.Background(), "delete", "pulsarfunction", "tagged").Run()
	})
	first := waitPackage(t, "pulsarfunction", "tagged", metav1.ConditionTrue, status.ReasonPackageResolved).Package
	if first == nil || first.Location != location || first.Pinned || first.Digest != "" || first.ModificationTime == nil {
		t.Fatalf("the package is %+v", first)
	}

	// The service replaces nothing: a tag moves when it is removed and stored anew.
	env.gateway.closed.Store(true)
	waitPackage(t, "pulsarfunction", "tagged", metav1.ConditionUnknown, status.ReasonPackageUnreachable)
	removePackage(t, location)
	uploadPackage(t, location, env.pulsar.Code.Jar)
	env.gateway.closed.Store(false)
	moved := waitPackage(t, "pulsarfunction", "tagged", metav1.ConditionTrue, status.ReasonPackageMoved)
	if !moved.Package.ModificationTime.Equal(first.ModificationTime) {
		t.Errorf("instances got the package of %s, not of %s", first.ModificationTime, moved.Package.ModificationTime)
	}
	if message := conditionOf(moved).Message; !strings.Contains(message, first.ModificationTime.UTC().Format(time.RFC3339)) {
		t.Errorf("it is not said what instances got: %s", message)
	}
	events := wait.PollUntilContextTimeout(t.Context(), time.Second, statusTimeout, true, func(context.Context) (bool, error) {
		return strings.Contains(kubectl(t, "events", "--for", "pulsarfunction/tagged"), status.ReasonPackageMoved), nil
	})
	if events != nil {
		t.Errorf("no event tells of it: %s", kubectl(t, "events"))
	}

	removePackage(t, location)
	gone := waitPackage(t, "pulsarfunction", "tagged", metav1.ConditionFalse, status.ReasonPackageNotFound)
	if !gone.Package.ModificationTime.Equal(first.ModificationTime) {
		t.Errorf("what instances got was forgotten: %+v", gone.Package)
	}
}

// TestManyNames has many objects name one package, each in its own way, and one that
// isn't there.
func TestManyNames(t *testing.T) {
	const location = "sink://public/default/shared@v1"
	examples := archive(t, "pulsar-functions-api-examples")
	uploadPackage(t, location, examples)
	const many = 20
	var manifests strings.Builder
	for i := range many {
		manifests.WriteString("---\n" + function(fmt.Sprintf("many-%d", i), location))
	}
	manifests.WriteString("---\n" + function("lost", "source://public/default/lost@v1"))
	const path = "sink/public/default/shared/v1"
	before, began := env.gateway.asked(path), time.Now()
	apply(t, manifests.String())
	t.Cleanup(func() {
		_ = env.devenv.Kubectl(context.Background(), "delete", "pulsarfunction", "--all").Run()
	})
	for i := range many {
		waitPackage(t, "pulsarfunction", fmt.Sprintf("many-%d", i), metav1.ConditionTrue, status.ReasonPackageResolved)
	}
	waitPackage(t, "pulsarfunction", "lost", metav1.ConditionFalse, status.ReasonPackageNotFound)
	// Once in an interval, however many name it.
	asked, most := env.gateway.asked(path)-before, int(time.Since(began)/packageInterval)+1
	if asked > most {
		t.Errorf("%d objects with one package asked %d times in %s", many, asked, time.Since(began))
	}
}

// TestDigest has the package of an upload, whose name is its content's digest.
func TestDigest(t *testing.T) {
	examples := archive(t, "pulsar-functions-api-examples")
	admin(t, 0, "functions", "create", "--jar", examples, "--name", "pinned", "--inputs", "in",
		"--classname", "org.apache.pulsar.functions.api.examples.ExclamationFunction")
	digest := digestOf(t, examples)
	name := identity.Name{Tenant: "public", Namespace: "default", Name: "pinned"}.ObjectName()
	found := waitPackage(t, "pulsarfunction", name, metav1.ConditionTrue, status.ReasonPackageResolved).Package
	if !found.Pinned || found.Digest != digest || found.Location != "function://public/default/pinned@"+packageservice.VersionOf(digest) {
		t.Errorf("the package is %+v", found)
	}
	admin(t, 0, "functions", "delete", "--name", "pinned")
}
