// Command models-schema prints the generated OpenAPI definitions as an OpenAPI v2
// document, from which applyconfiguration-gen learns how lists and maps merge.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/openapi"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	definitions := openapi.GetOpenAPIDefinitions(func(name string) spec.Ref {
		return spec.MustCreateRef("#/definitions/" + name)
	})
	schemas := make(map[string]spec.Schema, len(definitions))
	for name, definition := range definitions {
		schemas[name] = asV2(definition.Schema)
	}
	document := spec.Swagger{SwaggerProps: spec.SwaggerProps{
		Swagger:     "2.0",
		Info:        &spec.Info{InfoProps: spec.InfoProps{Title: "Function Mesh API server", Version: "unversioned"}},
		Definitions: schemas,
	}}
	if err := json.NewEncoder(os.Stdout).Encode(&document); err != nil {
		return fmt.Errorf("could not write the definitions: %w", err)
	}
	return nil
}

// asV2 returns the v2 form of a schema that has one beside its v3 form.
func asV2(schema spec.Schema) spec.Schema {
	if v2, ok := schema.Extensions[common.ExtensionV2Schema].(spec.Schema); ok {
		return v2
	}
	return schema
}
