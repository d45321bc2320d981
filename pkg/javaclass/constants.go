package javaclass

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The kinds of constant (JVM specification, table 4.4-A).
const (
	constantUTF8          = 1
	constantInteger       = 3
	constantFloat         = 4
	constantLong          = 5
	constantDouble        = 6
	constantClass         = 7
	constantString        = 8
	constantField         = 9
	constantMethod        = 10
	constantInterface     = 11
	constantNameAndType   = 12
	constantMethodHandle  = 15
	constantMethodType    = 16
	constantDynamic       = 17
	constantInvokeDynamic = 18
	constantModule        = 19
	constantPackage       = 20
)

// maxClassName bounds a name: it becomes part of messages and of a custom resource.
const maxClassName = 1024

// constants is the constant pool of a class file. Only what names need is kept.
type constants struct {
	texts   map[uint16][]byte
	classes map[uint16]uint16
}

func readConstants(r *reader) constants {
	pool := constants{texts: map[uint16][]byte{}, classes: map[uint16]uint16{}}
	count := r.u2()
	for index := uint16(1); index < count && r.err == nil; index++ {
		switch tag := r.u1(); tag {
		case constantUTF8:
			pool.texts[index] = r.take(uint32(r.u2()))
		case constantClass:
			pool.classes[index] = r.u2()
		case constantString, constantMethodType, constantModule, constantPackage:
			r.take(2)
		case constantMethodHandle:
			r.take(3)
		case constantInteger, constantFloat, constantField, constantMethod, constantInterface,
			constantNameAndType, constantDynamic, constantInvokeDynamic:
			r.take(4)
		case constantLong, constantDouble:
			r.take(8)
			if index == count-1 {
				r.err = errTruncated
			}
			index++ // They take two places.
		default:
			if r.err == nil {
				r.err = fmt.Errorf("it has a constant of the unknown kind %d", tag)
			}
		}
	}
	return pool
}

// text returns a constant's text. Java's encoding of text differs from UTF-8 only in
// the character NUL and in those beyond the basic plane, which no sane name has.
func (c constants) text(index uint16) (string, error) {
	text, ok := c.texts[index]
	if !ok {
		return "", errors.New("it refers to a text that it does not have")
	}
	if !utf8.Valid(text) {
		return "", errors.New("it has a name that is not UTF-8")
	}
	return string(text), nil
}

// className returns the binary name of a class that the file refers to.
func (c constants) className(index uint16) (string, error) {
	text, err := c.text(c.classes[index])
	if err != nil {
		return "", err
	}
	return binaryName(text)
}

// binaryName turns the internal form of a name, with slashes, into the one with dots.
func binaryName(internal string) (string, error) {
	if internal == "" || len(internal) > maxClassName || strings.ContainsAny(internal, ".;[<>:\x00 \n\r\t") ||
		strings.HasPrefix(internal, "/") || strings.HasSuffix(internal, "/") || strings.Contains(internal, "//") {
		return "", errors.New("it has a name that no class can have")
	}
	return strings.ReplaceAll(internal, "/", "."), nil
}
