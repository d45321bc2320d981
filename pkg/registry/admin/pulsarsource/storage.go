// Package pulsarsource serves PulsarSources: what is particular to the kind, over what all
// components have in common.
package pulsarsource

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// NewREST returns the storage of pulsarsources and of its subresources. client reaches
// the Sources behind it.
func NewREST(config component.Config, client *crstorage.Client, translator *translation.SourceTranslator) (map[string]rest.Storage, error) {
	kind := component.Kind{
		ComponentKind: v1alpha1.SourceKind,
		ShortName:     "psrc",
		New:           func() v1alpha1.Component { return &v1alpha1.PulsarSource{} },
		NewList:       func() runtime.Object { return &v1alpha1.PulsarSourceList{} },
	}
	return component.NewREST[computev1alpha1.Source](kind, config, client, translator)
}
