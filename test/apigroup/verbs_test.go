package apigroup

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo", func(f *v1alpha1.PulsarFunction) {
		f.Labels = map[string]string{"team": "blue"}
		f.Annotations = map[string]string{"example.org/note": "hello"}
		f.Status.Phase = "Claimed"
	})
	if got := s.get("echo"); !equality.Semantic.DeepEqual(got, created) {
		t.Errorf("a get returns\n%+v\nand the create returned\n%+v", got, created)
	}
	spec := created.Spec
	if spec.Tenant != "public" || spec.Namespace != "default" || spec.Name != "echo" || spec.Cluster != "dev" {
		t.Errorf("the identity is %s/%s/%s in %s", spec.Tenant, spec.Namespace, spec.Name, spec.Cluster)
	}
	if ptr.Deref(spec.Parallelism, 0) != 1 || spec.ProcessingGuarantees != v1alpha1.AtLeastOnce || !ptr.Deref(spec.AutoAck, false) {
		t.Errorf("the defaults are wrong: %+v", spec)
	}
	if created.Status.Phase != "Pending" {
		t.Errorf("the phase is %q: a writer may not set it", created.Status.Phase)
	}
	if created.Generation != 1 || created.UID == "" || created.ResourceVersion == "" || created.CreationTimestamp.IsZero() {
		t.Errorf("the metadata is incomplete: %+v", created.ObjectMeta)
	}

	cr := s.cr("echo")
	for path, want := range map[string]any{
		"spec.tenant": "public", "spec.namespace": "default", "spec.name": "echo", "spec.clusterName": "dev",
		"spec.className": "org.example.Echo", "spec.replicas": int64(1), "spec.minReplicas": int64(1),
		"spec.forwardSourceMessageProperty": true, "spec.pulsar.pulsarConfig": "dev-function-mesh-config",
		"spec.output.topic": "persistent://public/default/out", "spec.java.jarLocation": "function://public/default/echo@1",
		"spec.resources.limits.memory": "1Gi", "spec.resources.requests.cpu": "1",
		"spec.image": "streamnative/pulsar-functions-java-runner:2.10.0.0-rc10",
	} {
		if got := field(cr, strings.Split(path, ".")...); got != want {
			t.Errorf("%s of the custom resource is %v, not %v", path, got, want)
		}
	}
	if cr.GetResourceVersion() != created.ResourceVersion || cr.GetGeneration() != created.Generation ||
		cr.GetLabels()["team"] != "blue" || cr.GetAnnotations()["example.org/note"] != "hello" ||
		cr.GetLabels()["pulsar-cluster"] != "" {
		t.Errorf("the metadata of the custom resource is %v", cr.Object["metadata"])
	}
	if cr.GetUID() == created.UID {
		t.Error("view and custom resource share a UID")
	}
	if again := s.get("echo"); again.UID != created.UID {
		t.Errorf("the UID was %s and is %s", created.UID, again.UID)
	}
}

func TestCreateAnswers(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", `
metadata: {labels: {team: blue}, annotations: {example.org/note: hello}}
status: {phase: Claimed}`)
		if got := k.get("echo"); !sameJSON(t, got, created) {
			t.Errorf("a get returns\n%v\nand the create returned\n%v", got, created)
		}
		resource := k.behind("echo")
		if created.GetGeneration() != 1 || created.GetUID() == resource.GetUID() || created.GetResourceVersion() != resource.GetResourceVersion() ||
			created.GetCreationTimestamp() != resource.GetCreationTimestamp() || !sameJSON(t, created.GetLabels(), map[string]string{"team": "blue"}) ||
			!sameJSON(t, created.GetAnnotations(), map[string]string{"example.org/note": "hello"}) || resource.GetLabels()["team"] != "blue" {
			t.Errorf("the metadata is %v, behind it %v", created.Object["metadata"], resource.Object["metadata"])
		}
		if phase := member(created, "status.phase"); phase != "Pending" {
			t.Errorf("the phase is %v: a writer may not set it", phase)
		}

		_, err := k.views.Create(k.ctx, k.object("echo", ""), metav1.CreateOptions{})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonAlreadyExists, text: k.kind.Resource + `.admin.functionmesh.io "echo" already exists`,
			pulsar: k.kind.Title + " echo already exists"})

		invalid := k.object("invalid", "spec: {parallelism: -1, "+k.kind.broken+"}")
		_, err = k.views.Create(k.ctx, invalid, metav1.CreateOptions{})
		checkRefusal(t, err, refusal{
			reason: metav1.StatusReasonInvalid, fields: []string{k.kind.brokenIn, "spec.parallelism"},
			text: k.kind.Kind + `.admin.functionmesh.io "invalid" is invalid`, pulsar: k.kind.brokenText,
		})
		if _, err := k.resources.Get(k.ctx, "invalid", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("the invalid object is stored: %v", err)
		}

		_, err = k.views.Create(k.ctx, k.object("versioned", "metadata: {resourceVersion: '1'}"), metav1.CreateOptions{})
		_, rawErr := k.resources.Create(k.ctx, k.resource("versioned", "metadata: {resourceVersion: '1'}"), metav1.CreateOptions{})
		if err == nil || rawErr == nil || err.Error() != rawErr.Error() {
			t.Errorf("a create with a resource version: %v; of a custom resource: %v", err, rawErr)
		}
		_, err = k.views.Get(k.ctx, "absent", metav1.GetOptions{})
		checkRefusal(t, err, k.notFound("absent"))
	})
}

func TestGenerateName(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		names := map[string]bool{}
		for range 2 {
			object := k.object("", "metadata: {generateName: echo-}")
			delete(object.Object["metadata"].(map[string]any), "name")
			created, err := k.views.Create(k.ctx, object, metav1.CreateOptions{})
			k.check(err)
			name := created.GetName()
			if !strings.HasPrefix(name, "echo-") || len(name) != len("echo-")+5 {
				t.Errorf("the generated name is %q", name)
			}
			if got := member(created, "spec.name"); got != name || member(k.behind(name), "spec.name") != name {
				t.Errorf("the name in Pulsar is %v, not %q", got, name)
			}
			names[name] = true
		}
		if len(names) != 2 {
			t.Errorf("the names are %v", names)
		}
	})
}

func TestUpdate(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "spec: {tenant: acme, namespace: orders, name: EchoOrders}")
		set := func(object *unstructured.Unstructured, value any, path ...string) {
			k.check(unstructured.SetNestedField(object.Object, value, path...))
		}

		t.Run("with a resource version", func(t *testing.T) {
			object := created.DeepCopy()
			set(object, int64(3), "spec", "parallelism")
			updated, err := k.update(object)
			k.check(err)
			if member(updated, "spec.parallelism") != int64(3) || updated.GetGeneration() != created.GetGeneration()+1 ||
				updated.GetResourceVersion() == created.GetResourceVersion() {
				t.Errorf("the update returns %v", updated)
			}
			if got := member(k.behind("echo"), "spec.replicas"); got != int64(3) {
				t.Errorf("the custom resource has %v replicas", got)
			}
			set(object, int64(4), "spec", "parallelism")
			_, err = k.update(object)
			checkRefusal(t, err, modified)
		})
		t.Run("without a resource version, and without the identity", func(t *testing.T) {
			updated, err := k.update(k.object("echo", "spec: {logTopic: persistent://public/default/log}"))
			k.check(err)
			for path, want := range map[string]any{"spec.tenant": "acme", "spec.namespace": "orders", "spec.name": "EchoOrders", "spec.cluster": "dev",
				"spec.parallelism": int64(1), "spec.logTopic": "persistent://public/default/log"} {
				if got := member(updated, path); got != want {
					t.Errorf("%s is now %v, not %v", path, got, want)
				}
			}
			if got := member(k.behind("echo"), "spec.name"); got != "EchoOrders" {
				t.Errorf("the custom resource's spec.name is %v", got)
			}
		})
		t.Run("that changes nothing", func(t *testing.T) {
			before := k.get("echo")
			updated, err := k.update(before.DeepCopy())
			k.check(err)
			if updated.GetResourceVersion() != before.GetResourceVersion() {
				t.Errorf("it wrote: %s became %s", before.GetResourceVersion(), updated.GetResourceVersion())
			}
		})
		t.Run("of nothing", func(t *testing.T) {
			_, err := k.update(k.object("absent", ""))
			checkRefusal(t, err, k.notFound("absent"))
		})
		t.Run("of an earlier object of the name", func(t *testing.T) {
			object := k.get("echo")
			object.SetUID(k.behind("echo").GetUID())
			object.SetResourceVersion("")
			_, err := k.update(object)
			checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "UID in precondition"})
		})
	})
}

func TestImmutableFields(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.create("echo", "")
		changes := map[string]string{"spec.tenant": "{tenant: acme}", "spec.namespace": "{namespace: other}", "spec.name": "{name: other}"}
		if k.kind.Kind == v1alpha1.FunctionKind.Kind {
			changes["spec.python"] = "{java: null, python: {}}"
		}
		for path, change := range changes {
			t.Run(path, func(t *testing.T) {
				object := created.DeepCopy()
				merge(object.Object, decode(t, "spec: "+change))
				_, err := k.update(object)
				if !apierrors.IsInvalid(err) {
					t.Fatalf("the update: %v", err)
				}
				causes := statusOf(t, err).Details.Causes
				if len(causes) != 2 || causes[0].Field != path || !strings.Contains(causes[0].Message, "immutable") ||
					causes[1].Type != v1alpha1.CauseTypePulsarReason || !strings.Contains(causes[1].Message, "immutable") {
					t.Errorf("the causes are %+v", causes)
				}
				noCRNames(t, err)
			})
		}
		if got := k.get("echo"); got.GetResourceVersion() != created.GetResourceVersion() {
			t.Error("a refused update wrote")
		}
	})
}

func TestDeleteCollection(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		for _, name := range []string{"a", "b", "c", "d"} {
			k.create(name, "metadata: {labels: {half: "+map[bool]string{true: "first", false: "second"}[name < "c"]+"}}")
		}
		selector := metav1.ListOptions{LabelSelector: "half=first"}
		for _, step := range []struct {
			options  metav1.DeleteOptions
			selector metav1.ListOptions
			left     string
		}{
			{metav1.DeleteOptions{DryRun: dryRun}, selector, "a b c d"},
			{metav1.DeleteOptions{}, selector, "c d"},
			{metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=d"}, "c"},
			{metav1.DeleteOptions{}, metav1.ListOptions{}, ""},
		} {
			k.check(k.views.DeleteCollection(k.ctx, step.options, step.selector))
			resources, err := k.resources.List(k.ctx, metav1.ListOptions{})
			k.check(err)
			if got := k.names(metav1.ListOptions{}); got != step.left || strings.Join(namesOf(resources), " ") != step.left {
				t.Errorf("after %+v of %+v there are %q and %q behind, not %q", step.options, step.selector, got, namesOf(resources), step.left)
			}
		}
	})
}
