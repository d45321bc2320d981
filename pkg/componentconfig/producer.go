package componentconfig

import (
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// producerToView folds batchBuilder, the older place, into the producer's own. A
// producer of which nothing is said, as the Go client sends it, is none.
func producerToView(given *ProducerConfig, batchBuilder string) *v1alpha1.ProducerConfig {
	config := ptr.Deref(given, ProducerConfig{})
	config.Partial = false
	replace(&config.BatchBuilder, batchBuilder)
	if equalities.DeepEqual(config, ProducerConfig{}) {
		return nil
	}
	return &v1alpha1.ProducerConfig{
		MaxPendingMessages:                 config.MaxPendingMessages,
		MaxPendingMessagesAcrossPartitions: config.MaxPendingMessagesAcrossPartitions,
		UseThreadLocalProducers:            config.UseThreadLocalProducers,
		CryptoConfig:                       cryptoToView(config.CryptoConfig, nil),
		BatchBuilder:                       config.BatchBuilder,
		CompressionType:                    config.CompressionType,
		BatchingConfig:                     (*v1alpha1.BatchingConfig)(config.BatchingConfig),
	}
}

// producerFromView returns what Pulsar answers with, which always has a producer:
// zeros are absent and the compression is always named.
func producerFromView(view *v1alpha1.ProducerConfig) *ProducerConfig {
	if view == nil {
		view = &v1alpha1.ProducerConfig{}
	}
	config := &ProducerConfig{
		MaxPendingMessages:                 nonZero(view.MaxPendingMessages),
		MaxPendingMessagesAcrossPartitions: nonZero(view.MaxPendingMessagesAcrossPartitions),
		UseThreadLocalProducers:            view.UseThreadLocalProducers,
		CryptoConfig:                       cryptoFromView(view.CryptoConfig),
		BatchBuilder:                       view.BatchBuilder,
		CompressionType:                    view.CompressionType,
	}
	if batching := view.BatchingConfig; batching != nil {
		config.BatchingConfig = &BatchingConfig{
			Enabled:                   batching.Enabled,
			BatchingMaxPublishDelayMs: positive(batching.BatchingMaxPublishDelayMs),
			RoundRobinRouterBatchingPartitionSwitchFrequency: positive(batching.RoundRobinRouterBatchingPartitionSwitchFrequency),
			BatchingMaxMessages: positive(batching.BatchingMaxMessages),
			BatchingMaxBytes:    positive(batching.BatchingMaxBytes),
			BatchBuilder:        batching.BatchBuilder,
		}
		completeBatching(config.BatchingConfig)
	}
	completeProducer(config)
	return config
}

// completeProducer names what is used when nothing was chosen.
func completeProducer(config *ProducerConfig) {
	config.CryptoConfig = completeCrypto(config.CryptoConfig)
	if config.CompressionType == "" {
		config.CompressionType = defaultCompressionType
	}
}

// mergeProducer replaces a producer whole.
func mergeProducer(field **ProducerConfig, update *ProducerConfig) {
	if update == nil {
		return
	}
	producer := *update
	completeProducer(&producer)
	*field = &producer
}

// applyProducer writes the members that an update changed.
func applyProducer(output *v1alpha1.OutputConfig, existing, merged *ProducerConfig) {
	if equalities.DeepEqual(existing, merged) {
		return
	}
	if output.ProducerConfig == nil {
		output.ProducerConfig = &v1alpha1.ProducerConfig{}
	}
	view := output.ProducerConfig
	change(&view.MaxPendingMessages, existing.MaxPendingMessages, merged.MaxPendingMessages)
	change(&view.MaxPendingMessagesAcrossPartitions, existing.MaxPendingMessagesAcrossPartitions, merged.MaxPendingMessagesAcrossPartitions)
	change(&view.UseThreadLocalProducers, existing.UseThreadLocalProducers, merged.UseThreadLocalProducers)
	if !equalities.DeepEqual(existing.CryptoConfig, merged.CryptoConfig) {
		view.CryptoConfig = cryptoToView(merged.CryptoConfig, view.CryptoConfig)
	}
	change(&view.BatchBuilder, existing.BatchBuilder, merged.BatchBuilder)
	change(&view.CompressionType, existing.CompressionType, merged.CompressionType)
	change(&view.BatchingConfig, (*v1alpha1.BatchingConfig)(existing.BatchingConfig), (*v1alpha1.BatchingConfig)(merged.BatchingConfig))
}

// cryptoToView returns crypto settings as a view has them. The Secrets with keys, which
// no configuration knows, are those of former, what the view had.
func cryptoToView(config *CryptoConfig, former *v1alpha1.CryptoConfig) *v1alpha1.CryptoConfig {
	if config == nil {
		return nil
	}
	view := &v1alpha1.CryptoConfig{
		CryptoKeyReaderClassName:    config.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       config.CryptoKeyReaderConfig,
		EncryptionKeys:              config.EncryptionKeys,
		ProducerCryptoFailureAction: config.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: config.ConsumerCryptoFailureAction,
	}
	if former != nil {
		view.CryptoSecrets = former.CryptoSecrets
	}
	return view
}

func cryptoFromView(view *v1alpha1.CryptoConfig) *CryptoConfig {
	if view == nil {
		return nil
	}
	return completeCrypto(&CryptoConfig{
		CryptoKeyReaderClassName:    view.CryptoKeyReaderClassName,
		CryptoKeyReaderConfig:       view.CryptoKeyReaderConfig,
		EncryptionKeys:              view.EncryptionKeys,
		ProducerCryptoFailureAction: view.ProducerCryptoFailureAction,
		ConsumerCryptoFailureAction: view.ConsumerCryptoFailureAction,
	})
}

// completeCrypto returns crypto settings as GET shows them: with what happens where
// nobody chose it.
func completeCrypto(config *CryptoConfig) *CryptoConfig {
	if config == nil {
		return nil
	}
	complete := *config
	complete.ProducerCryptoFailureAction = orElse(complete.ProducerCryptoFailureAction, defaultCryptoFailureAction)
	complete.ConsumerCryptoFailureAction = orElse(complete.ConsumerCryptoFailureAction, defaultCryptoFailureAction)
	if complete.EncryptionKeys == nil {
		complete.EncryptionKeys = []string{}
	}
	return &complete
}
