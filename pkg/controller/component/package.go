package component

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Package is where the code of a resource is.
type Package struct {
	// Location is a package URL, which may be none that Pulsar would take.
	Location string
	// ConfigMap is the ConfigMap that says at which Pulsar cluster it is.
	ConfigMap string
	// Program says that it should be a program for Linux: a Go function.
	Program bool
}

// packageOf returns where the code of a resource is, nil unless a package URL says so.
func packageOf(spec *crSpec) *Package {
	found := &Package{}
	switch {
	case spec.Java != nil:
		found.Location = spec.Java.JarLocation
	case spec.Python != nil:
		found.Location = spec.Python.PyLocation
	case spec.Golang != nil:
		found.Location, found.Program = spec.Golang.GoLocation, true
	case spec.GenericRuntime != nil:
		found.Location = spec.GenericRuntime.FunctionFileLocation
	}
	if !identity.IsPackageURL(found.Location) {
		return nil
	}
	// Pods fetch their code from another cluster than they work with where they are told
	// so.
	switch {
	case spec.PulsarPackageService != nil:
		found.ConfigMap = spec.PulsarPackageService.PulsarConfig
	case spec.Pulsar != nil:
		found.ConfigMap = spec.Pulsar.PulsarConfig
	}
	return found
}
