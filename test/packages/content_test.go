package packages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// expectSame compares two files.
func expectSame(t *testing.T, what, got, want string) {
	t.Helper()
	if digestOf(t, got) != digestOf(t, want) {
		t.Errorf("%s is not what was uploaded", what)
	}
}

// fetched returns a file that pulsar-admin downloads.
func fetched(t *testing.T, arguments ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "downloaded")
	admin(t, 0, append([]string{"functions", "download", "--destination-file", file}, arguments...)...)
	return file
}

// TestDownload downloads what was uploaded with components, by their names and by the
// packages' URLs, before and after a change of the code.
func TestDownload(t *testing.T) {
	examples, other := archive(t, "pulsar-functions-api-examples"), env.pulsar.Code.Jar
	byName := []string{"--tenant", "public", "--namespace", "default", "--name", "download"}
	admin(t, 0, "functions", "create", "--jar", examples, "--name", "download", "--inputs", "in",
		"--classname", "org.apache.pulsar.functions.api.examples.ExclamationFunction")
	first := text(resource(t, "functions", "download"), "spec", "java", "jarLocation")
	expectSame(t, "the code", fetched(t, byName...), examples)
	expectSame(t, "the package", fetched(t, "--path", first), examples)

	admin(t, 0, "functions", "update", "--jar", other, "--name", "download", "--classname", "org.example.Exclamation")
	expectSame(t, "the changed code", fetched(t, byName...), other)
	expectSame(t, "the former package", fetched(t, "--path", first), examples)
	admin(t, 0, "functions", "delete", "--name", "download")
	printed := admin(t, 1, append([]string{"functions", "download", "--destination-file", filepath.Join(t.TempDir(), "x")}, byName...)...)
	// The client reads no reason of a download.
	if !strings.Contains(printed, "HTTP 404 Not Found") {
		t.Errorf("what was deleted is refused with %s", printed)
	}

	// A connector's code comes through the functions, too, as in Pulsar.
	nar := archive(t, "pulsar-io-data-generator")
	admin(t, 0, "sources", "create", "--archive", nar, "--name", "download-source", "--destination-topic-name", "people")
	expectSame(t, "the connector", fetched(t, "--tenant", "public", "--namespace", "default", "--name", "download-source"), nar)
	admin(t, 0, "sources", "delete", "--name", "download-source")
}

// TestUploadToPath does what old scripts do: upload to a path, and then use that.
func TestUploadToPath(t *testing.T) {
	examples, other := archive(t, "pulsar-functions-api-examples"), env.pulsar.Code.Jar
	upload := func(code int, file, path string) string {
		return admin(t, code, "functions", "upload", "--source-file", file, "--path", path)
	}
	// Without a version it is the latest one, which the next upload replaces.
	for _, file := range []string{examples, examples, other, examples} {
		upload(0, file, "public/default/library")
		expectSame(t, "the latest", fetched(t, "--path", "public/default/library"), file)
		expectSame(t, "the latest", fetched(t, "--path", "function://public/default/library@latest"), file)
	}
	admin(t, 0, "functions", "create", "--jar", "function://public/default/library", "--name", "from-path", "--inputs", "in",
		"--classname", "org.apache.pulsar.functions.api.examples.ExclamationFunction")
	expectSame(t, "the code", fetched(t, "--tenant", "public", "--namespace", "default", "--name", "from-path"), examples)
	admin(t, 0, "functions", "delete", "--name", "from-path")

	// A version stays what it is.
	const versioned = "sink://public/default/library@1.0"
	upload(0, other, versioned)
	upload(0, other, versioned)
	if printed := upload(1, examples, versioned); !strings.Contains(printed, "already exists, with another content") {
		t.Errorf("another content of a version is refused with %s", printed)
	}
	expectSame(t, "the version", fetched(t, "--path", versioned), other)

	digest := "function://public/default/library@" + packageservice.VersionOf(digestOf(t, other))
	if printed := upload(1, examples, digest); !strings.Contains(printed, "The file is not what its version says") {
		t.Errorf("a digest of something else is refused with %s", printed)
	}
	upload(0, other, digest)
	expectSame(t, "the digest", fetched(t, "--path", digest), other)

	for _, path := range []string{"x", "public/default/x/y", "builtin://x", "http://example.com/x.jar", "file:///etc/passwd", "function://public/default"} {
		upload(1, other, path)
		admin(t, 1, "functions", "download", "--destination-file", filepath.Join(t.TempDir(), "x"), "--path", path)
	}
	printed := admin(t, 1, "functions", "download", "--destination-file", filepath.Join(t.TempDir(), "x"), "--path", "public/default/nothing")
	if !strings.Contains(printed, "HTTP 404 Not Found") {
		t.Errorf("a missing package is refused with %s", printed)
	}

	// What somebody else uploaded is nobody's to replace here.
	if err := newClient(t).Upload(t.Context(), "", identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: "theirs", Version: "latest"},
		packageservice.Metadata{Description: "theirs"}, strings.NewReader("theirs")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "longer")
	if err := os.WriteFile(file, []byte("ours, of which theirs could be a half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if printed := upload(1, file, "public/default/theirs"); !strings.Contains(printed, "already exists, with another content") {
		t.Errorf("an upload over somebody else's is refused with %s", printed)
	}
}

// TestGoClientContent does the same with the other client, whose form says less.
func TestGoClientContent(t *testing.T) {
	client, err := pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: env.devenv.ShimURL(), PulsarAPIVersion: pulsarconfig.V3})
	if err != nil {
		t.Fatal(err)
	}
	functions, jar, file := client.Functions(), env.pulsar.Code.Jar, filepath.Join(t.TempDir(), "downloaded")
	admin(t, 0, "functions", "create", "--jar", jar, "--name", "go-content", "--inputs", "in", "--classname", "org.example.Exclamation")
	if err := functions.Upload(jar, "public/default/go-client"); err != nil {
		t.Fatal(err)
	}
	if err := functions.DownloadFunction("public/default/go-client", file); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "the package", file, jar)
	if err := functions.DownloadFunctionByNs(file, "public", "default", "go-content"); err != nil {
		t.Fatal(err)
	}
	expectSame(t, "the code", file, jar)
	admin(t, 0, "functions", "delete", "--name", "go-content")
	if err := functions.Upload(jar, "go-client"); err == nil || !strings.Contains(err.Error(), "TENANT/NAMESPACE/NAME") {
		t.Errorf("a bad path is refused with %v", err)
	}
}

// TestDownloadOfAnotherContent has somebody put something else under a digest's name.
func TestDownloadOfAnotherContent(t *testing.T) {
	for name, size := range map[string]int{"small": 1000, "large": 3 << 20} {
		stored, content := newPackage(t, size)
		stored.Name.Name = "lying-" + name
		content[size/2]++
		if err := newClient(t).Upload(t.Context(), "", stored.Name, stored.Metadata, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		location := stored.Name.String()
		admin(t, 1, "functions", "download", "--destination-file", filepath.Join(t.TempDir(), "x"), "--path", location)
		response, err := http.Get(env.devenv.ShimURL() + "/admin/v3/functions/download?path=" + url.QueryEscape(location))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode == http.StatusOK || len(got) >= size {
			t.Errorf("%s: got %s, %d bytes, %v", name, response.Status, len(got), err)
		}
	}
}

// TestDownloadInterrupted has more clients go away than a tenant may have.
func TestDownloadInterrupted(t *testing.T) {
	stored, _ := newPackage(t, 8<<20)
	stored.Name.Name = "interrupted"
	if err := newClient(t).Store(t.Context(), "", stored); err != nil {
		t.Fatal(err)
	}
	location := env.devenv.ShimURL() + "/admin/v3/functions/download?path=" + url.QueryEscape(stored.Name.String())
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode == http.StatusTooManyRequests {
			cancel()
			response.Body.Close()
			continue
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		cancel()
		response.Body.Close()
	}
	// The last ones are about to be noticed.
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		code, _, err := ask(ctx, http.MethodGet, location, "", "", nil)
		return code == http.StatusOK, err
	}); err != nil {
		t.Errorf("there are no downloads any more: %v", err)
	}
}

// sendToPath uploads content to a path, which comes before or after it.
func sendToPath(ctx context.Context, shim, token, path string, pathFirst bool, content io.Reader) (int, string, error) {
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	go func() {
		var err error
		if pathFirst {
			err = form.WriteField("path", path)
		}
		var part io.Writer
		if err == nil {
			part, err = form.CreateFormFile("data", "../../etc/passwd")
		}
		if err == nil {
			_, err = io.Copy(part, content)
		}
		if err == nil && !pathFirst {
			err = form.WriteField("path", path)
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err)
	}()
	return ask(ctx, http.MethodPost, shim+"/admin/v3/functions/upload", token, form.FormDataContentType(), reader)
}

// TestUploadsToPathAtOnce uploads the same and other bytes to one path: what is there in
// the end is one of them, whole, and each answer is one that tells the truth.
func TestUploadsToPathAtOnce(t *testing.T) {
	contents := [][]byte{bytes.Repeat([]byte("one"), 500_000), bytes.Repeat([]byte("other"), 300_000)}
	for _, test := range []struct {
		path string
		each int
	}{{"public/default/at-once-same", 8}, {"public/default/at-once-other", 4}} {
		var running sync.WaitGroup
		for i := range 8 {
			running.Go(func() {
				code, body, err := sendToPath(t.Context(), env.devenv.ShimURL(), "", test.path, i%2 == 0, bytes.NewReader(contents[i/test.each]))
				if err != nil || code != http.StatusNoContent {
					t.Errorf("%s: got %d %s, %v", test.path, code, body, err)
				}
			})
		}
		running.Wait()
		got, err := os.ReadFile(fetched(t, "--path", test.path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, contents[0]) && !bytes.Equal(got, contents[1]) {
			t.Errorf("%s: %d bytes that nobody uploaded", test.path, len(got))
		}
	}
}

// TestUploadToPathRefused looks at what is left of uploads that fail.
func TestUploadToPathRefused(t *testing.T) {
	broken := io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), readerOf(func([]byte) (int, error) { return 0, errors.New("gone") }))
	for name, test := range map[string]struct {
		content io.Reader
		code    int
		want    string
	}{
		"too-large": {endless{}, http.StatusRequestEntityTooLarge, "The package is larger than"},
		"empty":     {strings.NewReader(""), http.StatusBadRequest, "The package is empty"},
		"broken":    {broken, 0, ""},
	} {
		for _, pathFirst := range []bool{true, false} {
			code, body, err := sendToPath(t.Context(), env.devenv.ShimURL(), "", "public/default/"+name, pathFirst, test.content)
			if code != test.code || !strings.Contains(body, test.want) {
				t.Errorf("%s, path first %s: got %d %s, %v", name, strconv.FormatBool(pathFirst), code, body, err)
			}
			awaitIdle(t)
			versions, err := newClient(t).Versions(t.Context(), "", identity.PackageURL{Type: "function", Tenant: "public", Namespace: "default", Name: name, Version: "latest"})
			if err != nil || len(versions) > 0 {
				t.Errorf("%s left the packages %q, %v", name, versions, err)
			}
		}
	}
}

// awaitIdle waits until the shim is done with all requests, also those of clients that are
// gone.
func awaitIdle(t *testing.T) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 10*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		_, metrics, err := ask(ctx, http.MethodGet, env.devenv.ShimURL()+"/metrics", "", "", nil)
		return strings.Contains(metrics, "\npulsar_admin_shim_requests_in_flight 0\n"), err
	}); err != nil {
		t.Fatalf("the shim is never idle: %v", err)
	}
}

type readerOf func([]byte) (int, error)

func (r readerOf) Read(into []byte) (int, error) { return r(into) }

// TestDownloadTransformFunction asks for the function inside a sink.
func TestDownloadTransformFunction(t *testing.T) {
	const inside = "function://public/default/inside@1"
	admin(t, 0, "functions", "upload", "--source-file", env.pulsar.Code.Jar, "--path", inside)
	admin(t, 0, "sinks", "create", "--archive", archive(t, "pulsar-io-data-generator"), "--name", "with-inside", "--inputs", "people",
		"--transform-function", inside, "--transform-function-classname", "org.example.Exclamation")
	admin(t, 0, "sinks", "create", "--archive", archive(t, "pulsar-io-data-generator"), "--name", "without-inside", "--inputs", "people")
	for name, code := range map[string]int{"with-inside": http.StatusOK, "without-inside": http.StatusBadRequest} {
		response, err := http.Get(env.devenv.ShimURL() + functions + "public/default/" + name + "/download?transform-function=true")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != code {
			t.Errorf("%s: got %s %.300s, %v", name, response.Status, body, err)
		}
		want, err := os.ReadFile(env.pulsar.Code.Jar)
		if err != nil {
			t.Fatal(err)
		}
		if code == http.StatusOK && !bytes.Equal(body, want) {
			t.Errorf("%s: it is another code", name)
		}
	}
	admin(t, 0, "sinks", "delete", "--name", "with-inside")
	admin(t, 0, "sinks", "delete", "--name", "without-inside")
}
