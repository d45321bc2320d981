package componentconfig

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// failing says of crypto settings what happens where nobody chose it.
func failing(config *v1alpha1.CryptoConfig) *v1alpha1.CryptoConfig {
	config.ProducerCryptoFailureAction, config.ConsumerCryptoFailureAction = "FAIL", "FAIL"
	return config
}

// Secrets with keys are nothing that a configuration knows, so an update through one
// must leave them where they are.
func TestUpdatesKeepCryptoSecrets(t *testing.T) {
	secrets := []v1alpha1.CryptoSecret{{SecretName: "s", SecretKey: "k"}}
	crypto := func(class string) *v1alpha1.CryptoConfig {
		return &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: class, CryptoSecrets: secrets}
	}
	sink := storedSink(t, `{"inputs":["in"],"inputSpecs":{"c":{}}}`)
	sink.Spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{"c": {CryptoConfig: crypto("a.R")}}
	mustUpdate(t, sink, `{"inputSpecs":{"c":{"receiverQueueSize":1,"cryptoConfig":{"cryptoKeyReaderClassName":"b.R"}}}}`, "")
	expectEqual(t, sink.Spec.InputSpecs["c"].CryptoConfig, failing(crypto("b.R")))
	mustUpdate(t, sink, `{"inputSpecs":{"c":{"receiverQueueSize":1}}}`, "")
	if got := sink.Spec.InputSpecs["c"].CryptoConfig; got != nil {
		t.Errorf("settings that were taken away left %+v", got)
	}

	source := storedSource(t, `{"topicName":"out"}`)
	source.Spec.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: crypto("a.R")}
	mustUpdate(t, source, `{"producerConfig":{"maxPendingMessages":1,"cryptoConfig":{"cryptoKeyReaderClassName":"a.R"}}}`, "")
	expectEqual(t, source.Spec.ProducerConfig.CryptoConfig, crypto("a.R"))
	mustUpdate(t, source, `{"producerConfig":{"cryptoConfig":{"cryptoKeyReaderClassName":"b.R","encryptionKeys":["k"]}}}`, "")
	want := failing(crypto("b.R"))
	want.EncryptionKeys = []string{"k"}
	expectEqual(t, source.Spec.ProducerConfig.CryptoConfig, want)
}
