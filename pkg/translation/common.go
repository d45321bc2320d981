package translation

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// What the operator, or its webhook, takes where a resource says nothing. Where
// Pulsar's own default is the same, defaulting of the view does it.
const (
	operatorDefaultCluster     = "kubernetes"
	operatorDefaultPosition    = computev1alpha1.Earliest
	operatorDefaultMinReplicas = int32(1)
)

// DefaultTypeClassName is the type class of messages where none is named: bytes, as
// the operator has it.
const DefaultTypeClassName = "[B"

var (
	guaranteesToCR = map[adminv1alpha1.ProcessingGuarantees]computev1alpha1.ProcessingGuarantee{
		adminv1alpha1.AtLeastOnce:     computev1alpha1.AtLeastOnce,
		adminv1alpha1.AtMostOnce:      computev1alpha1.AtMostOnce,
		adminv1alpha1.EffectivelyOnce: computev1alpha1.EffectivelyOnce,
		adminv1alpha1.Manual:          computev1alpha1.Manual,
	}
	guaranteesFromCR = inverse(guaranteesToCR)
)

// commonToCR translates what every kind has, except the package.
func (t *Translator[CR, P, View]) commonToCR(view View, resource P) error {
	spec, cr := view.Common(), resource.Common()
	*cr = computev1alpha1.CommonSpec{
		Name:         spec.Name,
		ClassName:    spec.ClassName,
		Tenant:       spec.Tenant,
		Namespace:    spec.Namespace,
		ClusterName:  spec.Cluster,
		MinReplicas:  spec.MinReplicas,
		MaxReplicas:  spec.MaxReplicas,
		Resources:    resourcesToCR(spec.Resources),
		SecretsMap:   secretsToCR(spec.Secrets),
		LogTopic:     spec.LogTopic,
		RuntimeFlags: spec.RuntimeFlags,

		ShowPreciseParallelism: spec.ShowPreciseParallelism,

		Pulsar:               messagingToCR(t.ConfigMapName(spec.Cluster), spec.Auth, spec.TLS),
		PulsarPackageService: packageServiceToCR(spec.PackageService),
		StatefulConfig:       stateToCR(spec.StateConfig),
	}
	if agent := computev1alpha1.LogTopicAgent(spec.LogTopicAgent); agent != t.idleLogTopicAgent(spec.LogTopic) {
		cr.LogTopicAgent = agent
	}
	replicasToCR(spec, resource)
	podToCR(spec, cr)
	var err error
	cr.ProcessingGuarantee, err = lookUp(guaranteesToCR, spec.ProcessingGuarantees, "spec.processingGuarantees")
	return err
}

// commonFromCR translates what a resource says and what the operator takes for the
// rest, except where defaulting of the view does the same.
func (t *Translator[CR, P, View]) commonFromCR(resource P, spec *adminv1alpha1.ComponentSpec) error {
	cr := resource.Common()
	*spec = adminv1alpha1.ComponentSpec{
		Tenant:       cr.Tenant,
		Namespace:    cr.Namespace,
		Name:         componentName(resource),
		Cluster:      orDefault(cr.ClusterName, operatorDefaultCluster),
		ClassName:    cr.ClassName,
		RuntimeFlags: cr.RuntimeFlags,
		MinReplicas:  ptr.To(ptr.Deref(cr.MinReplicas, operatorDefaultMinReplicas)),
		MaxReplicas:  cr.MaxReplicas,
		Resources:    resourcesFromCR(cr.Resources),
		Secrets:      secretsFromCR(cr.SecretsMap),
		LogTopic:     cr.LogTopic,

		ShowPreciseParallelism: cr.ShowPreciseParallelism,

		Auth:           authFromCR(cr.Pulsar),
		TLS:            tlsFromCR(cr.Pulsar),
		PackageService: packageServiceFromCR(cr.PulsarPackageService),
		StateConfig:    stateFromCR(cr.StatefulConfig),
	}
	if cr.LogTopicAgent != t.idleLogTopicAgent(cr.LogTopic) {
		spec.LogTopicAgent = string(cr.LogTopicAgent)
	}
	t.setLogTopicAgent(spec)
	replicasFromCR(resource, spec)
	podFromCR(cr, spec)
	guarantee := orDefault(cr.ProcessingGuarantee, computev1alpha1.AtLeastOnce)
	var err error
	spec.ProcessingGuarantees, err = lookUp(guaranteesFromCR, guarantee, "spec.processingGuarantee")
	return err
}

// defaultLogTopicAgent returns who sends the log to the log topic where nobody is
// named, as the operator's webhook has it.
func (t *Translator[CR, P, View]) defaultLogTopicAgent() computev1alpha1.LogTopicAgent {
	if t.kind.names == adminv1alpha1.FunctionKind {
		return computev1alpha1.LogRuntime
	}
	return computev1alpha1.LogSidecar
}

// setLogTopicAgent fills in who sends the log, where there is a topic for it.
func (t *Translator[CR, P, View]) setLogTopicAgent(spec *adminv1alpha1.ComponentSpec) {
	if spec.LogTopic != "" {
		spec.LogTopicAgent = orDefault(spec.LogTopicAgent, string(t.defaultLogTopicAgent()))
	}
}

// idleLogTopicAgent returns the agent that means nothing: the webhook writes it even
// where there is no log topic, in which case views have none.
func (t *Translator[CR, P, View]) idleLogTopicAgent(logTopic string) computev1alpha1.LogTopicAgent {
	if logTopic != "" {
		return ""
	}
	return t.defaultLogTopicAgent()
}

// The labels by which the Java worker (Function Mesh Worker Service) marks what it
// made, each with the older form that it writes as well.
const (
	workerLabelPrefix    = computev1alpha1.GroupName + "/"
	workerLabelCluster   = "pulsar-cluster"
	workerLabelTenant    = "pulsar-tenant"
	workerLabelNamespace = "pulsar-namespace"
	workerLabelComponent = "pulsar-component"
)

// componentName returns the name in Pulsar of what a resource runs. The Java worker
// never wrote spec.name, so the webhook filled in the name of the object, which
// ends in a hash. Such a resource is shown under the name that its author knows, if
// everything else about it agrees; its own spec.name stays as it is, since
// subscriptions are called after it.
func componentName(resource computev1alpha1.Component) string {
	spec, labels := resource.Common(), resource.GetLabels()
	label := func(key string) string {
		if value, ok := labels[workerLabelPrefix+key]; ok {
			return value
		}
		return labels[key]
	}
	component := label(workerLabelComponent)
	tenant := orDefault(spec.Tenant, adminv1alpha1.DefaultTenant)
	namespace := orDefault(spec.Namespace, adminv1alpha1.DefaultNamespace)
	cluster := orDefault(label(workerLabelCluster), spec.ClusterName)
	if component != "" && label(workerLabelTenant) == tenant && label(workerLabelNamespace) == namespace &&
		identity.WorkerObjectName(cluster, tenant, namespace, component) == resource.GetName() {
		return component
	}
	return orDefault(spec.Name, resource.GetName())
}

// InstanceName returns what the instances of a custom resource are told that they are
// called, which is not always the name that it is shown under.
func InstanceName(resource map[string]any) string {
	object := unstructured.Unstructured{Object: resource}
	name, _, _ := unstructured.NestedString(resource, "spec", "name")
	return orDefault(name, object.GetName())
}

func resourcesToCR(view *adminv1alpha1.Resources) *computev1alpha1.Resources {
	if view == nil {
		return nil
	}
	return emptyStructAsNil(&computev1alpha1.Resources{
		Limits: emptyAsNil(view.Limits), Requests: emptyAsNil(view.Requests), Claims: emptyListAsNil(view.Claims),
	})
}

func resourcesFromCR(cr *computev1alpha1.Resources) *adminv1alpha1.Resources {
	if cr == nil {
		return nil
	}
	return emptyStructAsNil(&adminv1alpha1.Resources{
		Limits: emptyAsNil(cr.Limits), Requests: emptyAsNil(cr.Requests), Claims: emptyListAsNil(cr.Claims),
	})
}

func secretsToCR(view map[string]adminv1alpha1.SecretRef) map[string]computev1alpha1.SecretRef {
	cr := make(map[string]computev1alpha1.SecretRef, len(view))
	for name, secret := range view {
		cr[name] = computev1alpha1.SecretRef{Path: secret.Path, Key: secret.Key}
	}
	return emptyAsNil(cr)
}

func secretsFromCR(cr map[string]computev1alpha1.SecretRef) map[string]adminv1alpha1.SecretRef {
	view := make(map[string]adminv1alpha1.SecretRef, len(cr))
	for name, secret := range cr {
		view[name] = adminv1alpha1.SecretRef{Path: secret.Path, Key: secret.Key}
	}
	return emptyAsNil(view)
}

// jsonObject tells an absent object from an empty one, which is kept.
func jsonObject(object *runtime.RawExtension) *runtime.RawExtension {
	if object == nil || len(object.Raw) == 0 {
		return nil
	}
	return &runtime.RawExtension{Raw: object.Raw}
}

// setEmptyObject fills in an object that the operator needs even when it is empty.
func setEmptyObject(object **runtime.RawExtension) {
	if jsonObject(*object) == nil {
		*object = &runtime.RawExtension{Raw: []byte("{}")}
	}
}
