package apigroup

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	t.Parallel()
	s := newSpace(t)
	s.create("echo")

	_, err := s.author.Create(s.ctx, newFunction("echo"), metav1.CreateOptions{})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonAlreadyExists, text: `pulsarfunctions.admin.functionmesh.io "echo" already exists`,
		pulsar: "Function echo already exists"})

	invalid := newFunction("invalid")
	invalid.Spec.Inputs = nil
	invalid.Spec.Parallelism = ptr.To(int32(-1))
	_, err = s.author.Create(s.ctx, invalid, metav1.CreateOptions{})
	checkRefusal(t, err, refusal{
		reason: metav1.StatusReasonInvalid, fields: []string{"spec.inputs", "spec.parallelism"},
		text: `PulsarFunction.admin.functionmesh.io "invalid" is invalid`, pulsar: "No input topic(s) specified for the function",
	})
	if _, err := s.crs.Get(s.ctx, "invalid", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("the invalid function is stored: %v", err)
	}

	versioned := newFunction("versioned")
	versioned.ResourceVersion = "1"
	_, err = s.author.Create(s.ctx, versioned, metav1.CreateOptions{})
	cr := newCR(t, "versioned", "metadata: {resourceVersion: '1'}")
	_, rawErr := s.crs.Create(s.ctx, cr, metav1.CreateOptions{})
	if err == nil || rawErr == nil || err.Error() != rawErr.Error() {
		t.Errorf("a create with a resource version: %v; of a custom resource: %v", err, rawErr)
	}
	if _, err := s.author.Get(s.ctx, "absent", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("a get of nothing: %v", err)
	} else {
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: `pulsarfunctions.admin.functionmesh.io "absent" not found`})
	}
}

func TestGenerateName(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	names := map[string]bool{}
	for range 2 {
		function := newFunction("")
		function.GenerateName = "echo-"
		created, err := s.author.Create(s.ctx, function, metav1.CreateOptions{})
		s.check(err)
		if !strings.HasPrefix(created.Name, "echo-") || len(created.Name) != len("echo-")+5 {
			t.Errorf("the generated name is %q", created.Name)
		}
		if created.Spec.Name != created.Name {
			t.Errorf("the name in Pulsar is %q, not %q", created.Spec.Name, created.Name)
		}
		names[created.Name] = true
	}
	if len(names) != 2 {
		t.Errorf("the names are %v", names)
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo", func(f *v1alpha1.PulsarFunction) {
		f.Spec.Tenant, f.Spec.Namespace, f.Spec.Name = "acme", "orders", "EchoOrders"
	})

	t.Run("with a resource version", func(t *testing.T) {
		function := created.DeepCopy()
		function.Spec.Parallelism = ptr.To(int32(3))
		updated, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
		s.check(err)
		if *updated.Spec.Parallelism != 3 || updated.Generation != created.Generation+1 || updated.ResourceVersion == created.ResourceVersion {
			t.Errorf("the update returns %+v", updated)
		}
		if got := field(s.cr("echo"), "spec", "replicas"); got != int64(3) {
			t.Errorf("the custom resource has %v replicas", got)
		}
		function.Spec.Parallelism = ptr.To(int32(4))
		_, err = s.author.Update(s.ctx, function, metav1.UpdateOptions{})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "the object has been modified"})
	})
	t.Run("without a resource version, and without the identity", func(t *testing.T) {
		function := newFunction("echo")
		function.Spec.LogTopic = "persistent://public/default/log"
		updated, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
		s.check(err)
		spec := updated.Spec
		if spec.Tenant != "acme" || spec.Namespace != "orders" || spec.Name != "EchoOrders" || spec.Cluster != "dev" {
			t.Errorf("the identity is now %s/%s/%s in %s", spec.Tenant, spec.Namespace, spec.Name, spec.Cluster)
		}
		if *spec.Parallelism != 1 || spec.LogTopic == "" {
			t.Errorf("it is no replacement: %+v", spec)
		}
		if got := field(s.cr("echo"), "spec", "name"); got != "EchoOrders" {
			t.Errorf("the custom resource's spec.name is %v", got)
		}
	})
	t.Run("that changes nothing", func(t *testing.T) {
		before := s.get("echo")
		updated, err := s.author.Update(s.ctx, before.DeepCopy(), metav1.UpdateOptions{})
		s.check(err)
		if updated.ResourceVersion != before.ResourceVersion {
			t.Errorf("it wrote: %s became %s", before.ResourceVersion, updated.ResourceVersion)
		}
	})
	t.Run("of nothing", func(t *testing.T) {
		_, err := s.author.Update(s.ctx, newFunction("absent"), metav1.UpdateOptions{})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonNotFound, text: `pulsarfunctions.admin.functionmesh.io "absent" not found`})
	})
	t.Run("of an earlier object of the name", func(t *testing.T) {
		function := s.get("echo")
		function.UID, function.ResourceVersion = s.cr("echo").GetUID(), ""
		_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
		checkRefusal(t, err, refusal{reason: metav1.StatusReasonConflict, text: "UID in precondition"})
	})
}

func TestImmutableFields(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.create("echo")
	for _, test := range []struct {
		field  string
		pulsar string
		change func(*v1alpha1.PulsarFunction)
	}{
		{"spec.tenant", "", func(f *v1alpha1.PulsarFunction) { f.Spec.Tenant = "acme" }},
		{"spec.namespace", "", func(f *v1alpha1.PulsarFunction) { f.Spec.Namespace = "other" }},
		{"spec.name", "", func(f *v1alpha1.PulsarFunction) { f.Spec.Name = "other" }},
		{"spec.python", "", func(f *v1alpha1.PulsarFunction) {
			f.Spec.Java, f.Spec.Python = nil, &v1alpha1.Runtime{}
		}},
	} {
		t.Run(test.field, func(t *testing.T) {
			function := created.DeepCopy()
			test.change(function)
			_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
			if !apierrors.IsInvalid(err) {
				t.Fatalf("the update: %v", err)
			}
			causes := statusOf(t, err).Details.Causes
			if len(causes) != 2 || causes[0].Field != test.field || !strings.Contains(causes[0].Message, "immutable") ||
				causes[1].Type != v1alpha1.CauseTypePulsarReason || !strings.Contains(causes[1].Message, "immutable") {
				t.Errorf("the causes are %+v", causes)
			}
			noCRNames(t, err)
		})
	}
	if got := s.get("echo"); got.ResourceVersion != created.ResourceVersion {
		t.Error("a refused update wrote")
	}
}

func TestDeleteCollection(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.create(name, func(f *v1alpha1.PulsarFunction) {
			f.Labels = map[string]string{"half": map[bool]string{true: "first", false: "second"}[name < "c"]}
		})
	}
	selector := metav1.ListOptions{LabelSelector: "half=first"}
	dryRun := metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}
	s.check(s.author.DeleteCollection(s.ctx, dryRun, selector))
	if got := s.names(metav1.ListOptions{}); got != "a b c d" {
		t.Errorf("after a dry run there are %q", got)
	}
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, selector))
	if got := s.names(metav1.ListOptions{}); got != "c d" {
		t.Errorf("after the first half went there are %q", got)
	}
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{FieldSelector: "metadata.name=d"}))
	if got := s.names(metav1.ListOptions{}); got != "c" {
		t.Errorf("after d went there are %q", got)
	}
	s.check(s.author.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	crs, err := s.crs.List(s.ctx, metav1.ListOptions{})
	s.check(err)
	if got := s.names(metav1.ListOptions{}); got != "" || len(crs.Items) != 0 {
		t.Errorf("in the end there are %q and %d custom resources", got, len(crs.Items))
	}
}

// names lists views as the author, and returns their names in the answer's order.
func (s *space) names(options metav1.ListOptions) string {
	s.t.Helper()
	list, err := s.author.List(s.ctx, options)
	s.check(err)
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].Name
	}
	return strings.Join(names, " ")
}

func TestFieldValidation(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	client := s.restClient(authorConfigWith(s.warnings))
	post := func(name, validation string) error {
		body := strings.Replace(functionJSON(t, name), `"spec":{`, `"spec":{"bogus":1,"output":"persistent://public/default/x",`, 1)
		return client.Post().Namespace(s.namespace).Resource("pulsarfunctions").
			Param("fieldValidation", validation).Body([]byte(body)).Do(s.ctx).Error()
	}
	err := post("strict", "Strict")
	if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "spec.bogus"`) ||
		!strings.Contains(err.Error(), `duplicate field "spec.output"`) {
		t.Errorf("strict: %v", err)
	}
	s.warnings.take()
	for validation, want := range map[string]bool{"Warn": true, "Ignore": false} {
		if err := post(strings.ToLower(validation), validation); err != nil {
			t.Errorf("%s: %v", validation, err)
		}
		texts := strings.Join(s.warnings.take(), "; ")
		if strings.Contains(texts, `unknown field "spec.bogus"`) != want || strings.Contains(texts, `duplicate field "spec.output"`) != want {
			t.Errorf("%s: the warnings are %q", validation, texts)
		}
	}
	if err := post("odd", "Odd"); !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
		t.Errorf("odd: %v", err)
	}
}

// TestWarnings looks for warnings of what has no effect.
func TestWarnings(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.warnings.take()
	s.create("echo", func(f *v1alpha1.PulsarFunction) { f.Spec.CustomRuntimeOptions = `{"maxReplicas":3}` })
	texts := fmt.Sprint(s.warnings.take())
	for _, want := range []string{"spec.customRuntimeOptions", "spec.package.location: no package service"} {
		if !strings.Contains(texts, want) {
			t.Errorf("%q is not among the warnings %s", want, texts)
		}
	}
	function := s.get("echo")
	if function.Spec.CustomRuntimeOptions != `{"maxReplicas":3}` {
		t.Errorf("customRuntimeOptions is %q", function.Spec.CustomRuntimeOptions)
	}
	s.warnings.take()
	function.Spec.SubscriptionName = "another"
	_, err := s.author.Update(s.ctx, function, metav1.UpdateOptions{})
	s.check(err)
	if texts := fmt.Sprint(s.warnings.take()); !strings.Contains(texts, `leaves subscription "public/default/echo"`) {
		t.Errorf("nothing warns of the subscription: %s", texts)
	}
	condition := errors.New("there is no condition PackageResolved")
	for _, c := range function.Status.Conditions {
		if c.Type == v1alpha1.ConditionPackageResolved && c.Status == metav1.ConditionUnknown {
			condition = nil
		}
	}
	s.check(condition)
}
