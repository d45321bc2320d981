package schema

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// avroRecord1 is a record of all that has few bytes.
const avroRecord1 = `{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"},{"name":"s","type":"string"},` +
	`{"name":"u","type":["null","long"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}}]}`

// one is a record with a field.
func one(kind string) string {
	return `{"type":"record","name":"R","fields":[{"name":"f","type":` + kind + `}]}`
}

// TestAvro checks values as Pulsar 4.0.7 does: the verdicts are its own, and so are the
// texts but for those of a plain error of its server.
func TestAvro(t *testing.T) {
	const (
		ends    = "java.io.EOFException"
		number  = "org.apache.avro.InvalidNumberEncodingException: Invalid int encoding"
		length  = "Malformed data. Length is negative"
		tooMany = "Cannot read collections larger than 2147483639 items"
	)
	nulls, numbers := one(`{"type":"array","items":"null"}`), one(`{"type":"map","values":"int"}`)
	several := `{"type":"record","name":"R","fields":[{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"b","type":"boolean"},{"name":"y","type":"bytes"}]}`
	list := one(`["null","R"]`)
	for _, test := range []struct{ definition, value, refusal string }{
		{avroRecord1, "\x02\x02a\x00\x00", ""},
		{avroRecord1, "\x02\x02a\x02\x05\x02", ""},
		{avroRecord1, "\x02\x02a\x00\x00\xff", ""},
		{avroRecord1, "\x02\x02\xff\x00\x00", ""},
		{avroRecord1, "", ends},
		{avroRecord1, "\x02\x02a\x00", ends},
		{avroRecord1, "\x02\x02", ends},
		{avroRecord1, "\x02\x04a", ends},
		{avroRecord1, "\x80", ends},
		{avroRecord1, "\x02\x02a\x02\x04\x04", "java.lang.IndexOutOfBoundsException: Index 2 out of bounds for length 2"},
		{avroRecord1, "\x02\x02a\x01", "java.lang.ArrayIndexOutOfBoundsException: Index -1 out of bounds for length 2"},
		{avroRecord1, "\x02\x02a\x04\x00", "java.lang.ArrayIndexOutOfBoundsException: Index 2 out of bounds for length 2"},
		{avroRecord1, "\xff\xff\xff\xff\xff", number},
		{avroRecord1, "\x80\x80\x80\x80\x7f\x00\x00\x00", ""},
		{avroRecord1, "\x02\x01", length},
		{avroRecord1, "\x02" + strings.Repeat("\xff", 9) + "\x01", length},
		{avroRecord1, "\x02" + strings.Repeat("\xff", 10), "org.apache.avro.InvalidNumberEncodingException: Invalid long encoding"},
		{avroRecord1, "\x02\xfe\xff\xff\xff\x0f", ends},
		{nulls, "\x00", ""},
		{nulls, "\x04\x00", ""},
		{nulls, "\x03\x00\x00", ""},
		{nulls, "\x80\xc2\xd7\x2f\x00", ""},
		{nulls, "\x80\xc2\xd7\x2f", ends},
		{nulls, "\x03\x00", ends},
		{nulls, "\xfe\xff\xff\xff\x0f\x00", tooMany},
		{nulls, "\xee\xff\xff\xff\x0f\xee\xff\xff\xff\x0f\x00", tooMany},
		{nulls, strings.Repeat("\xff", 9) + "\x01\x00", length},
		{numbers, "\x00", ""},
		{numbers, "\x02\x02a\x02\x00", ""},
		{numbers, "\x02\x02a\x02", ends},
		{numbers, "\x02\x02a", ends},
		{one(`{"type":"fixed","name":"F","size":3}`), "abc", ""},
		{one(`{"type":"fixed","name":"F","size":3}`), "ab", ends},
		{one(`{"type":"fixed","name":"F","size":0}`), "", ""},
		{several, strings.Repeat("\x00", 12) + "\x07\x02a", ""},
		{several, strings.Repeat("\x00", 12) + "\x01\x02", ends},
		{several, strings.Repeat("\x00", 11), ends},
		{list, strings.Repeat("\x02", 1000) + "\x00", ""},
		{list, strings.Repeat("\x02", 2000) + "\x00", "the value is nested too deeply"},
		{one(`"R"`), "x", "the value is nested too deeply"},
	} {
		err := Schema{Type: "AVRO", Data: test.definition}.Check([]byte(test.value))
		checkRefusal(t, fmt.Sprintf("%.60q of %s", test.value, test.definition), err, test.refusal)
		if again := (Schema{Type: "PROTOBUF", Data: test.definition}).Check([]byte(test.value)); (again == nil) != (err == nil) {
			t.Errorf("%q of %s is not the same where Pulsar calls it PROTOBUF: %v", test.value, test.definition, again)
		}
	}
}

func checkRefusal(t *testing.T, what string, err error, refusal string) {
	t.Helper()
	var refused *Error
	if refusal == "" != (err == nil) || err != nil && (!errors.As(err, &refused) || refused.Error() != refusal) {
		t.Errorf("%s: %v, not %q", what, err, refusal)
	}
}

// TestAvroNames has definitions name types in all ways that there are, and others that
// aren't understood, whose values nobody checks here.
func TestAvroNames(t *testing.T) {
	field := func(kinds ...string) string {
		var fields []string
		for i, kind := range kinds {
			fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, kind))
		}
		return `{"type":"record","name":"a.b.R","fields":[` + strings.Join(fields, ",") + `]}`
	}
	const fixed = `{"type":"fixed","name":"F","size":2}`
	for definition, size := range map[string]int{
		field(fixed, `"F"`):          4,
		field(fixed, `"a.b.F"`):      4,
		field(fixed, `{"type":"F"}`): 4,
		field(`{"type":"fixed","name":"F","namespace":"c","size":2}`, `"c.F"`):                                 4,
		field(`{"type":"fixed","name":"c.F","namespace":"d","size":2}`, `"c.F"`):                               4,
		field(`{"type":"fixed","name":"F","namespace":"","size":2}`, `"F"`):                                    4,
		field(`{"type":"record","name":"c.S","fields":[{"name":"x","type":`+fixed+`}]}`, `"c.F"`):              4,
		field(`{"type":"error","name":"S","fields":[{"name":"x","type":"boolean"}]}`, `{"type":"boolean"}`):    2,
		field(`{"type":"bytes","logicalType":"decimal","precision":4}`, `{"type":"int","logicalType":"date"}`): 2,
		field(`"boolean"`, `"null"`, `{"type":"record","name":"S","fields":[]}`, `"S"`):                        1,
	} {
		schema := Schema{Type: "AVRO", Data: definition}
		if err := schema.Check(make([]byte, size)); err != nil {
			t.Errorf("%s: %v", definition, err)
		}
		if err := schema.Check(make([]byte, size-1)); err == nil {
			t.Errorf("%s takes fewer bytes", definition)
		}
	}
	for _, definition := range []string{
		"", "{", "1", "null", `"R"`, `{}`, `{"type":1}`, `{"type":"array"}`, `{"type":"map","values":"x"}`, `{"type":"record","name":"R"}`,
		`{"type":"record","fields":[]}`, `{"type":"record","name":"R","fields":[1]}`, field(`"F"`), field(`["null","F"]`), field(`"b.F"`, fixed),
		`{"type":"enum","name":"E"}`, `{"type":"fixed","name":"F"}`, `{"type":"fixed","name":"F","size":-1}`, `{"type":"fixed","name":"F","size":1.5}`,
	} {
		if parsed, err := parseAvro(definition); !errors.Is(err, errDefinition) {
			t.Errorf("%s is understood as %+v: %v", definition, parsed, err)
		}
		if err := (Schema{Type: "AVRO", Data: definition}).Check(nil); err != nil {
			t.Errorf("%s: %v", definition, err)
		}
	}
}

// TestAvroBounds has values and definitions claim more than there is.
func TestAvroBounds(t *testing.T) {
	// Each record has the one before it twice, and the first one nothing.
	var doubling strings.Builder
	doubling.WriteString(`{"type":"record","name":"R0","fields":[]}`)
	last := doubling.String()
	for i := range 60 {
		last = fmt.Sprintf(`{"type":"record","name":"R%d","fields":[{"name":"a","type":%s},{"name":"b","type":"R%d"}]}`, i+1, last, i)
	}
	// Each item is a byte, and a hundred records around it.
	layers := `"boolean"`
	for i := range 100 {
		layers = fmt.Sprintf(`{"type":"record","name":"L%d","fields":[{"name":"a","type":%s}]}`, i, layers)
	}
	const items = 5 << 20
	for _, test := range []struct {
		what, definition string
		value            []byte
		refused          bool
	}{
		{"nothing, more often than can be counted", one(last), nil, false},
		{"an array of that", one(`{"type":"array","items":` + last + `}`), []byte("\xee\xff\xff\xff\x0f\x00"), false},
		{"an array of more than there are", one(`{"type":"array","items":"int"}`), []byte("\xee\xff\xff\xff\x0f\x00"), true},
		{"a long text that isn't there", one(`"string"`), []byte("\xee\xff\xff\xff\x0f\x00"), true},
		{"many items", one(`{"type":"array","items":"boolean"}`), append([]byte("\x80\x80\x80\x05"), make([]byte, items+1)...), false},
		{"many layers", one(`{"type":"array","items":` + layers + `}`), append([]byte("\x80\x80\x80\x05"), make([]byte, items+1)...), true},
		{"many arrays in arrays", `{"type":"record","name":"R","fields":[{"name":"f","type":{"type":"array","items":"R"}}]}`, bytes.Repeat([]byte{2}, items), true},
	} {
		definition, err := parseAvro(test.definition)
		if err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		if err := checkAvro(definition, test.value); (err != nil) != test.refused {
			t.Errorf("%s: %v", test.what, err)
		}
		if got := testing.AllocsPerRun(1, func() { _ = checkAvro(definition, test.value) }); got > 4 {
			t.Errorf("%s: %f times memory was taken", test.what, got)
		}
	}
	// Definitions nest as deep as JSON may.
	if _, err := parseAvro(strings.Repeat(`{"type":`, 20000) + `"int"` + strings.Repeat(`}`, 20000)); !errors.Is(err, errDefinition) {
		t.Errorf("a definition that is nested too deeply: %v", err)
	}
}

// FuzzAvro looks for definitions and values that can't be survived. What begins with a
// value that fits does so whatever follows.
func FuzzAvro(f *testing.F) {
	f.Add(avroRecord1, []byte("\x02\x02a\x02\x05\x02"))
	f.Add(one(`["null","R"]`), []byte("\x02\x02\x00"))
	f.Add(one(`{"type":"map","values":{"type":"array","items":"null"}}`), []byte("\x02\x02a\x04\x00\x00"))
	f.Add(one(`{"type":"array","items":{"type":"fixed","name":"F","size":3}}`), []byte("\x03\x06abcabc\x00"))
	f.Fuzz(func(t *testing.T, definition string, value []byte) {
		parsed, err := parseAvro(definition)
		if err != nil {
			return
		}
		refused := checkAvro(parsed, value)
		if refused == nil && checkAvro(parsed, append(value[:len(value):len(value)], "more"...)) != nil {
			t.Errorf("%q fits %s, and doesn't with more bytes", value, definition)
		}
	})
}
