package apigroup

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// openAPISchema is the part of an OpenAPI v3 schema that this test reads.
type openAPISchema struct {
	Ref                  string                    `json:"$ref"`
	Description          string                    `json:"description"`
	Type                 string                    `json:"type"`
	AllOf                []*openAPISchema          `json:"allOf"`
	OneOf                []*openAPISchema          `json:"oneOf"`
	Items                *openAPISchema            `json:"items"`
	AdditionalProperties *openAPISchema            `json:"additionalProperties"`
	Properties           map[string]*openAPISchema `json:"properties"`
	ListType             string                    `json:"x-kubernetes-list-type"`
	Kinds                []struct {
		Group, Version, Kind string
	} `json:"x-kubernetes-group-version-kind"`
}

// openAPI is what the group says of its types.
func (s *space) openAPI() map[string]*openAPISchema {
	s.t.Helper()
	got := s.request(authorConfig, http.MethodGet, "/openapi/v3/apis/admin.functionmesh.io/v1alpha1", "application/json", "", "")
	var document struct {
		Components struct {
			Schemas map[string]*openAPISchema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(got.body, &document); err != nil || got.code != http.StatusOK {
		s.t.Fatalf("the schemas: %d, %v", got.code, err)
	}
	return document.Components.Schemas
}

// described walks through everything that kubectl explain can reach.
type described struct {
	t       *testing.T
	schemas map[string]*openAPISchema
	seen    map[string]bool
	fields  int
}

func (d *described) walk(path string, s *openAPISchema) {
	for _, part := range append(append([]*openAPISchema{}, s.AllOf...), s.OneOf...) {
		d.walk(path, part)
	}
	if name, found := strings.CutPrefix(s.Ref, "#/components/schemas/"); found && !d.seen[name] {
		d.seen[name] = true
		target := d.schemas[name]
		if target == nil {
			d.t.Errorf("%s refers to %s, which isn't there", path, name)
			return
		}
		if target.Description == "" {
			d.t.Errorf("type %s of %s has no description", name, path)
		}
		d.walk(path, target)
	}
	if s.Items != nil {
		d.walk(path+"[]", s.Items)
		if s.ListType == "" {
			d.t.Errorf("%s doesn't say how its elements are merged", path)
		}
	}
	if s.AdditionalProperties != nil {
		d.walk(path+"{}", s.AdditionalProperties)
	}
	for name, property := range s.Properties {
		inner := path + "." + name
		d.fields++
		if property.Description == "" {
			d.t.Errorf("%s has no description", inner)
		}
		d.walk(inner, property)
	}
}

func TestEveryFieldIsDescribed(t *testing.T) {
	t.Parallel()
	s := newSpace(t)
	schemas := s.openAPI()
	var kind *openAPISchema
	for _, candidate := range schemas {
		for _, of := range candidate.Kinds {
			if of.Group == "admin.functionmesh.io" && of.Version == "v1alpha1" && of.Kind == "PulsarFunction" {
				kind = candidate
			}
		}
	}
	if kind == nil {
		t.Fatalf("the group has no schema of its kind among %d", len(schemas))
	}
	d := &described{t: t, schemas: schemas, seen: map[string]bool{}}
	for _, part := range []string{"spec", "status"} {
		property := kind.Properties[part]
		if property == nil || property.Description == "" {
			t.Fatalf("%s has no description", part)
		}
		d.walk(part, property)
	}
	if d.fields < 80 {
		t.Errorf("only %d fields were reached", d.fields)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	k := newKubectl(t)
	for path, want := range map[string]string{
		"pulsarfunctions": "KIND:       PulsarFunction",
		"pfn.spec":        "What runs, where its messages come from and where they go.",
		"pulsarfunctions.spec.inputSpecs.cryptoConfig":               "How messages are decrypted.",
		"pulsarfunctions.spec.resources.limits":                      "What an instance may use at most",
		"pulsarfunctions.spec.windowConfig.windowLengthDurationMs":   "<integer>",
		"pulsarfunctions.spec.producerConfig.batchingConfig.enabled": "<boolean>",
		"pulsarfunctions.status.conditions.reason":                   "<string>",
	} {
		if out := k.run("", "explain", path); !strings.Contains(out, want) {
			t.Errorf("explain %s doesn't have %q: %s", path, want, out)
		}
	}
	out := k.run("", "explain", "pulsarfunctions.spec", "--recursive")
	for _, want := range []string{"className", "inputSpecs", "slidingIntervalCount", "poolMessages", "userConfig", "encryptionKeys"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain --recursive doesn't have %s", want)
		}
	}
	if strings.Contains(out, "<no description>") {
		t.Errorf("explain --recursive: %s", out)
	}
}
