package pulsarclients

import (
	"context"
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// makeResource creates a Function resource from YAML, as other tools do.
func makeResource(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return must[*unstructured.Unstructured](t)(world.resources.Create(t.Context(), object, metav1.CreateOptions{FieldManager: "somebody-else"}))
}

// expectFound waits until the shim finds a function that another tool has made: it
// learns of it by a watch.
func expectFound(t *testing.T, name identity.Name) {
	t.Helper()
	eventually(t, name.String()+" to be found", func(context.Context) error {
		if got := rest().get(t, name); got.code != 200 {
			return fmt.Errorf("get answers %s", got)
		}
		return nil
	})
	if names := rest().names(t, name.Tenant, name.Namespace); !slices.Contains(names, name.Name) {
		t.Errorf("list answers %v, without %s", names, name.Name)
	}
}

// expectOnlyChanged checks that of a resource's specification only the given fields
// have changed, and of its metadata nothing that somebody set.
func expectOnlyChanged(t *testing.T, before *unstructured.Unstructured, changes map[string]any) {
	t.Helper()
	after := resource(t, before.GetName())
	want := before.DeepCopy()
	for path, value := range changes {
		if err := unstructured.SetNestedField(want.Object, value, "spec", path); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := encode(t, after.Object["spec"]), encode(t, want.Object["spec"]); got != want {
		t.Errorf("the specification is now\n%s\nnot\n%s", got, want)
	}
	for key, value := range before.GetLabels() {
		if after.GetLabels()[key] != value {
			t.Errorf("label %s was %q and is %q", key, value, after.GetLabels()[key])
		}
	}
	for key, value := range before.GetAnnotations() {
		if after.GetAnnotations()[key] != value {
			t.Errorf("annotation %s was %q and is %q", key, value, after.GetAnnotations()[key])
		}
	}
}

// TestHandMadeResource finds, changes and deletes a Function that somebody wrote by
// hand, with fields that no view has.
func TestHandMadeResource(t *testing.T) {
	t.Parallel()
	name := identity.Name{Tenant: "adoption", Namespace: "hand", Name: "by-hand"}
	before := makeResource(t, `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata:
  name: made-by-hand
  labels: {team: a}
  annotations: {note: b}
spec:
  name: by-hand
  tenant: adoption
  namespace: hand
  clusterName: dev
  className: org.example.F
  image: example.org/custom:1
  replicas: 1
  maxReplicas: 4
  autoAck: true
  forwardSourceMessageProperty: true
  cleanupSubscription: true
  input:
    topics: [in]
    typeClassName: java.lang.String
  output:
    topic: out
    typeClassName: java.lang.String
  resources:
    requests: {cpu: 100m, memory: 256Mi}
    limits: {cpu: 200m, memory: 512Mi}
  java:
    jar: code.jar
    jarLocation: function://public/default/code@1
    extraDependenciesDir: /opt/extra
  pulsar:
    pulsarConfig: some-config
  pod:
    nodeSelector: {disk: fast}
    env: [{name: B, value: "2"}, {name: A, value: "1"}]
  fieldOfTheFuture: {kept: true}
`)
	expectFound(t, name)
	expectFields(t, "get", rest().read(t, name), map[string]any{
		"className": "org.example.F", "output": "out", "parallelism": 1, "runtime": "JAVA",
		"resources": map[string]any{"cpu": 0.1, "ram": 256 << 20, "disk": 10 << 30},
	})
	expect(t, "create", rest().create(t, name, config(javaConfig)), 400, "Function by-hand already exists")
	expectOK(t, "update", rest().update(t, name, config(`{"parallelism":3,"logTopic":"log"}`)))
	expectOnlyChanged(t, before, map[string]any{"replicas": int64(3), "logTopic": "log", "logTopicAgent": "runtime"})
	expectOK(t, "delete", rest().remove(t, name))
	expectGone(t, name, "made-by-hand")
}

// TestWorkerMadeResource adopts what the Java worker (Function Mesh Worker Service)
// made. It never wrote spec.name: the operator's webhook fills in the object's name,
// after which the subscription is called. So that stays as it is.
func TestWorkerMadeResource(t *testing.T) {
	t.Parallel()
	for _, specName := range []string{"", "the object's"} {
		name := identity.Name{Tenant: "adoption", Namespace: "worker", Name: "Word_Count"}
		if specName != "" {
			name.Namespace = "webhook"
		}
		const cluster = "test-pulsar"
		objectName := identity.WorkerObjectName(cluster, name.Tenant, name.Namespace, name.Name)
		line := ""
		if specName != "" {
			line = "name: " + objectName
		}
		before := makeResource(t, `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata:
  name: `+objectName+`
  labels:
    compute.functionmesh.io/pulsar-cluster: `+cluster+`
    compute.functionmesh.io/pulsar-tenant: `+name.Tenant+`
    compute.functionmesh.io/pulsar-namespace: `+name.Namespace+`
    compute.functionmesh.io/pulsar-component: `+name.Name+`
    pulsar-cluster: `+cluster+`
    pulsar-tenant: `+name.Tenant+`
    pulsar-namespace: `+name.Namespace+`
    pulsar-component: `+name.Name+`
spec:
  `+line+`
  tenant: `+name.Tenant+`
  namespace: `+name.Namespace+`
  clusterName: `+cluster+`
  className: org.example.F
  replicas: 1
  autoAck: true
  cleanupSubscription: false
  forwardSourceMessageProperty: true
  subscriptionPosition: latest
  input:
    sourceSpecs: {in: {isRegexPattern: false, schemaProperties: {}, consumerProperties: {}}}
    topics: [in]
    typeClassName: "[B"
  output: {topic: out, typeClassName: "[B", producerConf: {useThreadLocalProducers: false}}
  resources:
    requests: {cpu: "1", memory: "1073741824"}
    limits: {cpu: "1", memory: "1181116006"}
  java: {jar: /pulsar/code.jar, jarLocation: "function://public/default/code@1"}
  pulsar: {pulsarConfig: test-pulsar-function-mesh-config}
  pod: {labels: {pulsar-component: Word_Count}}
`)
		expectFound(t, name)
		if got := view(t, name); got.Name != objectName {
			t.Errorf("the view of %s is %s", objectName, got.Name)
		}
		expect(t, "create", rest().create(t, name, config(javaConfig)), 400, "Function Word_Count already exists")
		// Reading and writing back changes nothing, least of all the memory, which the
		// worker's own answer lets grow.
		config1 := encode(t, rest().read(t, name))
		expect(t, "update with what was read", rest().update(t, name, config(config1)), 400, "Update contains no change")
		expectOK(t, "update", rest().update(t, name, config(`{"parallelism":2}`)))
		expectOnlyChanged(t, before, map[string]any{"replicas": int64(2)})
		expectFields(t, "get", rest().read(t, name), map[string]any{"name": "Word_Count", "parallelism": 2,
			"resources": map[string]any{"cpu": 1, "ram": 1 << 30, "disk": 10 << 30}})
		expectOK(t, "delete", rest().remove(t, name))
		expectGone(t, name, objectName)
	}
}

// TestForeignLabels doesn't believe labels that don't fit the rest: the object has
// the name in its specification.
func TestForeignLabels(t *testing.T) {
	t.Parallel()
	makeResource(t, `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata:
  name: not-by-the-worker
  labels: {pulsar-cluster: dev, pulsar-tenant: adoption, pulsar-namespace: foreign, pulsar-component: claimed}
spec:
  name: true-name
  tenant: adoption
  namespace: foreign
  className: org.example.F
  replicas: 1
  input: {topics: [in]}
  java: {jar: code.jar, jarLocation: "function://public/default/code@1"}
  pulsar: {pulsarConfig: some-config}
`)
	expectFound(t, identity.Name{Tenant: "adoption", Namespace: "foreign", Name: "true-name"})
	claimed := identity.Name{Tenant: "adoption", Namespace: "foreign", Name: "claimed"}
	expect(t, "get of the claimed name", rest().get(t, claimed), 404, "Function claimed doesn't exist")
	someFunction(t, claimed)
}

// TestOwnedResource refuses to change what a resource of Function Mesh's own writes,
// as a FunctionMesh does with its functions: it would be changed back.
func TestOwnedResource(t *testing.T) {
	t.Parallel()
	owner := makeResource(t, owned("owner", "[]"))
	references := fmt.Sprintf("[{apiVersion: compute.functionmesh.io/v1alpha1, kind: Function, name: owned-owner, uid: %s, controller: true}]", owner.GetUID())
	before := makeResource(t, owned("child", references))
	name := identity.Name{Tenant: "adoption", Namespace: "owned", Name: "child"}
	expectFound(t, name)
	expect(t, "update", rest().update(t, name, config(`{"parallelism":2}`)), 400, "Operation cannot be fulfilled on "+
		`pulsarfunctions.admin.functionmesh.io "owned-child": its spec is written by Function owned-owner: change it there`)
	expectOnlyChanged(t, before, nil)
	expectOK(t, "delete", rest().remove(t, name))
	expectGone(t, name, "owned-child")
}

func owned(name, references string) string {
	return `
apiVersion: compute.functionmesh.io/v1alpha1
kind: Function
metadata: {name: owned-` + name + `, ownerReferences: ` + references + `}
spec:
  name: ` + name + `
  tenant: adoption
  namespace: owned
  className: org.example.F
  replicas: 1
  input: {topics: [in]}
  java: {jar: code.jar, jarLocation: "function://public/default/code@1"}
  pulsar: {pulsarConfig: some-config}
`
}
