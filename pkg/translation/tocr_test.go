package translation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

func TestViewsThatCannotBeStored(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	for name, change := range map[string]func(*adminv1alpha1.PulsarFunctionSpec){
		"no runtime":        func(spec *adminv1alpha1.PulsarFunctionSpec) { spec.Java = nil },
		"two runtimes":      func(spec *adminv1alpha1.PulsarFunctionSpec) { spec.Go = &adminv1alpha1.Runtime{} },
		"a long timeout":    func(spec *adminv1alpha1.PulsarFunctionSpec) { spec.TimeoutMs = ptr.To[int64](1 << 31) },
		"a strange start":   func(spec *adminv1alpha1.PulsarFunctionSpec) { spec.SubscriptionPosition = "latest" },
		"a strange promise": func(spec *adminv1alpha1.PulsarFunctionSpec) { spec.ProcessingGuarantees = "atleast_once" },
	} {
		view := &adminv1alpha1.PulsarFunction{}
		view.Spec.Java = &adminv1alpha1.JavaRuntime{}
		if _, err := translator.ToCR(view); err != nil {
			t.Fatalf("unchanged: %v", err)
		}
		change(&view.Spec)
		if cr, err := translator.ToCR(view); err == nil {
			t.Errorf("%s: got %v, want an error", name, cr.Spec)
		}
	}
}

func TestFileNames(t *testing.T) {
	const pkg = "function://acme/orders/word-count@v1"
	for _, test := range []struct {
		runtime, class, location, file, want string
	}{
		{"java", "a.B", pkg, "", "/code/word-count.jar"},
		{"java", "a.B", "function://acme/orders/word-count", "", "/code/word-count.jar"},
		{"java", "a.B", "https://example.org/x/app.nar?v=1#a", "", "/code/app.nar"},
		{"java", "a.B", "https://example.org/$(reboot)", "", "/code/function.jar"},
		{"java", "a.B", pkg, "b.jar", "/code/b.jar"},
		{"java", "a.B", pkg, "/opt/b.jar", "/opt/b.jar"},
		{"java", "a.B", "", "", ""},
		{"python", "exclamation.Exclaim", pkg, "", "/code/exclamation.py"},
		{"python", "acme.words.Count", pkg, "", "/code/acme.zip"},
		{"python", "Exclaim", pkg, "", "/code/word-count.py"},
		{"python", "exclamation.Exclaim", "https://example.org/x/words.whl", "", "/code/words.whl"},
		{"go", "", pkg, "", "/code/word-count"},
	} {
		config := testConfig()
		config.PackageDirectory = "/code"
		translator := NewFunctionTranslator(config, nil)
		view := &adminv1alpha1.PulsarFunction{}
		view.Spec.ClassName = test.class
		view.Spec.Package = &adminv1alpha1.Package{Location: test.location, FileName: test.file}
		var got func(*computev1alpha1.FunctionSpec) string
		switch test.runtime {
		case "java":
			view.Spec.Java = &adminv1alpha1.JavaRuntime{}
			got = func(spec *computev1alpha1.FunctionSpec) string { return spec.Java.Jar }
		case "python":
			view.Spec.Python = &adminv1alpha1.Runtime{}
			got = func(spec *computev1alpha1.FunctionSpec) string { return spec.Python.Py }
		default:
			view.Spec.Go = &adminv1alpha1.Runtime{}
			got = func(spec *computev1alpha1.FunctionSpec) string { return spec.Golang.Go }
		}
		cr, err := translator.ToCR(view)
		if err != nil {
			t.Fatal(err)
		}
		if got := got(&cr.Spec); got != test.want {
			t.Errorf("%+v: got %q", test, got)
		}
		back, err := translator.FromCR(cr)
		if err != nil {
			t.Fatal(err)
		}
		if gotFile := ptr.Deref(back.Spec.Package, adminv1alpha1.Package{}).FileName; gotFile != test.file {
			t.Errorf("%+v: shown as %q", test, gotFile)
		}
	}
}

// A file name that nobody chose follows the class and the location.
func TestFileNameFollows(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	view := &adminv1alpha1.PulsarFunction{}
	view.Spec.ClassName, view.Spec.Python = "exclamation.Exclaim", &adminv1alpha1.Runtime{}
	view.Spec.Package = &adminv1alpha1.Package{Location: "function://a/b/c@v1"}
	cr, err := translator.ToCR(view)
	if err != nil {
		t.Fatal(err)
	}
	raw := toJSONMap(cr)
	read, err := translator.FromCR(cr)
	if err != nil {
		t.Fatal(err)
	}
	read.Spec.ClassName = "question.Question"
	if _, err := update(translator, raw, read); err != nil {
		t.Fatal(err)
	}
	if got := member(raw, []string{"spec", "python", "py"}); got != "/pulsar/question.py" {
		t.Errorf("got %v", got)
	}
}

func TestClusterBringsItsConfigMap(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	raw := toJSONMap(javaFunction())
	raw["spec"].(map[string]any)["pulsar"] = map[string]any{"pulsarConfig": "by-hand", "authSecret": "secret"}
	cr, err := fromJSONMap(raw)
	if err != nil {
		t.Fatal(err)
	}
	view, err := translator.FromCR(cr)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ cluster, want string }{
		{view.Spec.Cluster, "by-hand"},
		{"Other.Cluster", "other-config"},
		{"Unknown_One", "unknown-one-function-mesh-config"},
	} {
		view.Spec.Cluster = step.cluster
		if _, err := update(translator, raw, view); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"pulsarConfig": step.want, "authSecret": "secret"}
		if diff := cmp.Diff(want, member(raw, []string{"spec", "pulsar"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.cluster, diff)
		}
	}
}

func list(pairs ...string) corev1.ResourceList {
	if len(pairs) == 0 {
		return nil
	}
	resources := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		resources[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return resources
}

func TestDefaultResources(t *testing.T) {
	config := testConfig()
	config.DefaultResources = list("cpu", "500m", "memory", "1Gi")
	translator := NewFunctionTranslator(config, nil)
	for name, test := range map[string]struct{ requests, limits, wantRequests, wantLimits corev1.ResourceList }{
		"nothing":          {nil, nil, list("cpu", "500m", "memory", "1Gi"), list("cpu", "500m", "memory", "1Gi")},
		"a small request":  {list("memory", "1Mi"), nil, list("cpu", "500m", "memory", "1Mi"), list("cpu", "500m", "memory", "1Gi")},
		"a large request":  {list("memory", "4Gi"), nil, list("cpu", "500m", "memory", "4Gi"), list("cpu", "500m", "memory", "4Gi")},
		"limits":           {nil, list("cpu", "2", "memory", "2Gi"), list("cpu", "2", "memory", "2Gi"), list("cpu", "2", "memory", "2Gi")},
		"no limit of cpu":  {list("cpu", "2"), nil, list("cpu", "2", "memory", "1Gi"), list("memory", "1Gi")},
		"all, and another": {list("cpu", "1", "memory", "1", "a.b/c", "1"), list("cpu", "1", "memory", "1"), list("cpu", "1", "memory", "1", "a.b/c", "1"), list("cpu", "1", "memory", "1")},
	} {
		view := &adminv1alpha1.PulsarFunction{}
		view.Spec.Resources = &adminv1alpha1.Resources{Requests: test.requests, Limits: test.limits}
		translator.Default(view)
		want := adminv1alpha1.Resources{Requests: test.wantRequests, Limits: test.wantLimits}
		if diff := cmp.Diff(want, *view.Spec.Resources); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// An adopted function without resources isn't given any unless it is about them.
func TestDefaultUpdateLeavesResourcesAlone(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	before := &adminv1alpha1.PulsarFunction{}
	for name, test := range map[string]struct {
		resources *adminv1alpha1.Resources
		want      bool
	}{
		"untouched": {nil, false},
		"disk only": {&adminv1alpha1.Resources{Disk: ptr.To(resource.MustParse("1Gi"))}, false},
		"a limit":   {&adminv1alpha1.Resources{Limits: list("cpu", "1")}, true},
	} {
		view := &adminv1alpha1.PulsarFunction{}
		view.Spec.Resources = test.resources
		translator.DefaultUpdate(view, before)
		if got := view.Spec.Resources != nil && len(view.Spec.Resources.Requests) > 0; got != test.want {
			t.Errorf("%s: %+v", name, view.Spec.Resources)
		}
	}
	withResources := &adminv1alpha1.PulsarFunction{}
	withResources.Spec.Resources = &adminv1alpha1.Resources{Limits: list("cpu", "1")}
	view := &adminv1alpha1.PulsarFunction{}
	translator.DefaultUpdate(view, withResources)
	if view.Spec.Resources == nil {
		t.Error("resources that were taken away were not replaced by the defaults")
	}
}

// What views don't say is only for new Functions: no update may carry it.
func TestUpdatesLeaveAloneWhatCompleteAdds(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	view := &adminv1alpha1.PulsarFunction{}
	view.Spec.Java = &adminv1alpha1.JavaRuntime{}
	cr, err := translator.ToCR(view)
	if err != nil {
		t.Fatal(err)
	}
	if cr.Spec.Resources != nil {
		t.Errorf("got resources %v", cr.Spec.Resources)
	}
	translator.Complete(cr)
	if cr.Spec.Image != "example.org/java-runner:1" || ptr.Deref(cr.Spec.MinReplicas, 0) != 1 || cr.Spec.Resources == nil {
		t.Errorf("got image %q, minReplicas %v, resources %v", cr.Spec.Image, cr.Spec.MinReplicas, cr.Spec.Resources)
	}
}
