package crdpaths

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const definition = `
spec:
  versions:
  - schema:
      openAPIV3Schema:
        type: object
        properties:
          metadata: {type: object}
          spec:
            type: object
            required: [name]
            properties:
              name: {type: string, enum: [a, b]}
              replicas: {type: integer, format: int32, minimum: 0}
              config: {type: object, x-kubernetes-preserve-unknown-fields: true}
              topics: {type: array, items: {type: string}}
              limits:
                type: object
                additionalProperties: {anyOf: [{type: integer}, {type: string}], x-kubernetes-int-or-string: true}
              volumeMounts:
                type: array
                items: {type: object, required: [name], properties: {name: {type: string}}}
`

const list = `metadata object free
spec object required=name
spec.config object free
spec.limits object
spec.limits{} int-or-string
spec.name string enum=a,b
spec.replicas int32 minimum=0
spec.topics array
spec.topics[] string
spec.volumeMounts array
spec.volumeMounts[] object free
`

func TestDeriveFormatParse(t *testing.T) {
	fields, err := Derive([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, string(Format(fields))); diff != "" {
		t.Errorf("Format (-want +got):\n%s", diff)
	}
	parsed, err := Parse([]byte("# a comment\n\n" + list))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields, parsed); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, line := range []string{"spec", "spec object strange", "spec.replicas int32 minimum=few"} {
		if fields, err := Parse([]byte(line)); err == nil {
			t.Errorf("%q: got %v", line, fields)
		}
	}
	for _, crd := range []string{"{", "spec: {versions: []}"} {
		if fields, err := Derive([]byte(crd)); err == nil {
			t.Errorf("%q: got %v", crd, fields)
		}
	}
}
