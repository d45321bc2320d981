package translation

import (
	"encoding/json"
	"math/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// assertSame compares as JSON, in which free-form objects have no order.
func assertSame(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(toJSONMap(want), toJSONMap(got)); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func FuzzViewToCRToView(f *testing.F) {
	forSeeds(f, func(t *testing.T, kind testedKind, r *rand.Rand) {
		view := randomView(r, kind)
		original := view.DeepCopyObject()
		cr, err := kind.toCR(view)
		if err != nil {
			t.Fatalf("ToCR: %v", err)
		}
		if !equality.Semantic.DeepEqual(original, view) {
			t.Fatal("ToCR changed its argument")
		}
		back := mustTranslate(t, kind, toJSONMap(cr))
		*back.ObservedStatus() = *view.ObservedStatus()
		assertSame(t, "view -> CR -> view", view, back)
	})
}

// What a client gets and puts back unchanged, through JSON and defaulting, writes
// nothing.
func FuzzGetThenPutWritesNothing(f *testing.F) {
	forSeeds(f, func(t *testing.T, kind testedKind, r *rand.Rand) {
		raw := randomCR(r, kind)
		original := runtime.DeepCopyJSON(raw)
		view := mustTranslate(t, kind, raw)
		data, err := json.Marshal(view)
		if err != nil {
			t.Fatal(err)
		}
		sent := kind.newView()
		if err := json.Unmarshal(data, sent); err != nil {
			t.Fatal(err)
		}
		kind.defaulted(sent)
		assertSame(t, "defaulting of what was read", view, sent)
		changed, err := updateOf(kind, raw, sent)
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
	forSeeds(f, func(t *testing.T, kind testedKind, r *rand.Rand) {
		raw := randomCR(r, kind)
		original := runtime.DeepCopyJSON(raw)
		current := mustTranslate(t, kind, raw)
		wanted := current.DeepCopyObject().(adminv1alpha1.Component)
		other := randomView(r, kind)
		wanted.SetLabels(other.GetLabels())
		wanted.SetAnnotations(other.GetAnnotations())
		wanted.SetManagedFields(other.GetManagedFields())
		mix(r, specOf(wanted), specOf(other))
		spec, was := wanted.Common(), current.Common()
		spec.Tenant, spec.Namespace, spec.Name = was.Tenant, was.Namespace, was.Name
		setRuntimes(wanted, runtimesOf(current))
		if keptFieldsUnread(current) {
			dropKept(wanted)
		}
		explicitImage(spec, raw)
		normalize(wanted)
		kind.defaulted(wanted)
		settleOptions(kind, wanted)
		if _, err := updateOf(kind, raw, wanted.DeepCopyObject().(adminv1alpha1.Component)); err != nil {
			t.Fatalf("update: %v", err)
		}
		result := mustTranslate(t, kind, raw)
		assertSame(t, "what was asked for", specOf(wanted).Interface(), specOf(result).Interface())
		assertSame(t, "metadata that was asked for", metaOf(wanted), metaOf(result))
		assertForeign(t, original, raw)
	})
}

// explicitImage leaves out what can't be written: a default image that is asked for
// where a resource is silent is no difference.
func explicitImage(spec *adminv1alpha1.ComponentSpec, raw map[string]any) {
	if member(raw, []string{"spec", "image"}) == nil && spec.Pod != nil && spec.Pod.Image != "example.org/own:1" {
		spec.Pod.Image = ""
	}
}

// specOf returns the spec of a view.
func specOf(view adminv1alpha1.Component) reflect.Value {
	return reflect.ValueOf(view).Elem().FieldByName("Spec")
}

// mix takes some of the fields of another struct over, at any depth.
func mix(r *rand.Rand, target, other reflect.Value) {
	for i := range target.NumField() {
		field, otherField := target.Field(i), other.Field(i)
		switch {
		case !strings.Contains(target.Type().PkgPath(), "functionmesh-apiserver"):
			// Types of Kubernetes are taken over as a whole.
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
		{"spec", "java", unknownKey}, {"spec", "pulsar", "cleanupAuthConfig"}, {"spec", "pod", unknownKey},
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
	forSeeds(f, func(t *testing.T, kind testedKind, r *rand.Rand) {
		raw := randomCR(r, kind)
		converted := kind.newCR()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, converted); err != nil {
			t.Fatal(err)
		}
		fromUnstructured, err := kind.fromCR(converted)
		if err != nil {
			t.Fatal(err)
		}
		assertSame(t, "projections", mustTranslate(t, kind, raw), fromUnstructured)
	})
}
