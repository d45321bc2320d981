package translation

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// dropKept removes what the custom resource has no place for.
func dropKept(view *adminv1alpha1.PulsarFunction) {
	spec := &view.Spec
	for topic, input := range spec.InputSpecs {
		input.PoolMessages, input.MessagePayloadProcessorConfig = false, nil
		spec.InputSpecs[topic] = input
	}
	if spec.ProducerConfig != nil {
		spec.ProducerConfig.BatchingConfig = nil
	}
	if spec.Resources != nil {
		spec.Resources.Disk = nil
	}
	if pkg := spec.Package; pkg != nil && pkg.Location != "" && pkg.FileName == defaultFileName(view) {
		pkg.FileName = ""
	}
	spec.CustomRuntimeOptions, spec.ExposePulsarAdminClientEnabled = "", nil
	normalize(spec)
}

func FuzzWithoutKeptFields(f *testing.F) {
	translator := NewFunctionTranslator(testConfig(), nil)
	forSeeds(f, func(t *testing.T, r *rand.Rand) {
		view := randomView(r, translator)
		cr, err := translator.ToCR(view)
		if err != nil {
			t.Fatal(err)
		}
		delete(cr.Annotations, KeptFieldsAnnotation)
		got, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		dropKept(view)
		assertSame(t, "view without its annotation", view.Spec, got.Spec)
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
	spec.CustomRuntimeOptions = "{}"
	spec.ExposePulsarAdminClientEnabled = ptr.To(false)
	return view
}

func TestKeptFieldWarnings(t *testing.T) {
	const ending = " has no effect yet: Function Mesh has no place for it"
	want := []string{
		"spec.customRuntimeOptions" + ending,
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

func TestBrokenKeptFields(t *testing.T) {
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
		if view, err := translator.FromCR(cr); err == nil {
			t.Errorf("%s: got %v, want an error", name, view.Spec)
		} else if !strings.Contains(err.Error(), KeptFieldsAnnotation) {
			t.Errorf("%s: %q doesn't name the annotation", name, err)
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
