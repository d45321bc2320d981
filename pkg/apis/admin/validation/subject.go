package validation

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// subject is a component taken apart. What its kind doesn't have is empty, so that
// a rule need not ask for the kind first.
type subject struct {
	component v1alpha1.Component
	kind      v1alpha1.ComponentKind

	spec   *v1alpha1.ComponentSpec
	input  *v1alpha1.InputConfig
	output *v1alpha1.OutputConfig
	// These hold only what the kind has besides the parts above.
	function *v1alpha1.PulsarFunctionSpec
	source   *v1alpha1.PulsarSourceSpec
	sink     *v1alpha1.PulsarSinkSpec
}

func takeApart(component v1alpha1.Component) *subject {
	s := &subject{
		component: component,
		kind:      component.ComponentKind(),
		spec:      component.Common(),
		input:     component.Input(),
		output:    component.Output(),
		function:  &v1alpha1.PulsarFunctionSpec{},
		source:    &v1alpha1.PulsarSourceSpec{},
		sink:      &v1alpha1.PulsarSinkSpec{},
	}
	if s.input == nil {
		s.input = &v1alpha1.InputConfig{}
	}
	if s.output == nil {
		s.output = &v1alpha1.OutputConfig{}
	}
	switch component := component.(type) {
	case *v1alpha1.PulsarFunction:
		s.function = &component.Spec
	case *v1alpha1.PulsarSource:
		s.source = &component.Spec
	case *v1alpha1.PulsarSink:
		s.sink = &component.Spec
	}
	return s
}

// wholeSpec returns the spec as the kind has it.
func (s *subject) wholeSpec() any {
	switch component := s.component.(type) {
	case *v1alpha1.PulsarSource:
		return &component.Spec
	case *v1alpha1.PulsarSink:
		return &component.Spec
	default:
		return s.function
	}
}

// pod returns how pods are made, which may be empty.
func (s *subject) pod() *v1alpha1.Pod {
	if s.spec.Pod == nil {
		return &v1alpha1.Pod{}
	}
	return s.spec.Pod
}

// location returns where the package is fetched from, or "".
func (s *subject) location() string {
	if s.spec.Package == nil {
		return ""
	}
	return s.spec.Package.Location
}

// identity returns what the component is called in Pulsar.
func (s *subject) identity() identity.Name {
	return identity.Name{Tenant: s.spec.Tenant, Namespace: s.spec.Namespace, Name: s.spec.Name}
}

// A language runtime: the name of its field in the spec.
const (
	runtimeJava    = "java"
	runtimePython  = "python"
	runtimeGo      = "go"
	runtimeGeneric = "generic"
)

// runtimes returns the runtimes that are set.
func (s *subject) runtimes() []string {
	var set []string
	if s.spec.Java != nil {
		set = append(set, runtimeJava)
	}
	if s.function.Python != nil {
		set = append(set, runtimePython)
	}
	if s.function.Go != nil {
		set = append(set, runtimeGo)
	}
	if s.function.Generic != nil {
		set = append(set, runtimeGeneric)
	}
	return set
}

// runtime returns the runtime, or "" if it is not exactly one.
func (s *subject) runtime() string {
	if set := s.runtimes(); len(set) == 1 {
		return set[0]
	}
	return ""
}

// runtimeLog is what a runtime of a component logs.
type runtimeLog struct {
	runtime string
	log     *v1alpha1.RuntimeLog
}

// runtimeLogs returns the log settings that there are.
func (s *subject) runtimeLogs() []runtimeLog {
	var logs []runtimeLog
	add := func(runtime string, settings *v1alpha1.Runtime) {
		if settings != nil && settings.Log != nil {
			logs = append(logs, runtimeLog{runtime, settings.Log})
		}
	}
	if s.spec.Java != nil {
		add(runtimeJava, &s.spec.Java.Runtime)
	}
	add(runtimePython, s.function.Python)
	add(runtimeGo, s.function.Go)
	return logs
}

// rawConfig is free configuration, and where it stands below the spec.
type rawConfig struct {
	path  []string
	value **runtime.RawExtension
}

// rawConfigs returns the places of free configuration that there are.
func (s *subject) rawConfigs() []rawConfig {
	raw := []rawConfig{
		{[]string{"userConfig"}, &s.function.UserConfig},
		{[]string{"configs"}, &s.source.Configs},
		{[]string{"configs"}, &s.sink.Configs},
	}
	if batch := s.source.BatchSourceConfig; batch != nil {
		raw = append(raw, rawConfig{[]string{"batchSourceConfig", "discoveryTriggererConfig"}, &batch.DiscoveryTriggererConfig})
	}
	if own := s.function.SourceConfig; own != nil {
		raw = append(raw, rawConfig{[]string{"sourceConfig", "configs"}, &own.Configs})
		if batch := own.BatchSourceConfig; batch != nil {
			raw = append(raw, rawConfig{[]string{"sourceConfig", "batchSourceConfig", "discoveryTriggererConfig"}, &batch.DiscoveryTriggererConfig})
		}
	}
	if own := s.function.SinkConfig; own != nil {
		raw = append(raw, rawConfig{[]string{"sinkConfig", "configs"}, &own.Configs})
	}
	if state := s.spec.StateConfig; state != nil && state.JavaProvider != nil {
		raw = append(raw, rawConfig{[]string{"stateConfig", "javaProvider", "config"}, &state.JavaProvider.Config})
	}
	return raw
}
