package disruption

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

const crdName = "functions.compute.functionmesh.io"

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// deleteCRD deletes the CRD of functions and returns when it isn't served. It
// comes back when the test ends.
func deleteCRD(ctx context.Context, t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := env.ApplyCRDs(ctx); err != nil {
			t.Error(err)
		}
	})
	crds := env.Dynamic().Resource(crdResource)
	if err := crds.Delete(ctx, crdName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	kube := newPlainClient(t, env.ControlPlane.AdminConfig())
	eventually(ctx, t, "the CRD to be gone", func() error {
		if _, err := crds.Get(ctx, crdName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w", err)
		}
		answer, err := kube.try(ctx, call{method: http.MethodGet, path: "/apis/compute.functionmesh.io/v1alpha1/functions"})
		if err != nil || answer.code != http.StatusNotFound {
			return fmt.Errorf("it is served: %v (%w)", answer, err)
		}
		return nil
	})
}

// mustNotPanic fails the test if functionmesh-apiserver wrote of a panic since the
// call, or isn't the same process at the test's end.
func mustNotPanic(t *testing.T) {
	t.Helper()
	server := env.APIServer
	path, pid := env.ControlPlane.LogPath(server.Process().Name()), server.Process().PID()
	before := len(must[[]byte](t)(os.ReadFile(path)))
	t.Cleanup(func() {
		if err := same(server, pid); err != nil {
			t.Error(err)
		}
		log := must[[]byte](t)(os.ReadFile(path))[before:]
		if i := bytes.Index(log, []byte("panic")); i >= 0 {
			t.Errorf("the log has a panic: %s", log[i:min(len(log), i+2000)])
		}
	})
}

// The answers while the CRD is missing: reads find nothing, and writes say what is
// to be done about it.
func TestAnswersWithoutCRD(t *testing.T) {
	ctx := testContext(t)
	mustNotPanic(t)
	namespace := newNamespace(ctx, t, "no-crd")
	create(ctx, t, namespace, "before")
	deleteCRD(ctx, t)
	client := newPlainClient(t, env.ControlPlane.AdminConfig())

	t.Run("list is empty, with a warning", func(t *testing.T) {
		for _, path := range []string{viewPath(namespace, ""), "/apis/admin.functionmesh.io/v1alpha1/pulsarfunctions"} {
			answer := client.do(ctx, t, call{method: http.MethodGet, path: path})
			if answer.code != http.StatusOK || !bytes.Contains(answer.body, []byte(`"items":[]`)) {
				t.Errorf("%s: %v", path, answer)
			}
			if !strings.Contains(answer.header.Get("Warning"), crdName) {
				t.Errorf("%s: the warnings are %q", path, answer.header.Values("Warning"))
			}
		}
	})
	t.Run("get is 404", func(t *testing.T) {
		answer := client.do(ctx, t, call{method: http.MethodGet, path: viewPath(namespace, "before")})
		if status := answer.status(t); status.Code != http.StatusNotFound || status.Message != `pulsarfunctions.admin.functionmesh.io "before" not found` {
			t.Errorf("%v", answer)
		}
		if !strings.Contains(answer.header.Get("Warning"), crdName) {
			t.Errorf("the warnings are %q", answer.header.Values("Warning"))
		}
	})
	// What isn't there can't be deleted, and a clean-up must be able to end.
	t.Run("delete is 404, of a collection 200", func(t *testing.T) {
		answer := client.do(ctx, t, call{method: http.MethodDelete, path: viewPath(namespace, "before")})
		if status := answer.status(t); status.Code != http.StatusNotFound || !strings.Contains(answer.header.Get("Warning"), crdName) {
			t.Errorf("%v", answer)
		}
		answer = client.do(ctx, t, call{method: http.MethodDelete, path: viewPath(namespace, "")})
		if answer.code != http.StatusOK {
			t.Errorf("%v", answer)
		}
	})

	object := toJSON(t, newFunction(namespace, "before"))
	named := viewPath(namespace, "before")
	for name, write := range map[string]call{
		"create":            {http.MethodPost, viewPath(namespace, ""), contentType("application/json"), object},
		"create, dry run":   {http.MethodPost, viewPath(namespace, "") + "?dryRun=All", contentType("application/json"), object},
		"update":            {http.MethodPut, named, contentType("application/json"), object},
		"json patch":        {http.MethodPatch, named, contentType("application/json-patch+json"), `[{"op":"add","path":"/spec/parallelism","value":2}]`},
		"merge patch":       {http.MethodPatch, named, contentType("application/merge-patch+json"), `{"spec":{"parallelism":2}}`},
		"server-side apply": {http.MethodPatch, named + "?fieldManager=test", contentType("application/apply-patch+yaml"), object},
	} {
		t.Run(name+" is 503", func(t *testing.T) {
			answer := client.do(ctx, t, write)
			status := answer.status(t)
			if answer.code != http.StatusServiceUnavailable || status.Reason != metav1.StatusReasonServiceUnavailable {
				t.Errorf("%v", answer)
			}
			if !strings.Contains(status.Message, crdName) || !strings.Contains(status.Message, "install") {
				t.Errorf("the message is %q", status.Message)
			}
			if answer.header.Get("Retry-After") == "" {
				t.Error("there is no Retry-After")
			}
		})
	}

	t.Run("REST says the same", func(t *testing.T) {
		rest := shimClient(env.Shim)
		if answer := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("")}); answer.code != http.StatusOK || string(answer.body) != "[]" {
			t.Errorf("list: %v", answer)
		}
		if answer := rest.do(ctx, t, call{method: http.MethodGet, path: restPath("f")}); answer.code != http.StatusNotFound {
			t.Errorf("get: %v", answer)
		}
		answer := rest.do(ctx, t, restWrite(t, http.MethodPost, "f", restConfig))
		if answer.code != http.StatusServiceUnavailable || !strings.Contains(answer.reason(t), crdName) || answer.header.Get("Retry-After") == "" {
			t.Errorf("create: %v", answer)
		}
	})

	t.Run("the server stays ready", func(t *testing.T) { testReadyWithoutCRD(ctx, t) })
	t.Run("a new replica becomes ready", func(t *testing.T) {
		startAPIServer(ctx, t, devenv.APIServerOptions{Name: "functionmesh-apiserver-without-crd"})
	})
	t.Run("a namespace goes", func(t *testing.T) {
		deleteNamespace(ctx, t, namespace)
		waitNamespaceGone(ctx, t, namespace)
	})
}

func testReadyWithoutCRD(ctx context.Context, t *testing.T) {
	direct := newPlainClient(t, directConfig(env.ControlPlane.AdminConfig(), env.APIServer))
	for _, path := range []string{"/readyz", "/livez", "/healthz"} {
		if answer := direct.do(ctx, t, call{method: http.MethodGet, path: path}); answer.code != http.StatusOK {
			t.Errorf("%s: %v", path, answer)
		}
	}
	if answer := direct.do(ctx, t, call{method: http.MethodGet, path: "/metrics"}); !bytes.Contains(answer.body,
		[]byte(`functionmesh_apiserver_missing_crd_requests_total{resource="`+crdName+`"}`)) {
		t.Error("no metric counts requests that met a missing CRD")
	}
	resources, err := env.ControlPlane.Client().Discovery().ServerResourcesForGroupVersion(devenv.PulsarFunctions.GroupVersion().String())
	if err != nil || len(resources.APIResources) == 0 {
		t.Errorf("discovery: %v, %v", resources, err)
	}
	if output, err := env.Kubectl(ctx, "get", "apiservice", devenv.APIServiceName,
		"-o", `jsonpath={.status.conditions[?(@.type=="Available")].status}`).CombinedOutput(); err != nil || string(output) != "True" {
		t.Errorf("the APIService's condition Available is %q (%v)", output, err)
	}
}

// Watches and informers live through the loss of the CRD and its return.
func TestWatchesWithoutCRD(t *testing.T) {
	ctx := testContext(t)
	mustNotPanic(t)
	namespace := newNamespace(ctx, t, "no-crd-watch")
	create(ctx, t, namespace, "before")
	admin := env.ControlPlane.AdminConfig()
	client := newPlainClient(t, admin)
	running := watchViewsBy(ctx, t, newViews(t, admin), namespace)
	open := client.watchViews(ctx, t, namespace, url.Values{"resourceVersion": {"0"}})
	if event := open.next(t); event.Type != "ADDED" || event.Object.Metadata.Name != "before" {
		t.Fatalf("%+v", event)
	}

	deleteCRD(ctx, t)
	if event := open.next(t); event.Type != "DELETED" {
		t.Errorf("the CRD's deletion: %+v", event)
	}
	eventually(ctx, t, "the informer to hear of it", func() error { return running.has("deleted", "before") })
	if event := open.next(t); event.Type != "" {
		t.Errorf("the open watch goes on: %+v", event)
	}

	// Each of these is opened while there is nothing to watch.
	began := time.Now()
	idle := map[string]*openWatch{
		"without bookmarks": client.watchViews(ctx, t, namespace, url.Values{}),
		"from version 0":    client.watchViews(ctx, t, namespace, url.Values{"resourceVersion": {"0"}}),
		"from a version":    client.watchViews(ctx, t, namespace, url.Values{"resourceVersion": {"1"}, "allowWatchBookmarks": {"true"}}),
		"with bookmarks":    client.watchViews(ctx, t, namespace, url.Values{"allowWatchBookmarks": {"true"}}),
		"watch-list": client.watchViews(ctx, t, namespace, url.Values{
			"allowWatchBookmarks": {"true"}, "sendInitialEvents": {"true"}, "resourceVersionMatch": {"NotOlderThan"}}),
	}
	for name, watch := range idle {
		if !strings.Contains(watch.header.Get("Warning"), crdName) {
			t.Errorf("%s: the warnings are %q", name, watch.header.Values("Warning"))
		}
	}
	event := idle["watch-list"].next(t)
	if event.Type != "BOOKMARK" || event.Object.Metadata.Annotations[metav1.InitialEventsAnnotationKey] != "true" {
		t.Errorf("watch-list: the first event is %+v", event)
	}
	t.Logf("watch-list: the end bookmark came after %.1f s", time.Since(began).Seconds())
	late := watchViewsBy(ctx, t, newViews(t, admin), namespace)

	kubectl := env.Kubectl(ctx, "get", "pfn", "-n", namespace, "-w", "-v=6")
	output, input := io.Pipe()
	kubectl.Stdout, kubectl.Stderr = input, input
	if err := kubectl.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	watching, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		readUntil(output, &said, "watch=true", watching)
	}()
	go func() {
		// How kubectl takes the end of a watch is its own affair.
		_ = kubectl.Wait()
		input.Close()
	}()
	within(t, "kubectl to watch", watching)
	select {
	case <-ended:
		t.Errorf("kubectl ended: %s", &said)
	default:
	}

	if err := env.ApplyCRDs(ctx); err != nil {
		t.Fatal(err)
	}
	returned := time.Now()
	for name, watch := range idle {
		// What else came before was a bookmark.
		event := watch.next(t)
		for event.Type == "BOOKMARK" {
			event = watch.next(t)
		}
		if event.Type != "ERROR" || event.Object.Code != http.StatusGone {
			t.Errorf("%s: when the CRD is back: %+v", name, event)
		}
		if event := watch.next(t); event.Type != "" {
			t.Errorf("%s: after the end: %+v", name, event)
		}
	}
	t.Logf("the idle watches ended %.1f s after the CRD was established", time.Since(returned).Seconds())
	within(t, "kubectl to end", ended)
	if !strings.Contains(said.String(), "list again") {
		t.Errorf("kubectl said: %s", &said)
	}

	create(ctx, t, namespace, "after")
	created := time.Now()
	for name, informer := range map[string]*recorder{"older": running, "younger": late} {
		eventually(ctx, t, "the informer that is "+name+" than the CRD's absence", func() error {
			return informer.has("added", "after")
		})
		t.Logf("the informer that is %s than the CRD's absence heard of a new object after %.1f s", name, time.Since(created).Seconds())
	}
}

// readUntil copies what a process writes until it ends, and closes found when mark
// came by.
func readUntil(from io.Reader, to *bytes.Buffer, mark string, found chan<- struct{}) {
	chunk := make([]byte, 4096)
	for closed := false; ; {
		n, err := from.Read(chunk)
		to.Write(chunk[:n])
		if !closed && bytes.Contains(to.Bytes(), []byte(mark)) {
			closed = true
			close(found)
		}
		if err != nil {
			return
		}
	}
}
