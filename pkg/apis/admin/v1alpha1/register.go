package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the name of the API group.
const GroupName = "admin.functionmesh.io"

// SchemeGroupVersion is the group and version of the types in this package.
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

// CauseTypePulsarReason is the type of the last cause of a refusal that Pulsar's own
// worker has a text for. The cause's message is exactly that text: Pulsar's clients
// show it, and scripts compare it.
const CauseTypePulsarReason metav1.CauseType = "PulsarReason"

var (
	// SchemeBuilder collects the functions that add this package to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes, addDefaultingFuncs, addConversionFuncs)
	// AddToScheme adds the types and their defaults to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Resource qualifies a resource name with the group.
func Resource(resource string) schema.GroupResource {
	return SchemeGroupVersion.WithResource(resource).GroupResource()
}

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, knownTypes()...)
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}

// AddInternalToScheme registers the types a second time as the group's internal
// version, which k8s.io/apiserver asks for. It is the same Go type, so nothing
// is converted.
func AddInternalToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(schema.GroupVersion{Group: GroupName, Version: runtime.APIVersionInternal}, knownTypes()...)
	return nil
}

func knownTypes() []runtime.Object {
	return []runtime.Object{
		&PulsarFunction{}, &PulsarFunctionList{},
		&PulsarSource{}, &PulsarSourceList{},
		&PulsarSink{}, &PulsarSinkList{},
		&PulsarConnector{}, &PulsarConnectorList{},
		&PulsarAction{}, &PulsarInstances{}, &PulsarInstancesOptions{}, &PulsarLogOptions{},
		&PulsarCredential{}, &PulsarPackage{}, &PulsarPackageOptions{},
		&PulsarState{}, &PulsarStateOptions{},
		&PulsarRollback{}, &PulsarRevisions{},
		&PulsarState{}, &PulsarStateOptions{}, &PulsarTrigger{},
	}
}
