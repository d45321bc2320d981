package shim

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/component-base/metrics/testutil"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func randomBytes(size int) []byte {
	content := make([]byte, size)
	_, _ = rand.Read(content) // It never fails.
	return content
}

func TestCopyVerified(t *testing.T) {
	for _, size := range []int{0, 1, downloadBytes - 1, downloadBytes, downloadBytes + 1, 2 * downloadBytes, 2*downloadBytes + 7} {
		content := randomBytes(size)
		for name, reader := range map[string]io.Reader{
			"at once": bytes.NewReader(content), "with its end": iotest.DataErrReader(bytes.NewReader(content)), "in halves": iotest.HalfReader(bytes.NewReader(content)),
		} {
			var got bytes.Buffer
			if err := copyVerified(&got, reader, digestOf(content)); err != nil || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%d bytes %s: got %d bytes, %v", size, name, got.Len(), err)
			}
		}
		var got bytes.Buffer
		if err := copyVerified(&got, bytes.NewReader(content), ""); err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%d bytes without a digest: got %d bytes, %v", size, got.Len(), err)
		}
		got.Reset()
		if err := copyVerified(&got, bytes.NewReader(content), digestOf([]byte("other"))); !errors.Is(err, errOtherDigest) || size > 0 && got.Len() >= size {
			t.Errorf("%d bytes of another digest: got %d bytes, %v", size, got.Len(), err)
		}
		// What breaks off is no package, digest or not.
		for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("broken")} {
			for _, digest := range []string{"", digestOf(content)} {
				got.Reset()
				err := copyVerified(&got, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(broken)), digest)
				if !errors.Is(err, broken) || size > 0 && got.Len() >= size {
					t.Errorf("%d bytes that end in %v: got %d bytes, %v", size, broken, got.Len(), err)
				}
			}
		}
	}
}

// downloadFrom serves downloads of one package from a package service that answers with
// answer, and returns where. Nothing is said of the package.
func downloadFrom(t *testing.T, location identity.PackageURL, answer http.HandlerFunc) string {
	t.Helper()
	return downloadDescribed(t, t.Context(), location, packageservice.Metadata{}, answer)
}

// downloadDescribed is downloadFrom where something is said of the package, and requests
// have what is in ctx.
func downloadDescribed(t *testing.T, ctx context.Context, location identity.PackageURL, metadata packageservice.Metadata, answer http.HandlerFunc) string {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/metadata") {
			_ = json.NewEncoder(writer).Encode(metadata)
			return
		}
		answer(writer, request)
	}))
	t.Cleanup(service.Close)
	client, err := packageservice.NewClient(service.URL, http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	downloads := newDownloads(&packages{service: client})
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if err := downloads.serve(writer, request, location, "t"); err != nil {
			writeError(writer, request, err)
		}
	})
	server := httptest.NewUnstartedServer(withRequestInfo(withEscapedPath(handler), func(*http.Request) time.Duration { return downloadTimeout }))
	server.Config.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if downloads.slots.Taken() != 0 {
			t.Errorf("%d slots are still taken", downloads.slots.Taken())
		}
	})
	return server.URL
}

// A client that gets something else than the package hears that it did.
func TestDownloadsThatFail(t *testing.T) {
	small, large := randomBytes(1000), randomBytes(1<<20)
	named := func(version string) identity.PackageURL {
		return identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: version}
	}
	of := func(content []byte) identity.PackageURL {
		return named(packageservice.VersionOf(digestOf(content)))
	}
	send := func(content []byte) http.HandlerFunc {
		return func(writer http.ResponseWriter, _ *http.Request) { _, _ = writer.Write(content) }
	}
	cutOff := func(content []byte) http.HandlerFunc {
		return func(writer http.ResponseWriter, _ *http.Request) {
			_, _ = writer.Write(content)
			_ = http.NewResponseController(writer).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	none := packageservice.Metadata{}
	saidToBe := func(content []byte, by string) packageservice.Metadata {
		return packageservice.Metadata{Properties: map[string]string{packageservice.PropertyManager: by, packageservice.PropertyDigest: digestOf(content)}}
	}
	fail := func(code int) http.HandlerFunc {
		return func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(code) }
	}
	for name, test := range map[string]struct {
		location identity.PackageURL
		metadata packageservice.Metadata
		answer   http.HandlerFunc
		// code is that of the answer, brokenOff says that it has no end.
		code      int
		brokenOff bool
		reason    string
	}{
		"small":                 {of(small), none, send(small), 200, false, ""},
		"large":                 {of(large), none, send(large), 200, false, ""},
		"of any content":        {named("v1"), none, send(large), 200, false, ""},
		"empty":                 {named("v1"), none, send(nil), 200, false, ""},
		"small and another":     {of(large), none, send(small), 502, false, "another content than its name says"},
		"large and another":     {of(small), none, send(large), 200, true, ""},
		"cut off at once":       {named("v1"), none, cutOff(small), 503, false, "did not give the package"},
		"cut off later":         {named("v1"), none, cutOff(large), 200, true, ""},
		"cut off, with digest":  {of(large), none, cutOff(large), 200, true, ""},
		"missing":               {named("v1"), none, fail(404), 404, false, "Package 'function://t/n/f@v1' does not exist"},
		"no right":              {named("v1"), none, fail(403), 401, false, "Pulsar doesn't let anybody without a token of Pulsar's read packages of namespace t/n"},
		"service is broken":     {named("v1"), none, fail(500), 503, false, "did not give the package"},
		"service redirects":     {named("v1"), none, fail(302), 503, false, "did not give the package"},
		"service knows no such": {named("v1"), none, fail(412), 400, false, "412"},

		"latest":                       {named("latest"), saidToBe(large, packageservice.Manager), send(large), 200, false, ""},
		"a small half of the latest":   {named("latest"), saidToBe(small, pathManager), send(small[:500]), 502, false, "is not whole"},
		"half of a version":            {named("v1"), saidToBe(large, pathManager), send(large[:len(large)/2]), 200, true, ""},
		"half of what somebody stores": {named("v1"), saidToBe(large, "somebody"), send(large[:len(large)/2]), 200, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Get(downloadDescribed(t, t.Context(), test.location, test.metadata, test.answer))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if response.StatusCode != test.code || (err != nil) != test.brokenOff {
				t.Fatalf("got %s, %d bytes, %v", response.Status, len(body), err)
			}
			if test.code != http.StatusOK {
				if !strings.Contains(string(body), test.reason) {
					t.Errorf("the reason is %s", body)
				}
				return
			}
			if got := response.Header.Get("Content-Type"); got != "application/octet-stream" {
				t.Errorf("the content is said to be %s", got)
			}
			if digest := packageservice.DigestOf(test.location.Version); !test.brokenOff && digest != "" && digest != digestOf(body) {
				t.Error("it is another content")
			}
		})
	}
}

// A package that isn't what it should be is an error of ours, a client that goes away isn't.
// Neither is a success in the metrics.
func TestDownloadsThatBreakOff(t *testing.T) {
	registerMetrics()
	location := identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: packageservice.VersionOf(digestOf(nil))}
	for _, goesAway := range []bool{false, true} {
		logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true), ktesting.Verbosity(4)))
		aborted := func() float64 {
			value, err := testutil.GetCounterMetricValue(requestsTotal.WithLabelValues("none", codeAborted))
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
		before := aborted()
		gone := make(chan struct{})
		url := downloadDescribed(t, klog.NewContext(t.Context(), logger), location, packageservice.Metadata{}, func(writer http.ResponseWriter, request *http.Request) {
			_, _ = writer.Write(make([]byte, 3*downloadBytes))
			if goesAway {
				_ = http.NewResponseController(writer).Flush()
				<-gone
				for request.Context().Err() == nil {
					if _, err := writer.Write(make([]byte, downloadBytes)); err != nil {
						return
					}
				}
			}
		})
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if !goesAway {
			_, err = io.Copy(io.Discard, response.Body)
			if err == nil {
				t.Error("it ended")
			}
		}
		response.Body.Close()
		close(gone)
		if err := wait.PollUntilContextTimeout(t.Context(), time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
			return aborted() == before+1, nil
		}); err != nil {
			t.Fatalf("no aborted request was counted: %v", err)
		}
		want := map[bool]ktesting.LogType{false: ktesting.LogError, true: ktesting.LogInfo}[goesAway]
		buffer := logger.GetSink().(ktesting.Underlier).GetBuffer()
		if !slices.ContainsFunc(buffer.Data(), func(entry ktesting.LogEntry) bool {
			return entry.Type == want && strings.Contains(entry.Message, "download")
		}) {
			t.Errorf("client goes away %v: the log is %s", goesAway, buffer)
		}
	}
}

// To a client of HTTP 1.0 an answer that breaks off is one that ends.
func TestDownloadByOldClients(t *testing.T) {
	url := downloadFrom(t, identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: "v1"},
		func(http.ResponseWriter, *http.Request) { t.Error("the package service was asked") })
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := fmt.Fprintf(connection, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusHTTPVersionNotSupported {
		t.Errorf("got %s", response.Status)
	}
}

// Whoever asks for the headers only doesn't have all of the package sent to the shim.
func TestDownloadOfHeaders(t *testing.T) {
	url := downloadFrom(t, identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: "v1"},
		func(writer http.ResponseWriter, request *http.Request) {
			for request.Context().Err() == nil {
				if _, err := writer.Write(make([]byte, downloadBytes)); err != nil {
					return
				}
			}
		})
	response, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("got %s %s", response.Status, response.Header)
	}
}

func TestDownloadsAtOnce(t *testing.T) {
	started, end := make(chan struct{}), make(chan struct{})
	url := downloadFrom(t, identity.PackageURL{Type: "function", Tenant: "t", Namespace: "n", Name: "f", Version: "v1"},
		func(writer http.ResponseWriter, _ *http.Request) {
			started <- struct{}{}
			<-end
			_, _ = io.WriteString(writer, "x")
		})
	done := make(chan string)
	for range maxDownloads / 2 {
		go func() {
			response, err := http.Get(url)
			if err != nil {
				done <- err.Error()
				return
			}
			response.Body.Close()
			done <- strconv.Itoa(response.StatusCode)
		}()
		<-started
	}
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("more than a tenant's share: got %s", response.Status)
	}
	close(end)
	for range maxDownloads / 2 {
		if got := <-done; got != "200" {
			t.Errorf("got %s", got)
		}
	}
}

func TestPackageAt(t *testing.T) {
	for path, want := range map[string]string{
		"acme/orders/exclaim":          "function://acme/orders/exclaim@latest",
		"function://acme/orders/x":     "function://acme/orders/x@latest",
		"sink://acme/orders/x@v1":      "sink://acme/orders/x@v1",
		"source://acme/orders/x@a-b.c": "source://acme/orders/x@a-b.c",
		"a b/ü/c":                      "function://a b/ü/c@latest",
	} {
		if got, err := packageAt(path); err != nil || got.String() != want {
			t.Errorf("%q: got %s, %v", path, got, err)
		}
	}
	for _, path := range []string{"", "x", "a/b", "a/b/c/d", "/a/b/c", "a/b/c/", "a//c", "a/../c", "a/b/.", "a/b/c@1", "a/b/function:x", "function:a/b/c",
		"builtin://x", "http://example.com/code.jar", "file:///etc/passwd", "function://a/b", "function://a/b/c/d", "function://a/b/c@1@2", "function://a/../c@1", "a\\b/c/d\x00"} {
		if got, err := packageAt(path); codeOf(err) != http.StatusBadRequest {
			t.Errorf("%q: got %s, %v", path, got, err)
		}
	}
}

// The shim's account is for callers who have none.
func TestAccess(t *testing.T) {
	ctx := t.Context()
	if got, err := (&packages{}).accessFor(ctx); err != nil || got.token != "" {
		t.Errorf("without any token: got %+v, %v", got, err)
	}
	reached, err := newPackages(nil, nil, writeFile(t, "token", []byte("own\n")))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reached.accessFor(ctx); err != nil || got.token != "own" || got.who != "pulsar-admin-shim" {
		t.Errorf("with the shim's token: got %+v, %v", got, err)
	}
	if _, err := newPackages(nil, nil, "/no/such/file"); err == nil {
		t.Error("a token that can't be read was taken")
	}
}

// What brings or fetches a package takes its time, and nothing else does.
func TestTimeOf(t *testing.T) {
	config := (&Config{Uploads: newUploads(nil, 1), Downloads: newDownloads(nil), MaxConfigBytes: 100, RequestTimeout: time.Second}).Complete()
	for _, test := range []struct {
		method, path, contentType string
		want                      time.Duration
	}{
		{http.MethodGet, "/admin/v3/functions/download?path=a/b/c", "", downloadTimeout},
		{http.MethodGet, "/admin/v3/function/t/n/f/download", "", downloadTimeout},
		{http.MethodPost, "/admin/v3/functions/upload", "multipart/form-data; boundary=x", uploadTimeout},
		{http.MethodPost, "/admin/v3/functions/upload", "application/json", time.Second},
		{http.MethodGet, "/admin/v3/functions/t/n/f", "", time.Second},
		{http.MethodGet, "/admin/v3/sinks/t/n/download", "", time.Second},
	} {
		request := httptest.NewRequest(test.method, test.path, strings.NewReader(strings.Repeat("x", 200)))
		request.Header.Set("Content-Type", test.contentType)
		if got := config.timeOf(request); got != test.want {
			t.Errorf("%s %s: got %s", test.method, test.path, got)
		}
	}
}
