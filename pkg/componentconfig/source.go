package componentconfig

import (
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// SourceConfig is Pulsar's description of a source.
type SourceConfig struct {
	Common

	ClassName string `json:"className,omitempty"`

	TopicName      string          `json:"topicName"`
	ProducerConfig *ProducerConfig `json:"producerConfig,omitempty"`
	SerdeClassName string          `json:"serdeClassName,omitempty"`
	SchemaType     string          `json:"schemaType,omitempty"`
	BatchBuilder   string          `json:"batchBuilder,omitempty"`

	Configs           map[string]any     `json:"configs"`
	BatchSourceConfig *BatchSourceConfig `json:"batchSourceConfig,omitempty"`

	SourceType string `json:"sourceType,omitempty"`
	Archive    string `json:"archive,omitempty"`
}

// BatchSourceConfig makes a source one that is told when to look for data.
type BatchSourceConfig struct {
	DiscoveryTriggererClassName string         `json:"discoveryTriggererClassName,omitempty"`
	DiscoveryTriggererConfig    map[string]any `json:"discoveryTriggererConfig,omitzero"`
}

var sourceForm = form[*SourceConfig, *v1alpha1.PulsarSource]{
	kind:     v1alpha1.SourceKind,
	parse:    parseSource,
	toView:   (*SourceConfig).toView,
	fromView: fromSource,
	merge:    mergeSource,
	apply:    applySource,
}

func parseSource(in object) *SourceConfig {
	return &SourceConfig{
		Common:            parseCommon(in),
		ClassName:         in.text("className"),
		TopicName:         in.text("topicName"),
		ProducerConfig:    parseProducerConfig(in),
		SerdeClassName:    in.text("serdeClassName"),
		SchemaType:        in.text("schemaType"),
		BatchBuilder:      in.text("batchBuilder"),
		Configs:           in.free("configs"),
		BatchSourceConfig: parseBatchSource(in),
		SourceType:        in.text("sourceType"),
		Archive:           in.text("archive"),
	}
}

func parseBatchSource(in object) *BatchSourceConfig {
	batch, found := in.object("batchSourceConfig")
	if !found {
		return nil
	}
	return &BatchSourceConfig{
		DiscoveryTriggererClassName: batch.text("discoveryTriggererClassName"),
		DiscoveryTriggererConfig:    batch.free("discoveryTriggererConfig"),
	}
}

func (c *SourceConfig) toView(packageURL string) (*v1alpha1.PulsarSource, error) {
	common, err := c.Common.toView()
	if err != nil {
		return nil, err
	}
	configs, err := freeToView(orNone(c.Configs))
	if err != nil {
		return nil, err
	}
	batch, err := batchSourceToView(c.BatchSourceConfig)
	if err != nil {
		return nil, err
	}
	source := &v1alpha1.PulsarSource{Spec: v1alpha1.PulsarSourceSpec{
		ComponentSpec: common,
		OutputConfig: v1alpha1.OutputConfig{
			Output:               c.TopicName,
			OutputSerdeClassName: c.SerdeClassName,
			OutputSchemaType:     c.SchemaType,
			ProducerConfig:       producerToView(c.ProducerConfig, c.BatchBuilder),
		},
		Configs:           configs,
		BatchSourceConfig: batch,
		SourceType:        c.SourceType,
	}}
	spec := &source.Spec
	spec.ClassName = c.ClassName
	spec.Java = &v1alpha1.JavaRuntime{Runtime: c.runtimeLog()}
	if err := applyOptions(source, "", c.CustomRuntimeOptions); err != nil {
		return nil, err
	}
	if packageURL == "" {
		packageURL = locationOf(c.Archive, c.SourceType)
	}
	setLocation(&spec.ComponentSpec, packageURL)
	return source, nil
}

func fromSource(source *v1alpha1.PulsarSource) *SourceConfig {
	spec := &source.Spec
	config := &SourceConfig{
		Common:         commonFromView(source),
		ClassName:      spec.ClassName,
		TopicName:      spec.Output,
		ProducerConfig: producerFromView(spec.ProducerConfig),
		SerdeClassName: spec.OutputSerdeClassName,
		SchemaType:     spec.OutputSchemaType,
		Configs:        orSome(freeFromView(spec.Configs)),
	}
	if batch := spec.BatchSourceConfig; batch != nil {
		config.BatchSourceConfig = &BatchSourceConfig{
			DiscoveryTriggererClassName: batch.DiscoveryTriggererClassName,
			DiscoveryTriggererConfig:    freeFromView(batch.DiscoveryTriggererConfig),
		}
	}
	if spec.Package != nil {
		config.Archive = builtinOf(spec.Package.Location)
	}
	return config
}

// checkBatchSource refuses what would make a source another: an update of a batch
// source has to say again that it is one.
func (c *SourceConfig) checkBatchSource(update *SourceConfig) error {
	former, latter := c.BatchSourceConfig, update.BatchSourceConfig
	if (former == nil) != (latter == nil) {
		return &Error{Reason: "Sources cannot be update between regular sources and batchsource"}
	}
	if former != nil && former.DiscoveryTriggererClassName != latter.DiscoveryTriggererClassName {
		return &Error{Reason: "DiscoverTriggerer class cannot be updated for batchsources"}
	}
	return nil
}

func mergeSource(existing, update *SourceConfig) (*SourceConfig, error) {
	// Pulsar calls a source a function here.
	if err := existing.checkIdentity(&update.Common, v1alpha1.FunctionKind.Title); err != nil {
		return nil, err
	}
	if err := firstAltered([]check{existing.checkGuarantees(&update.Common)}); err != nil {
		return nil, err
	}
	if err := existing.checkBatchSource(update); err != nil {
		return nil, err
	}
	merged := *existing
	merged.Common.merge(&update.Common)
	replace(&merged.ClassName, update.ClassName)
	replace(&merged.TopicName, update.TopicName)
	replace(&merged.SerdeClassName, update.SerdeClassName)
	replace(&merged.SchemaType, update.SchemaType)
	replace(&merged.Archive, update.Archive)
	mergeProducer(&merged.ProducerConfig, update.ProducerConfig)
	if update.Configs != nil {
		merged.Configs = update.Configs
	}
	merged.BatchSourceConfig = update.BatchSourceConfig
	return &merged, nil
}

func applySource(source *v1alpha1.PulsarSource, existing, merged *SourceConfig, packageURL string) error {
	spec := &source.Spec
	if err := applyCommon(source, &existing.Common, &merged.Common); err != nil {
		return err
	}
	change(&spec.ClassName, existing.ClassName, merged.ClassName)
	change(&spec.Output, existing.TopicName, merged.TopicName)
	change(&spec.OutputSerdeClassName, existing.SerdeClassName, merged.SerdeClassName)
	change(&spec.OutputSchemaType, existing.SchemaType, merged.SchemaType)
	applyProducer(&spec.OutputConfig, existing.ProducerConfig, merged.ProducerConfig)
	applyLocation(&spec.ComponentSpec, existing.Archive, merged.Archive, packageURL)
	if !equalities.DeepEqual(existing.BatchSourceConfig, merged.BatchSourceConfig) {
		batch, err := batchSourceToView(merged.BatchSourceConfig)
		if err != nil {
			return err
		}
		spec.BatchSourceConfig = batch
	}
	return applyFree(&spec.Configs, existing.Configs, orNone(merged.Configs))
}

func batchSourceToView(config *BatchSourceConfig) (*v1alpha1.BatchSourceConfig, error) {
	if config == nil {
		return nil, nil
	}
	trigger, err := freeToView(config.DiscoveryTriggererConfig)
	if err != nil {
		return nil, err
	}
	return &v1alpha1.BatchSourceConfig{
		DiscoveryTriggererClassName: config.DiscoveryTriggererClassName,
		DiscoveryTriggererConfig:    trigger,
	}, nil
}
