// Package v1alpha1 holds the configuration file of functionmesh-apiserver.
//
// +k8s:deepcopy-gen=package
// +groupName=config.functionmesh.io
package v1alpha1
