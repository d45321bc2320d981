package apigroup

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// TestDefinitionsSchema installs a definition that takes less than this project's
// own: one of another Function Mesh. What its schema refuses has to be told in the
// view's terms, in dry runs as well.
//
// It isn't parallel, so that no other test sees that definition.
func TestDefinitionsSchema(t *testing.T) {
	s := newSpace(t)
	s.create("echo")
	s.createCR("by-hand", byHand)
	s.changeDefinition(func(spec map[string]any) {
		delete(spec, "x-kubernetes-preserve-unknown-fields")
		properties := spec["properties"].(map[string]any)
		properties["replicas"].(map[string]any)["maximum"] = int64(12)
		output := properties["output"].(map[string]any)["properties"].(map[string]any)
		output["topic"].(map[string]any)["pattern"] = "^persistent://public/"
		delete(properties, "logTopic")
	})

	for _, test := range []struct {
		name   string
		change func(*v1alpha1.PulsarFunction)
		fields []string
		text   string
	}{
		{"a number", func(f *v1alpha1.PulsarFunction) { f.Spec.Parallelism = ptr.To(int32(13)) }, []string{"spec.parallelism"}, "spec.parallelism: Invalid value: 13"},
		{"a nested field", func(f *v1alpha1.PulsarFunction) { f.Spec.Output = "persistent://acme/x/y" }, []string{"spec.output"}, "spec.output: Invalid value"},
		{"a field of a newer Function Mesh", func(f *v1alpha1.PulsarFunction) { f.Spec.LogTopic = "persistent://public/default/log" },
			[]string{"spec.logTopic"}, "the installed Function Mesh is older than it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for kind, dry := range map[string][]string{"dry run": dryRun, "for real": nil} {
				function := newFunction("other")
				test.change(function)
				_, err := s.author.Create(s.ctx, function, metav1.CreateOptions{DryRun: dry})
				if err == nil {
					t.Errorf("%s: it is taken", kind)
					continue
				}
				status := statusOf(t, err)
				if status.Code != 422 || !strings.Contains(status.Message, test.text) || status.Details == nil || len(status.Details.Causes) == 0 ||
					status.Details.Causes[0].Field != test.fields[0] {
					t.Errorf("%s: the answer is %+v", kind, status)
				}
				for _, leak := range []string{"spec.replicas", "spec.output.topic", "Function.compute"} {
					if strings.Contains(text(t, status), leak) {
						t.Errorf("%s: the answer names %s: %+v", kind, leak, status)
					}
				}
			}
		})
	}
	// What somebody else stored, which this definition doesn't know either, is no
	// mistake of who changes something else.
	_, err := s.author.Patch(s.ctx, "by-hand", types.MergePatchType, []byte(`{"spec":{"parallelism":4}}`), metav1.PatchOptions{})
	s.check(err)
	_, err = s.author.Patch(s.ctx, "echo", types.MergePatchType, []byte(`{"spec":{"parallelism":13}}`), metav1.PatchOptions{})
	checkRefusal(t, err, refusal{reason: metav1.StatusReasonInvalid, fields: []string{"spec.parallelism"}, text: "spec.parallelism"})
}

// changeDefinition changes the schema of the custom resource's spec until the test
// ends.
func (s *space) changeDefinition(change func(spec map[string]any)) {
	s.t.Helper()
	crds := env.Dynamic().Resource(definitions)
	name := functions.GroupResource().String()
	original, err := crds.Get(s.ctx, name, metav1.GetOptions{})
	s.check(err)
	s.t.Cleanup(func() {
		latest, err := crds.Get(s.cleanupContext(), name, metav1.GetOptions{})
		s.check(err)
		latest.Object["spec"] = original.Object["spec"]
		_, err = crds.Update(s.cleanupContext(), latest, metav1.UpdateOptions{})
		s.check(err)
		s.eventually("the old definition", func() error {
			_, err := s.crs.Create(s.cleanupContext(), newCR(s.t, "probe", "spec: {replicas: 1000}"), metav1.CreateOptions{DryRun: dryRun})
			return err
		})
	})
	changed := original.DeepCopy()
	versions, _, err := unstructured.NestedSlice(changed.Object, "spec", "versions")
	s.check(err)
	properties := versions[0].(map[string]any)["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)["properties"].(map[string]any)
	change(properties["spec"].(map[string]any))
	s.check(unstructured.SetNestedSlice(changed.Object, versions, "spec", "versions"))
	_, err = crds.Update(s.ctx, changed, metav1.UpdateOptions{})
	s.check(err)
	s.eventually("the changed definition", func() error {
		_, err := s.crs.Create(s.ctx, newCR(s.t, "probe", "spec: {replicas: 1000}"), metav1.CreateOptions{DryRun: dryRun})
		return errIf(err == nil, "it takes what it should refuse")
	})
}
