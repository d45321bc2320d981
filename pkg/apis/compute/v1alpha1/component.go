package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Component is a resource of one of the kinds that the operator runs. What the
// kinds have in common is written once against it.
type Component interface {
	runtime.Object
	metav1.Object

	// Common returns the part of the spec that every kind has.
	Common() *CommonSpec
	// Consume returns the part of the spec that says what is consumed, or nil for a
	// Source.
	Consume() *ConsumeSpec
	// Produce returns the part of the spec that says what is produced, or nil for a
	// Sink.
	Produce() *ProduceSpec
	// Observed returns the status, or nil until the operator has seen the resource.
	Observed() *Status
}

var (
	_ Component = (*Function)(nil)
	_ Component = (*Source)(nil)
	_ Component = (*Sink)(nil)
)

// Common implements Component.
func (f *Function) Common() *CommonSpec { return &f.Spec.CommonSpec }

// Consume implements Component.
func (f *Function) Consume() *ConsumeSpec { return &f.Spec.ConsumeSpec }

// Produce implements Component.
func (f *Function) Produce() *ProduceSpec { return &f.Spec.ProduceSpec }

// Observed implements Component.
func (f *Function) Observed() *Status { return f.Status }

// Common implements Component.
func (s *Source) Common() *CommonSpec { return &s.Spec.CommonSpec }

// Consume implements Component: a Source consumes nothing.
func (*Source) Consume() *ConsumeSpec { return nil }

// Produce implements Component.
func (s *Source) Produce() *ProduceSpec { return &s.Spec.ProduceSpec }

// Observed implements Component.
func (s *Source) Observed() *Status { return s.Status }

// Common implements Component.
func (s *Sink) Common() *CommonSpec { return &s.Spec.CommonSpec }

// Consume implements Component.
func (s *Sink) Consume() *ConsumeSpec { return &s.Spec.ConsumeSpec }

// Produce implements Component: a Sink produces nothing.
func (*Sink) Produce() *ProduceSpec { return nil }

// Observed implements Component.
func (s *Sink) Observed() *Status { return s.Status }
