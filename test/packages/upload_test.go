package packages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// admin runs pulsar-admin against the shim, and fails the test unless it exits with code.
// It returns all that was printed.
func admin(t *testing.T, code int, arguments ...string) string {
	t.Helper()
	return adminAt(t, env.devenv.ShimURL(), code, arguments...)
}

// adminAt is admin against another server.
func adminAt(t *testing.T, url string, code int, arguments ...string) string {
	t.Helper()
	result, err := env.java.Run(t.Context(), url, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if result.Exit != code {
		t.Fatalf("%q exits with %d: %s%s", arguments, result.Exit, result.Out, result.Err)
	}
	return result.Out + result.Err
}

// resource returns the custom resource behind a component.
func resource(t *testing.T, plural, name string) *unstructured.Unstructured {
	t.Helper()
	return resourceIn(t, plural, "default", identity.Name{Tenant: "public", Namespace: "default", Name: name})
}

// resourceIn is resource of any namespace.
func resourceIn(t *testing.T, plural, namespace string, name identity.Name) *unstructured.Unstructured {
	t.Helper()
	object, err := env.devenv.Dynamic().Resource(schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: plural}).
		Namespace(namespace).Get(t.Context(), name.ObjectName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func text(object *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(object.Object, path...)
	return value
}

// digestOf returns the digest of a file.
func digestOf(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// expectStored compares what lies at a package's location with a file.
func expectStored(t *testing.T, location, file string) {
	t.Helper()
	name, err := identity.ParsePackageURL(location)
	if err != nil {
		t.Fatal(err)
	}
	if want := packageservice.VersionOf(digestOf(t, file)); name.Version != want {
		t.Errorf("the package is %s, not of version %s", location, want)
	}
	stored := content(t, newClient(t), name)
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored, want) {
		t.Errorf("%s holds %d bytes that are not those of %s", location, len(stored), file)
	}
}

func archive(t *testing.T, name string) string {
	t.Helper()
	for _, file := range env.archives {
		if strings.HasPrefix(filepath.Base(file), name) {
			return file
		}
	}
	t.Fatalf("no %s among %q", name, env.archives)
	return ""
}

// TestUploadFunction does what most people begin with, and then changes the code.
func TestUploadFunction(t *testing.T) {
	examples := archive(t, "pulsar-functions-api-examples")
	admin(t, 0, "functions", "create", "--jar", examples, "--name", "upload", "--inputs", "in", "--output", "out",
		"--classname", "org.apache.pulsar.functions.api.examples.ExclamationFunction")
	function := resource(t, "functions", "upload")
	location := text(function, "spec", "java", "jarLocation")
	expectStored(t, location, examples)
	for _, path := range [][]string{{"spec", "input", "typeClassName"}, {"spec", "output", "typeClassName"}} {
		if got := text(function, path...); got != "java.lang.String" {
			t.Errorf("%v is %q", path, got)
		}
	}
	if strings.Contains(text(function, "spec", "java", "jar"), "examples") {
		t.Errorf("the client's file name is in the custom resource: %s", text(function, "spec", "java", "jar"))
	}

	// The same code again, with another class of it.
	admin(t, 0, "functions", "update", "--jar", examples, "--name", "upload",
		"--classname", "org.apache.pulsar.functions.api.examples.VoidFunction")
	function = resource(t, "functions", "upload")
	if got := text(function, "spec", "java", "jarLocation"); got != location {
		t.Errorf("the same code moved from %s to %s", location, got)
	}

	// Other code under the same name is another package.
	admin(t, 0, "functions", "update", "--jar", env.pulsar.Code.Jar, "--name", "upload", "--classname", "org.example.Exclamation")
	function = resource(t, "functions", "upload")
	changed := text(function, "spec", "java", "jarLocation")
	expectStored(t, changed, env.pulsar.Code.Jar)
	if changed == location {
		t.Error("other code is at the same location")
	}
	expectStored(t, location, examples)

	// What is refused changes nothing, and stores nothing.
	before := resource(t, "functions", "upload").GetGeneration()
	printed := admin(t, 1, "functions", "update", "--jar", examples, "--name", "upload", "--classname", "org.example.Missing")
	if !strings.Contains(printed, "Function class org.example.Missing must be in class path") {
		t.Errorf("a missing class is refused with %s", printed)
	}
	if after := resource(t, "functions", "upload").GetGeneration(); after != before {
		t.Error("a refused update changed the custom resource")
	}
	admin(t, 0, "functions", "delete", "--name", "upload")
}

// TestUploadPython finds out by what name the runner finds the code.
func TestUploadPython(t *testing.T) {
	file := filepath.Join(t.TempDir(), "anything at all.py")
	if err := os.WriteFile(file, []byte("class Exclamation:\n    pass\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	admin(t, 0, "functions", "create", "--py", file, "--name", "python", "--inputs", "in", "--classname", "exclaim.Exclamation")
	function := resource(t, "functions", "python")
	expectStored(t, text(function, "spec", "python", "pyLocation"), file)
	if got := text(function, "spec", "python", "py"); got != "/pulsar/exclaim.py" {
		t.Errorf("the file is called %s", got)
	}
	admin(t, 0, "functions", "delete", "--name", "python")
}

// TestUploadConnectors uploads connectors as Pulsar releases them, which say themselves
// which class is meant.
func TestUploadConnectors(t *testing.T) {
	nar := archive(t, "pulsar-io-data-generator")
	admin(t, 0, "sources", "create", "--archive", nar, "--name", "generator", "--destination-topic-name", "people")
	source := resource(t, "sources", "generator")
	if got := text(source, "spec", "className"); got != "org.apache.pulsar.io.datagenerator.DataGeneratorSource" {
		t.Errorf("the class is %q", got)
	}
	if got := text(source, "spec", "output", "typeClassName"); got != "org.apache.pulsar.io.datagenerator.Person" {
		t.Errorf("the type is %q", got)
	}
	expectStored(t, text(source, "spec", "java", "jarLocation"), nar)
	admin(t, 0, "sources", "delete", "--name", "generator")

	admin(t, 0, "sinks", "create", "--archive", nar, "--name", "printer", "--inputs", "people")
	if got := text(resource(t, "sinks", "printer"), "spec", "className"); got != "org.apache.pulsar.io.datagenerator.DataGeneratorPrintSink" {
		t.Errorf("the class is %q", got)
	}
	admin(t, 0, "sinks", "delete", "--name", "printer")

	batch := archive(t, "pulsar-io-batch-data-generator")
	printed := admin(t, 1, "sources", "create", "--archive", batch, "--name", "batch", "--destination-topic-name", "people")
	if !strings.Contains(printed, "but batch source source config is not specified") {
		t.Errorf("a batch source without a configuration is refused with %s", printed)
	}
}

// send sends a form with a file to the shim.
func send(t *testing.T, ctx context.Context, method, name, config string, file io.Reader) (int, string) {
	t.Helper()
	return sendTo(t, ctx, env.devenv.ShimURL(), method, name, config, file)
}

// sendTo is send to any shim.
func sendTo(t *testing.T, ctx context.Context, shim, method, name, config string, file io.Reader) (int, string) {
	t.Helper()
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		part, err := form.CreatePart(map[string][]string{
			"Content-Disposition": {`form-data; name="functionConfig"`}, "Content-Type": {"application/json"}})
		if err == nil {
			_, err = io.WriteString(part, config)
		}
		if err == nil {
			part, err = form.CreateFormFile("data", "../../etc/passwd")
		}
		if err == nil {
			_, err = io.Copy(part, file)
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	request, err := http.NewRequestWithContext(ctx, method, shim+"/admin/v3/functions/public/default/"+name, reader)
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// endless is more than the shim takes.
type endless struct{}

func (endless) Read(into []byte) (int, error) { return len(into), nil }

func TestUploadRefused(t *testing.T) {
	const config = `{"className":"a.B","inputs":["in"]}`
	for name, test := range map[string]struct {
		file io.Reader
		code int
		want string
	}{
		"toolarge": {endless{}, http.StatusRequestEntityTooLarge, "The package is larger than"},
		"empty":    {strings.NewReader(""), http.StatusBadRequest, "The package is empty"},
		"garbage":  {strings.NewReader("garbage"), http.StatusBadRequest, "Function package is not a Java archive"},
	} {
		code, body := send(t, t.Context(), http.MethodPost, name, config, test.file)
		if code != test.code || !strings.Contains(body, test.want) {
			t.Errorf("%s: got %d %s", name, code, body)
		}
		versions, err := newClient(t).Versions(t.Context(), "", identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: name, Version: "latest"})
		if err != nil || len(versions) > 0 {
			t.Errorf("%s left the packages %q, %v", name, versions, err)
		}
	}
	// A client that goes away in the middle leaves nothing.
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	go func() {
		_, _ = writer.Write(make([]byte, 1<<20)) // The request may be gone.
		cancel()
		writer.CloseWithError(io.ErrUnexpectedEOF)
	}()
	send(t, ctx, http.MethodPost, "interrupted", config, reader)
	if code, body := send(t, t.Context(), http.MethodPut, "interrupted", config, strings.NewReader("x")); code != http.StatusBadRequest || !strings.Contains(body, "doesn't exist") {
		t.Errorf("after an interrupted creation got %d %s", code, body)
	}
}
