package componentconfig

import (
	"fmt"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Form is how components of one kind are written in Pulsar's admin API.
type Form interface {
	// CheckProvided returns an *Error when data is no config at all, or null. It is
	// the one thing about a config that Pulsar looks at before it asks whether the
	// caller may do anything.
	CheckProvided(data []byte) error
	// Create returns the view of a new component, without metadata, which no config
	// knows. The identity is that of the request's path and wins over the config's.
	// packageURL is where the code is when the request said so apart from the
	// config, else empty. An error is an *Error about something that can't be read
	// or that the view can't hold; whether the component is valid otherwise is not
	// asked.
	Create(data []byte, name identity.Name, packageURL string) (v1alpha1.Component, error)
	// Update merges a config into a component and changes nothing else of it: what
	// no config can say survives. Where neither the config nor packageURL asks for a
	// change the error is ErrNoChange, unless the request does: then otherwise is
	// set. On an error, which is an *Error, the component may be changed in part and
	// is of no use.
	Update(component v1alpha1.Component, data []byte, name identity.Name, packageURL string, otherwise bool) error
	// Read returns what GET answers: every member that Pulsar answers with, in the
	// one form that Pulsar has for it, and nothing that Pulsar keeps to itself. The
	// result shares maps and lists with the component, so neither may be changed in
	// place.
	Read(component v1alpha1.Component) any
}

// FormOf returns the form of a kind.
func FormOf(kind v1alpha1.ComponentKind) Form {
	switch kind {
	case v1alpha1.FunctionKind:
		return functionForm
	case v1alpha1.SinkKind:
		return sinkForm
	case v1alpha1.SourceKind:
		return sourceForm
	}
	panic("no form of kind " + kind.Title)
}

// config is what every kind's configuration can do.
type config interface {
	setIdentity(name identity.Name)
	// setDefaults fills in what Pulsar's worker fills in before it checks a new
	// component. On update, what isn't given keeps its value.
	setDefaults()
}

// form is the Form of a kind by what differs between kinds: C is its configuration, a
// pointer, and V its view.
type form[C config, V v1alpha1.Component] struct {
	kind     v1alpha1.ComponentKind
	parse    func(object) C
	toView   func(config C, packageURL string) (V, error)
	fromView func(V) C
	// merge returns existing, which fromView made, changed by what update says. Both
	// stay as they are. It refuses, with an *Error in Pulsar's words, what can't
	// change once a component exists. Members that Pulsar leaves out of an update
	// have no effect.
	merge func(existing, update C) (C, error)
	// apply writes into the view what merged changed relative to existing, which
	// fromView made of it, and nothing else.
	apply func(view V, existing, merged C, packageURL string) error
}

func (f form[C, V]) CheckProvided(data []byte) error {
	if isNothing(data) {
		return &Error{Reason: f.kind.Title + " config is not provided"}
	}
	return nil
}

// read reads the JSON text of a config.
//
// It is as tolerant as Pulsar: unknown members are ignored, null is absent, an
// unknown constant is null, 5.0 is a whole number, and resources that are given in
// part are completed. Every error is an *Error that names the member; none quotes a
// value.
func (f form[C, V]) read(data []byte) (C, error) {
	var nothing C
	if err := f.CheckProvided(data); err != nil {
		return nothing, err
	}
	in, _, err := parseObject(data, f.kind.Title+" config")
	if err != nil {
		return nothing, err
	}
	config := f.parse(in)
	if *in.err != nil {
		return nothing, *in.err
	}
	return config, nil
}

func (f form[C, V]) Create(data []byte, name identity.Name, packageURL string) (v1alpha1.Component, error) {
	config, err := f.read(data)
	if err != nil {
		return nil, err
	}
	config.setIdentity(name)
	config.setDefaults()
	return f.toView(config, packageURL)
}

func (f form[C, V]) Update(component v1alpha1.Component, data []byte, name identity.Name, packageURL string, otherwise bool) error {
	view, err := f.viewOf(component)
	if err != nil {
		return err
	}
	update, err := f.read(data)
	if err != nil {
		return err
	}
	update.setIdentity(name)
	existing := f.fromView(view)
	merged, err := f.merge(existing, update)
	switch {
	case err != nil:
		return err
	case packageURL == "" && !otherwise && equalities.DeepEqual(existing, merged):
		return ErrNoChange
	}
	return f.apply(view, existing, merged, packageURL)
}

func (f form[C, V]) Read(component v1alpha1.Component) any {
	view, err := f.viewOf(component)
	if err != nil {
		panic(err)
	}
	return f.fromView(view)
}

func (f form[C, V]) viewOf(component v1alpha1.Component) (V, error) {
	view, ok := component.(V)
	if !ok {
		return view, fmt.Errorf("could not read a %T as a %s", component, f.kind.Kind)
	}
	return view, nil
}
