package translation

import (
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/runtime"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// specToCR translates a spec that is defaulted.
func (t *FunctionTranslator) specToCR(view *adminv1alpha1.PulsarFunctionSpec) (*computev1alpha1.FunctionSpec, error) {
	cr := &computev1alpha1.FunctionSpec{
		CommonSpec: computev1alpha1.CommonSpec{
			Name:         view.Name,
			ClassName:    view.ClassName,
			Tenant:       view.Tenant,
			Namespace:    view.Namespace,
			ClusterName:  view.Cluster,
			Replicas:     view.Parallelism,
			Resources:    resourcesToCR(view.Resources),
			SecretsMap:   secretsToCR(view.Secrets),
			LogTopic:     view.LogTopic,
			RuntimeFlags: view.RuntimeFlags,
			Pulsar:       &computev1alpha1.PulsarMessaging{PulsarConfig: t.ConfigMapName(view.Cluster)},
		},
		ConsumeSpec: computev1alpha1.ConsumeSpec{
			Input:               inputToCR(view),
			AutoAck:             view.AutoAck,
			MaxMessageRetry:     view.MaxMessageRetries,
			DeadLetterTopic:     view.DeadLetterTopic,
			RetainOrdering:      view.RetainOrdering,
			RetainKeyOrdering:   view.RetainKeyOrdering,
			SubscriptionName:    view.SubscriptionName,
			CleanupSubscription: view.CleanupSubscription,
		},
		ProduceSpec: computev1alpha1.ProduceSpec{
			Output:                       outputToCR(view),
			ForwardSourceMessageProperty: view.ForwardSourceMessageProperty,
		},
		FuncConfig:              jsonObject(view.UserConfig),
		MaxPendingAsyncRequests: view.MaxPendingAsyncRequests,
		SkipToLatest:            view.SkipToLatest,
	}
	var err error
	if cr.Timeout, err = timeoutToCR(view.TimeoutMs); err != nil {
		return nil, err
	}
	if cr.SubscriptionPosition, err = lookUp(positionsToCR, view.SubscriptionPosition, "spec.subscriptionPosition"); err != nil {
		return nil, err
	}
	if cr.ProcessingGuarantee, err = lookUp(guaranteesToCR, view.ProcessingGuarantees, "spec.processingGuarantees"); err != nil {
		return nil, err
	}
	windowToCR(view, cr)
	if err := t.runtimeToCR(view, cr); err != nil {
		return nil, err
	}
	return cr, nil
}

var (
	positionsToCR = map[adminv1alpha1.SubscriptionPosition]computev1alpha1.SubscriptionPosition{
		adminv1alpha1.Latest:   computev1alpha1.Latest,
		adminv1alpha1.Earliest: computev1alpha1.Earliest,
	}
	guaranteesToCR = map[adminv1alpha1.ProcessingGuarantees]computev1alpha1.ProcessingGuarantee{
		adminv1alpha1.AtLeastOnce:     computev1alpha1.AtLeastOnce,
		adminv1alpha1.AtMostOnce:      computev1alpha1.AtMostOnce,
		adminv1alpha1.EffectivelyOnce: computev1alpha1.EffectivelyOnce,
		adminv1alpha1.Manual:          computev1alpha1.Manual,
	}
)

func lookUp[K ~string, V any](values map[K]V, key K, path string) (V, error) {
	value, ok := values[key]
	if !ok {
		return value, fmt.Errorf("%s %q is not known", path, key)
	}
	return value, nil
}

// timeoutToCR narrows a timeout to what Function Mesh has room for.
func timeoutToCR(milliseconds *int64) (*int32, error) {
	if milliseconds == nil {
		return nil, nil
	}
	if *milliseconds < math.MinInt32 || *milliseconds > math.MaxInt32 {
		return nil, fmt.Errorf("spec.timeoutMs %d is more than Function Mesh has room for", *milliseconds)
	}
	timeout := int32(*milliseconds)
	return &timeout, nil
}

func resourcesToCR(view *adminv1alpha1.Resources) *computev1alpha1.Resources {
	if view == nil || len(view.Limits) == 0 && len(view.Requests) == 0 {
		return nil
	}
	return &computev1alpha1.Resources{Limits: emptyAsNil(view.Limits), Requests: emptyAsNil(view.Requests)}
}

func secretsToCR(view map[string]adminv1alpha1.SecretRef) map[string]computev1alpha1.SecretRef {
	cr := make(map[string]computev1alpha1.SecretRef, len(view))
	for name, secret := range view {
		cr[name] = computev1alpha1.SecretRef{Path: secret.Path, Key: secret.Key}
	}
	return emptyAsNil(cr)
}

// jsonObject tells an absent object from an empty one, which is kept.
func jsonObject(object *runtime.RawExtension) *runtime.RawExtension {
	if object == nil || len(object.Raw) == 0 {
		return nil
	}
	return &runtime.RawExtension{Raw: object.Raw}
}

func cryptoToCR(view *adminv1alpha1.CryptoConfig) *computev1alpha1.CryptoConfig {
	if view == nil {
		return nil
	}
	return &computev1alpha1.CryptoConfig{
		CryptoKeyReaderClassName:    view.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       emptyAsNil(view.CryptoKeyReaderConfig),
		EncryptionKeys:              emptyListAsNil(view.EncryptionKeys),
		ProducerCryptoFailureAction: view.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: view.ConsumerCryptoFailureAction,
	}
}

func outputToCR(view *adminv1alpha1.PulsarFunctionSpec) computev1alpha1.OutputConf {
	return computev1alpha1.OutputConf{
		TypeClassName:      view.OutputTypeClassName,
		Topic:              view.Output,
		SinkSerdeClassName: view.OutputSerdeClassName,
		SinkSchemaType:     view.OutputSchemaType,
		ProducerConf:       producerToCR(view.ProducerConfig),
		CustomSchemaSinks:  emptyAsNil(view.CustomSchemaOutputs),
	}
}

func producerToCR(view *adminv1alpha1.ProducerConfig) *computev1alpha1.ProducerConfig {
	if view == nil {
		return nil
	}
	cr := computev1alpha1.ProducerConfig{
		MaxPendingMessages:                 view.MaxPendingMessages,
		MaxPendingMessagesAcrossPartitions: view.MaxPendingMessagesAcrossPartitions,
		UseThreadLocalProducers:            view.UseThreadLocalProducers,
		CryptoConfig:                       cryptoToCR(view.CryptoConfig),
		BatchBuilder:                       view.BatchBuilder,
		CompressionType:                    computev1alpha1.CompressionType(view.CompressionType),
	}
	if cr == (computev1alpha1.ProducerConfig{}) {
		return nil
	}
	return &cr
}

func emptyListAsNil[T any](values []T) []T {
	if len(values) == 0 {
		return nil
	}
	return values
}
