package schema

import (
	"encoding/binary"
	"fmt"
	"math"
)

const (
	// maxAvroDepth is how deep a value of a recursive type goes at most. Java's stack is
	// at its end not much later.
	maxAvroDepth = 3000
	// maxAvroSteps bounds the work where a type has many layers and a value many items.
	maxAvroSteps = 1 << 25
	// maxAvroItems is what Java takes.
	maxAvroItems = math.MaxInt32 - 8
)

// The reasons are Pulsar's where it has one for who triggers.
var (
	errAvroEnds    = &Error{"java.io.EOFException"}
	errAvroInt     = &Error{"org.apache.avro.InvalidNumberEncodingException: Invalid int encoding"}
	errAvroLong    = &Error{"org.apache.avro.InvalidNumberEncodingException: Invalid long encoding"}
	errAvroLength  = &Error{"Malformed data. Length is negative"}
	errAvroItems   = &Error{"Cannot read collections larger than 2147483639 items"}
	errAvroTooDeep = &Error{"the value is nested too deeply"}
	errAvroTooMuch = &Error{"the value has too many parts to be checked"}
)

// checkAvro checks that a value begins with one of a type, in Avro's binary form. It
// makes nothing of the value: neither what a length in it claims nor how deep it goes
// costs memory or time that its bytes don't.
func checkAvro(definition *avroType, value []byte) error {
	walk := avroWalk{rest: value}
	return walk.over(definition, 0)
}

type avroWalk struct {
	rest  []byte
	steps int
}

func (w *avroWalk) over(definition *avroType, depth int) error {
	if w.steps++; w.steps > maxAvroSteps {
		return errAvroTooMuch
	}
	if depth > maxAvroDepth {
		return errAvroTooDeep
	}
	switch definition.kind {
	case avroFixed:
		return w.skip(int64(definition.size))
	case avroBytes:
		length, err := w.long()
		if err != nil {
			return err
		}
		return w.skip(length)
	case avroInt:
		_, err := w.int()
		return err
	case avroLong:
		_, err := w.long()
		return err
	case avroEnum:
		index, err := w.int()
		if err == nil && (index < 0 || int(index) >= definition.size) {
			err = &Error{fmt.Sprintf("java.lang.IndexOutOfBoundsException: Index %d out of bounds for length %d", index, definition.size)}
		}
		return err
	case avroUnion:
		index, err := w.int()
		switch {
		case err != nil:
			return err
		case index < 0 || int(index) >= len(definition.members):
			return &Error{fmt.Sprintf("java.lang.ArrayIndexOutOfBoundsException: Index %d out of bounds for length %d", index, len(definition.members))}
		}
		return w.over(definition.members[index], depth+1)
	case avroRecord:
		for _, member := range definition.members {
			if err := w.over(member, depth+1); err != nil {
				return err
			}
		}
		return nil
	case avroArray, avroMap:
		return w.blocks(definition, depth)
	default:
		return nil
	}
}

// blocks goes over the items of an array or a map.
func (w *avroWalk) blocks(definition *avroType, depth int) error {
	var all int64
	for {
		count, err := w.long()
		if err == nil && count < 0 {
			// The block's length follows.
			count = -count
			_, err = w.long()
		}
		switch {
		case err != nil:
			return err
		case count == 0:
			return nil
		case count < 0:
			return errAvroLength
		case count > maxAvroItems-all:
			return errAvroItems
		}
		all += count
		if definition.kind == avroArray && definition.members[0].kind == avroNothing {
			continue
		}
		for range count {
			if definition.kind == avroMap {
				if err := w.over(avroPrimitives["string"], depth+1); err != nil {
					return err
				}
			}
			if err := w.over(definition.members[0], depth+1); err != nil {
				return err
			}
		}
	}
}

func (w *avroWalk) skip(length int64) error {
	switch {
	case length < 0:
		return errAvroLength
	case length > int64(len(w.rest)):
		return errAvroEnds
	}
	w.rest = w.rest[length:]
	return nil
}

// int reads a number of up to 32 bits. Bits beyond are lost, as in Java.
func (w *avroWalk) int() (int32, error) {
	bits, err := w.varint(binary.MaxVarintLen32, errAvroInt)
	return int32(uint32(bits)>>1) ^ -int32(bits&1), err
}

func (w *avroWalk) long() (int64, error) {
	bits, err := w.varint(binary.MaxVarintLen64, errAvroLong)
	return int64(bits>>1) ^ -int64(bits&1), err
}

func (w *avroWalk) varint(longest int, tooLong error) (uint64, error) {
	bits, length := varint(w.rest, longest)
	switch {
	case length < 0:
		return 0, tooLong
	case length == 0:
		return 0, errAvroEnds
	}
	w.rest = w.rest[length:]
	return bits, nil
}
