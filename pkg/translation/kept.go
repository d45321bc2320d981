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
}

type keptInputSpec struct {
	PoolMessages                  bool                                         `json:"poolMessages,omitempty"`
	MessagePayloadProcessorConfig *adminv1alpha1.MessagePayloadProcessorConfig `json:"messagePayloadProcessorConfig,omitempty"`
}

// keptFieldsOf returns the fields to keep, and the paths in the view of those that
// have no effect, in a fixed order.
func keptFieldsOf(view *adminv1alpha1.PulsarFunction) (keptFields, []string) {
	spec := &view.Spec
	kept := keptFields{
		Version:                        keptFieldsVersion,
		CustomRuntimeOptions:           spec.CustomRuntimeOptions,
		ExposePulsarAdminClientEnabled: spec.ExposePulsarAdminClientEnabled,
	}
	var paths []string
	for topic, input := range spec.InputSpecs {
		keptInput := keptInputSpec{
			PoolMessages:                  input.PoolMessages,
			MessagePayloadProcessorConfig: input.MessagePayloadProcessorConfig,
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
	if spec.ProducerConfig != nil && spec.ProducerConfig.BatchingConfig != nil {
		kept.BatchingConfig = spec.ProducerConfig.BatchingConfig
		paths = append(paths, "spec.producerConfig.batchingConfig")
	}
	if spec.Resources != nil && spec.Resources.Disk != nil {
		kept.Disk = spec.Resources.Disk
		paths = append(paths, "spec.resources.disk")
	}
	if spec.CustomRuntimeOptions != "" {
		paths = append(paths, "spec.customRuntimeOptions")
	}
	if spec.ExposePulsarAdminClientEnabled != nil {
		paths = append(paths, "spec.exposePulsarAdminClientEnabled")
	}
	if pkg := spec.Package; pkg != nil && pkg.Location != "" && pkg.FileName == defaultFileName(spec) {
		kept.FileName = pkg.FileName
	}
	slices.Sort(paths)
	return kept, paths
}

// KeptFieldWarnings returns a warning for each field of a view that is stored but
// has no effect.
func KeptFieldWarnings(view *adminv1alpha1.PulsarFunction) []string {
	_, paths := keptFieldsOf(view)
	warnings := make([]string, 0, len(paths))
	for _, path := range paths {
		warnings = append(warnings, path+" has no effect yet: Function Mesh has no place for it")
	}
	return warnings
}

// KeptFieldsSize returns how many bytes the fields of a view without a place in
// the custom resource need; MaxKeptFieldsSize is the limit.
func KeptFieldsSize(view *adminv1alpha1.PulsarFunction) (int, error) {
	encoded, err := encodeKeptFields(view)
	return len(encoded), err
}

// encodeKeptFields returns the annotation's value; without such fields none.
func encodeKeptFields(view *adminv1alpha1.PulsarFunction) (string, error) {
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
func decodeKeptFields(encoded string, view *adminv1alpha1.PulsarFunction) error {
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
	spec := &view.Spec
	for topic, keptInput := range kept.InputSpecs {
		if input, ok := spec.InputSpecs[topic]; ok {
			input.PoolMessages = keptInput.PoolMessages
			input.MessagePayloadProcessorConfig = keptInput.MessagePayloadProcessorConfig
			spec.InputSpecs[topic] = input
		}
	}
	if kept.BatchingConfig != nil {
		if spec.ProducerConfig == nil {
			spec.ProducerConfig = &adminv1alpha1.ProducerConfig{}
		}
		spec.ProducerConfig.BatchingConfig = kept.BatchingConfig
	}
	if kept.Disk != nil {
		if spec.Resources == nil {
			spec.Resources = &adminv1alpha1.Resources{}
		}
		spec.Resources.Disk = kept.Disk
	}
	if pkg := spec.Package; pkg != nil && pkg.FileName == "" && kept.FileName == defaultFileName(spec) {
		pkg.FileName = kept.FileName
	}
	spec.CustomRuntimeOptions = kept.CustomRuntimeOptions
	spec.ExposePulsarAdminClientEnabled = kept.ExposePulsarAdminClientEnabled
	return nil
}
