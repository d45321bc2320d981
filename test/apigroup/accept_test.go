package apigroup

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// answer is what came back for a request.
type answer struct {
	code        int
	contentType string
	body        []byte
}

// request sends a request through kube-apiserver as it is, with a user's
// credential.
func (s *space) request(config *rest.Config, method, path, accept, contentType, body string) answer {
	s.t.Helper()
	client, err := rest.HTTPClientFor(config)
	s.check(err)
	request, err := http.NewRequestWithContext(s.ctx, method, config.Host+path, strings.NewReader(body))
	s.check(err)
	request.Header.Set("Accept", accept)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := client.Do(request)
	s.check(err)
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	s.check(err)
	return answer{response.StatusCode, response.Header.Get("Content-Type"), data}
}

func (s *space) collectionPath() string {
	return "/apis/admin.functionmesh.io/v1alpha1/namespaces/" + s.namespace + "/pulsarfunctions"
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo")
	const (
		protobuf        = "application/vnd.kubernetes.protobuf"
		table           = ";as=Table;v=v1;g=meta.k8s.io"
		partial         = ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
		partialList     = ";as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
		jsonType        = "application/json"
		yamlType        = "application/yaml"
		collection, one = "", "/echo"
	)
	for _, test := range []struct {
		path, accept string
		code         int
		contentType  string
		kind         string
	}{
		{one, jsonType, 200, jsonType, "PulsarFunction"},
		{one, "*/*", 200, jsonType, "PulsarFunction"},
		{one, "", 200, jsonType, "PulsarFunction"},
		{one, yamlType, 200, yamlType, "PulsarFunction"},
		{collection, yamlType, 200, yamlType, "PulsarFunctionList"},
		{one, protobuf, 406, jsonType, "Status"},
		{collection, protobuf, 406, jsonType, "Status"},
		{one, protobuf + "," + jsonType, 200, jsonType, "PulsarFunction"},
		{collection, protobuf + "," + jsonType, 200, jsonType, "PulsarFunctionList"},
		{one, "application/cbor," + jsonType, 200, jsonType, "PulsarFunction"},
		{one, "text/html", 406, jsonType, "Status"},
		{one, jsonType + table, 200, jsonType, "Table"},
		{collection, jsonType + table, 200, jsonType, "Table"},
		{one, jsonType + partial, 200, jsonType, "PartialObjectMetadata"},
		{collection, jsonType + partialList, 200, jsonType, "PartialObjectMetadataList"},
	} {
		got := s.request(authorConfig, http.MethodGet, s.collectionPath()+test.path, test.accept, "", "")
		var object metav1.TypeMeta
		if err := yaml.Unmarshal(got.body, &object); err != nil {
			t.Errorf("Accept: %s: %v", test.accept, err)
		}
		if got.code != test.code || !strings.HasPrefix(got.contentType, test.contentType) || object.Kind != test.kind {
			t.Errorf("%q, Accept: %s: it answers %d, %s, %s", test.path, test.accept, got.code, got.contentType, object.Kind)
		}
	}

	if got := s.request(authorConfig, http.MethodPost, s.collectionPath(), jsonType, yamlType, functionYAML("from-yaml")); got.code != 201 {
		t.Errorf("YAML sent: %d: %s", got.code, got.body)
	}
	if got := s.request(authorConfig, http.MethodPost, s.collectionPath(), jsonType, protobuf, "k8s\x00"); got.code != 415 {
		t.Errorf("protobuf sent: %d: %s", got.code, got.body)
	}
	if got := s.request(authorConfig, http.MethodPost, s.collectionPath(), jsonType, jsonType, `{"kind":`); got.code != 400 {
		t.Errorf("half an object sent: %d: %s", got.code, got.body)
	}
}

// TestTable checks what people see, and how much of it.
func TestTable(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.create("echo", func(f *v1alpha1.PulsarFunction) {
		f.Spec.Tenant, f.Spec.Namespace, f.Spec.Name, f.Spec.Parallelism = "acme", "orders", "Echo", ptr.To(int32(2))
		f.Spec.TopicsPattern = "persistent://acme/orders/x-.*"
	})
	var table metav1.Table
	got := s.request(authorConfig, http.MethodGet, s.collectionPath(), "application/json;as=Table;v=v1;g=meta.k8s.io", "", "")
	s.check(json.Unmarshal(got.body, &table))
	var always, wide []string
	for _, column := range table.ColumnDefinitions {
		if column.Priority == 0 {
			always = append(always, column.Name)
		} else {
			wide = append(wide, column.Name)
		}
		if column.Description == "" {
			t.Errorf("column %s has no description", column.Name)
		}
	}
	if !slices.Equal(always, []string{"Name", "Tenant", "Namespace", "Function", "Runtime", "Replicas", "Ready", "Status", "Age"}) ||
		!slices.Equal(wide, []string{"Inputs", "Output", "Package", "Class"}) {
		t.Errorf("the columns are %v and, in wide, %v", always, wide)
	}
	if len(table.Rows) != 1 || table.ResourceVersion == "" {
		t.Fatalf("the table is %s", got.body)
	}
	cells := table.Rows[0].Cells
	want := []any{"echo", "acme", "orders", "Echo", "Java", float64(2), float64(0), "Pending", cells[8],
		"persistent://public/default/in,persistent://acme/orders/x-.*", "persistent://public/default/out", "function://public/default/echo@1", "org.example.Echo"}
	if !slices.Equal(cells, want) {
		t.Errorf("the row is %v, not %v", cells, want)
	}
	var row metav1.PartialObjectMetadata
	if err := json.Unmarshal(table.Rows[0].Object.Raw, &row); err != nil || row.Name != "echo" || row.Kind != "PartialObjectMetadata" {
		t.Errorf("the row's object is %s", table.Rows[0].Object.Raw)
	}
}

// TestMetadataClient reads as the garbage collector and the quota controller do.
func TestMetadataClient(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo", func(f *v1alpha1.PulsarFunction) { f.Labels = map[string]string{"team": "blue"} })
	client, err := metadata.NewForConfig(authorConfig)
	s.check(err)
	partial := client.Resource(pulsarFunctions).Namespace(s.namespace)
	list, err := partial.List(s.ctx, metav1.ListOptions{})
	s.check(err)
	if len(list.Items) != 1 || list.Items[0].UID != created.UID || list.Items[0].Labels["team"] != "blue" || list.ResourceVersion == "" {
		t.Errorf("the list is %+v", list)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	w, err := partial.Watch(ctx, metav1.ListOptions{
		SendInitialEvents: ptr.To(true), AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	s.check(err)
	defer w.Stop()
	for _, want := range []watch.EventType{watch.Added, watch.Bookmark, watch.Deleted} {
		event := s.next(w)
		object, ok := event.Object.(*metav1.PartialObjectMetadata)
		if event.Type != want || !ok || want != watch.Bookmark && object.UID != created.UID {
			t.Errorf("instead of %s comes %s %+v", want, event.Type, event.Object)
		}
		if want == watch.Bookmark {
			s.check(partial.Delete(s.ctx, "echo", metav1.DeleteOptions{}))
		}
	}
}
