package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Component is an object of one of the kinds that run: a function, a source or a
// sink. What the kinds have in common is written once against it.
type Component interface {
	runtime.Object
	metav1.Object

	// ComponentKind says which of the kinds it is.
	ComponentKind() ComponentKind
	// Common returns the part of the spec that every kind has.
	Common() *ComponentSpec
	// Input returns the part of the spec that says what is consumed, or nil for a
	// source.
	Input() *InputConfig
	// Output returns the part of the spec that says what is produced, or nil for a
	// sink.
	Output() *OutputConfig
	// ObservedStatus returns the status.
	ObservedStatus() *ComponentStatus
}

var (
	_ Component = (*PulsarFunction)(nil)
	_ Component = (*PulsarSource)(nil)
	_ Component = (*PulsarSink)(nil)
)

// ComponentKind names a kind of component in each of its vocabularies.
type ComponentKind struct {
	// Title is how Pulsar's messages call it: Function, Source or Sink.
	Title string
	// Kind and Resource are its names in this group.
	Kind, Resource string
	// Type is what package URLs begin with, and what Function Mesh puts behind the
	// names of what it makes: function, source or sink.
	Type string
}

// The kinds of component.
var (
	FunctionKind = ComponentKind{Title: "Function", Kind: "PulsarFunction", Resource: "pulsarfunctions", Type: "function"}
	SourceKind   = ComponentKind{Title: "Source", Kind: "PulsarSource", Resource: "pulsarsources", Type: "source"}
	SinkKind     = ComponentKind{Title: "Sink", Kind: "PulsarSink", Resource: "pulsarsinks", Type: "sink"}

	// ComponentKinds are all of them.
	ComponentKinds = []ComponentKind{FunctionKind, SourceKind, SinkKind}
)

// ComponentKind implements Component.
func (*PulsarFunction) ComponentKind() ComponentKind { return FunctionKind }

// Common implements Component.
func (f *PulsarFunction) Common() *ComponentSpec { return &f.Spec.ComponentSpec }

// Input implements Component.
func (f *PulsarFunction) Input() *InputConfig { return &f.Spec.InputConfig }

// Output implements Component.
func (f *PulsarFunction) Output() *OutputConfig { return &f.Spec.OutputConfig }

// ObservedStatus implements Component.
func (f *PulsarFunction) ObservedStatus() *ComponentStatus { return &f.Status }

// ComponentKind implements Component.
func (*PulsarSource) ComponentKind() ComponentKind { return SourceKind }

// Common implements Component.
func (s *PulsarSource) Common() *ComponentSpec { return &s.Spec.ComponentSpec }

// Input implements Component: a source consumes nothing.
func (*PulsarSource) Input() *InputConfig { return nil }

// Output implements Component.
func (s *PulsarSource) Output() *OutputConfig { return &s.Spec.OutputConfig }

// ObservedStatus implements Component.
func (s *PulsarSource) ObservedStatus() *ComponentStatus { return &s.Status }

// ComponentKind implements Component.
func (*PulsarSink) ComponentKind() ComponentKind { return SinkKind }

// Common implements Component.
func (s *PulsarSink) Common() *ComponentSpec { return &s.Spec.ComponentSpec }

// Input implements Component.
func (s *PulsarSink) Input() *InputConfig { return &s.Spec.InputConfig }

// Output implements Component: a sink produces nothing.
func (*PulsarSink) Output() *OutputConfig { return nil }

// ObservedStatus implements Component.
func (s *PulsarSink) ObservedStatus() *ComponentStatus { return &s.Status }
