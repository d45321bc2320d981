package validation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// runtimeLogLevels are the levels that Function Mesh can set per runtime. It takes
// info for all others.
var runtimeLogLevels = map[string][]string{
	runtimeJava:   {"off", "trace", "debug", "info", "warn", "error", "fatal", "all"},
	runtimePython: {"debug", "info", "warn", "error", "fatal"},
	runtimeGo:     {"trace", "debug", "info", "warn", "error", "fatal", "panic"},
}

// Warnings says what of a valid component will surprise: it is accepted, and
// Function Mesh does something else or nothing. Fields for which Function Mesh has
// no place at all are not among them: the translation knows those.
func Warnings(component v1alpha1.Component) []string {
	w := &warnings{subject: takeApart(component)}
	w.ofMessages()
	w.ofRuntime()
	w.ofPod()
	return w.texts
}

// warnings collects what to warn of.
type warnings struct {
	*subject
	texts []string
}

func (w *warnings) add(format string, args ...any) {
	w.texts = append(w.texts, fmt.Sprintf(format, args...))
}

// ofMessages warns of what is consumed, produced and configured.
func (w *warnings) ofMessages() {
	for _, raw := range w.rawConfigs() {
		if *raw.value != nil && bytes.ContainsRune((*raw.value).Raw, '\'') {
			w.add("spec.%s: holds a single quote, which Function Mesh before v0.27.2 passes to a shell unescaped",
				strings.Join(raw.path, "."))
		}
	}
	if own := w.function.SourceConfig; own != nil && own.BatchSourceConfig != nil {
		w.add("spec.sourceConfig.batchSourceConfig: Function Mesh does not pass it on, and runs the source as any other")
	}
	w.ofOutputSchemas()
	if w.kind == v1alpha1.SourceKind && w.output.Output == "" {
		w.add("spec.output: what the source produces goes nowhere without a topic")
	}
	if retries := w.input.MaxMessageRetries; retries != nil && *retries == 0 {
		w.add("spec.maxMessageRetries: Function Mesh takes 0 for no limit")
	}
	if w.function.WindowConfig == nil && w.input.AutoAck != nil && !*w.input.AutoAck {
		w.add("spec.autoAck: deprecated in Pulsar, where processingGuarantees MANUAL says the same as false")
	}
	for _, builder := range batchBuildersOf(w.output.ProducerConfig) {
		if builder.value != "" && !slices.Contains(batchBuilders, builder.value) {
			w.add("spec.%s: Pulsar takes DEFAULT for whatever is none of %s", builder.member, strings.Join(batchBuilders, " and "))
		}
	}
}

// ofOutputSchemas warns of what is overlooked in the schemas of outputs, as in Pulsar.
func (w *warnings) ofOutputSchemas() {
	if w.runtime() == runtimeGo {
		return // which is told nothing of them
	}
	if w.kind == v1alpha1.SourceKind && len(w.output.CustomSchemaOutputs) > 0 {
		w.add("spec.customSchemaOutputs: Function Mesh does not pass it on for a source")
		return
	}
	for _, name := range sortedKeys(w.output.CustomSchemaOutputs) {
		path := fmt.Sprintf("spec.customSchemaOutputs[%s]", shortened(name))
		if name != w.output.Output {
			w.add("%s: has no effect, since this is not the output", path)
			continue
		}
		var schema struct {
			SchemaType string `json:"schemaType"`
		}
		if json.Unmarshal([]byte(w.output.CustomSchemaOutputs[name]), &schema) == nil && schema.SchemaType != "" {
			w.add("%s: only its properties count, and spec.outputSchemaType is the type", path)
		}
	}
}

// ofRuntime warns of what the language runtime isn't told.
func (w *warnings) ofRuntime() {
	if w.spec.RuntimeFlags != "" {
		w.add("spec.runtimeFlags: Function Mesh does not put them on the command line of an instance")
	}
	for _, of := range w.runtimeLogs() {
		path := "spec." + of.runtime + ".log"
		if level := of.log.Level; level != "" && !slices.Contains(runtimeLogLevels[of.runtime], level) {
			w.add("%s.level: Function Mesh has no %q for this runtime and takes info", path, level)
		}
		if fileType := of.log.JavaLog4JConfigFileType; of.runtime != runtimeJava && fileType != "" {
			w.add("%s.javaLog4JConfigFileType: is only for Java", path)
		} else if fileType == "ini" {
			w.add("%s.javaLog4JConfigFileType: Function Mesh makes no configuration of this type", path)
		}
		if of.runtime == runtimeGo && of.log.LogConfig != nil {
			w.add("%s.logConfig: Function Mesh does not tell Go functions about it", path)
		}
	}
	if state := w.spec.StateConfig; state != nil && state.JavaProvider != nil {
		if w.runtime() != runtimeJava {
			w.add("spec.stateConfig.javaProvider: is only for Java")
		} else if config := state.JavaProvider.Config; config != nil && len(config.Raw) > 0 {
			w.add("spec.stateConfig.javaProvider.config: Function Mesh does not pass it on")
		}
	}
	if w.runtime() == runtimeGo {
		if ignored := w.ignoredByGo(); len(ignored) > 0 {
			w.add("Function Mesh does not tell Go functions about %s", strings.Join(ignored, ", "))
		}
	}
}

// ofPod warns of what has no effect on the pods.
func (w *warnings) ofPod() {
	pod := w.pod()
	if pod.ImagePullPolicy != "" {
		w.add("spec.pod.imagePullPolicy: has no effect, Function Mesh takes the one of its own configuration")
	}
	if pod.FilebeatImage != "" && w.spec.LogTopicAgent == "runtime" {
		w.add("spec.pod.filebeatImage: has no effect while logTopicAgent is runtime")
	}
	if w.spec.LogTopicAgent != "" && w.spec.LogTopic == "" {
		w.add("spec.logTopicAgent: has no effect without a logTopic")
	}
	if hpa := pod.HPA; hpa != nil {
		if w.spec.MaxReplicas == nil {
			w.add("spec.pod.hpa: has no effect without maxReplicas")
		}
		if len(hpa.BuiltinRules) > 0 && (len(hpa.Metrics) > 0 || hpa.Behavior != nil) {
			w.add("spec.pod.hpa: metrics and behavior have no effect beside builtinRules")
		}
	}
	if liveness := pod.Liveness; liveness != nil && liveness.PeriodSeconds == 0 {
		w.add("spec.pod.liveness: no checks are made while periodSeconds is 0")
	}
	if len(pod.VolumeClaimTemplates) == 0 && pod.PersistentVolumeClaimRetentionPolicy != nil {
		w.add("spec.pod.persistentVolumeClaimRetentionPolicy: has no effect without volumeClaimTemplates")
	}
}

var batchBuilders = []string{"DEFAULT", "KEY_BASED"}

type member struct{ member, value string }

func batchBuildersOf(producer *v1alpha1.ProducerConfig) []member {
	if producer == nil {
		return nil
	}
	builders := []member{{"producerConfig.batchBuilder", producer.BatchBuilder}}
	if producer.BatchingConfig != nil {
		builders = append(builders, member{"producerConfig.batchingConfig.batchBuilder", producer.BatchingConfig.BatchBuilder})
	}
	return builders
}

// ignoredByGo names the fields that have no effect on a Go function.
func (s *subject) ignoredByGo() []string {
	var ignored []string
	for _, candidate := range []struct {
		name string
		set  bool
	}{
		{"spec.retainOrdering", s.input.RetainOrdering},
		{"spec.customSerdeInputs", len(s.input.CustomSerdeInputs) > 0},
		{"spec.customSchemaInputs", len(s.input.CustomSchemaInputs) > 0},
		{"spec.customSchemaOutputs", len(s.output.CustomSchemaOutputs) > 0},
		{"spec.outputSerdeClassName", s.output.OutputSerdeClassName != ""},
		{"spec.outputSchemaType", s.output.OutputSchemaType != ""},
		{"spec.producerConfig", s.output.ProducerConfig != nil},
	} {
		if candidate.set {
			ignored = append(ignored, candidate.name)
		}
	}
	for _, name := range sortedKeys(s.input.InputSpecs) {
		consumer := s.input.InputSpecs[name]
		if consumer.SchemaType != "" || consumer.SerdeClassName != "" || consumer.ReceiverQueueSize != nil ||
			consumer.CryptoConfig != nil || len(consumer.SchemaProperties)+len(consumer.ConsumerProperties) > 0 {
			ignored = append(ignored, fmt.Sprintf("the settings in spec.inputSpecs[%s]", shortened(name)))
		}
	}
	return ignored
}
