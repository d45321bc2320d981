package componentconfig

import (
	"testing"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func TestOptionsAreTypedFields(t *testing.T) {
	const one, two = `"customRuntimeOptions":"{\"clusterName\":\"c\",\"maxReplicas\":5,\"serviceAccountName\":\"a\",\"env\":{\"A\":\"1\",\"B\":\"2\"}}"`,
		`"customRuntimeOptions":"{\"serviceAccountName\":\"b\",\"env\":{\"A\":\"3\"}}"`
	for _, component := range []v1alpha1.Component{
		stored(t, `{"jar":"x","inputs":["in"],`+one+`}`), storedSink(t, `{"inputs":["in"],`+one+`}`), storedSource(t, `{`+one+`}`),
	} {
		spec := component.Common()
		if spec.Cluster != "c" || ptr.Deref(spec.MaxReplicas, 0) != 5 || spec.Pod == nil || spec.Pod.ServiceAccountName != "a" || len(spec.Pod.Env) != 2 {
			t.Errorf("%T: got %+v, pod %+v", component, spec, spec.Pod)
		}
		if !mustUpdate(t, component, `{`+two+`}`, "") {
			t.Errorf("%T: the update counts as no change", component)
		}
		if spec.MaxReplicas != nil || spec.Pod.ServiceAccountName != "b" || len(spec.Pod.Env) != 1 || spec.Pod.Env[0].Value != "3" {
			t.Errorf("%T: got %+v, pod %+v", component, spec, spec.Pod)
		}
		if mustUpdate(t, component, `{"sourceSubscriptionPosition":null,`+two+`}`, "") {
			t.Errorf("%T: the same text counts as a change", component)
		}
		_, err := update(t, component, `{"customRuntimeOptions":"{\"maxReplicas\":\"many\"}"}`, "")
		expectReason(t, err, "customRuntimeOptions cannot be deserialized.")
	}
	for _, text := range []string{"x", "[]", `\"x\"`, "{"} {
		_, err := sinkForm.Create([]byte(`{"inputs":["in"],"customRuntimeOptions":"`+text+`"}`), testName, "")
		expectReason(t, err, "customRuntimeOptions cannot be deserialized.")
	}
	// A text that was never understood is in nobody's way.
	sink := storedSink(t, minimalSink)
	sink.Spec.CustomRuntimeOptions = "nonsense"
	mustUpdate(t, sink, `{`+two+`}`, "")
	if sink.Spec.Pod.ServiceAccountName != "b" {
		t.Errorf("got %+v", sink.Spec.Pod)
	}
}
