// Package component is what the background loops know of functions, sources and
// sinks: their custom resources, stripped, and the StatefulSets and pods that the
// operator made of them. The three kinds are one here.
package component

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	// StoppedAnnotation has the Pulsar identity that a resource is kept stopped for,
	// since an older one has it. Without it, a suspended resource is so because
	// somebody wanted it.
	StoppedAnnotation = translation.ReservedPrefix + "stopped-as-duplicate"

	// LeftoverAnnotation says of a resource that is being deleted why its subscription is
	// still there.
	LeftoverAnnotation = translation.ReservedPrefix + "subscription-left"

	// managedAnnotation, with the value false, tells the operator to leave a resource
	// alone.
	managedAnnotation = computev1alpha1.GroupName + "/managed"
)

// Kind is a kind of custom resource and the view of it.
type Kind struct {
	adminv1alpha1.ComponentKind
	// CRKind and CRResource are its names in Function Mesh's group.
	CRKind, CRResource string
}

// Kinds are all of them.
var Kinds = []Kind{
	{adminv1alpha1.FunctionKind, computev1alpha1.FunctionKind, computev1alpha1.FunctionResource},
	{adminv1alpha1.SourceKind, computev1alpha1.SourceKind, computev1alpha1.SourceResource},
	{adminv1alpha1.SinkKind, computev1alpha1.SinkKind, computev1alpha1.SinkResource},
}

// Component is what is kept of a custom resource: a few hundred bytes. It must not
// be changed.
type Component struct {
	// ObjectMeta has the names, the versions, the times and this project's own
	// labels and annotations.
	metav1.ObjectMeta

	Kind Kind
	// Broken is true of a resource whose fields don't have the types that they
	// should have. Nothing else is known of it.
	Broken bool

	Identity identity.Name
	// Replicas is how many instances there should be.
	Replicas int32
	// Autoscaled is true where the operator should make a HorizontalPodAutoscaler.
	Autoscaled bool
	// ReplicasOwner is who decides the number of instances and would write it again;
	// empty if nobody but this project does.
	ReplicasOwner string
	// Unmanaged is true where the operator was told to leave the resource alone.
	Unmanaged bool
	// OperatorGeneration and Selector are what the operator wrote.
	OperatorGeneration int64
	Selector           string
	// References is what pods can't start without.
	References []status.Reference
	// Credential is by what instances prove who they are, nil if by nothing here.
	Credential *Credential
	// TrustOf is the Pulsar cluster by whose certificates, kept in a Secret of the
	// resource's own, instances verify brokers; empty where they don't.
	TrustOf string
	// Digests are of the packages that the resource names, wherever it does.
	Digests []string
	// Subscription is what to remove in Pulsar when the resource is deleted, nil for
	// nothing.
	Subscription *Subscription
	// Package is the code, nil unless a package URL says where it is.
	Package *Package
	// Owned is true of a resource whose spec a controller writes, such as a FunctionMesh.
	Owned bool
}

// Credential is where a credential is.
type Credential struct {
	// Secret holds it; Field is where the object says so, in the view's words.
	Secret, Field string
	// Key is the key of an OAuth2 account's file, empty for another credential.
	Key string
}

// Key returns the resource's name.
func (c *Component) Key() work.Key {
	return work.Key{Resource: c.Kind.CRResource, Namespace: c.Namespace, Name: c.Name}
}

// ChildName is the name of the StatefulSet and the HorizontalPodAutoscaler that the
// operator makes of the resource.
func (c *Component) ChildName() string { return c.Name + "-" + c.Kind.Type }

// crSpec is what is read of the specs of all kinds.
type crSpec struct {
	computev1alpha1.CommonSpec  `json:",inline"`
	computev1alpha1.ConsumeSpec `json:",inline"`
	computev1alpha1.ProduceSpec `json:",inline"`
}

// Strip makes a Component of a custom resource of a kind.
func Strip(kind Kind, object *unstructured.Unstructured) (*Component, error) {
	component := &Component{
		Kind: kind,
		ObjectMeta: metav1.ObjectMeta{
			Name:              object.GetName(),
			Namespace:         object.GetNamespace(),
			UID:               object.GetUID(),
			ResourceVersion:   object.GetResourceVersion(),
			Generation:        object.GetGeneration(),
			CreationTimestamp: object.GetCreationTimestamp(),
			DeletionTimestamp: object.GetDeletionTimestamp(),
			Labels:            only(object.GetLabels(), identity.LabelIdentity),
			Finalizers:        object.GetFinalizers(),
			Annotations: only(object.GetAnnotations(),
				status.Annotation, translation.SuspendedParallelismAnnotation, StoppedAnnotation, translation.CredentialHashAnnotation,
				LeftoverAnnotation, revision.RecordAnnotation),
		},
		ReplicasOwner: replicasOwner(object),
		Unmanaged:     object.GetAnnotations()[managedAnnotation] == "false",
		Owned:         metav1.GetControllerOf(object) != nil,
	}
	var parts struct {
		Spec   crSpec                  `json:"spec"`
		Status *computev1alpha1.Status `json:"status"`
	}
	data, err := json.Marshal(map[string]any{"spec": object.Object["spec"], "status": object.Object["status"]})
	if err != nil {
		return nil, fmt.Errorf("could not encode a custom resource: %w", err)
	}
	// Also of a broken one: what it names must not be taken for unused.
	component.Digests = packageservice.DigestsIn(string(data) + strings.Join(slices.Collect(maps.Values(object.GetAnnotations())), " "))
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &parts); err != nil {
		component.Broken = true
		return component, nil
	}
	spec := &parts.Spec
	component.Replicas = 1
	if spec.Replicas != nil {
		component.Replicas = *spec.Replicas
	}
	component.Autoscaled = spec.MaxReplicas != nil
	component.References = references(spec)
	component.Credential = credentialOf(spec)
	if pulsar := spec.Pulsar; pulsar != nil && pulsar.TLSConfig != nil && pulsar.TLSConfig.Enabled &&
		pulsar.TLSConfig.CertSecretName == translation.TrustSecretName(kind.ComponentKind, object.GetName()) {
		component.TrustOf = spec.ClusterName
	}
	component.Subscription = subscriptionOf(object, spec)
	component.Package = packageOf(spec)
	// The labels of the Java worker are part of what identity depends on.
	component.Identity = translation.PulsarIdentity(metav1.ObjectMeta{Name: object.GetName(), Labels: object.GetLabels()}, &spec.CommonSpec)
	if parts.Status != nil {
		component.OperatorGeneration = parts.Status.ObservedGeneration
		component.Selector = parts.Status.Selector
	}
	return component, nil
}

// only returns the labels or annotations with the given keys.
func only(all map[string]string, keys ...string) map[string]string {
	kept := map[string]string{}
	for _, key := range keys {
		if value, ok := all[key]; ok {
			kept[key] = value
		}
	}
	return kept
}

// replicasOwner returns who would write spec.replicas again: a FunctionMesh that
// the resource is part of, or a tool that claims the field. Writers of the
// subresource scale, such as an autoscaler, leave what has no instances alone.
func replicasOwner(object *unstructured.Unstructured) string {
	if owner := metav1.GetControllerOf(object); owner != nil {
		return owner.Kind + " " + owner.Name
	}
	for _, entry := range object.GetManagedFields() {
		// Who once created or edited the resource owns fields as well, but doesn't
		// come back by itself.
		returns := entry.Operation == metav1.ManagedFieldsOperationApply || strings.Contains(entry.Manager, "controller")
		if !returns || entry.Manager == work.FieldManager || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		if _, owned := fields.Spec["f:replicas"]; owned {
			return entry.Manager
		}
	}
	return ""
}
