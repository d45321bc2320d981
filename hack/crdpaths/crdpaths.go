// Package crdpaths turns the schema of a custom resource definition into a list of
// fields that fits in a repository, and checks objects against such a list.
//
// The definitions of Function Mesh are too long to copy. The list has what our own
// writes must agree with: which fields there are, their types, enums, minimums and
// required members, down to the first type of core/v1, which Kubernetes checks.
package crdpaths

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Types of fields. An integer's is its format where it has one.
const (
	typeArray       = "array"
	typeIntOrString = "int-or-string"
	typeObject      = "object"
)

// Path elements for the members of an array and the values of a map.
const (
	arrayItems = "[]"
	mapValues  = "{}"
)

// Field is one field of a definition. In its path, names are joined with dots,
// [] stands for the items of an array and {} for the values of a map.
type Field struct {
	Path string
	Type string
	// Free objects take any member.
	Free bool
	// Enum holds the values that a string can have; empty means any.
	Enum []string
	// Minimum is the least value of an integer, if it has one.
	Minimum *int64
	// Required are the members that an object must have.
	Required []string
}

// foreign are the parts of Function Mesh's definitions that are types of
// Kubernetes or of the vertical pod autoscaler.
var foreign = []string{
	"metadata",
	"spec.persistentVolumeClaimRetentionPolicy",
	"spec.pod.affinity",
	"spec.pod.autoScalingBehavior",
	"spec.pod.autoScalingMetrics[]",
	"spec.pod.env[]",
	"spec.pod.imagePullSecrets[]",
	"spec.pod.initContainers[]",
	"spec.pod.securityContext",
	"spec.pod.sidecars[]",
	"spec.pod.startupProbe",
	"spec.pod.tolerations[]",
	"spec.pod.volumes[]",
	"spec.pod.vpa.resourcePolicy",
	"spec.pod.vpa.updatePolicy",
	"spec.resources.claims[]",
	"spec.volumeClaimTemplates[]",
	"spec.volumeMounts[]",
}

// schema is the part of an OpenAPI v3 schema that fields come from.
type schema struct {
	Type                 string            `json:"type"`
	Format               string            `json:"format"`
	Enum                 []string          `json:"enum"`
	Minimum              *int64            `json:"minimum"`
	Required             []string          `json:"required"`
	Properties           map[string]schema `json:"properties"`
	Items                *schema           `json:"items"`
	AdditionalProperties *schema           `json:"additionalProperties"`
	IntOrString          bool              `json:"x-kubernetes-int-or-string"`
	PreserveUnknown      bool              `json:"x-kubernetes-preserve-unknown-fields"`
}

// Derive returns the fields of a definition with one version, sorted by path. crd
// is its YAML.
func Derive(crd []byte) ([]Field, error) {
	var definition struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(crd, &definition); err != nil {
		return nil, fmt.Errorf("could not read the definition: %w", err)
	}
	if len(definition.Spec.Versions) != 1 {
		return nil, errors.New("could not read the definition: it must have one version")
	}
	var fields []Field
	// The root keeps unknown fields, but an unknown field of ours has no effect.
	for name, property := range definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties {
		fields = collect(fields, name, property)
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return fields, nil
}

func collect(fields []Field, path string, node schema) []Field {
	field := Field{Path: path, Type: node.Type, Enum: node.Enum, Minimum: node.Minimum, Required: node.Required}
	switch {
	case node.IntOrString:
		field.Type = typeIntOrString
	case node.Type == "integer" && node.Format != "":
		field.Type = node.Format
	}
	if slices.Contains(foreign, path) {
		field.Free, field.Required = true, nil
		return append(fields, field)
	}
	field.Free = node.PreserveUnknown || node.Type == typeObject && len(node.Properties) == 0 && node.AdditionalProperties == nil
	fields = append(fields, field)
	for name, property := range node.Properties {
		fields = collect(fields, path+"."+name, property)
	}
	if node.Items != nil {
		fields = collect(fields, path+arrayItems, *node.Items)
	}
	if node.AdditionalProperties != nil {
		fields = collect(fields, path+mapValues, *node.AdditionalProperties)
	}
	return fields
}
