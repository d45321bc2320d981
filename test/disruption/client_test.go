package disruption

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// plainClient makes each request once: client-go's clients repeat some by
// themselves, and don't show headers.
type plainClient struct {
	http *http.Client
	base string
	// header is sent with each request.
	header http.Header
}

// newPlainClient returns a client with connections of its own, and the credential
// of config: a client certificate, a token or none.
func newPlainClient(t *testing.T, config *rest.Config) *plainClient {
	t.Helper()
	tlsConfig := must[*tls.Config](t)(rest.TLSConfigFor(config))
	client := &http.Client{Timeout: limit, Transport: &http.Transport{TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true}}
	t.Cleanup(client.CloseIdleConnections)
	header := http.Header{}
	if config.BearerToken != "" {
		header.Set("Authorization", "Bearer "+config.BearerToken)
	}
	return &plainClient{http: client, base: config.Host, header: header}
}

// directConfig leads to a functionmesh-apiserver without kube-apiserver in between.
func directConfig(config *rest.Config, server *controlplane.Server) *rest.Config {
	config = rest.CopyConfig(config)
	config.Host = "https://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(server.Port()))
	return config
}

// answer is what a server said.
type answer struct {
	code   int
	header http.Header
	body   []byte
	took   time.Duration
}

func (a *answer) String() string {
	return fmt.Sprintf("%d %v %s", a.code, a.header, a.body)
}

// status reads the answer as the error that a Kubernetes API gives.
func (a *answer) status(t *testing.T) metav1.Status {
	t.Helper()
	var status metav1.Status
	if err := json.Unmarshal(a.body, &status); err != nil || status.Kind != "Status" {
		t.Fatalf("the answer is no Status: %v", a)
	}
	return status
}

// reason reads the answer as the error that Pulsar's REST API gives.
func (a *answer) reason(t *testing.T) string {
	t.Helper()
	var failure struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(a.body, &failure); err != nil || failure.Reason == "" {
		t.Fatalf("the answer has no reason: %v", a)
	}
	return failure.Reason
}

// call is one request.
type call struct {
	method, path string
	header       http.Header
	body         string
}

func (c *plainClient) do(ctx context.Context, t *testing.T, call call) *answer {
	t.Helper()
	answer, err := c.try(ctx, call)
	if err != nil {
		t.Fatalf("%s %s: %v", call.method, call.path, err)
	}
	return answer
}

func (c *plainClient) try(ctx context.Context, call call) (*answer, error) {
	began := time.Now()
	response, err := c.open(ctx, call)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &answer{code: response.StatusCode, header: response.Header, body: body, took: time.Since(began)}, nil
}

func (c *plainClient) open(ctx context.Context, call call) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path, strings.NewReader(call.body))
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, c.header)
	maps.Copy(request.Header, call.header)
	return c.http.Do(request)
}

// shimClient talks to a pulsar-admin-shim without a credential.
func shimClient(server *controlplane.Server) *plainClient { return newShimClient(server.Port()) }

func newShimClient(port int) *plainClient {
	return &plainClient{
		http: &http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}},
		base: "http://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port)),
	}
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	listener := must[net.Listener](t)(net.Listen("tcp", net.JoinHostPort(controlplane.Loopback, "0")))
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// contentType returns the header of a body.
func contentType(value string) http.Header { return http.Header{"Content-Type": {value}} }

// viewPath is the path of a namespace's functions, or of the function name there.
func viewPath(namespace, name string) string {
	path := "/apis/admin.functionmesh.io/v1alpha1/namespaces/" + namespace + "/pulsarfunctions"
	if name != "" {
		path += "/" + name
	}
	return path
}

// newFunction returns a valid function of the Pulsar namespace public/default.
func newFunction(namespace, name string) *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "PulsarFunction"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Exclamation",
				Java:      &v1alpha1.JavaRuntime{},
				Package:   &v1alpha1.Package{Location: "function://public/default/exclamation@1.0"},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs: []string{"persistent://public/default/in"},
			},
		},
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	return string(must[[]byte](t)(json.Marshal(value)))
}

// newNamespace makes a namespace whose name begins with the given words. Deleting
// it is no part of a test unless the test does it.
func newNamespace(ctx context.Context, t *testing.T, words string) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: words + "-"}}
	created, err := env.ControlPlane.Client().CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created.Name
}

// create makes a function through kube-apiserver, as soon as that works.
func create(ctx context.Context, t *testing.T, namespace, name string) *v1alpha1.PulsarFunction {
	t.Helper()
	functions := newViews(t, env.ControlPlane.AdminConfig()).AdminV1alpha1().PulsarFunctions(namespace)
	var created *v1alpha1.PulsarFunction
	eventually(ctx, t, "function "+name+" to be created", func() (err error) {
		created, err = functions.Create(ctx, newFunction(namespace, name), metav1.CreateOptions{})
		return err
	})
	return created
}

// label sets a label of a function through kube-apiserver.
func label(ctx context.Context, t *testing.T, namespace, name, value string) {
	t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"labels":{"test":%q}}}`, value)
	_, err := newViews(t, env.ControlPlane.AdminConfig()).AdminV1alpha1().PulsarFunctions(namespace).
		Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// restPath is the path of a function of public/default in Pulsar's REST API, or of
// their list.
func restPath(name string) string {
	path := "/admin/v3/functions/public/default"
	if name != "" {
		path += "/" + name
	}
	return path
}

// restWrite is a request that creates or updates a function as Pulsar's clients do.
func restWrite(t *testing.T, method, name, config string) call {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	contentTypes := map[string]string{"functionConfig": "application/json", "url": "text/plain"}
	for field, value := range map[string]string{"functionConfig": config, "url": "function://public/default/exclamation@1.0"} {
		part, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf("form-data; name=%q", field)}, "Content-Type": {contentTypes[field]},
		})
		if err == nil {
			_, err = io.WriteString(part, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return call{method: method, path: restPath(name), header: contentType(form.FormDataContentType()), body: body.String()}
}

const restConfig = `{"className":"org.example.Exclamation","runtime":"JAVA","inputs":["persistent://public/default/in"]}`
