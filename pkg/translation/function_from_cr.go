package translation

import (
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// What the operator, or its webhook, takes where a Function says nothing. Where
// Pulsar's own default is the same, defaulting of the view does it.
const (
	operatorDefaultCluster  = "kubernetes"
	operatorDefaultPosition = computev1alpha1.Earliest
)

// DefaultTypeClassName is the type class of messages where none is named: bytes, as
// the operator has it.
const DefaultTypeClassName = "[B"

// specFromCR translates what a Function says and what the operator takes for the
// rest, except where defaulting of the view does the same.
func (t *FunctionTranslator) specFromCR(function *computev1alpha1.Function, view *adminv1alpha1.PulsarFunctionSpec) error {
	cr := &function.Spec
	*view = adminv1alpha1.PulsarFunctionSpec{
		ComponentSpec: adminv1alpha1.ComponentSpec{
			Tenant:       cr.Tenant,
			Namespace:    cr.Namespace,
			Cluster:      orDefault(cr.ClusterName, operatorDefaultCluster),
			ClassName:    cr.ClassName,
			RuntimeFlags: cr.RuntimeFlags,
			Parallelism:  cr.Replicas,
			Resources:    resourcesFromCR(cr.Resources),
			Secrets:      secretsFromCR(cr.SecretsMap),
			LogTopic:     cr.LogTopic,
		},
		InputConfig: adminv1alpha1.InputConfig{
			SubscriptionName:    cr.SubscriptionName,
			CleanupSubscription: ptr.To(ptr.Deref(cr.CleanupSubscription, false)),
			RetainOrdering:      cr.RetainOrdering,
			RetainKeyOrdering:   cr.RetainKeyOrdering,
			AutoAck:             cr.AutoAck,
			MaxMessageRetries:   cr.MaxMessageRetry,
			DeadLetterTopic:     cr.DeadLetterTopic,
		},
		OutputConfig: adminv1alpha1.OutputConfig{
			OutputTypeClassName:          orDefault(cr.Output.TypeClassName, DefaultTypeClassName),
			Output:                       cr.Output.Topic,
			OutputSerdeClassName:         cr.Output.SinkSerdeClassName,
			OutputSchemaType:             cr.Output.SinkSchemaType,
			CustomSchemaOutputs:          emptyAsNil(cr.Output.CustomSchemaSinks),
			ProducerConfig:               producerFromCR(cr.Output.ProducerConf),
			ForwardSourceMessageProperty: cr.ForwardSourceMessageProperty,
		},
		SkipToLatest:            cr.SkipToLatest,
		MaxPendingAsyncRequests: cr.MaxPendingAsyncRequests,
		UserConfig:              jsonObject(cr.FuncConfig),
	}
	if cr.Timeout != nil {
		view.TimeoutMs = ptr.To(int64(*cr.Timeout))
	}
	inputFromCR(&cr.Input, view)
	if err := runtimeFromCR(cr, t.directory(), view); err != nil {
		return err
	}
	var err error
	position := orDefault(cr.SubscriptionPosition, operatorDefaultPosition)
	if view.SubscriptionPosition, err = lookUp(positionsFromCR, position, "spec.subscriptionPosition"); err != nil {
		return err
	}
	guarantee := orDefault(cr.ProcessingGuarantee, computev1alpha1.AtLeastOnce)
	if view.ProcessingGuarantees, err = lookUp(guaranteesFromCR, guarantee, "spec.processingGuarantee"); err != nil {
		return err
	}
	if err := windowFromCR(cr.WindowConfig, view); err != nil {
		return err
	}
	view.Name = componentName(function)
	return nil
}

var (
	positionsFromCR  = inverse(positionsToCR)
	guaranteesFromCR = inverse(guaranteesToCR)
)

func inverse[K, V comparable](values map[K]V) map[V]K {
	inverted := make(map[V]K, len(values))
	for key, value := range values {
		inverted[value] = key
	}
	return inverted
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

// componentName returns the name in Pulsar of what a Function runs. The Java
// worker never wrote spec.name, so the webhook filled in the name of the object,
// which ends in a hash. Such a Function is shown under the name that its author
// knows, if everything else about it agrees; its own spec.name stays as it is,
// since subscriptions are called after it.
func componentName(function *computev1alpha1.Function) string {
	spec := &function.Spec
	label := func(key string) string {
		if value, ok := function.Labels[workerLabelPrefix+key]; ok {
			return value
		}
		return function.Labels[key]
	}
	component := label(workerLabelComponent)
	tenant := orDefault(spec.Tenant, adminv1alpha1.DefaultTenant)
	namespace := orDefault(spec.Namespace, adminv1alpha1.DefaultNamespace)
	cluster := orDefault(label(workerLabelCluster), spec.ClusterName)
	if component != "" && label(workerLabelTenant) == tenant && label(workerLabelNamespace) == namespace &&
		identity.WorkerObjectName(cluster, tenant, namespace, component) == function.Name {
		return component
	}
	return orDefault(spec.Name, function.Name)
}

func orDefault[T ~string](value, fallback T) T {
	if value == "" {
		return fallback
	}
	return value
}

func resourcesFromCR(cr *computev1alpha1.Resources) *adminv1alpha1.Resources {
	if cr == nil || len(cr.Limits) == 0 && len(cr.Requests) == 0 {
		return nil
	}
	return &adminv1alpha1.Resources{Limits: emptyAsNil(cr.Limits), Requests: emptyAsNil(cr.Requests)}
}

func secretsFromCR(cr map[string]computev1alpha1.SecretRef) map[string]adminv1alpha1.SecretRef {
	view := make(map[string]adminv1alpha1.SecretRef, len(cr))
	for name, secret := range cr {
		view[name] = adminv1alpha1.SecretRef{Path: secret.Path, Key: secret.Key}
	}
	return emptyAsNil(view)
}

func cryptoFromCR(cr *computev1alpha1.CryptoConfig) *adminv1alpha1.CryptoConfig {
	if cr == nil {
		return nil
	}
	return &adminv1alpha1.CryptoConfig{
		CryptoKeyReaderClassName:    cr.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       emptyAsNil(cr.CryptoKeyReaderConfig),
		EncryptionKeys:              emptyListAsNil(cr.EncryptionKeys),
		ProducerCryptoFailureAction: cr.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: cr.ConsumerCryptoFailureAction,
	}
}

func producerFromCR(cr *computev1alpha1.ProducerConfig) *adminv1alpha1.ProducerConfig {
	if cr == nil || *cr == (computev1alpha1.ProducerConfig{}) {
		return nil
	}
	return &adminv1alpha1.ProducerConfig{
		MaxPendingMessages:                 cr.MaxPendingMessages,
		MaxPendingMessagesAcrossPartitions: cr.MaxPendingMessagesAcrossPartitions,
		UseThreadLocalProducers:            cr.UseThreadLocalProducers,
		CryptoConfig:                       cryptoFromCR(cr.CryptoConfig),
		BatchBuilder:                       cr.BatchBuilder,
		CompressionType:                    string(cr.CompressionType),
	}
}
