// Package v1alpha1 holds the part of Function Mesh's custom resources, group
// compute.functionmesh.io, that this project projects to its own objects.
//
// The types are slim on purpose: reading a list costs what it decodes. A field
// that no view shows is not here; it stays in the stored resource, since a
// resource is never rebuilt from these types. Names are exactly those of Function
// Mesh's own definitions. A pointer stands where the operator, or this project,
// tells an absent field from a zero one.
//
// The definitions that are generated from these types stand in for the real ones
// where Function Mesh isn't installed. They keep unknown fields everywhere.
//
// +k8s:deepcopy-gen=package
// +groupName=compute.functionmesh.io
package v1alpha1
