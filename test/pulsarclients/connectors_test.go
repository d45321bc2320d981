package pulsarclients

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	pulsarconfig "github.com/apache/pulsar-client-go/pulsaradmin/pkg/admin/config"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// sinkURL and sourceURL are packages. That they exist isn't checked.
const (
	sinkURL   = "sink://public/default/connector@1"
	sourceURL = "source://public/default/connector@1"
)

// connectorPath returns the path of a sink or a source.
func connectorPath(kind v1alpha1.ComponentKind, name identity.Name) string {
	return "/admin/v3/" + kind.Type + "s/" + url.PathEscape(name.Tenant) + "/" + url.PathEscape(name.Namespace) + "/" + url.PathEscape(name.Name)
}

// sendConfig sends the configuration of a component of a kind.
func sendConfig(t *testing.T, method string, kind v1alpha1.ComponentKind, name identity.Name, text, location string) answer {
	t.Helper()
	parts := []part{{name: kind.Type + "Config", content: text}}
	if location != "" {
		parts = append(parts, at(location))
	}
	body, contentType := encodeForm(t, parts...)
	return rest().send(t, method, connectorPath(kind, name), contentType, body)
}

func readConfig(t *testing.T, kind v1alpha1.ComponentKind, name identity.Name) map[string]any {
	t.Helper()
	got := rest().send(t, http.MethodGet, connectorPath(kind, name), "", nil)
	if got.code != http.StatusOK {
		t.Fatalf("get of %s %s: the answer is %s", kind.Type, name, got)
	}
	return decode(t, got.body)
}

// resourceOf returns the custom resource of a kind that the shim made.
func resourceOf(t *testing.T, kind v1alpha1.ComponentKind, name identity.Name) *unstructured.Unstructured {
	t.Helper()
	resources := world.env.Dynamic().Resource(schema.GroupVersionResource{Group: "compute.functionmesh.io", Version: "v1alpha1", Resource: kind.Type + "s"})
	return must[*unstructured.Unstructured](t)(resources.Namespace(kubernetesNamespace).Get(t.Context(), name.ObjectName(), metav1.GetOptions{}))
}

func TestGoClientSink(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "go-client", Namespace: "sinks", Name: "everything"}
	client := goClient(t, pulsarconfig.V3).Sinks()
	sink := &utils.SinkConfig{
		Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, ClassName: "org.example.Sink", Archive: sinkURL,
		Inputs: []string{"in"}, InputSpecs: map[string]utils.ConsumerConfig{"spec": {SchemaType: "json", ReceiverQueueSize: 7}},
		SourceSubscriptionName: "sub", SourceSubscriptionPosition: "Earliest", AutoAck: true, CleanupSubscription: true, RetainOrdering: true,
		Parallelism: 2, ProcessingGuarantees: "ATLEAST_ONCE", MaxMessageRetries: 3, DeadLetterTopic: "dead", NegativeAckRedeliveryDelayMs: 100,
		Configs: map[string]any{"url": "u", "size": 5, "nested": map[string]any{"list": []int{1}}},
		Secrets: map[string]any{"PASSWORD": map[string]string{"path": "database", "key": "password"}},
	}
	expectNoError(t, "create", client.CreateSinkWithURL(sink, sinkURL))
	expectReason(t, "create again", client.CreateSinkWithURL(sink, sinkURL), 400, "Sink everything already exists")

	got, err := client.GetSink(name.Tenant, name.Namespace, name.Name)
	expectNoError(t, "get", err)
	if got.ClassName != "org.example.Sink" || got.Parallelism != 2 || !got.RetainOrdering || got.SourceSubscriptionPosition != "Earliest" ||
		got.MaxMessageRetries != 3 || got.InputSpecs["spec"].ReceiverQueueSize != 7 || len(got.Inputs) != 2 || got.Configs["url"] != "u" {
		t.Errorf("get answers %s", encode(t, got))
	}
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SinkKind, name).Object, map[string]any{
		"spec.name": name.Name, "spec.tenant": name.Tenant, "spec.className": "org.example.Sink", "spec.replicas": 2,
		"spec.java.jarLocation": sinkURL, "spec.sinkConfig.size": 5, "spec.subscriptionName": "sub", "spec.retainOrdering": true,
	})
	expectReason(t, "update with what was read", client.UpdateSink(&got, "", utils.NewUpdateOptions()), 400, "Update contains no change")

	got.Parallelism = 3
	expectNoError(t, "update", client.UpdateSink(&got, "", utils.NewUpdateOptions()))
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SinkKind, name).Object, map[string]any{"spec.replicas": 3, "spec.sinkConfig.url": "u"})
	got.AutoAck = false
	expectReason(t, "update of what can't change", client.UpdateSink(&got, "", nil), 400, "AutoAck cannot be altered")

	names, err := client.ListSinks(name.Tenant, name.Namespace)
	if err != nil || !slices.Equal(names, []string{"everything"}) {
		t.Errorf("list answers %q, %v", names, err)
	}
	expectNoError(t, "delete", client.DeleteSink(name.Tenant, name.Namespace, name.Name))
	_, err = client.GetSink(name.Tenant, name.Namespace, name.Name)
	expectReason(t, "get", err, 404, "Sink everything doesn't exist")
}

func TestGoClientSource(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "go-client", Namespace: "sources", Name: "everything"}
	client := goClient(t, pulsarconfig.V3).Sources()
	source := &utils.SourceConfig{
		Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, ClassName: "org.example.Source", Archive: sourceURL,
		TopicName: "out", SchemaType: "json", Parallelism: 2, ProcessingGuarantees: "ATLEAST_ONCE",
		ProducerConfig: &utils.ProducerConfig{MaxPendingMessages: 5, CompressionType: "ZSTD"}, Configs: map[string]any{"size": 5},
	}
	expectNoError(t, "create", client.CreateSourceWithURL(source, sourceURL))
	got, err := client.GetSource(name.Tenant, name.Namespace, name.Name)
	expectNoError(t, "get", err)
	if got.TopicName != "out" || got.Parallelism != 2 || got.ProducerConfig.CompressionType != "ZSTD" || got.SchemaType != "json" {
		t.Errorf("get answers %s", encode(t, got))
	}
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SourceKind, name).Object, map[string]any{
		"spec.name": name.Name, "spec.className": "org.example.Source", "spec.replicas": 2, "spec.output.topic": "out",
		"spec.java.jarLocation": sourceURL, "spec.sourceConfig.size": 5, "spec.output.sinkSchemaType": "json",
	})
	// To Pulsar the client's producer is another one than it has: docs/compatibility.md.
	generation := resourceOf(t, v1alpha1.SourceKind, name).GetGeneration()
	expectNoError(t, "update with what was read", client.UpdateSource(&got, "", utils.NewUpdateOptions()))
	if after := resourceOf(t, v1alpha1.SourceKind, name).GetGeneration(); after != generation {
		t.Errorf("update with what was read changed the custom resource: generation %d after %d", after, generation)
	}
	got.TopicName = "other"
	expectNoError(t, "update", client.UpdateSource(&got, "", nil))
	expectFields(t, "the custom resource", resourceOf(t, v1alpha1.SourceKind, name).Object, map[string]any{"spec.output.topic": "other"})
	got.ProcessingGuarantees = "ATMOST_ONCE"
	expectReason(t, "update of what can't change", client.UpdateSource(&got, "", nil), 400, "Processing Guarantees cannot be altered")
	expectNoError(t, "delete", client.DeleteSource(name.Tenant, name.Namespace, name.Name))
	expectReason(t, "delete again", client.DeleteSource(name.Tenant, name.Namespace, name.Name), 404, "Source everything doesn't exist")
}

// TestOneNameSpace takes a name with one kind and tries it with the others.
func TestOneNameSpace(t *testing.T) {
	t.Parallel()
	configs := map[v1alpha1.ComponentKind][2]string{
		v1alpha1.FunctionKind: {javaConfig, ""},
		v1alpha1.SinkKind:     {`{"className":"org.example.Sink","inputs":["in"]}`, sinkURL},
		v1alpha1.SourceKind:   {`{"className":"org.example.Source","topicName":"out"}`, sourceURL},
	}
	for _, kind := range v1alpha1.ComponentKinds {
		name := identity.Name{Tenant: "one-name-space", Namespace: "n", Name: "a-" + kind.Type}
		expectOK(t, "create", sendConfig(t, http.MethodPost, kind, name, configs[kind][0], configs[kind][1]))
		for _, other := range v1alpha1.ComponentKinds {
			exists, missing := fmt.Sprintf("%s %s already exists", other.Title, name.Name), fmt.Sprintf("%s %s doesn't exist", other.Title, name.Name)
			expect(t, "create", sendConfig(t, http.MethodPost, other, name, configs[other][0], configs[other][1]), 400, exists)
			if other == kind {
				continue
			}
			expect(t, "get", rest().send(t, http.MethodGet, connectorPath(other, name), "", nil), 404, missing)
			expect(t, "delete", rest().send(t, http.MethodDelete, connectorPath(other, name), "", nil), 404, missing)
			expect(t, "update", sendConfig(t, http.MethodPut, other, name, `{"parallelism":2}`, ""), 404, missing)
		}
		absent := identity.Name{Tenant: name.Tenant, Namespace: name.Namespace, Name: "absent"}
		expect(t, "update", sendConfig(t, http.MethodPut, kind, absent, `{"parallelism":2}`, ""), 400, kind.Title+" absent doesn't exist")
		// What was deleted leaves its name to every kind.
		expectOK(t, "delete", rest().send(t, http.MethodDelete, connectorPath(kind, name), "", nil))
		other := v1alpha1.ComponentKinds[(slices.Index(v1alpha1.ComponentKinds, kind)+1)%len(v1alpha1.ComponentKinds)]
		expectOK(t, "create", sendConfig(t, http.MethodPost, other, name, configs[other][0], configs[other][1]))
	}
}

// TestUpdatesOfConnectorsAtOnce lets updates of different members race each other: each
// lasts, or its caller hears that it didn't.
func TestUpdatesOfConnectorsAtOnce(t *testing.T) {
	t.Parallel()
	for kind, test := range map[v1alpha1.ComponentKind][2]string{
		v1alpha1.SinkKind:   {`{"className":"org.example.Sink","inputs":["in"]}`, sinkURL},
		v1alpha1.SourceKind: {`{"className":"org.example.Source","topicName":"out"}`, sourceURL},
	} {
		name := identity.Name{Tenant: "concurrency", Namespace: kind.Type, Name: "c"}
		expectOK(t, "create", sendConfig(t, http.MethodPost, kind, name, test[0], test[1]))
		for round := 1; round <= 5; round++ {
			value := fmt.Sprintf("r%d", round)
			updates := []struct {
				update string
				path   string
				want   any
			}{
				{`{"parallelism":` + fmt.Sprint(round+1) + `}`, "parallelism", round + 1},
				{`{"configs":{"v":"` + value + `"}}`, "configs.v", value},
				{`{"logTopic":"` + value + `"}`, "logTopic", value},
				{`{"className":"org.example.` + value + `"}`, "className", "org.example." + value},
				{`{"runtimeFlags":"` + value + `"}`, "runtimeFlags", value},
				{`{"secrets":{"S":{"path":"` + value + `","key":"k"}}}`, "secrets.S.path", value},
			}
			answers := make([]answer, len(updates))
			var functions []func()
			for i, update := range updates {
				functions = append(functions, func() { answers[i] = sendConfig(t, http.MethodPut, kind, name, update.update, "") })
			}
			atOnce(functions...)
			config, landed := readConfig(t, kind, name), 0
			for i, update := range updates {
				switch answers[i].code {
				case http.StatusNoContent:
					landed++
					expectFields(t, "get", config, map[string]any{update.path: update.want})
				case http.StatusConflict:
				default:
					t.Errorf("%s: the answer is %s", update.update, answers[i])
				}
			}
			if landed == 0 {
				t.Error("no update lasted")
			}
		}
	}
}

func TestWorkersAndConnectors(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "workers", Namespace: "n", Name: "f"}
	someFunction(t, name)
	client := goClient(t, pulsarconfig.V3)
	workers, err := client.FunctionsWorker().GetCluster()
	if err != nil || len(workers) != 1 {
		t.Fatalf("the cluster is %s, %v", encode(t, workers), err)
	}
	leader, err := client.FunctionsWorker().GetClusterLeader()
	if err != nil || *leader != *workers[0] {
		t.Errorf("the leader is %s, %v", encode(t, leader), err)
	}
	assignments, err := client.FunctionsWorker().GetAssignments()
	if _, known := assignments[leader.WorkerID]; err != nil || !known || len(assignments) != 1 {
		t.Errorf("the assignments are %v, %v", assignments, err)
	}
	if sinks, err := client.Sinks().GetBuiltInSinks(); err != nil || len(sinks) != 3 {
		t.Errorf("built-in sinks are %s, %v", encode(t, sinks), err)
	}
	expect(t, "config definition", rest().send(t, http.MethodGet, "/admin/v3/sources/builtinsources/x/configdefinition", "", nil), 404, "builtin source does not exist")
	for _, path := range []string{"/admin/v2/worker/rebalance", "/admin/v2/worker/drain"} {
		if got := rest().send(t, http.MethodPut, path, "", nil); got.code != 400 || !strings.Contains(got.reason, "Kubernetes schedules") {
			t.Errorf("%s: the answer is %s", path, got)
		}
	}
	// An author may do none of what Pulsar keeps for super-users.
	shim := startStrict(t, "workers-shim")
	_, token := serviceAccount(t, "workers", authorRole)
	author := shim.secure.with("Authorization", "Bearer "+token)
	expect(t, "cluster", author.send(t, http.MethodGet, "/admin/v2/worker/cluster", "", nil), 401, unauthorized)
	expect(t, "drain", author.send(t, http.MethodPut, "/admin/v2/worker/drain", "", nil), 401, "Client is not authorized to perform drain operation")
	expect(t, "reload", author.send(t, http.MethodPost, "/admin/v3/sinks/reloadBuiltInSinks", "", nil), 401, "This operation requires super-user access")
	if got := author.send(t, http.MethodGet, "/admin/v3/sinks/builtinsinks", "", nil); got.code != 200 || !strings.Contains(got.body, `"name":"mongo_db"`) {
		t.Errorf("built-in sinks: the answer is %s", got)
	}
}
