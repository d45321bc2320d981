package storagesuite

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/registry/rest/resttest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// restSuites are all methods of resttest.Tester whose names begin with Test. A nil
// one is left out for the reason.
var restSuites = []struct {
	name   string
	run    func(t *testing.T)
	reason string
}{
	{name: "TestCreate", run: func(t *testing.T) {
		tester, storage := tester(t)
		tester.TestCreate(validFunction(), storage.create, storage.get, invalidFunctions()...)
	}},
	{name: "TestUpdate", run: func(t *testing.T) {
		tester, storage := tester(t)
		tester.TestUpdate(validFunction(), storage.create, storage.get, update(func(function *v1alpha1.PulsarFunction) {
			function.Spec.Parallelism = ptr.To[int32](3)
			function.Spec.Output = "persistent://public/default/other-output"
			function.Labels = map[string]string{"key": "other"}
		}), invalidUpdates()...)
	}},
	{name: "TestDelete", run: func(t *testing.T) {
		tester, storage := tester(t)
		tester.TestDelete(validFunction(), storage.create, storage.get, apierrors.IsNotFound)
	}},
	{name: "TestDeleteGraceful", reason: "graceful deletion: a PulsarFunction has none, and kube-apiserver gives none to custom resources"},
	{name: "TestGet", run: func(t *testing.T) {
		tester, _ := tester(t)
		tester.TestGet(validFunction())
	}},
	{name: "TestList", run: func(t *testing.T) {
		tester, storage := tester(t)
		tester.TestList(validFunction(), storage.assign(tester.TestContext(), t))
	}},
	{name: "TestWatch", run: func(t *testing.T) {
		tester, storage := tester(t)
		function := validFunction()
		function.Labels = map[string]string{"key": "value"}
		tester.TestWatch(function, storage.emit(tester.TestContext(), t, "watched"),
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
		t.Run(suite.name, suite.run)
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

// validFunction returns a function whose Pulsar name follows from its object's name,
// as the suites make several of it.
func validFunction() *v1alpha1.PulsarFunction {
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{Name: "valid", Namespace: "test"},
		Spec: v1alpha1.PulsarFunctionSpec{
			ComponentSpec: v1alpha1.ComponentSpec{
				ClassName: "org.example.Echo",
				Package:   &v1alpha1.Package{Location: "function://public/default/echo@1.0"},
				Java:      &v1alpha1.JavaRuntime{},
			},
			InputConfig: v1alpha1.InputConfig{
				Inputs: []string{"persistent://public/default/input"},
			},
			OutputConfig: v1alpha1.OutputConfig{
				Output: "persistent://public/default/output",
			},
		},
	}
}

func invalidFunctions() []runtime.Object {
	var objects []runtime.Object
	for _, spoil := range []func(*v1alpha1.PulsarFunction){
		func(function *v1alpha1.PulsarFunction) { function.Spec.Java = nil },
		func(function *v1alpha1.PulsarFunction) { function.Spec.Inputs = nil },
		func(function *v1alpha1.PulsarFunction) { function.Spec.Parallelism = ptr.To[int32](-1) },
		func(function *v1alpha1.PulsarFunction) { function.Spec.ClassName = "; rm -rf /" },
		func(function *v1alpha1.PulsarFunction) { function.Spec.Cluster = "unknown" },
	} {
		function := validFunction()
		spoil(function)
		objects = append(objects, function)
	}
	return objects
}

func update(change func(*v1alpha1.PulsarFunction)) resttest.UpdateFunc {
	return func(obj runtime.Object) runtime.Object {
		change(obj.(*v1alpha1.PulsarFunction))
		return obj
	}
}

func invalidUpdates() []resttest.UpdateFunc {
	return []resttest.UpdateFunc{
		update(func(function *v1alpha1.PulsarFunction) { function.Spec.Tenant = "other" }),
		update(func(function *v1alpha1.PulsarFunction) { function.Spec.Name = "other" }),
		update(func(function *v1alpha1.PulsarFunction) {
			function.Spec.Java, function.Spec.Python = nil, &v1alpha1.Runtime{}
		}),
		update(func(function *v1alpha1.PulsarFunction) { function.Spec.Inputs = nil }),
		update(func(function *v1alpha1.PulsarFunction) { function.Labels = map[string]string{"not a key": ""} }),
	}
}
