package functionconfig

import (
	"encoding/json"
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/diff"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func mustParse(t *testing.T, text string) *FunctionConfig {
	t.Helper()
	config, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("could not parse %s: %v", text, err)
	}
	return config
}

// stored returns what the API server would give back for a function that is created
// from text: through JSON, with its defaults.
func stored(t *testing.T, text string) *v1alpha1.PulsarFunction {
	t.Helper()
	config := mustParse(t, text)
	config.Defaults("t", "n", "f")
	function, err := config.ToFunction("")
	if err != nil {
		t.Fatalf("could not convert %s: %v", text, err)
	}
	function = throughJSON(t, function)
	v1alpha1.SetDefaults_PulsarFunction(function)
	return function
}

func throughJSON(t *testing.T, function *v1alpha1.PulsarFunction) *v1alpha1.PulsarFunction {
	t.Helper()
	text, err := json.Marshal(function)
	if err != nil {
		t.Fatal(err)
	}
	read := &v1alpha1.PulsarFunction{}
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatal(err)
	}
	return read
}

// update does what the REST server does with a PUT and returns whether it changed
// anything.
func update(t *testing.T, function *v1alpha1.PulsarFunction, text, packageURL string) (bool, error) {
	t.Helper()
	config := mustParse(t, text)
	config.SetIdentity("t", "n", "f")
	existing := FromFunction(function)
	merged, err := Merge(existing, config)
	if err != nil {
		return false, err
	}
	changed := !Equal(existing, merged)
	if !changed && packageURL == "" {
		return false, nil
	}
	return changed, Apply(function, existing, merged, packageURL)
}

func mustUpdate(t *testing.T, function *v1alpha1.PulsarFunction, text, packageURL string) bool {
	t.Helper()
	changed, err := update(t, function, text, packageURL)
	if err != nil {
		t.Fatalf("could not update with %s: %v", text, err)
	}
	return changed
}

func getJSON(t *testing.T, function *v1alpha1.PulsarFunction) string {
	t.Helper()
	text, err := json.Marshal(FromFunction(function))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
