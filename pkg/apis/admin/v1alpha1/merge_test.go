package v1alpha1_test

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	generated "github.com/function-mesh/functionmesh-apiserver/pkg/generated/openapi"
)

// TestListsMergeAlike checks that a list whose elements server-side apply tells apart
// by a key is merged by the same key where a strategic merge patch changes it, which
// is what kubectl patch and a client's apply send.
func TestListsMergeAlike(t *testing.T) {
	definitions := generated.GetOpenAPIDefinitions(func(name string) spec.Ref { return spec.MustCreateRef(name) })
	prefix := strings.TrimSuffix(v1alpha1.PulsarFunction{}.OpenAPIModelName(), "PulsarFunction")
	found := 0
	for name, definition := range definitions {
		typeName, ours := strings.CutPrefix(name, prefix)
		if !ours {
			continue
		}
		for member, schema := range definition.Schema.Properties {
			if schema.Extensions["x-kubernetes-list-type"] != "map" {
				continue
			}
			found++
			keys := schema.Extensions["x-kubernetes-list-map-keys"]
			strategy, _ := schema.Extensions["x-kubernetes-patch-strategy"].(string)
			if !reflect.DeepEqual(keys, []any{schema.Extensions["x-kubernetes-patch-merge-key"]}) || !strings.HasPrefix(strategy, "merge") {
				t.Errorf("%s.%s is a map by %v, but a patch merges it by %v, with strategy %q",
					typeName, member, keys, schema.Extensions["x-kubernetes-patch-merge-key"], strategy)
			}
		}
	}
	if found == 0 {
		t.Error("no such list was found")
	}
}
