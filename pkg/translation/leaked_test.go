package translation

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// What the operator writes among the author's configuration isn't shown as the
// author's, unless it can only be that.
func TestMembersOfTheOperator(t *testing.T) {
	window := &computev1alpha1.WindowConfig{ActualWindowFunctionClassName: "a.B"}
	batch := &computev1alpha1.BatchSourceConfig{DiscoveryTriggererClassName: "a.B"}
	ofFunction := func(config string, window *computev1alpha1.WindowConfig) *runtime.RawExtension {
		function := javaFunction()
		function.Spec.FuncConfig, function.Spec.WindowConfig = rawObject(config), window
		view, err := NewFunctionTranslator(testConfig(), nil).FromCR(function)
		if err != nil {
			t.Fatal(err)
		}
		return view.Spec.UserConfig
	}
	ofSource := func(config string, batch *computev1alpha1.BatchSourceConfig) *runtime.RawExtension {
		source := &computev1alpha1.Source{}
		source.Name, source.Spec.Java = "s", &computev1alpha1.JavaRuntime{Jar: "/a.jar"}
		source.Spec.SourceConfig, source.Spec.BatchSourceConfig = rawObject(config), batch
		view, err := NewSourceTranslator(testConfig(), nil).FromCR(source)
		if err != nil {
			t.Fatal(err)
		}
		return view.Spec.Configs
	}
	for name, test := range map[string]struct {
		got  *runtime.RawExtension
		want string
	}{
		"window":                   {ofFunction(`{"__WINDOWCONFIGS__":{"windowLengthCount":10},"a":12345678901234567890}`, window), `{"a":12345678901234567890}`},
		"window alone":             {ofFunction(`{"__WINDOWCONFIGS__":{}}`, window), ""},
		"an author's, of a window": {ofFunction(`{"b":1,"a":2}`, window), `{"b":1,"a":2}`},
		"none, of a window":        {ofFunction("", window), ""},
		"no object":                {ofFunction(`[1]`, window), `[1]`},
		"no window":                {ofFunction(`{"__WINDOWCONFIGS__":{}}`, nil), `{"__WINDOWCONFIGS__":{}}`},
		"batch source":             {ofSource(`{"__BATCHSOURCECLASSNAME__":"a.B","__BATCHSOURCECONFIGS__":"{}","a":1}`, batch), `{"a":1}`},
		"batch source alone":       {ofSource(`{"__BATCHSOURCECLASSNAME__":"a.B","__BATCHSOURCECONFIGS__":"{}"}`, batch), `{}`},
		"no batch source":          {ofSource(`{"__BATCHSOURCECLASSNAME__":"a.B"}`, nil), `{"__BATCHSOURCECLASSNAME__":"a.B"}`},
	} {
		got := ""
		if test.got != nil {
			got = string(test.got.Raw)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// An update of something else leaves them where they are, one that takes the window
// away takes them with it.
func TestUpdatesBesideTheOperatorsMembers(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*adminv1alpha1.PulsarFunctionSpec)
		want   string
	}{
		"of something else": {func(s *adminv1alpha1.PulsarFunctionSpec) { s.LogTopic = "log" }, `{"__WINDOWCONFIGS__":{"windowLengthCount":10},"a":1}`},
		"of the window":     {func(s *adminv1alpha1.PulsarFunctionSpec) { s.WindowConfig = nil }, `{"a":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			function := javaFunction()
			function.Spec.FuncConfig = rawObject(`{"__WINDOWCONFIGS__":{"windowLengthCount":10},"a":1}`)
			function.Spec.WindowConfig = &computev1alpha1.WindowConfig{ActualWindowFunctionClassName: "a.B", WindowLengthCount: ptr.To[int32](10)}
			translator, raw := NewFunctionTranslator(testConfig(), nil), toJSONMap(function)
			view, err := translator.FromCR(function)
			if err != nil {
				t.Fatal(err)
			}
			test.change(&view.Spec)
			if changed, err := update(translator, raw, view); !changed || err != nil {
				t.Fatalf("changed=%v: %v", changed, err)
			}
			updated, err := fromJSONMap(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(updated.Spec.FuncConfig.Raw); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func rawObject(text string) *runtime.RawExtension {
	if text == "" {
		return nil
	}
	return &runtime.RawExtension{Raw: []byte(text)}
}
