package componentconfig

import (
	"encoding/json"
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/diff"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

var testName = identity.Name{Tenant: "t", Namespace: "n", Name: "f"}

func mustParse(t *testing.T, text string) *FunctionConfig {
	t.Helper()
	return mustRead(t, functionForm, text)
}

func mustRead[C config, V v1alpha1.Component](t *testing.T, form form[C, V], text string) C {
	t.Helper()
	config, err := form.read([]byte(text))
	if err != nil {
		t.Fatalf("could not parse %s: %v", text, err)
	}
	return config
}

// stored returns what the API server would give back for a function that is created
// from text.
func stored(t *testing.T, text string) *v1alpha1.PulsarFunction {
	t.Helper()
	function := created(t, functionForm, text)
	v1alpha1.SetDefaults_PulsarFunction(function)
	return function
}

func storedSink(t *testing.T, text string) *v1alpha1.PulsarSink {
	t.Helper()
	sink := created(t, sinkForm, text)
	v1alpha1.SetDefaults_PulsarSink(sink)
	return sink
}

func storedSource(t *testing.T, text string) *v1alpha1.PulsarSource {
	t.Helper()
	source := created(t, sourceForm, text)
	v1alpha1.SetDefaults_PulsarSource(source)
	return source
}

// created returns the view of a component that is created from text, through JSON.
func created[C config, V v1alpha1.Component](t *testing.T, form form[C, V], text string) V {
	t.Helper()
	component, err := form.Create([]byte(text), testName, "")
	if err != nil {
		t.Fatalf("could not convert %s: %v", text, err)
	}
	return throughJSON(t, component.(V))
}

func throughJSON[V v1alpha1.Component](t *testing.T, view V) V {
	t.Helper()
	text, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	var read V
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// update does what the REST server does with a PUT and returns whether it changed
// anything.
func update(t *testing.T, component v1alpha1.Component, text, packageURL string) (bool, error) {
	t.Helper()
	err := FormOf(component.ComponentKind()).Update(component, []byte(text), testName, packageURL, false)
	if err == ErrNoChange {
		return false, nil
	}
	return err == nil, err
}

func mustUpdate(t *testing.T, component v1alpha1.Component, text, packageURL string) bool {
	t.Helper()
	changed, err := update(t, component, text, packageURL)
	if err != nil {
		t.Fatalf("could not update with %s: %v", text, err)
	}
	return changed
}

func getJSON(t *testing.T, component v1alpha1.Component) string {
	t.Helper()
	text, err := json.Marshal(FormOf(component.ComponentKind()).Read(component))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expectAnswer compares the answer of GET with what it was, apart from changed
// members, of which null is for absent.
func expectAnswer(t *testing.T, component v1alpha1.Component, before, changed string) {
	t.Helper()
	want := jsonValue(t, before).(map[string]any)
	for member, value := range jsonValue(t, changed).(map[string]any) {
		want[member] = value
		if value == nil {
			delete(want, member)
		}
	}
	expectEqual(t, jsonValue(t, getJSON(t, component)), any(want))
}

func jsonValue(t *testing.T, text string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

func expectReason(t *testing.T, err error, reason string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("got error %v, want an *Error with reason %q", err, reason)
	}
	if refused.Reason != reason {
		t.Errorf("got reason %q, want %q", refused.Reason, reason)
	}
}

func expectEqual(t *testing.T, got, want any) {
	t.Helper()
	if !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("unexpected result (-want +got):\n%s", diff.Diff(want, got))
	}
}
