package translation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/customruntimeoptions"
)

const (
	// KeptFieldsAnnotation holds, on the custom resource, those fields of a view
	// that the resource has no place for, as JSON. Losing it loses nothing else.
	KeptFieldsAnnotation = ReservedPrefix + "kept-fields"
	// MaxKeptFieldsSize is how many bytes of JSON such fields may be.
	MaxKeptFieldsSize = 64 << 10

	keptFieldsVersion = 1
	optionsPath       = "spec.customRuntimeOptions"

	// ReasonKeptFieldsUnread is of condition Translated, which is then Unknown.
	ReasonKeptFieldsUnread = "KeptFieldsUnread"
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
	// Image is the image where its author chose the one that it would have had
	// anyway.
	Image string `json:"image,omitempty"`
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
	keep(optionsPath, kept.CustomRuntimeOptions != "" && !customruntimeoptions.InEffect(view))
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
// has no effect, or that can't even be stored.
func KeptFieldWarnings(view adminv1alpha1.Component) []string {
	_, paths := keptFieldsOf(view)
	reason := " has no effect yet: Function Mesh has no place for it"
	if keptFieldsUnread(view) {
		reason = " is not stored: annotation " + KeptFieldsAnnotation + " was written by another version of this server"
	}
	warnings := make([]string, 0, len(paths))
	for _, path := range paths {
		if path == optionsPath && !keptFieldsUnread(view) {
			warnings = append(warnings, path+" has no effect by itself: other fields of the object say otherwise")
			continue
		}
		warnings = append(warnings, path+reason)
	}
	return warnings
}

// KeptFieldsSize returns how many bytes the fields of a view without a place in
// the custom resource need; MaxKeptFieldsSize is the limit.
func KeptFieldsSize(view adminv1alpha1.Component) (int, error) {
	kept, _ := keptFieldsOf(view)
	encoded, err := kept.encode()
	return len(encoded), err
}

// keptToCR writes the annotation. One that this server can't read stays: neither the
// old view of an update nor the new one says anything about it.
func (t *Translator[CR, P, View]) keptToCR(view View, cr *metav1.ObjectMeta) error {
	if keptFieldsUnread(view) {
		return nil
	}
	kept, _ := keptFieldsOf(view)
	if pod := view.Common().Pod; pod != nil && pod.Image == t.defaultImageOf(view) {
		kept.Image = pod.Image
	}
	encoded, err := kept.encode()
	if err == nil && encoded != "" {
		setKey(&cr.Annotations, KeptFieldsAnnotation, encoded)
	}
	return err
}

// encode returns the annotation's value; without anything to keep none.
func (k keptFields) encode() (string, error) {
	if reflect.DeepEqual(k, keptFields{Version: keptFieldsVersion}) {
		return "", nil
	}
	data, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("could not encode the fields that Function Mesh has no place for: %w", err)
	}
	return string(data), nil
}

// decodeKeptFields reads the annotation's value.
func decodeKeptFields(encoded string) (keptFields, error) {
	var kept keptFields
	if encoded == "" {
		return kept, nil
	}
	// Of a later version not even the fields are known.
	var versioned struct {
		Version int `json:"version"`
	}
	if json.Unmarshal([]byte(encoded), &versioned) == nil && versioned.Version > keptFieldsVersion {
		return keptFields{}, fmt.Errorf("annotation %s has version %d, which this server doesn't know", KeptFieldsAnnotation, versioned.Version)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(encoded)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&kept); err != nil {
		return keptFields{}, fmt.Errorf("annotation %s can't be read: %w", KeptFieldsAnnotation, err)
	}
	if decoder.More() {
		return keptFields{}, fmt.Errorf("annotation %s can't be read: it has more than one value", KeptFieldsAnnotation)
	}
	if kept.Version != keptFieldsVersion {
		return keptFields{}, fmt.Errorf("annotation %s has version %d, which this server doesn't know", KeptFieldsAnnotation, kept.Version)
	}
	return kept, nil
}

// keptFieldsUnread tells whether a view lacks what its resource keeps, since that
// can't be read.
func keptFieldsUnread(view adminv1alpha1.Component) bool {
	condition := meta.FindStatusCondition(view.ObservedStatus().Conditions, adminv1alpha1.ConditionTranslated)
	return condition != nil && condition.Reason == ReasonKeptFieldsUnread
}

// reportUnreadKeptFields says in a view's conditions that it lacks something.
func reportUnreadKeptFields(view adminv1alpha1.Component, cause error) {
	status := view.ObservedStatus()
	status.Conditions = append(status.Conditions, metav1.Condition{
		Type:               adminv1alpha1.ConditionTranslated,
		Status:             metav1.ConditionUnknown,
		ObservedGeneration: view.GetGeneration(),
		LastTransitionTime: view.GetCreationTimestamp(),
		Reason:             ReasonKeptFieldsUnread,
		Message: "The fields that Function Mesh has no place for aren't shown, and stay as they are: " +
			cause.Error() + ".",
	})
}

// keptFromCR restores kept fields. What was kept of an input that the resource no
// longer has is left out.
func (t *Translator[CR, P, View]) keptFromCR(kept keptFields, resource P, view View) error {
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
	if kept.Image != "" && kept.Image == resource.Common().Image {
		podOf(spec).Image = kept.Image
	}
	switch view := any(view).(type) {
	case *adminv1alpha1.PulsarFunction:
		view.Spec.ExposePulsarAdminClientEnabled = kept.ExposePulsarAdminClientEnabled
	case *adminv1alpha1.PulsarSink:
		view.Spec.TransformFunction = kept.TransformFunction
		view.Spec.TopicToSchemaProperties = kept.TopicToSchemaProperties
	}
	var err error
	spec.CustomRuntimeOptions, err = customruntimeoptions.Current(kept.CustomRuntimeOptions, view, t.defaultImageOf(view))
	return err
}
