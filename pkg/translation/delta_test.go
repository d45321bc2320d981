package translation

import (
	"encoding/json"

	kjson "sigs.k8s.io/json"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// The least that a writer does with a translator: this is what the translator is
// tested against. An update is the difference of two projections. Since a default
// can depend on other fields, the result is projected once more.
func updateOf(kind testedKind, raw map[string]any, updated adminv1alpha1.Component) (bool, error) {
	changed := false
	for range 2 {
		cr, err := decodeCR(kind, raw)
		if err != nil {
			return false, err
		}
		current, err := kind.fromCR(cr)
		if err != nil {
			return false, err
		}
		before, err := kind.toCR(current)
		if err != nil {
			return false, err
		}
		after, err := kind.toCR(updated)
		if err != nil {
			return false, err
		}
		if !delta.Apply(raw, toJSONMap(before), toJSONMap(after), kind.containers()) {
			break
		}
		changed = true
	}
	return changed, nil
}

// update is updateOf for functions.
func update(translator *FunctionTranslator, raw map[string]any, updated *adminv1alpha1.PulsarFunction) (bool, error) {
	return updateOf(erased[computev1alpha1.Function, *computev1alpha1.Function, *adminv1alpha1.PulsarFunction]{translator}, raw, updated)
}

func toJSONMap(value any) map[string]any {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var object map[string]any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &object); err != nil {
		panic(err)
	}
	return object
}

func fromJSONMap(raw map[string]any) (*computev1alpha1.Function, error) {
	data, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	cr := &computev1alpha1.Function{}
	return cr, kjson.UnmarshalCaseSensitivePreserveInts(data, cr)
}
