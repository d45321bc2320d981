package javaclass

import (
	"errors"
	"fmt"
)

// maxSteps bounds how many supertypes one question may lead through. Class files may
// claim hierarchies that no compiler would make, circles among them.
const maxSteps = 2000

// ErrNotFound says that there is no such class.
var ErrNotFound = errors.New("no such class")

// Answer is whether something holds, as far as it can be told from the classes at
// hand.
type Answer int

// No, Yes, and Unknown: some supertype is neither in the package nor one of those that
// are known to be in every runner.
const (
	No Answer = iota
	Yes
	Unknown
)

// Pool answers questions about classes that refer to each other.
type Pool struct {
	// Find returns a class by its binary name, or ErrNotFound.
	Find func(name string) (*Class, error)
	// steps is what is left of maxSteps for the current question.
	steps int
}

// Class returns the class of a name: one of the package's own, or one of those that
// every runner has. The package's come second, as with a class loader, whose parent is
// asked first. Errors are ErrNotFound and those of reading it.
func (p *Pool) Class(name string) (*Class, error) {
	if class, ok := runnerClasses[name]; ok {
		return class, nil
	}
	return p.Find(name)
}

// Implements tells whether a class is, extends or implements what is called name.
func (p *Pool) Implements(class *Class, name string) (Answer, error) {
	_, answer, err := p.as(class, name)
	return answer, err
}

// Arguments returns the type arguments with which a class implements an interface:
// for name java.util.function.Function and a class that extends one which implements
// Function<String, T>, String and whatever T is in the class's extends clause. Type
// parameters that nothing is known about are their bounds. It returns nothing when
// the class uses the interface without arguments.
func (p *Pool) Arguments(class *Class, name string) ([]Type, error) {
	arguments, answer, err := p.as(class, name)
	if err != nil {
		return nil, err
	}
	if answer != Yes {
		return nil, fmt.Errorf("could not find out the type arguments of %s: %w", name, ErrNotFound)
	}
	return arguments, nil
}

// Assignable tells whether a value of type from is also one of type to, leaving type
// arguments out.
func (p *Pool) Assignable(from, to Type) (Answer, error) {
	if from.Dimensions == to.Dimensions && from.Name == to.Name {
		return Yes, nil
	}
	if to.Name == object.Name && to.Dimensions <= from.Dimensions {
		return Yes, nil
	}
	if from.Dimensions != to.Dimensions {
		return No, nil
	}
	class, err := p.Class(from.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		return Unknown, nil
	case err != nil:
		return Unknown, err
	}
	return p.Implements(class, to.Name)
}

// as returns the arguments with which a class is what is called name.
func (p *Pool) as(class *Class, name string) ([]Type, Answer, error) {
	p.steps = maxSteps
	variables := map[string]Type{}
	for _, parameter := range class.Parameters {
		variables[parameter.Name] = erase(parameter.Bound, variables)
	}
	return p.search(class, variables, name)
}

func (p *Pool) search(class *Class, variables map[string]Type, name string) ([]Type, Answer, error) {
	if p.steps--; p.steps < 0 {
		return nil, Unknown, errors.New("could not follow the supertypes of a class: there are too many of them")
	}
	if class.Name == name {
		arguments := make([]Type, 0, len(class.Parameters))
		for _, parameter := range class.Parameters {
			arguments = append(arguments, variables[parameter.Name])
		}
		return arguments, Yes, nil
	}
	answer := p.bestNo(class, name)
	supertypes := class.Interfaces
	if class.Super != nil {
		supertypes = append(supertypes[:len(supertypes):len(supertypes)], *class.Super)
	}
	for _, supertype := range supertypes {
		if supertype.Name == object.Name && name != object.Name {
			continue
		}
		next, err := p.Class(supertype.Name)
		if errors.Is(err, ErrNotFound) {
			answer = Unknown
			continue
		}
		if err != nil {
			return nil, Unknown, err
		}
		arguments, found, err := p.search(next, bind(next, supertype, variables), name)
		if err != nil || found == Yes {
			return arguments, found, err
		}
		if found == Unknown {
			answer = Unknown
		}
	}
	return nil, answer, nil
}

// bestNo returns what is known when nothing that class is described with leads to
// name. Of the runner's classes not every supertype is described.
func (p *Pool) bestNo(class *Class, name string) Answer {
	if class.Name == object.Name || runnerClasses[class.Name] != class || runnerClasses[name] != nil {
		return No
	}
	if _, err := p.Find(name); err == nil {
		return No // The runner's classes don't extend a package's.
	}
	return Unknown
}

// bind returns what the type parameters of class are in the use of it.
func bind(class *Class, use Type, outer map[string]Type) map[string]Type {
	variables := map[string]Type{}
	for i, parameter := range class.Parameters {
		if len(use.Arguments) == len(class.Parameters) {
			variables[parameter.Name] = substitute(use.Arguments[i], outer)
		} else {
			variables[parameter.Name] = erase(parameter.Bound, variables)
		}
	}
	return variables
}

// substitute replaces type variables by what they are.
func substitute(t Type, variables map[string]Type) Type {
	if t.Variable != "" {
		known, ok := variables[t.Variable]
		if !ok {
			known = object
		}
		known.Dimensions = min(known.Dimensions+t.Dimensions, maxDimensions)
		return known
	}
	if len(t.Arguments) == 0 {
		return t
	}
	arguments := make([]Type, len(t.Arguments))
	for i := range arguments {
		arguments[i] = substitute(t.Arguments[i], variables)
	}
	t.Arguments = arguments
	return t
}

// erase is substitute for a bound, which may refer to parameters that come later, or
// to its own: <T extends Comparable<T>>.
func erase(bound Type, variables map[string]Type) Type {
	bound.Arguments = nil
	return substitute(bound, variables)
}
