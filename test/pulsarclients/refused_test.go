package pulsarclients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

const uploadRefusal = "Uploading a package with a function is not enabled here (--package-service-url). Upload it at the broker's admin URL, " +
	"pulsar-admin --admin-url http://BROKER:8080 packages upload function://TENANT/NAMESPACE/NAME@VERSION " +
	"--path FILE --description TEXT, and give that package URL instead of the file, as in --jar function://TENANT/NAMESPACE/NAME@VERSION"

// TestUploadedFiles sends files, which are refused for now. The client has to hear
// why, however large the file is, and the shim mustn't hold it in memory.
func TestUploadedFiles(t *testing.T) {
	t.Parallel()
	const (
		megabyte = 1 << 20
		large    = 50 * megabyte
		// mostGrowth is far below a file, and above what other tests need meanwhile.
		mostGrowth = 30 * megabyte
	)
	name := identity.Name{Tenant: "files", Namespace: "upload", Name: "f"}
	client := goClient(t, pulsarconfig.V3).Functions()
	function := goConfig(name)
	function.Jar = ptr.To("code.jar")
	for _, size := range []int{0, 1000, large} {
		path := filepath.Join(t.TempDir(), "code.jar")
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		before := resetPeakMemory(t, world.env.Shim)
		err := client.CreateFunc(function, path)
		expectReason(t, fmt.Sprintf("create with a file of %d bytes", size), err, 400, uploadRefusal)
		if growth := peakMemory(t, world.env.Shim) - before; growth > mostGrowth {
			t.Errorf("a file of %d bytes made the shim grow by %d bytes", size, growth)
		}
	}
	expect(t, "get after refusals", rest().get(t, name), 404, "Function f doesn't exist")

	someFunction(t, name)
	path := writeFile(t, "code.jar", "code")
	expectReason(t, "create of what exists", client.CreateFunc(function, path), 400, "Function f already exists")
	expectReason(t, "update with a file", client.UpdateFunction(&utils.FunctionConfig{
		Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, AutoAck: true, CleanupSubscription: true,
	}, path, nil), 400, uploadRefusal)
	expectFields(t, "after a refused update", resource(t, name.ObjectName()).Object,
		map[string]any{"spec.java.jarLocation": "function://public/default/f@1"})
}

// resetPeakMemory forgets the most memory that a process had, and returns what it
// has.
func resetPeakMemory(t *testing.T, server *controlplane.Server) int {
	t.Helper()
	// 5 resets the peak, see proc_pid_clear_refs(5).
	if err := os.WriteFile(processFile(server, "clear_refs"), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return memory(t, server, "VmRSS")
}

// peakMemory returns the most memory that a process had since the reset.
func peakMemory(t *testing.T, server *controlplane.Server) int {
	t.Helper()
	return memory(t, server, "VmHWM")
}

func memory(t *testing.T, server *controlplane.Server, what string) int {
	t.Helper()
	status := must[[]byte](t)(os.ReadFile(processFile(server, "status")))
	match := regexp.MustCompile(`(?m)^` + what + `:\s+(\d+) kB$`).FindSubmatch(status)
	if match == nil {
		t.Fatalf("no %s in %s", what, status)
	}
	return must[int](t)(strconv.Atoi(string(match[1]))) << 10
}

func processFile(server *controlplane.Server, name string) string {
	return filepath.Join("/proc", strconv.Itoa(server.Process().PID()), name)
}

// TestGoClientOnWhatIsNotThere calls what needs more than there is: the answer names it.
func TestGoClientOnWhatIsNotThere(t *testing.T) {
	t.Parallel()
	client := goClient(t, pulsarconfig.V3)
	functions, sinks, sources := client.Functions(), client.Sinks(), client.Sources()
	const tenant, namespace, name = "go-client", "pending", "f"
	file := writeFile(t, "code.jar", "code")
	errorOf := func(_ any, err error) error { return err }
	// There is no package service here.
	expectReason(t, "upload", functions.Upload(file, "go-client/pending/f"), 400, uploadRefusal)
	expectReason(t, "upload", functions.Upload(file, "path"), 400,
		"The path must be TENANT/NAMESPACE/NAME or a package URL, TYPE://TENANT/NAMESPACE/NAME@VERSION with the type function, sink or source")
	expectReason(t, "download", functions.DownloadFunction("go-client/pending/f", filepath.Join(t.TempDir(), "file")), 501,
		"Downloading packages is not enabled here (--package-service-url)")
	for thing, err := range map[string]error{
		"Function status":           errorOf(functions.GetFunctionStatus(tenant, namespace, name)),
		"Function instance status":  errorOf(functions.GetFunctionStatusWithInstanceID(tenant, namespace, name, 0)),
		"Function stats":            errorOf(functions.GetFunctionStats(tenant, namespace, name)),
		"Function instance stats":   errorOf(functions.GetFunctionStatsWithInstanceID(tenant, namespace, name, 0)),
		"Function start":            functions.StartFunction(tenant, namespace, name),
		"Function stop":             functions.StopFunction(tenant, namespace, name),
		"Function restart":          functions.RestartFunction(tenant, namespace, name),
		"Function instance start":   functions.StartFunctionWithID(tenant, namespace, name, 0),
		"Function instance stop":    functions.StopFunctionWithID(tenant, namespace, name, 0),
		"Function trigger":          errorOf(functions.TriggerFunction(tenant, namespace, name, "topic", "value", "")),
		"Function instance restart": functions.RestartFunctionWithID(tenant, namespace, name, 0),
		"Sink status":               errorOf(sinks.GetSinkStatus(tenant, namespace, name)),
		"Source restart":            sources.RestartSource(tenant, namespace, name),
	} {
		kind, _, _ := strings.Cut(thing, " ")
		expectReason(t, thing, err, 404, kind+" f doesn't exist")
	}
	// What the client calls when nobody told it the version is another API.
	_, err := goClient(t, pulsarconfig.V2).Functions().GetFunction(tenant, namespace, name)
	expectReason(t, "API version 2", err, 410,
		"Pulsar's functions admin API v2 is not served: use /admin/v3/functions (API version 3 of the client)")
}
