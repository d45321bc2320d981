package translation

import (
	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// produceToCR translates what functions and sources produce, and how.
func produceToCR(view *adminv1alpha1.OutputConfig, cr *computev1alpha1.ProduceSpec) {
	*cr = computev1alpha1.ProduceSpec{
		Output: computev1alpha1.OutputConf{
			TypeClassName:      view.OutputTypeClassName,
			Topic:              view.Output,
			SinkSerdeClassName: view.OutputSerdeClassName,
			SinkSchemaType:     view.OutputSchemaType,
			ProducerConf:       producerToCR(view.ProducerConfig),
			CustomSchemaSinks:  emptyAsNil(view.CustomSchemaOutputs),
		},
		ForwardSourceMessageProperty: view.ForwardSourceMessageProperty,
	}
}

// produceFromCR is the inverse of produceToCR.
func produceFromCR(cr *computev1alpha1.ProduceSpec, view *adminv1alpha1.OutputConfig) {
	*view = adminv1alpha1.OutputConfig{
		OutputTypeClassName:          orDefault(cr.Output.TypeClassName, DefaultTypeClassName),
		Output:                       cr.Output.Topic,
		OutputSerdeClassName:         cr.Output.SinkSerdeClassName,
		OutputSchemaType:             cr.Output.SinkSchemaType,
		CustomSchemaOutputs:          emptyAsNil(cr.Output.CustomSchemaSinks),
		ProducerConfig:               producerFromCR(cr.Output.ProducerConf),
		ForwardSourceMessageProperty: cr.ForwardSourceMessageProperty,
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

func cryptoToCR(view *adminv1alpha1.CryptoConfig) *computev1alpha1.CryptoConfig {
	if view == nil {
		return nil
	}
	cr := &computev1alpha1.CryptoConfig{
		CryptoKeyReaderClassName:    view.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       emptyAsNil(view.CryptoKeyReaderConfig),
		EncryptionKeys:              emptyListAsNil(view.EncryptionKeys),
		ProducerCryptoFailureAction: view.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: view.ConsumerCryptoFailureAction,
	}
	for _, secret := range view.CryptoSecrets {
		cr.CryptoSecrets = append(cr.CryptoSecrets, computev1alpha1.CryptoSecret(secret))
	}
	return cr
}

func cryptoFromCR(cr *computev1alpha1.CryptoConfig) *adminv1alpha1.CryptoConfig {
	if cr == nil {
		return nil
	}
	view := &adminv1alpha1.CryptoConfig{
		CryptoKeyReaderClassName:    cr.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       emptyAsNil(cr.CryptoKeyReaderConfig),
		EncryptionKeys:              emptyListAsNil(cr.EncryptionKeys),
		ProducerCryptoFailureAction: cr.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: cr.ConsumerCryptoFailureAction,
	}
	for _, secret := range cr.CryptoSecrets {
		view.CryptoSecrets = append(view.CryptoSecrets, adminv1alpha1.CryptoSecret(secret))
	}
	return view
}
