package topics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/apache/pulsar-client-go/pulsar/log"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/function-mesh/functionmesh-apiserver/test/operator"
)

const (
	finalizer   = "admin.functionmesh.io/subscription-cleanup"
	workerLabel = "compute.functionmesh.io/pulsar-cluster"
	needCleanup = "compute.functionmesh.io/need-cleanup"
	// goneCluster is one that nobody can reach.
	goneCluster = "gone"
)

// made is a resource as the Java worker makes them.
type made struct {
	resource, name, namespace string
	cluster, subscription     string
	input                     map[string]any
	labels                    map[string]string
	keep                      bool
}

// create makes the resource.
func (m made) create(t *testing.T) {
	t.Helper()
	labels := m.labels
	if labels == nil {
		labels = map[string]string{workerLabel: "dev"}
	}
	spec := map[string]any{
		"name": m.name, "tenant": "public", "namespace": "default", "clusterName": m.cluster, "className": "org.example.Slow", "replicas": int64(1),
		"image": "runner:1", "input": m.input, "cleanupSubscription": !m.keep, "autoAck": true, "pulsar": map[string]any{"pulsarConfig": "none"},
		"resources": map[string]any{"requests": map[string]any{"memory": "1Gi"}, "limits": map[string]any{"memory": "1Gi"}},
	}
	spec["java"] = map[string]any{"jar": "/pulsar/code.jar", "jarLocation": code}
	if m.resource == "functions" {
		spec["output"] = map[string]any{"topic": "persistent://public/default/nowhere"}
	}
	if m.subscription != "" {
		spec["subscriptionName"] = m.subscription
	}
	cr := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "compute.functionmesh.io/v1alpha1", "kind": map[string]string{"functions": "Function", "sinks": "Sink"}[m.resource],
		"metadata": map[string]any{"name": m.name, "namespace": m.namespace}, "spec": spec,
	}}
	cr.SetLabels(labels)
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(operator.Resource(m.resource)).Namespace(m.namespace).Create(t.Context(), cr, metav1.CreateOptions{}))
}

// get returns the resource, nil once it is gone.
func (m made) get(ctx context.Context) (*unstructured.Unstructured, error) {
	cr, err := env.Dynamic().Resource(operator.Resource(m.resource)).Namespace(m.namespace).Get(ctx, m.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return cr, err
}

// waitFinalizer waits until the resource has the finalizer, or hasn't.
func (m made) waitFinalizer(t *testing.T, want bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("the finalizer of %s: %t", m.name, want), func(ctx context.Context) error {
		cr, err := m.get(ctx)
		if err == nil && slices.Contains(cr.GetFinalizers(), finalizer) != want {
			err = errors.New("not yet")
		}
		return err
	})
}

func (m made) waitGone(t *testing.T) {
	t.Helper()
	eventually(t, m.name+" to be gone", func(ctx context.Context) error {
		cr, err := m.get(ctx)
		if err == nil && cr != nil {
			err = fmt.Errorf("it has finalizers %v and annotations %v", cr.GetFinalizers(), cr.GetAnnotations())
		}
		return err
	})
}

// remove deletes the resource as a user of the view does, who doesn't wait.
func (m made) remove(t *testing.T) {
	t.Helper()
	kubectl(t, "delete", "pulsar"+m.resource, m.name, "--namespace", m.namespace, "--wait=false")
}

func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	output, err := env.Kubectl(t.Context(), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v: %s", args, err, output)
	}
	return string(output)
}

// subscribe makes a subscription that nobody consumes by. topic has the namespace.
func subscribe(t *testing.T, topic, name string) {
	t.Helper()
	administer(t, "PUT", "/admin/v2/persistent/"+topic+"/subscription/"+url.PathEscape(name), "")
}

// waitSubscriptions waits until a topic has these subscriptions and no others.
func waitSubscriptions(t *testing.T, topic string, want ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the subscriptions %v of %s", want, topic), func(ctx context.Context) error {
		names, err := subscriptionsOf(ctx, topic)
		slices.Sort(names)
		if err == nil && !slices.Equal(names, want) {
			err = fmt.Errorf("there are %v", names)
		}
		return err
	})
}

// waitEvent waits for what is told of an object.
func waitEvent(t *testing.T, namespace, name, reason, text string) {
	t.Helper()
	eventually(t, "event "+reason+" of "+name, func(ctx context.Context) error {
		list, err := env.ControlPlane.Client().CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + name})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(list.Items, func(event corev1.Event) bool { return event.Reason == reason && strings.Contains(event.Message, text) }) {
			return fmt.Errorf("there are %d others", len(list.Items))
		}
		return nil
	})
}

const inDefault = "public/default/"

// TestSubscriptionRemoved deletes what has pods, and topics of every sort, and looks at
// which subscriptions are left.
func TestSubscriptionRemoved(t *testing.T) {
	administer(t, "PUT", "/admin/v2/persistent/public/default/clean-parts/partitions", "2")
	for _, topic := range []string{"clean-one", "clean-parts", "clean-match-1", "clean-match-2", "clean-other"} {
		subscribe(t, inDefault+topic, "public/default/cleaned")
		subscribe(t, inDefault+topic, "stays")
	}
	function := made{resource: "functions", name: "cleaned", namespace: namespace, cluster: "dev", input: map[string]any{
		"topics": []any{"persistent://public/default/clean-one", "clean-parts", "clean-never"}, "topicPattern": "persistent://public/default/clean-match-.*",
	}}
	function.create(t)
	function.waitFinalizer(t, true)
	eventually(t, "the pod", func(ctx context.Context) error {
		return env.Kubectl(ctx, "wait", "pod", "cleaned-function-0", "--for", "condition=Ready", "--timeout", "10s").Run()
	})
	if shown := kubectl(t, "get", "pulsarfunctions", "cleaned", "-o", "jsonpath={.metadata.finalizers}"); !strings.Contains(shown, finalizer) {
		t.Errorf("the view has the finalizers %s", shown)
	}
	kubectl(t, "delete", "pulsarfunctions", "cleaned", "--timeout", "2m")
	function.waitGone(t)
	for _, topic := range []string{"clean-one", "clean-parts", "clean-match-1", "clean-match-2"} {
		waitSubscriptions(t, topic, "stays")
	}
	// The pattern doesn't take it.
	waitSubscriptions(t, "clean-other", "public/default/cleaned", "stays")
	waitEvent(t, namespace, "cleaned", "SubscriptionRemoved", "public/default/cleaned")

	sink := made{resource: "sinks", name: "cleaned-sink", namespace: namespace, cluster: "dev", subscription: "chosen",
		input: map[string]any{"topics": []any{"persistent://public/default/clean-sink"}}}
	subscribe(t, inDefault+"clean-sink", "chosen")
	sink.create(t)
	sink.waitFinalizer(t, true)
	sink.remove(t)
	sink.waitGone(t)
	waitSubscriptions(t, "clean-sink")
}

// TestSubscriptionInUse has a consumer on the subscription for a while, which can be seen,
// and then another that isn't waited for.
func TestSubscriptionInUse(t *testing.T) {
	client := must[pulsar.Client](t)(pulsar.NewClient(pulsar.ClientOptions{URL: pulsarServer.ServiceURL(), Logger: log.DefaultNopLogger()}))
	defer client.Close()
	for _, name := range []string{"used", "given-up"} {
		consumer := must[pulsar.Consumer](t)(client.Subscribe(pulsar.ConsumerOptions{
			Topic: "persistent://public/default/" + name + "-in", SubscriptionName: "public/default/" + name,
		}))
		function := made{resource: "functions", name: name, namespace: namespace, cluster: "dev",
			input: map[string]any{"topics": []any{"persistent://public/default/" + name + "-in"}}}
		function.create(t)
		function.waitFinalizer(t, true)
		function.remove(t)
		eventually(t, "a condition that says why", func(context.Context) error {
			var view struct {
				Status struct{ Conditions []metav1.Condition }
			}
			if err := json.Unmarshal([]byte(kubectl(t, "get", "pulsarfunctions", name, "-o", "json")), &view); err != nil {
				return err
			}
			if !slices.ContainsFunc(view.Status.Conditions, func(condition metav1.Condition) bool {
				return condition.Type == "SubscriptionRemoved" && condition.Status == "False" && strings.Contains(condition.Message, "somebody consumes")
			}) {
				return fmt.Errorf("there are %v", view.Status.Conditions)
			}
			return nil
		})
		waitEvent(t, namespace, name, "SubscriptionNotRemoved", "somebody consumes")
		if name == "used" {
			consumer.Close()
			function.waitGone(t)
			waitSubscriptions(t, name+"-in")
			continue
		}
		kubectl(t, "annotate", "pulsarfunctions", name, needCleanup+"=false")
		function.waitGone(t)
		waitSubscriptions(t, name+"-in", "public/default/"+name)
		consumer.Close()
	}
}

// TestSubscriptionOfOthers looks at what isn't this server's to remove.
func TestSubscriptionOfOthers(t *testing.T) {
	topic := map[string]any{"topics": []any{"persistent://public/default/others-in"}}
	reference := made{resource: "functions", name: "others", namespace: namespace, cluster: "dev", input: topic}
	reference.create(t)
	for _, function := range []made{
		{name: "operators", labels: map[string]string{"a": "b"}, cluster: "dev"},
		{name: "kept", keep: true, cluster: "dev"},
		{name: "elsewhere", cluster: "unknown"},
	} {
		function.resource, function.namespace, function.input = "functions", namespace, topic
		function.create(t)
		// Who comes later has its finalizer: this one was looked at.
		later := made{resource: "functions", name: "after-" + function.name, namespace: namespace, cluster: "dev", input: topic}
		later.create(t)
		later.waitFinalizer(t, true)
		function.waitFinalizer(t, false)
		later.remove(t)
		later.waitGone(t)
	}
	// What isn't wanted any more has none.
	kubectl(t, "label", "pulsarfunctions", "others", workerLabel+"-")
	reference.waitFinalizer(t, false)

	// A chosen name on a topic of others may be theirs.
	if err := pulsarServer.CreateTenant(t.Context(), "victim", "victim"); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "create", "namespace", "victim")
	kubectl(t, "annotate", "namespace", "victim", "admin.functionmesh.io/pulsar-namespaces=victim/victim")
	for _, name := range []string{"theirs", "public/default/thief-own"} {
		subscribe(t, "victim/victim/precious", name)
	}
	for _, thief := range []made{{name: "thief", subscription: "theirs"}, {name: "thief-own"}} {
		thief.resource, thief.namespace, thief.cluster = "functions", namespace, "dev"
		thief.input = map[string]any{"topics": []any{"persistent://victim/victim/precious"}}
		thief.create(t)
		thief.waitFinalizer(t, true)
		thief.remove(t)
		thief.waitGone(t)
	}
	waitEvent(t, namespace, "thief", "SubscriptionLeft", "victim/victim/precious")
	got := must[answer](t)(ask(t.Context(), "GET", pulsarServer.URL()+"/admin/v2/persistent/victim/victim/precious/subscriptions", nil, ""))
	if got.body != `["theirs"]` {
		t.Errorf("the topic of others has %s", got.body)
	}
}

// TestSubscriptionOfGonePulsar deletes, alone and with its namespace, what runs against a
// cluster that nobody can reach: it goes when the deadline is over.
func TestSubscriptionOfGonePulsar(t *testing.T) {
	kubectl(t, "create", "namespace", "ends")
	all := []made{{name: "alone", namespace: namespace}, {name: "with-namespace", namespace: "ends"}}
	for i := range all {
		all[i].resource, all[i].cluster, all[i].input = "functions", goneCluster, map[string]any{"topics": []any{"persistent://public/default/gone-in"}}
		all[i].create(t)
		all[i].waitFinalizer(t, true)
	}
	all[0].remove(t)
	kubectl(t, "delete", "namespace", "ends", "--wait=false")
	waitEvent(t, namespace, "alone", "SubscriptionNotRemoved", "Pulsar could not be reached")
	for _, function := range all {
		function.waitGone(t)
	}
	waitEvent(t, namespace, "alone", "SubscriptionLeft", "Pulsar could not be reached")
	eventually(t, "the namespace to be gone", func(ctx context.Context) error {
		_, err := env.ControlPlane.Client().CoreV1().Namespaces().Get(ctx, "ends", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is there"))
	})
}
