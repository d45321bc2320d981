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

const appliedByFirst = `
metadata:
  labels: {first: here}
spec:
  className: org.example.Echo
  java: {}
  package: {location: "function://public/default/echo@1"}
  inputs: [persistent://public/default/a, persistent://public/default/b]
  inputSpecs:
    persistent://public/default/c: {receiverQueueSize: 10, schemaType: avro}
  secrets:
    PASSWORD: {path: credentials, key: password}
  logTopic: persistent://public/default/log
`

func TestApply(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	created := s.mustApply("first", "echo", appliedByFirst)
	if created.Generation != 1 || created.Spec.Name != "echo" {
		t.Errorf("the apply created %+v", created)
	}

	t.Run("again, it writes nothing", func(t *testing.T) {
		for range 2 {
			if again := s.mustApply("first", "echo", appliedByFirst); again.ResourceVersion != created.ResourceVersion {
				t.Errorf("the version was %s and is %s", created.ResourceVersion, again.ResourceVersion)
			}
		}
	})
	t.Run("a second manager adds", func(t *testing.T) {
		applied := s.mustApply("second", "echo", `
metadata: {labels: {second: here}}
spec:
  inputs: [persistent://public/default/d]
  inputSpecs:
    persistent://public/default/e: {regexPattern: false, receiverQueueSize: 5}
  parallelism: 2
`)
		want := []string{"persistent://public/default/a", "persistent://public/default/b", "persistent://public/default/d"}
		if !slices.Equal(applied.Spec.Inputs, want) || len(applied.Spec.InputSpecs) != 2 || len(applied.Labels) != 2 {
			t.Errorf("both together are %+v, labels %v", applied.Spec, applied.Labels)
		}
		if got := managers(applied); !slices.Equal(got, []string{"first Apply", "second Apply"}) {
			t.Errorf("the managers are %v", got)
		}
		cr := s.cr("echo")
		if got := fmt.Sprint(field(cr, "spec", "input", "topics")); got != "["+strings.Join(want, " ")+"]" {
			t.Errorf("the custom resource has the topics %s", got)
		}
	})
	t.Run("a conflict names the manager", func(t *testing.T) {
		const text = "spec: {className: org.example.Other}"
		_, err := s.apply("second", "echo", text, false)
		if !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `conflict with "first"`) || !strings.Contains(err.Error(), ".spec.className") {
			t.Errorf("the answer is %v", err)
		}
		noCRNames(t, err)
		forced, err := s.apply("second", "echo", text, true)
		s.check(err)
		if forced.Spec.ClassName != "org.example.Other" {
			t.Errorf("after the force the class is %s", forced.Spec.ClassName)
		}
		// What first no longer owns it can't remove, and what second no longer applies goes.
		if _, err := s.apply("first", "echo", appliedByFirst, true); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("what a manager leaves out goes", func(t *testing.T) {
		pruned := s.mustApply("first", "echo", `
spec:
  className: org.example.Echo
  java: {}
  package: {location: "function://public/default/echo@1"}
  inputs: [persistent://public/default/a]
`)
		if spec := pruned.Spec; spec.LogTopic != "" || len(spec.Secrets) != 0 || slices.Contains(spec.Inputs, "persistent://public/default/b") ||
			len(pruned.Labels) > 1 || spec.InputSpecs["persistent://public/default/c"].SchemaType != "" {
			t.Errorf("the view still has what was left out: %+v, labels %v", pruned.Spec, pruned.Labels)
		}
		cr := s.cr("echo")
		for _, path := range []string{"spec.logTopic", "spec.secretsMap", "metadata.labels.first"} {
			if value := field(cr, strings.Split(path, ".")...); value != nil {
				t.Errorf("%s of the custom resource is still %v", path, value)
			}
		}
		text := s.crText("echo")
		for _, gone := range []string{"persistent://public/default/b", "persistent://public/default/c", "avro"} {
			if strings.Contains(text, gone) {
				t.Errorf("the custom resource still has %s: %s", gone, text)
			}
		}
		if again := s.get("echo"); fmt.Sprint(managers(again)) != fmt.Sprint(managers(pruned)) {
			t.Errorf("the managers are %v, and were %v", managers(again), managers(pruned))
		}
	})
	t.Run("an unknown field", func(t *testing.T) {
		_, err := s.apply("first", "echo", "spec: {bogus: 1}", true)
		if err == nil || !strings.Contains(err.Error(), "bogus") {
			t.Errorf("the answer is %v", err)
		}
	})
}

func managers(function *v1alpha1.PulsarFunction) []string {
	var names []string
	for _, entry := range function.ManagedFields {
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
	s.mustApply("owner", "echo", appliedByFirst)
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
