// Package inspect finds out what is in a package before it runs, without running it:
// whether the class is there, implements what it should, and which types it takes and
// gives.
//
// It exists because Pulsar's functions worker does so when a component is created, so
// that users need not say what the class file says anyway, and learn of a typo before
// a pod crashes over it. Rules, their order and their texts are Pulsar's
// (FunctionConfigUtils, SinkConfigUtils, SourceConfigUtils and ValidatorUtils of its
// 4.0 line). Where a rule needs a class that is neither in the package nor known here,
// it is left to the runner, which has it or not.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/archive"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
)

// Refusal says why a package can't run as the spec says, in Pulsar's words where it
// has any.
type Refusal struct{ message string }

func (r *Refusal) Error() string { return r.message }

func refuse(format string, arguments ...any) error {
	return &Refusal{fmt.Sprintf(format, arguments...)}
}

// Complete checks the package of size bytes against a component's spec, and fills in
// what the package says and the spec leaves out: the class, and the classes of what
// comes in and goes out. Errors are of type *Refusal, or those of reading. When ctx ends
// the package is refused: it takes no longer than it is allowed to.
func Complete(ctx context.Context, component v1alpha1.Component, reader io.ReaderAt, size int64) error {
	if function, ok := component.(*v1alpha1.PulsarFunction); ok {
		switch {
		case function.Spec.Python != nil:
			return checkPython(function.Spec.Package, reader, size)
		case function.Spec.Go != nil:
			_, err := Executable(reader)
			return err
		case function.Spec.Generic != nil:
			return nil
		}
	}
	opened, err := archive.Open(reader, size, archive.DefaultLimits)
	var limit *archive.LimitError
	switch {
	case errors.Is(err, archive.ErrFormat):
		return refuse("%s package is not a Java archive (jar or nar)", component.ComponentKind().Title)
	case errors.As(err, &limit):
		return refuse("%s package is refused: %v", component.ComponentKind().Title, limit)
	case err != nil:
		return err
	}
	defer opened.Close()

	inspection := &inspection{archive: opened, pool: &javaclass.Pool{Find: func(name string) (*javaclass.Class, error) {
		return opened.Class(ctx, name)
	}}}
	switch component := component.(type) {
	case *v1alpha1.PulsarFunction:
		err = inspection.function(component)
	case *v1alpha1.PulsarSink:
		err = inspection.sink(component)
	case *v1alpha1.PulsarSource:
		err = inspection.source(component)
	}
	var refusal *Refusal
	if err != nil && !errors.As(err, &refusal) {
		return refuse("%s package can't be read: %v", component.ComponentKind().Title, err)
	}
	return err
}

// inspection is the work on one archive.
type inspection struct {
	archive *archive.Archive
	pool    *javaclass.Pool
}

// object stands for a type that can't be told.
const object = "java.lang.Object"

// class returns the class of a name, or the refusal missing. A class that the runner
// brings along is nil: there is nothing to check about it.
func (i *inspection) class(name string, missing error) (*javaclass.Class, error) {
	class, err := i.pool.Class(name)
	if errors.Is(err, javaclass.ErrNotFound) {
		if ofRunner(name) {
			return nil, nil
		}
		return nil, missing
	}
	return class, err
}

// ofRunner tells whether a class may be one that Pulsar's runner images hold.
func ofRunner(name string) bool {
	for _, prefix := range []string{"java.", "javax.", "org.apache.pulsar.functions.", "org.apache.pulsar.client.", "org.apache.pulsar.io.core."} {
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, "org.apache.pulsar.functions.api.examples.") {
			return true
		}
	}
	return false
}

// implementsAny returns the first of some interfaces that a class implements, and
// whether that could be told at all.
func (i *inspection) implementsAny(class *javaclass.Class, names ...string) (string, javaclass.Answer, error) {
	result := javaclass.No
	for _, name := range names {
		answer, err := i.pool.Implements(class, name)
		if err != nil || answer == javaclass.Yes {
			return name, answer, err
		}
		if answer == javaclass.Unknown {
			result = javaclass.Unknown
		}
	}
	return "", result, nil
}

// argument returns the first type argument with which a class implements an
// interface, or nil when it uses it without arguments.
func (i *inspection) argument(class *javaclass.Class, name string) (*javaclass.Type, error) {
	arguments, err := i.pool.Arguments(class, name)
	if err != nil || len(arguments) == 0 {
		return nil, err
	}
	return &arguments[0], nil
}

// nameOf returns the name of a type for a spec; "" when it isn't known.
func nameOf(t *javaclass.Type) string {
	if t == nil {
		return ""
	}
	return t.String()
}

// fill sets a spec's field where it is empty.
func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}
