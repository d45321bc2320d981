// Package v1alpha1 holds the types of the API group admin.functionmesh.io:
// Pulsar's function admin objects as Kubernetes objects.
//
// There is one Go type per kind. It is registered as v1alpha1 and as the
// internal version alike, so no conversion code exists until a second version
// does. The vocabulary is that of Pulsar's FunctionConfig; what Kubernetes has a
// type for (quantities, conditions) uses that type.
//
// +k8s:openapi-gen=true
// +k8s:deepcopy-gen=package
// +k8s:defaulter-gen=TypeMeta
// +groupName=admin.functionmesh.io
// +k8s:openapi-model-package=io.functionmesh.admin.v1alpha1
package v1alpha1
