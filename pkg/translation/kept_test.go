package translation

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// dropKept removes what the custom resource has no place for.
func dropKept(view adminv1alpha1.Component) {
	spec := view.Common()
	if input := view.Input(); input != nil {
		for topic, consumer := range input.InputSpecs {
			consumer.PoolMessages, consumer.MessagePayloadProcessorConfig = false, nil
			input.InputSpecs[topic] = consumer
		}
	}
	if output := view.Output(); output != nil && output.ProducerConfig != nil {
		output.ProducerConfig.BatchingConfig = nil
	}
	if spec.Resources != nil {
		spec.Resources.Disk = nil
	}
	if pkg := spec.Package; pkg != nil && pkg.Location != "" && pkg.FileName == defaultFileName(view) {
		pkg.FileName = ""
	}
	if pod := spec.Pod; pod != nil && pod.Image != "example.org/own:1" {
		pod.Image = ""
	}
	spec.CustomRuntimeOptions = ""
	switch view := view.(type) {
	case *adminv1alpha1.PulsarFunction:
		view.Spec.ExposePulsarAdminClientEnabled = nil
	case *adminv1alpha1.PulsarSink:
		view.Spec.TransformFunction, view.Spec.TopicToSchemaProperties = nil, nil
	}
	normalize(view)
}

func FuzzWithoutKeptFields(f *testing.F) {
	forSeeds(f, func(t *testing.T, kind testedKind, r *rand.Rand) {
		view := randomView(r, kind)
		if pod := view.Common().Pod; pod != nil && pod.Image != "" {
			pod.Image = "example.org/own:1"
		}
		settleOptions(kind, view)
		cr, err := kind.toCR(view)
		if err != nil {
			t.Fatal(err)
		}
		delete(cr.GetAnnotations(), KeptFieldsAnnotation)
		got, err := kind.fromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		dropKept(view)
		assertSame(t, "view without its annotation", specOf(view).Interface(), specOf(got).Interface())
		if warnings := KeptFieldWarnings(view); len(warnings) != 0 {
			t.Errorf("still warned of: %v", warnings)
		}
	})
}

func keptView() *adminv1alpha1.PulsarFunction {
	view := &adminv1alpha1.PulsarFunction{}
	spec := &view.Spec
	spec.Java = &adminv1alpha1.JavaRuntime{}
	spec.InputSpecs = map[string]adminv1alpha1.ConsumerSpec{
		"b": {PoolMessages: true},
		"a": {MessagePayloadProcessorConfig: &adminv1alpha1.MessagePayloadProcessorConfig{ClassName: "x"}},
		"c": {SchemaType: "json"},
	}
	spec.ProducerConfig = &adminv1alpha1.ProducerConfig{BatchingConfig: &adminv1alpha1.BatchingConfig{}}
	spec.Resources = &adminv1alpha1.Resources{Disk: ptr.To(resource.MustParse("1Gi"))}
	spec.CustomRuntimeOptions = `{"serviceAccountName":"x"}`
	spec.ExposePulsarAdminClientEnabled = ptr.To(false)
	return view
}

func TestKeptFieldWarnings(t *testing.T) {
	const ending = " has no effect yet: Function Mesh has no place for it"
	want := []string{
		"spec.customRuntimeOptions has no effect by itself: other fields of the object say otherwise",
		"spec.exposePulsarAdminClientEnabled" + ending,
		"spec.inputSpecs[a].messagePayloadProcessorConfig" + ending,
		"spec.inputSpecs[b].poolMessages" + ending,
		"spec.producerConfig.batchingConfig" + ending,
		"spec.resources.disk" + ending,
	}
	if diff := cmp.Diff(want, KeptFieldWarnings(keptView())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestKeptFieldsSize(t *testing.T) {
	for _, test := range []struct{ options, want int }{{0, 0}, {MaxKeptFieldsSize, MaxKeptFieldsSize + 40}} {
		view := &adminv1alpha1.PulsarFunction{}
		view.Spec.CustomRuntimeOptions = strings.Repeat("x", test.options)
		got, err := KeptFieldsSize(view)
		if err != nil || got < test.options || got > test.want {
			t.Errorf("size of %d: %d, %v", test.options, got, err)
		}
	}
}

// What another version of the server kept stays, and is reported; all else is shown
// and can be changed.
func TestUnreadKeptFields(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	for name, annotation := range map[string]string{
		"no JSON":           "{",
		"no version":        `{"disk":"1Gi"}`,
		"a later version":   `{"version":2}`,
		"an unknown member": `{"version":1,"tenant":"acme"}`,
		"a wrong type":      `{"version":1,"disk":{}}`,
		"a second value":    `{"version":1}{}`,
	} {
		cr, err := translator.ToCR(keptView())
		if err != nil {
			t.Fatal(err)
		}
		cr.Annotations[KeptFieldsAnnotation] = annotation
		view, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		condition := meta.FindStatusCondition(view.Status.Conditions, adminv1alpha1.ConditionTranslated)
		if condition == nil || condition.Status != "Unknown" || !strings.Contains(condition.Message, KeptFieldsAnnotation) {
			t.Errorf("%s: condition %+v", name, condition)
		}
		if view.Spec.Resources != nil {
			t.Errorf("%s: resources %+v", name, view.Spec.Resources)
		}
		raw := toJSONMap(cr)
		view.Spec.Resources = keptView().Spec.Resources
		view.Spec.Parallelism = ptr.To[int32](7)
		if _, err := update(translator, raw, view); err != nil {
			t.Fatal(err)
		}
		if got := member(raw, []string{"metadata", "annotations", KeptFieldsAnnotation}); got != annotation {
			t.Errorf("%s: the annotation became %v", name, got)
		}
		if got := member(raw, []string{"spec", "replicas"}); got != int64(7) {
			t.Errorf("%s: %v replicas", name, got)
		}
		warnings := KeptFieldWarnings(view)
		if len(warnings) != 1 || !strings.Contains(warnings[0], "spec.resources.disk is not stored") {
			t.Errorf("%s: warnings %v", name, warnings)
		}
	}
}

// Somebody else removed an input from the resource: what was kept of it is nobody's.
func TestKeptFieldsOfAnInputThatIsGone(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	cr, err := translator.ToCR(keptView())
	if err != nil {
		t.Fatal(err)
	}
	delete(cr.Spec.Input.SourceSpecs, "b")
	view, err := translator.FromCR(cr)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := view.Spec.InputSpecs["b"]; ok {
		t.Error("the input came back")
	}
}
