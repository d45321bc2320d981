package storagesuite

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/watch"
)

// restSuites are all methods of resttest.Tester whose names begin with Test. A nil
// one is left out for the reason.
var restSuites = []struct {
	name   string
	run    func(t *testing.T, kind componentKind)
	reason string
}{
	{name: "TestCreate", run: func(t *testing.T, kind componentKind) {
		tester, storage := tester(t, kind)
		tester.TestCreate(kind.valid(), storage.create, storage.get, kind.invalidObjects()...)
	}},
	{name: "TestUpdate", run: func(t *testing.T, kind componentKind) {
		tester, storage := tester(t, kind)
		tester.TestUpdate(kind.valid(), storage.create, storage.get, kind.validUpdate(), kind.invalidUpdates()...)
	}},
	{name: "TestDelete", run: func(t *testing.T, kind componentKind) {
		tester, storage := tester(t, kind)
		tester.TestDelete(kind.valid(), storage.create, storage.get, apierrors.IsNotFound)
	}},
	{name: "TestDeleteGraceful", reason: "graceful deletion: objects here have none, and kube-apiserver gives none to custom resources"},
	{name: "TestGet", run: func(t *testing.T, kind componentKind) {
		tester, _ := tester(t, kind)
		tester.TestGet(kind.valid())
	}},
	{name: "TestList", run: func(t *testing.T, kind componentKind) {
		tester, storage := tester(t, kind)
		tester.TestList(kind.valid(), storage.assign(tester.TestContext(), t))
	}},
	{name: "TestWatch", run: func(t *testing.T, kind componentKind) {
		tester, storage := tester(t, kind)
		object := kind.valid()
		object.SetLabels(map[string]string{"key": "value"})
		tester.TestWatch(object, storage.emit(tester.TestContext(), t, "watched"),
			[]labels.Set{{"key": "value"}},
			[]labels.Set{{"key": "other"}, {"absent": "value"}},
			[]fields.Set{{"metadata.name": "watched"}, {"metadata.namespace": tester.TestNamespace()}},
			[]fields.Set{{"metadata.name": "other"}},
			[]string{string(watch.Added), string(watch.Modified), string(watch.Deleted)})
	}},
	{name: "TestNamespace", reason: "no test: it says which namespace is used"},
	{name: "TestContext", reason: "no test: it makes a context"},
}

func TestREST(t *testing.T) {
	for _, suite := range restSuites {
		if suite.run == nil {
			t.Logf("left out: %s (%s)", suite.name, suite.reason)
			continue
		}
		t.Run(suite.name, func(t *testing.T) { forEachKind(t, suite.run) })
	}
}

// TestEveryRESTSuiteIsDecided fails when Kubernetes adds, renames or removes one.
func TestEveryRESTSuiteIsDecided(t *testing.T) {
	var decided []string
	for _, suite := range restSuites {
		decided = append(decided, suite.name)
		if (suite.run == nil) == (suite.reason == "") {
			t.Errorf("%s must either run or say why it is left out", suite.name)
		}
	}
	slices.Sort(decided)
	if exported := exportedFunctions(t, "pkg/registry/rest/resttest", "Tester", "Test"); !slices.Equal(decided, exported) {
		t.Errorf("the table has\n%v\nthe package exports\n%v", decided, exported)
	}
}
