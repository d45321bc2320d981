package validation

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Every text that the operator puts between single quotes has to be checked.
func TestNoTextHoldsSingleQuotes(t *testing.T) {
	const quoted = "x'y"
	texts := map[string]string{"k": quoted}
	crypto := func() *v1alpha1.CryptoConfig {
		return &v1alpha1.CryptoConfig{
			CryptoKeyReaderClassName: "a.B", CryptoKeyReaderConfig: texts, EncryptionKeys: []string{"k", quoted},
		}
	}
	function := made(func(f *v1alpha1.PulsarFunction) {
		s := &f.Spec
		s.Inputs, s.TopicsPattern = []string{"in", quoted}, quoted
		s.CustomSerdeInputs = map[string]string{quoted: "a.B", "in": quoted}
		s.CustomSchemaInputs = map[string]string{"in": `{"schemaType": "` + quoted + `"}`}
		s.CustomSchemaOutputs = map[string]string{"out": `{"schemaType": "` + quoted + `"}`, quoted: "{}"}
		s.InputTypeClassName, s.OutputTypeClassName = quoted, quoted
		s.Output, s.OutputSerdeClassName, s.OutputSchemaType = quoted, quoted, quoted
		s.LogTopic, s.DeadLetterTopic, s.SubscriptionName, s.RuntimeFlags = quoted, quoted, quoted, quoted
		s.ClassName = quoted
		s.WindowConfig = &v1alpha1.WindowConfig{LateDataTopic: quoted, TimestampExtractorClassName: quoted}
		s.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: crypto()}
		s.InputSpecs = map[string]v1alpha1.ConsumerSpec{
			quoted: {},
			"in": {
				SchemaType: quoted, SerdeClassName: quoted, SchemaProperties: texts,
				ConsumerProperties: map[string]string{quoted: "v"}, CryptoConfig: crypto(),
				MessagePayloadProcessorConfig: &v1alpha1.MessagePayloadProcessorConfig{ClassName: quoted},
			},
		}
	})
	result := Validate(function, testOptions)
	for _, path := range []string{
		"inputs[1]", "topicsPattern", "customSerdeInputs[x'y]", "customSerdeInputs[in]", "customSchemaInputs[in]",
		"customSchemaOutputs[out]", "customSchemaOutputs[x'y]", "inputTypeClassName", "outputTypeClassName",
		"output", "outputSerdeClassName", "outputSchemaType", "logTopic", "deadLetterTopic", "subscriptionName", "runtimeFlags",
		"windowConfig.lateDataTopic", "producerConfig.cryptoConfig.cryptoKeyReaderConfig[k]",
		"producerConfig.cryptoConfig.encryptionKeys[1]", "inputSpecs[x'y]", "inputSpecs[in].schemaType",
		"inputSpecs[in].serdeClassName", "inputSpecs[in].schemaProperties[k]", "inputSpecs[in].consumerProperties[x'y]",
		"inputSpecs[in].cryptoConfig.cryptoKeyReaderConfig[k]", "inputSpecs[in].cryptoConfig.encryptionKeys[1]",
	} {
		if !found(result, "spec."+path, "no single quotes") {
			t.Errorf("errors lack spec.%s", path)
		}
	}
	for _, path := range []string{"className", "windowConfig.timestampExtractorClassName",
		"inputSpecs[in].messagePayloadProcessorConfig.className"} {
		if !found(result, "spec."+path, "binary name of a class") {
			t.Errorf("errors lack spec.%s", path)
		}
	}
}

func TestNoNegativeNumbersForProducers(t *testing.T) {
	minus := ptr(int32(-1))
	result := Validate(made(func(f *v1alpha1.PulsarFunction) {
		f.Spec.ProducerConfig = &v1alpha1.ProducerConfig{
			MaxPendingMessages: minus, MaxPendingMessagesAcrossPartitions: minus,
			BatchingConfig: &v1alpha1.BatchingConfig{
				BatchingMaxPublishDelayMs: minus, RoundRobinRouterBatchingPartitionSwitchFrequency: minus,
				BatchingMaxMessages: minus, BatchingMaxBytes: minus,
			},
		}
	}), testOptions)
	for _, path := range []string{
		"maxPendingMessages", "maxPendingMessagesAcrossPartitions", "batchingConfig.batchingMaxPublishDelayMs",
		"batchingConfig.roundRobinRouterBatchingPartitionSwitchFrequency", "batchingConfig.batchingMaxMessages",
		"batchingConfig.batchingMaxBytes",
	} {
		if !found(result, "spec.producerConfig."+path, "may not be negative") {
			t.Errorf("errors %v lack spec.producerConfig.%s", result.Errors, path)
		}
	}
}
