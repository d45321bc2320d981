package v1alpha1

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
)

// root is the repository.
var root = filepath.Join("..", "..", "..", "..")

// kinds are what the definitions are called after.
var kinds = []string{"function", "source", "sink"}

func developmentDefinition(t *testing.T, kind string) []byte {
	t.Helper()
	crd, err := os.ReadFile(filepath.Join(root, "artifacts", "development", "compute.functionmesh.io_"+kind+"s.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return crd
}

// The real definition keeps what it doesn't know at most levels. Ours, which knows
// less, has to do so at all of them: otherwise a Function would lose what the
// operator reads.
func TestDefinitionsKeepUnknownFields(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { testKeepsUnknownFields(t, kind) })
	}
}

func testKeepsUnknownFields(t *testing.T, kind string) {
	var definition map[string]any
	if err := yaml.Unmarshal(developmentDefinition(t, kind), &definition); err != nil {
		t.Fatal(err)
	}
	version := definition["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
	schema := version["schema"].(map[string]any)["openAPIV3Schema"].(map[string]any)
	checked := 0
	var check func(path string, node map[string]any)
	check = func(path string, node map[string]any) {
		properties, isStruct := node["properties"].(map[string]any)
		if isStruct {
			checked++
			if node["x-kubernetes-preserve-unknown-fields"] != true {
				t.Errorf("unknown fields of %s are dropped", path)
			}
		}
		for name, property := range properties {
			check(path+"."+name, property.(map[string]any))
		}
		for _, key := range []string{"items", "additionalProperties"} {
			if child, ok := node[key].(map[string]any); ok {
				check(path+"[]", child)
			}
		}
	}
	check("", schema)
	if checked < 15 {
		t.Errorf("only %d structs were found", checked)
	}
	for _, key := range []string{"additionalPrinterColumns", "shortNames"} {
		if _, ok := version[key]; ok {
			t.Errorf("Function Mesh has no %s", key)
		}
	}
	want := map[string]any{
		"scale": map[string]any{
			"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
		},
		"status": map[string]any{},
	}
	if diff := cmp.Diff(want, version["subresources"]); diff != "" {
		t.Errorf("subresources (-want +got):\n%s", diff)
	}
}

// Where both definitions have a field, they say the same of it.
func TestDefinitionsAgreeWithFunctionMesh(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) { testAgrees(t, kind) })
	}
}

func testAgrees(t *testing.T, kind string) {
	ours, err := crdpaths.Derive(developmentDefinition(t, kind))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(root, "pkg", "translation", "testdata", kind+"-crd-paths.txt"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := crdpaths.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, field := range ours {
		i := slices.IndexFunc(theirs, func(other crdpaths.Field) bool { return other.Path == field.Path })
		if i < 0 {
			if !insideForeign(field.Path, theirs) {
				t.Errorf("Function Mesh has no %s", field.Path)
			}
			continue
		}
		other := theirs[i]
		if field.Type == "" {
			// Fields of Kubernetes' own types have no schema here.
			continue
		}
		compared++
		// Ours is free everywhere. Of a type of Kubernetes the list has no more than that.
		if other.Free {
			field.Required = other.Required
		}
		field.Free, other.Free = false, false
		if diff := cmp.Diff(other, field); diff != "" {
			t.Errorf("%s (-Function Mesh +ours):\n%s", field.Path, diff)
		}
	}
	if compared < 100 {
		t.Errorf("only %d fields were compared", compared)
	}
}

// insideForeign tells whether a path is inside of a type of Kubernetes, or of the
// vertical pod autoscaler, which the list doesn't go into.
func insideForeign(path string, theirs []crdpaths.Field) bool {
	return slices.ContainsFunc(theirs, func(other crdpaths.Field) bool {
		return other.Free && strings.HasPrefix(path, other.Path) && len(path) > len(other.Path) &&
			strings.ContainsRune(".[{", rune(path[len(other.Path)]))
	})
}
