package translation

import (
	"testing"

	"k8s.io/utils/ptr"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// A default can follow from another field. What a view keeps while that other field
// changes has to be written, although the view didn't change in it.
func TestUpdateOfWhatDefaultsFollowFrom(t *testing.T) {
	translator := NewFunctionTranslator(testConfig(), nil)
	raw := toJSONMap(&computev1alpha1.Function{
		Spec: computev1alpha1.FunctionSpec{
			CommonSpec: computev1alpha1.CommonSpec{
				Java: &computev1alpha1.JavaRuntime{Jar: "/pulsar/a.jar"},
			},
			WindowConfig: &computev1alpha1.WindowConfig{WindowLengthCount: ptr.To[int32](10)},
		},
	})
	cr, err := fromJSONMap(raw)
	if err != nil {
		t.Fatal(err)
	}
	view, err := translator.FromCR(cr)
	if err != nil {
		t.Fatal(err)
	}
	if got := ptr.Deref(view.Spec.WindowConfig.SlidingIntervalCount, 0); got != 10 {
		t.Fatalf("sliding interval is %d before the update, want 10", got)
	}
	view.Spec.WindowConfig.WindowLengthCount = ptr.To[int32](20)
	if _, err := update(translator, raw, view); err != nil {
		t.Fatal(err)
	}
	if got := member(raw, []string{"spec", "windowConfig", "slidingIntervalCount"}); got != int64(10) {
		t.Errorf("sliding interval is %v after the update, want 10", got)
	}
}
