package javaclass

import (
	"errors"
	"fmt"
	"strings"
)

// magic begins every class file.
const magic = 0xCAFEBABE

// The flags of a class that matter here (JVM specification, table 4.1-B).
const (
	flagInterface = 0x0200
	flagModule    = 0x8000
)

// Class is what a class file says of its class. Names are binary names with dots:
// java.util.Map$Entry.
type Class struct {
	Name string
	// Interface tells an interface from a class.
	Interface bool
	// Parameters are the type parameters, with their bounds.
	Parameters []Parameter
	// Super is what the class extends. Nil for java.lang.Object.
	Super *Type
	// Interfaces are what it implements, or extends when it is an interface itself.
	Interfaces []Type
	// Constructors are the descriptors of its constructors: (Ljava/util/Map;)V.
	Constructors []string
}

// Parameter is a type parameter of a class.
type Parameter struct {
	Name string
	// Bound is the first bound: what the parameter is erased to.
	Bound Type
}

// Parse reads a class file. Errors say what is wrong with it, and hold nothing of it
// but names.
func Parse(file []byte) (*Class, error) {
	class, err := parse(file)
	if err != nil {
		return nil, fmt.Errorf("could not read a class file: %w", err)
	}
	return class, nil
}

func parse(file []byte) (*Class, error) {
	r := &reader{rest: file}
	if r.u4() != magic {
		return nil, errors.New("it does not begin with CAFEBABE")
	}
	r.u4() // The version: older and newer formats differ in attributes, which are skipped.
	constants := readConstants(r)
	flags, this, super := r.u2(), r.u2(), r.u2()
	interfaces := make([]uint16, 0, 8)
	for count := r.u2(); count > 0 && r.err == nil; count-- {
		interfaces = append(interfaces, r.u2())
	}
	skipMembers(r) // fields
	constructors := readConstructors(r, constants)
	signature := readSignature(r, constants)
	if r.err != nil {
		return nil, r.err
	}
	if flags&flagModule != 0 {
		return nil, errors.New("it is a module's")
	}

	class := &Class{Interface: flags&flagInterface != 0, Constructors: constructors}
	var err error
	if class.Name, err = constants.className(this); err != nil {
		return nil, err
	}
	if super != 0 {
		name, err := constants.className(super)
		if err != nil {
			return nil, err
		}
		class.Super = &Type{Name: name}
	}
	for _, index := range interfaces {
		name, err := constants.className(index)
		if err != nil {
			return nil, err
		}
		class.Interfaces = append(class.Interfaces, Type{Name: name})
	}
	return class, class.applySignature(signature)
}

// applySignature replaces the erased supertypes by those of the Signature attribute.
// A signature that names other supertypes than the class itself has is refused: the
// virtual machine goes by the latter, and reflection by the former.
func (c *Class) applySignature(signature string) error {
	if signature == "" {
		return nil
	}
	parameters, super, interfaces, err := parseClassSignature(signature)
	if err != nil {
		return err
	}
	if c.Super == nil || super.Name != c.Super.Name || len(interfaces) != len(c.Interfaces) {
		return errors.New("its signature has other supertypes than the class")
	}
	for i := range interfaces {
		if interfaces[i].Name != c.Interfaces[i].Name {
			return errors.New("its signature has other supertypes than the class")
		}
	}
	c.Parameters, c.Super, c.Interfaces = parameters, &super, interfaces
	return nil
}

// readConstructors reads the methods and returns the descriptors of those called
// <init>.
func readConstructors(r *reader, constants constants) []string {
	var found []string
	for count := r.u2(); count > 0 && r.err == nil; count-- {
		r.u2() // flags
		name, descriptor := r.u2(), r.u2()
		skipAttributes(r)
		if text, err := constants.text(name); err == nil && text == "<init>" {
			if text, err := constants.text(descriptor); err == nil {
				found = append(found, text)
			}
		}
	}
	return found
}

// readSignature reads the attributes of a class and returns its signature, or "".
func readSignature(r *reader, constants constants) string {
	signature := ""
	for count := r.u2(); count > 0 && r.err == nil; count-- {
		name := r.u2()
		value := &reader{rest: r.take(r.u4())}
		if text, err := constants.text(name); err != nil || text != "Signature" {
			continue
		}
		text, err := constants.text(value.u2())
		if err != nil && r.err == nil {
			r.err = err
		}
		signature = text
	}
	return signature
}

func skipMembers(r *reader) {
	for count := r.u2(); count > 0 && r.err == nil; count-- {
		r.take(6)
		skipAttributes(r)
	}
}

func skipAttributes(r *reader) {
	for count := r.u2(); count > 0 && r.err == nil; count-- {
		r.u2()
		r.take(r.u4())
	}
}

// HasConstructor tells whether there is a constructor with just one parameter, of
// type parameter.
func (c *Class) HasConstructor(parameter string) bool {
	want := "(L" + strings.ReplaceAll(parameter, ".", "/") + ";)V"
	for _, descriptor := range c.Constructors {
		if descriptor == want {
			return true
		}
	}
	return false
}
