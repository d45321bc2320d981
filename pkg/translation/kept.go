package translation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// KeptFieldsAnnotation holds, on the custom resource, those fields of a view
	// that the resource has no place for, as JSON. Losing it loses nothing else.
	KeptFieldsAnnotation = ReservedPrefix + "kept-fields"
	// MaxKeptFieldsSize is how many bytes of JSON such fields may be.
	MaxKeptFieldsSize = 64 << 10

	keptFieldsVersion = 1
)

// keptFields has only what the resource can't say.
type keptFields struct {
	Version                        int                           `json:"version"`
	InputSpecs                     map[string]keptInputSpec      `json:"inputSpecs,omitempty"`
	BatchingConfig                 *adminv1alpha1.BatchingConfig `json:"batchingConfig,omitempty"`
	Disk                           *resource.Quantity            `json:"disk,omitempty"`
	CustomRuntimeOptions           string                        `json:"customRuntimeOptions,omitempty"`
	ExposePulsarAdminClientEnabled *bool                         `json:"exposePulsarAdminClientEnabled,omitempty"`
	// FileName is the package's file name where its author chose the one that it
	// would have had anyway.
	FileName string `json:"fileName,omitempty"`
	// TransformFunction and TopicToSchemaProperties are of sinks.
	TransformFunction       *adminv1alpha1.TransformFunction `json:"transformFunction,omitempty"`
	TopicToSchemaProperties map[string]string                `json:"topicToSchemaProperties,omitempty"`
}

type keptInputSpec struct {
	PoolMessages                  bool                                         `json:"poolMessages,omitempty"`
	MessagePayloadProcessorConfig *adminv1alpha1.MessagePayloadProcessorConfig `json:"messagePayloadProcessorConfig,omitempty"`
}

// keptFieldsOf returns the fields to keep, and the paths in the view of those that
// have no effect, in a fixed order.
func keptFieldsOf(view adminv1alpha1.Component) (keptFields, []string) {
	spec := view.Common()
	kept := keptFields{Version: keptFieldsVersion, CustomRuntimeOptions: spec.CustomRuntimeOptions}
	var paths []string
	keep := func(path string, set bool) {
		if set {
			paths = append(paths, path)
		}
	}
	if input := view.Input(); input != nil {
		paths = append(paths, keepInputs(input, &kept)...)
	}
	if output := view.Output(); output != nil && output.ProducerConfig != nil {
		kept.BatchingConfig = output.ProducerConfig.BatchingConfig
		keep("spec.producerConfig.batchingConfig", kept.BatchingConfig != nil)
	}
	if spec.Resources != nil {
		kept.Disk = spec.Resources.Disk
		keep("spec.resources.disk", kept.Disk != nil)
	}
	keep("spec.customRuntimeOptions", kept.CustomRuntimeOptions != "")
	switch view := view.(type) {
	case *adminv1alpha1.PulsarFunction:
		kept.ExposePulsarAdminClientEnabled = view.Spec.ExposePulsarAdminClientEnabled
		keep("spec.exposePulsarAdminClientEnabled", kept.ExposePulsarAdminClientEnabled != nil)
	case *adminv1alpha1.PulsarSink:
		kept.TransformFunction = view.Spec.TransformFunction
		keep("spec.transformFunction", kept.TransformFunction != nil)
		kept.TopicToSchemaProperties = emptyAsNil(view.Spec.TopicToSchemaProperties)
		keep("spec.topicToSchemaProperties", kept.TopicToSchemaProperties != nil)
	}
	if pkg := spec.Package; pkg != nil && pkg.Location != "" && pkg.FileName == defaultFileName(view) {
		kept.FileName = pkg.FileName
	}
	slices.Sort(paths)
	return kept, paths
}

// keepInputs keeps what is to be kept of inputs, and returns its paths.
func keepInputs(input *adminv1alpha1.InputConfig, kept *keptFields) []string {
	var paths []string
	for topic, spec := range input.InputSpecs {
		keptInput := keptInputSpec{
			PoolMessages:                  spec.PoolMessages,
			MessagePayloadProcessorConfig: spec.MessagePayloadProcessorConfig,
		}
		if keptInput == (keptInputSpec{}) {
			continue
		}
		if kept.InputSpecs == nil {
			kept.InputSpecs = map[string]keptInputSpec{}
		}
		kept.InputSpecs[topic] = keptInput
		path := "spec.inputSpecs[" + topic + "]."
		if keptInput.PoolMessages {
			paths = append(paths, path+"poolMessages")
		}
		if keptInput.MessagePayloadProcessorConfig != nil {
			paths = append(paths, path+"messagePayloadProcessorConfig")
		}
	}
	return paths
}

// KeptFieldWarnings returns a warning for each field of a view that is stored but
// has no effect.
func KeptFieldWarnings(view adminv1alpha1.Component) []string {
	_, paths := keptFieldsOf(view)
	warnings := make([]string, 0, len(paths))
	for _, path := range paths {
		warnings = append(warnings, path+" has no effect yet: Function Mesh has no place for it")
	}
	return warnings
}

// KeptFieldsSize returns how many bytes the fields of a view without a place in
// the custom resource need; MaxKeptFieldsSize is the limit.
func KeptFieldsSize(view adminv1alpha1.Component) (int, error) {
	encoded, err := encodeKeptFields(view)
	return len(encoded), err
}

// encodeKeptFields returns the annotation's value; without such fields none.
func encodeKeptFields(view adminv1alpha1.Component) (string, error) {
	kept, paths := keptFieldsOf(view)
	if len(paths) == 0 && kept.FileName == "" {
		return "", nil
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return "", fmt.Errorf("could not encode the fields that Function Mesh has no place for: %w", err)
	}
	return string(data), nil
}

// decodeKeptFields restores kept fields from the annotation's value. What was kept
// of an input that the resource no longer has is left out.
func decodeKeptFields(encoded string, view adminv1alpha1.Component) error {
	if encoded == "" {
		return nil
	}
	var kept keptFields
	decoder := json.NewDecoder(bytes.NewReader([]byte(encoded)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&kept); err != nil {
		return fmt.Errorf("annotation %s can't be read: %w", KeptFieldsAnnotation, err)
	}
	if decoder.More() {
		return fmt.Errorf("annotation %s can't be read: it has more than one value", KeptFieldsAnnotation)
	}
	if kept.Version != keptFieldsVersion {
		return fmt.Errorf("annotation %s has version %d, which this server doesn't know", KeptFieldsAnnotation, kept.Version)
	}
	spec := view.Common()
	if input := view.Input(); input != nil {
		for topic, keptInput := range kept.InputSpecs {
			if consumer, ok := input.InputSpecs[topic]; ok {
				consumer.PoolMessages = keptInput.PoolMessages
				consumer.MessagePayloadProcessorConfig = keptInput.MessagePayloadProcessorConfig
				input.InputSpecs[topic] = consumer
			}
		}
	}
	if output := view.Output(); output != nil && kept.BatchingConfig != nil {
		if output.ProducerConfig == nil {
			output.ProducerConfig = &adminv1alpha1.ProducerConfig{}
		}
		output.ProducerConfig.BatchingConfig = kept.BatchingConfig
	}
	if kept.Disk != nil {
		if spec.Resources == nil {
			spec.Resources = &adminv1alpha1.Resources{}
		}
		spec.Resources.Disk = kept.Disk
	}
	if pkg := spec.Package; pkg != nil && pkg.FileName == "" && kept.FileName == defaultFileName(view) {
		pkg.FileName = kept.FileName
	}
	spec.CustomRuntimeOptions = kept.CustomRuntimeOptions
	switch view := view.(type) {
	case *adminv1alpha1.PulsarFunction:
		view.Spec.ExposePulsarAdminClientEnabled = kept.ExposePulsarAdminClientEnabled
	case *adminv1alpha1.PulsarSink:
		view.Spec.TransformFunction = kept.TransformFunction
		view.Spec.TopicToSchemaProperties = kept.TopicToSchemaProperties
	}
	return nil
}
