package javaclass

import (
	"errors"
	"strings"
)

// maxDepth bounds how deep type arguments nest: List<List<List<…>>>.
const maxDepth = 32

// maxDimensions is how many dimensions an array can have (JVM specification 4.3.2).
const maxDimensions = 255

// Type is a use of a class, of a type variable or of a primitive, perhaps in an array.
type Type struct {
	// Name is the binary name of a class, or the name of a primitive type. Empty for
	// a variable.
	Name string
	// Variable is the name of a type parameter.
	Variable string
	// Arguments are the type arguments. A wildcard is its upper bound.
	Arguments []Type
	// Dimensions is how many times it is an array.
	Dimensions int
}

var errSignature = errors.New("its signature is not one")

// object is what everything is.
var object = Type{Name: "java.lang.Object"}

// primitives are the types that are no classes, by their letter in descriptors.
var primitives = map[byte]string{
	'B': "byte", 'C': "char", 'D': "double", 'F': "float", 'I': "int", 'J': "long", 'S': "short", 'Z': "boolean",
}

// String returns the name as reflection gives it (Class.getName): java.lang.String,
// and [B or [Ljava.lang.String; for arrays. Arguments are left out.
func (t Type) String() string {
	if t.Dimensions == 0 {
		return t.Name
	}
	element := "L" + t.Name + ";"
	for letter, name := range primitives {
		if name == t.Name {
			element = string(letter)
		}
	}
	return strings.Repeat("[", t.Dimensions) + element
}

// SourceName returns the name as one writes it in Java: byte[].
func (t Type) SourceName() string {
	return t.Name + strings.Repeat("[]", t.Dimensions)
}

// signatureParser reads the grammar of JVM specification 4.7.9.1.
type signatureParser struct {
	rest  string
	depth int
}

// parseClassSignature reads the Signature attribute of a class.
func parseClassSignature(signature string) (parameters []Parameter, super Type, interfaces []Type, err error) {
	p := &signatureParser{rest: signature}
	if p.accept('<') {
		if parameters, err = p.parameters(); err != nil {
			return nil, Type{}, nil, err
		}
	}
	if super, err = p.classType(); err != nil {
		return nil, Type{}, nil, err
	}
	for p.rest != "" {
		implemented, err := p.classType()
		if err != nil {
			return nil, Type{}, nil, err
		}
		interfaces = append(interfaces, implemented)
	}
	return parameters, super, interfaces, nil
}

func (p *signatureParser) accept(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// until returns what comes before the first of the characters in stop.
func (p *signatureParser) until(stop string) (string, error) {
	end := strings.IndexAny(p.rest, stop)
	if end <= 0 || end > maxClassName {
		return "", errSignature
	}
	text := p.rest[:end]
	p.rest = p.rest[end:]
	return text, nil
}

// parameters reads type parameters after their opening bracket.
func (p *signatureParser) parameters() ([]Parameter, error) {
	var parameters []Parameter
	for !p.accept('>') {
		name, err := p.until(":<>;/.")
		if err != nil || !p.accept(':') {
			return nil, errSignature
		}
		parameter := Parameter{Name: name, Bound: object}
		bounds := 0
		// The class bound may be empty; interface bounds follow it, each after a colon.
		if p.rest != "" && p.rest[0] != ':' && p.rest[0] != '>' && strings.IndexByte("L[T", p.rest[0]) >= 0 {
			if parameter.Bound, err = p.fieldType(); err != nil {
				return nil, err
			}
			bounds++
		}
		for p.accept(':') {
			bound, err := p.fieldType()
			if err != nil {
				return nil, err
			}
			if bounds == 0 {
				parameter.Bound = bound
			}
			bounds++
		}
		parameters = append(parameters, parameter)
	}
	if len(parameters) == 0 {
		return nil, errSignature
	}
	return parameters, nil
}

// fieldType reads a reference type: of a class, an array or a variable.
func (p *signatureParser) fieldType() (Type, error) {
	if p.depth++; p.depth > maxDepth {
		return Type{}, errSignature
	}
	defer func() { p.depth-- }()
	dimensions := 0
	for p.accept('[') {
		dimensions++
	}
	var parsed Type
	var err error
	switch {
	case p.rest == "" || dimensions > maxDimensions:
		return Type{}, errSignature
	case p.rest[0] == 'L':
		parsed, err = p.classType()
	case p.accept('T'):
		if parsed.Variable, err = p.until(";<>:/."); err == nil && !p.accept(';') {
			err = errSignature
		}
	case dimensions > 0 && primitives[p.rest[0]] != "":
		parsed = Type{Name: primitives[p.rest[0]]}
		p.rest = p.rest[1:]
	default:
		return Type{}, errSignature
	}
	parsed.Dimensions = dimensions
	return parsed, err
}

// classType reads Lpackage/Outer<arguments>.Inner<arguments>;. The arguments are
// those of the innermost class.
func (p *signatureParser) classType() (Type, error) {
	if !p.accept('L') {
		return Type{}, errSignature
	}
	name, err := p.until("<;.")
	if err != nil {
		return Type{}, err
	}
	var arguments []Type
	for {
		switch {
		case p.accept('<'):
			if arguments, err = p.arguments(); err != nil {
				return Type{}, err
			}
		case p.accept('.'):
			inner, err := p.until("<;.")
			if err != nil {
				return Type{}, err
			}
			name, arguments = name+"$"+inner, nil
		case p.accept(';'):
			name, err := binaryName(name)
			return Type{Name: name, Arguments: arguments}, err
		default:
			return Type{}, errSignature
		}
	}
}

// arguments reads type arguments after their opening bracket.
func (p *signatureParser) arguments() ([]Type, error) {
	var arguments []Type
	for !p.accept('>') {
		switch {
		case p.accept('*'):
			arguments = append(arguments, object)
			continue
		case p.accept('-'):
			// ? super X may be anything above X, so it is erased to Object.
			if _, err := p.fieldType(); err != nil {
				return nil, err
			}
			arguments = append(arguments, object)
			continue
		}
		p.accept('+')
		argument, err := p.fieldType()
		if err != nil {
			return nil, err
		}
		arguments = append(arguments, argument)
	}
	if len(arguments) == 0 {
		return nil, errSignature
	}
	return arguments, nil
}
