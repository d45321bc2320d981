package schema

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode"
	"unicode/utf8"
)

// sizes are of the types whose values all have the same, with the names that Pulsar's
// refusals give these types. Points in time are numbers.
var sizes = map[string]struct {
	bytes int
	name  string
}{
	"BOOLEAN": {1, "BooleanSchema"}, "INT8": {1, "ByteSchema"}, "INT16": {2, "ShortSchema"}, "INT32": {4, "IntSchema"},
	"INT64": {8, "LongSchema"}, "FLOAT": {4, "FloatSchema"}, "DOUBLE": {8, "DoubleSchema"},
	"DATE": {8, "LongSchema"}, "TIME": {8, "LongSchema"}, "TIMESTAMP": {8, "LongSchema"},
	"LOCAL_DATE": {8, "LongSchema"}, "LOCAL_TIME": {8, "LongSchema"},
}

// pairs are the types of two numbers. More bytes than those are no mistake to Pulsar.
var pairs = map[string]struct {
	bytes int
	name  string
}{"INSTANT": {12, "InstantSchema"}, "LOCAL_DATE_TIME": {16, "LocalDateTimeSchema"}}

// What Java has days, times and instants for.
const (
	minDay, maxDay       = -365243219162, 365241780471
	maxNano              = 24*60*60*1_000_000_000 - 1
	minSecond, maxSecond = -31557014167219200, 31556889864403199
)

// checkPrimitive checks a value of a type that needs no definition. known is false for
// other types.
func checkPrimitive(kind string, value []byte) (known bool, err error) {
	if size, ok := sizes[kind]; ok && len(value) != size.bytes {
		return true, &Error{fmt.Sprintf("Size of data received by %s is not %d", size.name, size.bytes)}
	}
	if size, ok := pairs[kind]; ok && len(value) < size.bytes {
		return true, &Error{fmt.Sprintf("Size of data received by %s is less than %d", size.name, size.bytes)}
	}
	number := func(at int) int64 { return int64(binary.BigEndian.Uint64(value[at:])) }
	inRange := true
	switch kind {
	case "STRING", "BYTES", "NONE", "BOOLEAN", "INT8", "INT16", "INT32", "INT64", "FLOAT", "DOUBLE", "DATE", "TIME", "TIMESTAMP":
	case "LOCAL_DATE":
		inRange = isDay(number(0))
	case "LOCAL_TIME":
		inRange = isNano(number(0))
	case "LOCAL_DATE_TIME":
		inRange = isDay(number(0)) && isNano(number(8))
	case "INSTANT":
		inRange = isInstant(number(0), int32(binary.BigEndian.Uint32(value[8:])))
	default:
		return false, nil
	}
	if !inRange {
		return true, &Error{"it is no date or time that there is"}
	}
	return true, nil
}

func isDay(number int64) bool  { return minDay <= number && number <= maxDay }
func isNano(number int64) bool { return 0 <= number && number <= maxNano }

// isInstant is about seconds, and nanoseconds that may be more than one second.
func isInstant(seconds int64, nanos int32) bool {
	more := int64(math.Floor(float64(nanos) / 1e9))
	return minSecond-more <= seconds && seconds <= maxSecond-more
}

// maxJSONDepth is how deep Pulsar reads.
const maxJSONDepth = 1000

var errNotJSON = &Error{"it is not JSON"}

// checkJSON checks that a value begins with JSON, or is empty: Pulsar reads no further
// than to the end of the first object, array or text.
func checkJSON(value []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	var first json.RawMessage
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return errNotJSON
	}
	rest := value[decoder.InputOffset():]
	switch next, _ := utf8.DecodeRune(rest); first[0] {
	case '{', '[':
		return shallow(first)
	case '"':
	case 't', 'f', 'n':
		if len(rest) > 0 && (next == '_' || next == '$' || unicode.IsLetter(next) || unicode.IsDigit(next)) {
			return errNotJSON
		}
	default:
		if len(rest) > 0 && next != ' ' && next != '\t' && next != '\r' && next != '\n' {
			return errNotJSON
		}
	}
	return nil
}

// shallow checks how deep JSON goes.
func shallow(value []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(value); i++ {
		switch character := value[i]; {
		case quoted && character == '\\':
			i++
		case character == '"':
			quoted = !quoted
		case quoted:
		case character == '{', character == '[':
			if depth++; depth > maxJSONDepth {
				return &Error{"it is nested too deeply"}
			}
		case character == '}', character == ']':
			depth--
		}
	}
	return nil
}

// varint reads a number that has seven bits in each byte, the lowest first, and at most so
// many bytes. Bits that a number has no place for are lost, as in Java. Where the bytes
// end before the number does length is 0, and where the number doesn't end -1.
func varint(from []byte, longest int) (bits uint64, length int) {
	for i := range longest {
		if i == len(from) {
			return 0, 0
		}
		bits |= uint64(from[i]&0x7f) << (7 * i)
		if from[i] < 0x80 {
			return bits, i + 1
		}
	}
	return 0, -1
}
