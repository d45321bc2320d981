package v1alpha1

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/hack/crdpaths"
)

// root is the repository.
var root = filepath.Join("..", "..", "..", "..")

func developmentDefinition(t *testing.T) []byte {
	t.Helper()
	crd, err := os.ReadFile(filepath.Join(root, "artifacts", "development", "compute.functionmesh.io_functions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return crd
}

// The real definition keeps what it doesn't know at most levels. Ours, which knows
// less, has to do so at all of them: otherwise a Function would lose what the
// operator reads.
func TestDefinitionKeepsUnknownFields(t *testing.T) {
	var definition map[string]any
	if err := yaml.Unmarshal(developmentDefinition(t), &definition); err != nil {
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
func TestDefinitionAgreesWithFunctionMesh(t *testing.T) {
	ours, err := crdpaths.Derive(developmentDefinition(t))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(root, "pkg", "translation", "testdata", "function-crd-paths.txt"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := crdpaths.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range ours {
		i := slices.IndexFunc(theirs, func(other crdpaths.Field) bool { return other.Path == field.Path })
		if i < 0 {
			t.Errorf("Function Mesh has no %s", field.Path)
			continue
		}
		// Ours is free everywhere, and takes any genericRuntime.
		other := theirs[i]
		field.Free, other.Free = false, false
		if field.Path == "spec.genericRuntime" {
			other.Required = nil
		}
		if diff := cmp.Diff(other, field); diff != "" {
			t.Errorf("%s (-Function Mesh +ours):\n%s", field.Path, diff)
		}
	}
}
