package packages

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestPinning has a server that pins packages, and a shim of its own, serve.
func TestPinning(t *testing.T) {
	first := env.devenv.APIServer
	server, err := env.devenv.StartAPIServer(t.Context(), devenv.APIServerOptions{
		Name: "pinning", ExtraArgs: []string{"--pin-packages", "--controllers="},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := env.devenv.Route(t.Context(), server); err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	shim, err := env.devenv.StartShim(t.Context(), devenv.ShimOptions{Name: "pinning-shim", APIServer: server})
	if err != nil {
		t.Fatal(err)
	}
	defer shim.Stop()
	t.Run("kubectl", pinApplied)
	t.Run("elsewhere", pinElsewhere)
	t.Run("pulsar-admin", func(t *testing.T) {
		pinNamed(t, "http://"+net.JoinHostPort(controlplane.Loopback, strconv.Itoa(shim.Port())))
	})
	if err := env.devenv.Route(t.Context(), first); err != nil {
		t.Fatal(err)
	}
}

// locationOf returns where a function's package is, and the function's generation.
func locationOf(t *testing.T, name string) (location string, generation int64) {
	t.Helper()
	var object v1alpha1.PulsarFunction
	if err := json.Unmarshal([]byte(kubectl(t, "get", "pulsarfunction", name, "-o", "json")), &object); err != nil {
		t.Fatal(err)
	}
	return object.Spec.Package.Location, object.Generation
}

// applied has kubectl apply a manifest, and returns what it says and whether it was taken.
func applied(t *testing.T, manifest string, arguments ...string) (string, bool) {
	t.Helper()
	command := env.devenv.Kubectl(t.Context(), append([]string{"apply", "-f", "-"}, arguments...)...)
	command.Stdin = strings.NewReader(manifest)
	output, err := command.CombinedOutput()
	return string(output), err == nil
}

func pinApplied(t *testing.T) {
	const location, unversioned = "function://public/default/pin@latest", "function://public/default/pin"
	examples := archive(t, "pulsar-functions-api-examples")
	versions := func() []string {
		found, err := newClient(t).Versions(t.Context(), "", identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: "pin", Version: "latest"})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if said, ok := applied(t, function("pin", unversioned)); ok || !strings.Contains(said, "it can't be pinned to its content: there is no such package") {
		t.Errorf("a package that isn't there: %s", said)
	}
	uploadPackage(t, location, examples)
	if said, ok := applied(t, function("pin", unversioned), "--dry-run=server"); !ok || len(versions()) != 1 {
		t.Errorf("a dry run left %q: %s", versions(), said)
	}

	apply(t, function("pin", unversioned))
	t.Cleanup(func() { _ = env.devenv.Kubectl(context.Background(), "delete", "pulsarfunction", "pin").Run() })
	pinned, generation := locationOf(t, "pin")
	expectStored(t, pinned, examples)
	name, err := identity.ParsePackageURL(pinned)
	if err != nil {
		t.Fatal(err)
	}
	if metadata, err := newClient(t).Metadata(t.Context(), "", name); err != nil || !packageservice.Managed(*metadata) || packageservice.DigestIn(*metadata) != digestOf(t, examples) {
		t.Errorf("the copy is %+v, %v", metadata, err)
	}
	apply(t, function("pin", unversioned))
	if again, after := locationOf(t, "pin"); again != pinned || after != generation {
		t.Errorf("the same again made it %s", again)
	}

	// A tag that moves changes nothing, until somebody names it anew.
	removePackage(t, location)
	uploadPackage(t, location, env.pulsar.Code.Jar)
	kubectl(t, "patch", "pulsarfunction", "pin", "--type=merge", "-p", `{"spec":{"parallelism":2}}`)
	if still, _ := locationOf(t, "pin"); still != pinned {
		t.Errorf("another number of instances made it %s", still)
	}
	apply(t, function("pin", unversioned))
	moved, _ := locationOf(t, "pin")
	if moved == pinned {
		t.Error("named anew, the tag still means what it meant")
	}
	expectStored(t, moved, env.pulsar.Code.Jar)
	expectStored(t, pinned, examples)
	rollBackPinned(t, pinned, moved)
}

// rollBackPinned has function pin be what it was before its tag moved.
func rollBackPinned(t *testing.T, pinned, moved string) {
	const path = "/apis/admin.functionmesh.io/v1alpha1/namespaces/default/pulsarfunctions/pin/"
	var packages []string
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, statusTimeout, true, func(context.Context) (bool, error) {
		var known v1alpha1.PulsarRevisions
		if err := json.Unmarshal([]byte(kubectl(t, "get", "--raw", path+"revisions")), &known); err != nil {
			return false, err
		}
		packages = nil
		for _, revision := range known.Revisions {
			packages = append(packages, revision.Package)
		}
		return slices.Equal(packages, []string{moved, pinned}), nil
	})
	if err != nil {
		t.Fatalf("the revisions are of %q: %v", packages, err)
	}
	for _, want := range []string{pinned, moved} {
		rollback := env.devenv.Kubectl(t.Context(), "create", "--raw", path+"rollback", "-f", "-")
		rollback.Stdin = strings.NewReader(`{"apiVersion":"admin.functionmesh.io/v1alpha1","kind":"PulsarRollback"}`)
		if output, err := rollback.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if got, _ := locationOf(t, "pin"); got != want {
			t.Errorf("the rollback made it %s, not %s", got, want)
		}
	}
}

// pinElsewhere names a package of a Pulsar namespace that another Kubernetes namespace
// serves: the server's account isn't the caller's to use there.
func pinElsewhere(t *testing.T) {
	apply(t, `{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere, annotations: {admin.functionmesh.io/pulsar-namespaces: "public/elsewhere"}}}`)
	t.Cleanup(func() {
		_ = env.devenv.Kubectl(context.Background(), "delete", "namespace", "elsewhere", "--wait=false").Run()
	})
	const location = "function://public/elsewhere/theirs@v1"
	for _, missing := range []bool{true, false} {
		if !missing {
			uploadPackage(t, location, archive(t, "pulsar-functions-api-examples"))
		}
		said, ok := applied(t, function("borrowed", location))
		if !ok || !strings.Contains(said, "does not serve Pulsar namespace public/elsewhere") {
			t.Errorf("there=%t: %s", !missing, said)
		}
		if got, _ := locationOf(t, "borrowed"); got != location {
			t.Errorf("there=%t: the package is %s", !missing, got)
		}
		kubectl(t, "delete", "pulsarfunction", "borrowed")
	}
}

// pinNamed has pulsar-admin name a tag.
func pinNamed(t *testing.T, url string) {
	const location = "sink://public/default/rest@v1"
	nar := archive(t, "pulsar-io-data-generator")
	uploadPackage(t, location, nar)
	adminAt(t, url, 0, "sinks", "create", "--archive", location, "--name", "pinned-sink", "--inputs", "people")
	sink := resource(t, "sinks", "pinned-sink")
	expectStored(t, text(sink, "spec", "java", "jarLocation"), nar)
	if got := text(sink, "spec", "className"); got != "org.apache.pulsar.io.datagenerator.DataGeneratorPrintSink" {
		t.Errorf("the class is %q", got)
	}
	admin(t, 0, "sinks", "delete", "--name", "pinned-sink")
}
