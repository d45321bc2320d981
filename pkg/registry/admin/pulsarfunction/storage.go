// Package pulsarfunction serves PulsarFunctions: what is particular to the kind, over
// what all components have in common.
package pulsarfunction

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// NewREST returns the storage of pulsarfunctions and of its subresources. client
// reaches the Functions behind it.
func NewREST(config component.Config, client *crstorage.Client, translator *translation.FunctionTranslator) (map[string]rest.Storage, error) {
	kind := component.Kind{
		ComponentKind: v1alpha1.FunctionKind,
		ShortName:     "pfn",
		New:           func() v1alpha1.Component { return &v1alpha1.PulsarFunction{} },
		NewList:       func() runtime.Object { return &v1alpha1.PulsarFunctionList{} },
		Columns: []component.Column{{
			TableColumnDefinition: metav1.TableColumnDefinition{Name: "Runtime", Type: "string", Description: "The language runtime."},
			Cell:                  runtimeOf,
		}},
	}
	served, err := component.NewREST[computev1alpha1.Function](kind, config, client, translator)
	if err != nil {
		return nil, err
	}
	store := served[kind.Resource].(*view.REST)
	served[kind.Resource+"/trigger"] = &TriggerREST{store: store, instances: config.Instances, clusters: config.Clusters}
	return served, nil
}

// runtimeOf names what runs a function's code: sources and sinks are always Java.
func runtimeOf(function v1alpha1.Component) any {
	switch spec := &function.(*v1alpha1.PulsarFunction).Spec; {
	case spec.Java != nil:
		return "Java"
	case spec.Python != nil:
		return "Python"
	case spec.Go != nil:
		return "Go"
	case spec.Generic != nil:
		return spec.Generic.Language
	}
	return ""
}
