package translation

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// rounds is how many random objects each property is tried with.
const rounds = 1000

func forSeeds(f *testing.F, property func(t *testing.T, r *rand.Rand)) {
	for seed := range int64(rounds) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed int64) { property(t, rand.New(rand.NewSource(seed))) })
}

// assertSame compares as JSON, in which free-form objects have no order.
func assertSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(toJSONMap(want), toJSONMap(got)); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func FuzzViewToCRToView(f *testing.F) {
	translator := NewFunctionTranslator(testConfig(), nil)
	forSeeds(f, func(t *testing.T, r *rand.Rand) {
		view := randomView(r, translator)
		original := view.DeepCopy()
		cr, err := translator.ToCR(view)
		if err != nil {
			t.Fatalf("ToCR: %v", err)
		}
		if !equality.Semantic.DeepEqual(original, view) {
			t.Fatal("ToCR changed its argument")
		}
		stored, err := fromJSONMap(toJSONMap(cr))
		if err != nil {
			t.Fatal(err)
		}
		back, err := translator.FromCR(stored)
		if err != nil {
			t.Fatalf("FromCR: %v", err)
		}
		back.Status = view.Status
		assertSame(t, "view -> CR -> view", view, back)
	})
}

// What a client gets and puts back unchanged, through JSON and defaulting, writes
// nothing.
func FuzzGetThenPutWritesNothing(f *testing.F) {
	translator := NewFunctionTranslator(testConfig(), nil)
	forSeeds(f, func(t *testing.T, r *rand.Rand) {
		raw := randomCR(r)
		original := runtime.DeepCopyJSON(raw)
		cr, err := fromJSONMap(raw)
		if err != nil {
			t.Fatal(err)
		}
		view, err := translator.FromCR(cr)
		if err != nil {
			t.Fatalf("FromCR: %v", err)
		}
		data, err := json.Marshal(view)
		if err != nil {
			t.Fatal(err)
		}
		sent := &adminv1alpha1.PulsarFunction{}
		if err := json.Unmarshal(data, sent); err != nil {
			t.Fatal(err)
		}
		adminv1alpha1.SetDefaults_PulsarFunction(sent)
		assertSame(t, "defaulting of what was read", view, sent)
		changed, err := update(translator, raw, sent)
		if err != nil {
			t.Fatalf("update: %v", err)
		}
		if diff := cmp.Diff(original, raw); changed || diff != "" {
			t.Fatalf("changed=%v (-stored +written):\n%s", changed, diff)
		}
	})
}

// Any change of a view takes effect, and takes nothing with it that isn't the
// view's.
func FuzzUpdate(f *testing.F) {
	translator := NewFunctionTranslator(testConfig(), nil)
	forSeeds(f, func(t *testing.T, r *rand.Rand) {
		raw := randomCR(r)
		original := runtime.DeepCopyJSON(raw)
		cr, err := fromJSONMap(raw)
		if err != nil {
			t.Fatal(err)
		}
		current, err := translator.FromCR(cr)
		if err != nil {
			t.Fatalf("FromCR: %v", err)
		}
		wanted := current.DeepCopy()
		other := randomView(r, translator)
		wanted.Labels, wanted.Annotations, wanted.ManagedFields = other.Labels, other.Annotations, other.ManagedFields
		mix(r, reflect.ValueOf(&wanted.Spec).Elem(), reflect.ValueOf(other.Spec))
		wanted.Spec.Tenant, wanted.Spec.Namespace, wanted.Spec.Name = current.Spec.Tenant, current.Spec.Namespace, current.Spec.Name
		wanted.Spec.Java, wanted.Spec.Python, wanted.Spec.Go = current.Spec.Java, current.Spec.Python, current.Spec.Go
		normalize(&wanted.Spec)
		translator.setDefaults(wanted)
		if _, err := update(translator, raw, wanted.DeepCopy()); err != nil {
			t.Fatalf("update: %v", err)
		}
		written, err := fromJSONMap(raw)
		if err != nil {
			t.Fatal(err)
		}
		result, err := translator.FromCR(written)
		if err != nil {
			t.Fatalf("FromCR: %v", err)
		}
		assertSame(t, "what was asked for", wanted.Spec, result.Spec)
		assertSame(t, "metadata that was asked for", wanted.ObjectMeta, result.ObjectMeta)
		assertForeign(t, original, raw)
	})
}

// mix takes some of the fields of another struct over, at any depth.
func mix(r *rand.Rand, target, other reflect.Value) {
	for i := range target.NumField() {
		field, otherField := target.Field(i), other.Field(i)
		switch {
		case field.Kind() == reflect.Struct:
			mix(r, field, otherField)
		case r.Intn(3) == 0:
			field.Set(otherField)
		case field.Kind() == reflect.Pointer && field.Type().Elem().Kind() == reflect.Struct && !field.IsNil() && !otherField.IsNil():
			mix(r, field.Elem(), otherField.Elem())
		}
	}
}

// assertForeign checks what no view shows.
func assertForeign(t *testing.T, before, after map[string]any) {
	t.Helper()
	for _, path := range [][]string{
		{"spec", unknownKey}, {"spec", "name"},
		{"spec", "input", unknownKey}, {"spec", "output", unknownKey}, {"spec", "pulsar", unknownKey},
		{"spec", "output", "producerConf", unknownKey}, {"spec", "resources", unknownKey},
		{"spec", "java", unknownKey}, {"spec", "java", "log", unknownKey},
		{"spec", "python", unknownKey}, {"spec", "golang", unknownKey},
		{"metadata", "annotations", ReservedPrefix + "status"},
		{"metadata", "labels", "app.kubernetes.io/instance"},
		{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
		{"metadata", "uid"}, {"metadata", "finalizers"}, {"metadata", "ownerReferences"}, {"status"},
	} {
		if diff := cmp.Diff(member(before, path), member(after, path)); diff != "" {
			t.Errorf("%v (-before +after):\n%s", path, diff)
		}
	}
}

func member(object map[string]any, path []string) any {
	value, ok := any(object), true
	for _, name := range path {
		if object, ok = value.(map[string]any); !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// Reads decode into types, writes go through unstructured objects: both project to
// the same.
func FuzzTypedAndUnstructured(f *testing.F) {
	translator := NewFunctionTranslator(testConfig(), nil)
	forSeeds(f, func(t *testing.T, r *rand.Rand) {
		raw := randomCR(r)
		decoded, err := fromJSONMap(raw)
		if err != nil {
			t.Fatal(err)
		}
		converted := &computev1alpha1.Function{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, converted); err != nil {
			t.Fatal(err)
		}
		fromTyped, err := translator.FromCR(decoded)
		if err != nil {
			t.Fatal(err)
		}
		fromUnstructured, err := translator.FromCR(converted)
		if err != nil {
			t.Fatal(err)
		}
		assertSame(t, "projections", fromTyped, fromUnstructured)
	})
}
