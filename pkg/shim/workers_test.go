package shim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var portNumber = regexp.MustCompile(`"port":[0-9]+`)

// catalogue is a list of connectors of each sort.
func catalogue() map[string]any {
	entry := func(name string, spec map[string]any) map[string]any {
		spec["name"] = name
		return map[string]any{"metadata": map[string]any{"name": name}, "spec": spec}
	}
	return listOf("PulsarConnector",
		entry("both", map[string]any{"description": "d", "sourceClass": "a.Source", "sinkClass": "a.Sink", "image": "i", "sinkConfigClass": "a.Config",
			"configFields": []any{map[string]any{"fieldName": "url", "typeName": "java.lang.String", "attributes": map[string]any{"required": "true"}}, map[string]any{"fieldName": "x"}}}),
		entry("function", map[string]any{"functionClass": "a.Function"}),
		entry("source", map[string]any{"sourceClass": "b.Source"}))
}

func superusers(verbs ...string) map[string]any {
	by := map[string]any{"GET pulsarconnectors": catalogue()}
	for _, verb := range []string{"GET", "PUT"} {
		if !slices.Contains(verbs, verb) {
			by[verb+" pulsarworkers/workers"] = apierrors.NewForbidden(v1alpha1.Resource("pulsarworkers"), "workers", errors.New("no"))
		}
	}
	return by
}

func TestConnectorsAndWorkers(t *testing.T) {
	const (
		both   = `{"name":"both","description":"d","sourceClass":"a.Source","sinkClass":"a.Sink","sinkConfigClass":"a.Config"}`
		source = `{"name":"source","sourceClass":"b.Source"}`
		fields = `[{"fieldName":"url","typeName":"java.lang.String","attributes":{"required":"true"}},{"fieldName":"x","attributes":{}}]`
		moved  = `{"reason":"` + reasonKubernetesSchedules + `"}`
	)
	unauthorized := func(reason string) string { return `{"reason":"` + reason + `"}` }
	reader, writer, nobody := superusers("GET"), superusers("GET", "PUT"), superusers()
	for _, test := range []struct {
		by           map[string]any
		method, path string
		code         int
		body         string
	}{
		{nobody, "GET", "/admin/v3/sinks/builtinsinks", 200, "[" + both + "]"},
		{nobody, "GET", "/admin/v3/source/builtinsources", 200, "[" + both + "," + source + "]"},
		{nobody, "GET", "/admin/v3/functions/connectors", 200, "[" + both + "," + source + "]"},
		{map[string]any{}, "GET", "/admin/v3/sinks/builtinsinks", 200, "[]"},
		{map[string]any{"GET pulsarconnectors": forbidden}, "GET", "/admin/v3/sinks/builtinsinks", 401, unauthorized(reasonUnauthorized)},
		{nobody, "GET", "/admin/v3/sinks/builtinsinks/both/configdefinition", 200, fields},
		{nobody, "GET", "/admin/v3/sources/builtinsources/source/configdefinition", 200, "[]"},
		{nobody, "GET", "/admin/v3/sinks/builtinsinks/source/configdefinition", 404, unauthorized("builtin sink does not exist")},
		{nobody, "GET", "/admin/v3/sources/builtinsources/x/configdefinition", 404, unauthorized("builtin source does not exist")},
		{nobody, "GET", "/admin/v3/functions/builtins", 401, unauthorized(reasonUnauthorized)},
		{reader, "GET", "/admin/v3/functions/builtins", 200, `[{"name":"function","functionClass":"a.Function"}]`},
		{reader, "POST", "/admin/v3/functions/builtins/reload", 401, unauthorized(reasonUnauthorized)},
		{writer, "POST", "/admin/v3/functions/builtins/reload", 204, ""},
		{reader, "POST", "/admin/v3/sinks/reloadBuiltInSinks", 401, unauthorized(reasonNeedsSuperuser)},
		{writer, "POST", "/admin/v3/sinks/reloadBuiltInSinks", 204, ""},
		{writer, "POST", "/admin/v3/sources/reloadBuiltInSources", 204, ""},

		{nobody, "GET", "/admin/v2/worker/cluster", 401, unauthorized(reasonUnauthorized)},
		{reader, "GET", "/admin/v2/worker/cluster", 200, `[{"workerId":"127.0.0.1","workerHostname":"127.0.0.1","port":PORT}]`},
		{reader, "GET", "/admin/v3/worker/cluster/leader", 200, `{"workerId":"127.0.0.1","workerHostname":"127.0.0.1","port":PORT}`},
		{reader, "GET", "/admin/v2/worker/cluster/leader/ready", 200, `true`},
		{nobody, "GET", "/admin/v2/worker/connectors", 401, unauthorized(reasonUnauthorized)},
		{reader, "GET", "/admin/v2/worker/connectors", 200, "[" + both + "," + source + "]"},
		{nobody, "GET", "/admin/v2/worker/assignments", 401, unauthorized(reasonUnauthorized)},
		{reader, "PUT", "/admin/v2/worker/rebalance", 401, unauthorized(reasonUnauthorized)},
		{writer, "PUT", "/admin/v2/worker/rebalance", 400, moved},
		{reader, "PUT", "/admin/v2/worker/drain", 401, unauthorized(reasonNoDrain)},
		{writer, "PUT", "/admin/v2/worker/leader/drain?workerId=w", 400, moved},
		{nobody, "GET", "/admin/v2/worker/drain", 401, unauthorized(reasonNoDrainStatus)},
		{reader, "GET", "/admin/v2/worker/leader/drain?workerId=w", 200, `{"status":"NOT_RUN","lastError":""}`},
		{reader, "GET", "/admin/v2/worker-stats/metrics", 200, `[]`},
		{nobody, "GET", "/admin/v2/worker-stats/metrics", 401, unauthorized(reasonUnauthorized)},
		{reader, "GET", "/admin/v3/worker-stats/functionsmetrics", 200, `[]`},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			answer := serve((&directory{by: test.by}).handler(t, nil), test.method, test.path, nil)
			got := portNumber.ReplaceAllString(answer.Body.String(), `"port":PORT`)
			if answer.Code != test.code || got != test.body {
				t.Errorf("got %d %s, want %d %s", answer.Code, got, test.code, test.body)
			}
		})
	}
}

// A server that gives no clear answer lets nobody pass.
func TestSuperusersNeedAnAnswer(t *testing.T) {
	for _, refused := range []*apierrors.StatusError{
		apierrors.NewInternalError(errors.New("x")), apierrors.NewTooManyRequests("x", 1), apierrors.NewServiceUnavailable("x"), apierrors.NewUnauthorized("x"),
	} {
		server := &directory{by: map[string]any{"PUT pulsarworkers/workers": refused}}
		if answer := serve(server.handler(t, nil), "PUT", "/admin/v2/worker/rebalance", nil); answer.Code == 400 || answer.Code < 400 {
			t.Errorf("%v: got %d", refused, answer.Code)
		}
	}
}

func TestAssignments(t *testing.T) {
	by := superusers("GET")
	for _, kind := range testKinds() {
		object := objectOf(kind.ComponentKind, "x")
		object["spec"].(map[string]any)["name"] = kind.Type
		by["GET "+kind.Resource] = listOf(kind.Kind, object)
	}
	answer := serve((&directory{by: by}).handler(t, nil), "GET", "/admin/v2/worker/assignments", nil)
	want := `{"127.0.0.1":["t/n/function:0","t/n/function:1","t/n/sink:0","t/n/sink:1","t/n/source:0","t/n/source:1"]}`
	if answer.Code != 200 || answer.Body.String() != want {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
	huge := objectOf(v1alpha1.SinkKind, "x")
	huge["status"] = map[string]any{"replicas": 2147483647}
	by["GET pulsarsinks"] = listOf("PulsarSink", huge)
	expectAnswer(t, "too many", serve((&directory{by: by}).handler(t, nil), "GET", "/admin/v2/worker/assignments", nil), 500, "There are more than 100000 instances")
	by["GET pulsarsinks"] = forbidden
	expectAnswer(t, "no right on sinks", serve((&directory{by: by}).handler(t, nil), "GET", "/admin/v2/worker/assignments", nil), 401, reasonUnauthorized)
}

// A list that never ends is given up.
func TestListsAreBounded(t *testing.T) {
	endless := listOf("PulsarFunction", objectOf(v1alpha1.FunctionKind, "x"))
	endless["metadata"] = map[string]any{"continue": "more"}
	server := &directory{by: map[string]any{"GET pulsarfunctions": endless}}
	answer := serve(server.handler(t, func(o *Options) { o.MaxListed = 3 }), "GET", "/admin/v3/functions/t/n", nil)
	expectAnswer(t, "endless list", answer, 413, "There are more than 3 functions in the Kubernetes namespace")
	if len(server.calls) != 3 {
		t.Errorf("the calls were %q", server.calls)
	}
}

func TestReplicasOfAService(t *testing.T) {
	endpoint := func(address, pod string, ready bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{Addresses: []string{address}, TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(ready)}}
	}
	list := discoveryv1.EndpointSliceList{
		TypeMeta: metav1.TypeMeta{Kind: "EndpointSliceList", APIVersion: "discovery.k8s.io/v1"},
		Items: []discoveryv1.EndpointSlice{{
			Ports:     []discoveryv1.EndpointPort{{Port: ptr.To(int32(6443))}},
			Endpoints: []discoveryv1.Endpoint{endpoint("10.0.0.2", "api-b", true), endpoint("10.0.0.1", "api-a", true), endpoint("10.0.0.3", "api-c", false)},
		}},
	}
	holder := any(apierrors.NewNotFound(v1alpha1.Resource("leases"), "api"))
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked++
		answer := any(list)
		switch request.URL.Path {
		case "/apis/discovery.k8s.io/v1/namespaces/system/endpointslices":
			if got := request.URL.Query().Get("labelSelector"); got != "kubernetes.io/service-name=api" {
				t.Errorf("selector %q", got)
			}
		case "/apis/coordination.k8s.io/v1/namespaces/system/leases/api":
			answer = holder
		default:
			t.Errorf("unexpected %s", request.URL)
		}
		code := http.StatusOK
		if refused, isError := answer.(*apierrors.StatusError); isError {
			status := refused.Status()
			status.Kind, status.APIVersion = "Status", "v1"
			code, answer = int(status.Code), status
		}
		writeJSON(writer, mustRequest(t), code, answer)
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	read := func() (knownReplicas, error) {
		return (&serviceReplicas{client: client, namespace: "system", name: "api"}).list(context.Background())
	}
	lease := func(identity string) coordinationv1.Lease {
		return coordinationv1.Lease{TypeMeta: metav1.TypeMeta{Kind: "Lease", APIVersion: "coordination.k8s.io/v1"}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &identity}}
	}
	workers := []workerInfo{{"api-a", "10.0.0.1", 6443}, {"api-b", "10.0.0.2", 6443}}
	for identity, leader := range map[string]string{"": "", "api-b_0123": "api-b", "api-a": "api-a", "api-bb": "", "api-c_1": ""} {
		if identity != "" {
			holder = lease(identity)
		}
		known, err := read()
		if err != nil || !slices.Equal(known.workers, workers) || known.leading != leader {
			t.Errorf("held by %q: got %+v, %v", identity, known, err)
		}
		if (known.leader() == nil) != (leader == "") {
			t.Errorf("held by %q: the leader is %+v", identity, known.leader())
		}
		holder = any(apierrors.NewNotFound(v1alpha1.Resource("leases"), "api"))
	}
	replicas := &serviceReplicas{client: client, namespace: "system", name: "api"}
	asked = 0
	for range 3 {
		if _, err := replicas.list(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if asked != 2 {
		t.Errorf("kube-apiserver was asked %d times", asked)
	}
	holder = apierrors.NewForbidden(v1alpha1.Resource("leases"), "api", errors.New("inside"))
	var refused *restError
	if _, err := read(); !errors.As(err, &refused) || refused.code != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
}
