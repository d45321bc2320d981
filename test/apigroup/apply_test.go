package apigroup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	applyv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/generated/applyconfiguration/admin/v1alpha1"
)

// apply applies YAML as a field manager.
func (s *space) apply(manager, name, text string, force bool) (*v1alpha1.PulsarFunction, error) {
	s.t.Helper()
	object := decode(s.t, fmt.Sprintf("apiVersion: admin.functionmesh.io/v1alpha1\nkind: PulsarFunction\nmetadata: {name: %s}", name))
	merge(object, decode(s.t, text))
	body, err := json.Marshal(object)
	s.check(err)
	return s.author.Patch(s.ctx, name, types.ApplyYAMLPatchType, body, metav1.PatchOptions{FieldManager: manager, Force: &force})
}

func (s *space) mustApply(manager, name, text string) *v1alpha1.PulsarFunction {
	s.t.Helper()
	applied, err := s.apply(manager, name, text, false)
	s.check(err)
	return applied
}

// applied returns what a manager applies: an object of the kind with a label, with
// what else is wanted, or, unless it is whole, with that alone.
func (k *ofKind) applied(whole bool, changes string) *unstructured.Unstructured {
	k.t.Helper()
	object := k.object("echo", "")
	if !whole {
		delete(object.Object, "spec")
	}
	merge(object.Object, decode(k.t, changes))
	return object
}

func (k *ofKind) apply(manager string, object *unstructured.Unstructured, force bool) (*unstructured.Unstructured, error) {
	return k.views.Apply(k.ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: manager, Force: force})
}

func (k *ofKind) mustApply(manager string, object *unstructured.Unstructured) *unstructured.Unstructured {
	k.t.Helper()
	applied, err := k.apply(manager, object, false)
	k.check(err)
	return applied
}

// appliedByFirst is applied besides what every object of the kind has.
const appliedByFirst = `
metadata: {labels: {first: here}}
spec:
  secrets: {PASSWORD: {path: credentials, key: password}}
  logTopic: persistent://public/default/log
  pod: {env: [{name: A, value: "1"}]}
`

func TestApply(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		created := k.mustApply("first", k.applied(true, appliedByFirst))
		if created.GetGeneration() != 1 || member(created, "spec.name") != "echo" {
			t.Errorf("the apply created %+v", created)
		}
		t.Run("again, it writes nothing", func(t *testing.T) {
			for range 2 {
				if again := k.mustApply("first", k.applied(true, appliedByFirst)); again.GetResourceVersion() != created.GetResourceVersion() {
					t.Errorf("the version was %s and is %s", created.GetResourceVersion(), again.GetResourceVersion())
				}
			}
		})
		t.Run("a second manager adds", func(t *testing.T) {
			applied := k.mustApply("second", k.applied(false, `
metadata: {labels: {second: here}}
spec: {parallelism: 2, pod: {env: [{name: B, value: "2"}]}}`))
			want := []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "B", "value": "2"}}
			if !sameJSON(t, member(applied, "spec.pod.env"), want) || len(applied.GetLabels()) != 2 {
				t.Errorf("both together are %+v", applied)
			}
			if got := managers(applied); !slices.Equal(got, []string{"first Apply", "second Apply"}) {
				t.Errorf("the managers are %v", got)
			}
			if got := member(k.behind("echo"), "spec.pod.env"); !sameJSON(t, got, want) {
				t.Errorf("the custom resource has the variables %v", got)
			}
		})
		t.Run("a conflict names the manager", func(t *testing.T) {
			other := k.applied(false, "spec: {className: org.example.Other}")
			_, err := k.apply("second", other, false)
			if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "first"`) || !strings.Contains(err.Error(), ".spec.className") {
				t.Errorf("the answer is %v", err)
			}
			noCRNames(t, err)
			forced, err := k.apply("second", other, true)
			k.check(err)
			if got := member(forced, "spec.className"); got != "org.example.Other" {
				t.Errorf("after the force the class is %v", got)
			}
			// What first no longer owns it can't remove, and what second no longer applies goes.
			k.check(second(k.apply("first", k.applied(true, appliedByFirst), true)))
		})
		t.Run("what a manager leaves out goes", func(t *testing.T) {
			pruned := k.mustApply("first", k.applied(true, ""))
			gone := []string{"spec.logTopic", "spec.secrets", "spec.secretsMap", "spec.pod.env", "metadata.labels.first"}
			for what, object := range map[string]*unstructured.Unstructured{"view": pruned, "custom resource": k.behind("echo")} {
				for _, path := range gone {
					if value := member(object, path); value != nil && fmt.Sprint(value) != "[]" {
						t.Errorf("%s of the %s is still %v", path, what, value)
					}
				}
			}
			if again := k.get("echo"); fmt.Sprint(managers(again)) != fmt.Sprint(managers(pruned)) {
				t.Errorf("the managers are %v, and were %v", managers(again), managers(pruned))
			}
		})
		t.Run("an unknown field", func(t *testing.T) {
			_, err := k.apply("first", k.applied(false, "spec: {bogus: 1}"), true)
			if err == nil || !strings.Contains(err.Error(), "bogus") {
				t.Errorf("the answer is %v", err)
			}
		})
	})
}

const inputsOfFirst = `
metadata: {labels: {first: here}}
spec:
  className: org.example.Echo
  java: {}
  package: {location: "function://public/default/echo@1"}
  inputs: [persistent://public/default/a, persistent://public/default/b]
  inputSpecs:
    persistent://public/default/c: {receiverQueueSize: 10, schemaType: avro}
`

// TestApplyInputs has two managers of one function's inputs, a set and a map.
func TestApplyInputs(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.mustApply("first", "echo", inputsOfFirst)
	applied := s.mustApply("second", "echo", `
spec:
  inputs: [persistent://public/default/d]
  inputSpecs:
    persistent://public/default/e: {regexPattern: false, receiverQueueSize: 5}
`)
	want := []string{"persistent://public/default/a", "persistent://public/default/b", "persistent://public/default/d"}
	if !slices.Equal(applied.Spec.Inputs, want) || len(applied.Spec.InputSpecs) != 2 {
		t.Errorf("both together are %+v", applied.Spec)
	}
	if got := fmt.Sprint(field(s.cr("echo"), "spec", "input", "topics")); got != "["+strings.Join(want, " ")+"]" {
		t.Errorf("the custom resource has the topics %s", got)
	}
	pruned := s.mustApply("first", "echo", `
spec:
  className: org.example.Echo
  java: {}
  package: {location: "function://public/default/echo@1"}
  inputs: [persistent://public/default/a]
`)
	if spec := pruned.Spec; slices.Contains(spec.Inputs, "persistent://public/default/b") || spec.InputSpecs["persistent://public/default/c"].SchemaType != "" {
		t.Errorf("the view still has what was left out: %+v", pruned.Spec)
	}
	text := s.crText("echo")
	for _, gone := range []string{"persistent://public/default/b", "persistent://public/default/c", "avro"} {
		if strings.Contains(text, gone) {
			t.Errorf("the custom resource still has %s: %s", gone, text)
		}
	}
}

func managers(object metav1.Object) []string {
	var names []string
	for _, entry := range object.GetManagedFields() {
		names = append(names, entry.Manager+" "+string(entry.Operation))
	}
	slices.Sort(names)
	return names
}

// TestManagedFields checks that those of view and custom resource are told apart.
func TestManagedFields(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.createCR("by-hand", "")
	before := s.cr("by-hand").GetManagedFields()
	if got := s.get("by-hand"); len(got.ManagedFields) != 0 {
		t.Errorf("the view shows the custom resource's managers: %v", managers(got))
	}
	// As for any object whose fields nobody has managed, what is there before the
	// first apply is somebody else's.
	const text = "spec: {parallelism: 2}"
	if _, err := s.apply("scaler", "by-hand", text, false); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), "before-first-apply") {
		t.Errorf("the first apply: %v", err)
	}
	if _, err := s.apply("scaler", "by-hand", text, true); err != nil {
		t.Fatal(err)
	}
	if got := managers(s.get("by-hand")); !slices.Equal(got, []string{"before-first-apply Update", "scaler Apply"}) {
		t.Errorf("the view's managers are %v", got)
	}
	after := s.cr("by-hand").GetManagedFields()
	find := func(entries []metav1.ManagedFieldsEntry, manager string) string {
		for _, entry := range entries {
			if entry.Manager == manager {
				return string(entry.Operation) + " " + entry.APIVersion + " " + string(entry.FieldsV1.GetRawBytes())
			}
		}
		return ""
	}
	// The replicas changed hands, the rest is who wrote it.
	if first := find(before, "by-hand"); !strings.Contains(first, "f:replicas") || find(after, "by-hand") != strings.Replace(first, `"f:replicas":{},`, "", 1) {
		t.Errorf("the writer of the custom resource had\n%s\nand has\n%s", first, find(after, "by-hand"))
	}
	server := find(after, "functionmesh-apiserver")
	if !strings.HasPrefix(server, "Update compute.functionmesh.io/v1alpha1 ") || !strings.Contains(server, "f:replicas") {
		t.Errorf("functionmesh-apiserver wrote %s", server)
	}
	if text, err := json.Marshal(after); err != nil || strings.Contains(string(text), `"scaler"`) {
		t.Errorf("the custom resource has the view's managers: %s, %v", text, err)
	}
}

// TestApplyConfiguration uses the generated types.
func TestApplyConfiguration(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	function := applyv1alpha1.PulsarFunction("echo", s.namespace).WithLabels(map[string]string{"team": "blue"}).
		WithSpec(applyv1alpha1.PulsarFunctionSpec().
			WithClassName("org.example.Echo").WithJava(applyv1alpha1.JavaRuntime()).
			WithPackage(applyv1alpha1.Package().WithLocation("function://public/default/echo@1")).
			WithInputs("persistent://public/default/in"))
	options := metav1.ApplyOptions{FieldManager: "generated", Force: true}
	applied, err := s.author.Apply(s.ctx, function, options)
	s.check(err)
	again, err := s.author.Apply(s.ctx, function, options)
	s.check(err)
	if applied.Labels["team"] != "blue" || again.ResourceVersion != applied.ResourceVersion {
		t.Errorf("it applied %+v, then %+v", applied.ObjectMeta, again.ObjectMeta)
	}
}

// TestConcurrentApplies has several managers, each with its own part.
func TestConcurrentApplies(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	s.mustApply("owner", "echo", inputsOfFirst)
	const count = 6
	errs := make(chan error, count*3)
	var group sync.WaitGroup
	for i := range count {
		group.Go(func() {
			for round := range 3 {
				_, err := s.apply(fmt.Sprintf("manager-%d", i), "echo", fmt.Sprintf(
					"metadata: {annotations: {example.org/manager-%d: '%d'}}\nspec: {inputs: [persistent://public/default/manager-%d]}\n", i, round, i), false)
				errs <- err
			}
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	function := s.get("echo")
	for i := range count {
		if !slices.Contains(function.Spec.Inputs, fmt.Sprintf("persistent://public/default/manager-%d", i)) ||
			function.Annotations[fmt.Sprintf("example.org/manager-%d", i)] != "2" {
			t.Errorf("what manager %d applied is lost", i)
		}
	}
	if len(managers(function)) != count+1 {
		t.Errorf("the managers are %v", managers(function))
	}
}
