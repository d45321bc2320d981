package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// A message of each syntax, with fields of each kind.
const (
	protobufFields = `
	  field { name: "i" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
	  field { name: "s" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
	  field { name: "b" number: 3 type: TYPE_BYTES label: LABEL_REPEATED }
	  field { name: "m" number: 4 type: TYPE_MESSAGE type_name: ".p.M" label: LABEL_OPTIONAL }
	  field { name: "f" number: 6 type: TYPE_FIXED32 label: LABEL_REPEATED }
	  field { name: "d" number: 7 type: TYPE_DOUBLE label: LABEL_REPEATED }
	  field { name: "map" number: 9 type: TYPE_MESSAGE type_name: ".p.M.MapEntry" label: LABEL_REPEATED }
	  nested_type { name: "MapEntry" options { map_entry: true }
	    field { name: "key" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
	    field { name: "value" number: 2 type: TYPE_SINT64 label: LABEL_OPTIONAL } }`
	protobuf3 = `file { name: "m.proto" package: "p" syntax: "proto3" message_type { name: "M" ` + protobufFields + ` } }`
	protobuf2 = `file { name: "m.proto" package: "p" syntax: "proto2" dependency: "o.proto" message_type { name: "M" ` + protobufFields + `
	  field { name: "g" number: 12 type: TYPE_GROUP type_name: ".p.M.G" label: LABEL_OPTIONAL }
	  field { name: "o" number: 13 type: TYPE_MESSAGE type_name: ".q.O" label: LABEL_OPTIONAL }
	  nested_type { name: "G" field { name: "x" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL } } } }
	  file { name: "o.proto" package: "q" syntax: "proto2" options { java_string_check_utf8: true } message_type { name: "O"
	  field { name: "x" number: 1 type: TYPE_BOOL label: LABEL_REQUIRED } field { name: "y" number: 2 type: TYPE_STRING label: LABEL_REQUIRED } } }`
)

// protobufDefinition returns what Pulsar keeps of a message's definition.
func protobufDefinition(t testing.TB, text, root string) string {
	t.Helper()
	var set descriptorpb.FileDescriptorSet
	if err := prototext.Unmarshal([]byte(text), &set); err != nil {
		t.Fatal(err)
	}
	content, err := proto.Marshal(&set)
	if err != nil {
		t.Fatal(err)
	}
	file := set.File[0]
	for _, other := range set.File {
		if strings.HasPrefix(root, other.GetPackage()+".") {
			file = other
		}
	}
	definition, err := json.Marshal(map[string]any{"fileDescriptorSet": content, "rootMessageTypeName": root, "rootFileDescriptorName": file.GetName()})
	if err != nil {
		t.Fatal(err)
	}
	return string(definition)
}

// nested is a message with as many in it.
func nested(levels int) string {
	var value []byte
	for range levels {
		value = protowire.AppendBytes(protowire.AppendTag(nil, 4, protowire.BytesType), value)
	}
	return string(value)
}

// TestProtobuf checks values as Pulsar 4.0.7 does: verdicts and texts are its own.
func TestProtobuf(t *testing.T) {
	const (
		prefix = "com.google.protobuf.InvalidProtocolBufferException: "
		ends   = prefix + "While parsing a protocol message, the input ended unexpectedly in the middle of a field.  This could mean either that the input has been truncated or that an embedded message misreported its own length."
		group  = prefix + "Protocol message end-group tag did not match expected tag."
		deep   = prefix + "Protocol message had too many levels of nesting.  May be malicious.  Use setRecursionLimit() to increase the recursion depth limit."
		text   = prefix + "Protocol message had invalid UTF-8."
		varint = prefix + "CodedInputStream encountered a malformed varint."
	)
	three, two := protobufDefinition(t, protobuf3, "p.M"), protobufDefinition(t, protobuf2, "p.M")
	other, inner := protobufDefinition(t, protobuf2, "q.O"), protobufDefinition(t, protobuf2, "p.M.G")
	for _, test := range []struct{ what, definition, value, refusal string }{
		{"nothing", three, "", ""},
		{"a number and a text", three, "\x08\x96\x01\x12\x02ab", ""},
		{"a number that is too large", three, "\x08" + strings.Repeat("\xff", 9) + "\x7f", ""},
		{"a number without end", three, "\x08" + strings.Repeat("\xff", 10), varint},
		{"half a number", three, "\x08\x96", ends},
		{"a text that is cut off", three, "\x12\x03ab", ends},
		{"a text of a negative length", three, "\x12\xff\xff\xff\xff\x0f", prefix + "CodedInputStream encountered an embedded string or message which claimed to have negative size."},
		{"no text", three, "\x12\x01\xff", text},
		{"no text, of the second syntax", two, "\x12\x01\xff", ""},
		{"no text, where the second checks", other, "\x08\x01\x12\x01\xff", text},
		{"no text, in a map of the second", two, "\x4a\x03\x0a\x01\xff", text},
		{"bytes", three, "\x1a\x01\xff", ""},
		{"no tag", three, "\x00", prefix + "Protocol message contained an invalid tag (zero)."},
		{"what isn't known", three, "\x78\x01", ""},
		{"a number as a text", three, "\x0a\x01x", ""},
		{"a wire type that there isn't", three, "\x0f", "com.google.protobuf.InvalidProtocolBufferException$InvalidWireTypeException: Protocol message tag had invalid wire type."},
		{"numbers together", three, "\x32\x08abcdefgh", ""},
		{"one and a half", three, "\x32\x06abcdef", ends},
		{"numbers each", three, "\x35abcd\x35abcd\x39abcdefgh", ""},
		{"a group that isn't known", three, "\x63\x08\x01\x64", ""},
		{"a group without end", three, "\x63\x08\x01", group},
		{"the end of another group", three, "\x63\x08\x01\x6c", group},
		{"only an end", three, "\x64", group},
		{"a group", two, "\x63\x08\x01\x64", ""},
		{"half a number in a group", two, "\x63\x08", ends},
		{"as deep as can be", three, nested(100), ""},
		{"deeper", three, nested(101), deep},
		{"groups as deep as can be", three, strings.Repeat("\x63", 100) + strings.Repeat("\x64", 100), ""},
		{"deeper groups", three, strings.Repeat("\x63", 101) + strings.Repeat("\x64", 101), deep},
		{"all that is required", other, "\x08\x01\x12\x00", ""},
		{"one of two", other, "\x08\x01", prefix + "Message missing required fields: y"},
		{"none of two", other, "", prefix + "Message missing required fields: x, y"},
		{"a wrong one", other, "\x0a\x00\x12\x00", prefix + "Message missing required fields: x"},
		{"a message in a message", inner, "\x08\x01", ""},
	} {
		checkRefusal(t, test.what, Schema{Type: "PROTOBUF_NATIVE", Data: test.definition}.Check([]byte(test.value)), test.refusal)
	}
	// Which of several in a message is missing Pulsar says in another way.
	schema := Schema{Type: "PROTOBUF_NATIVE", Data: two}
	checkRefusal(t, "within", schema.Check([]byte("\x6a\x02\x08\x01")), prefix+"Message missing required fields: y")
	checkRefusal(t, "within, in two pieces", schema.Check([]byte("\x6a\x02\x08\x01\x6a\x02\x12\x00")), "")
}

// TestProtobufDefinitions has definitions that aren't understood, whose values nobody
// checks here.
func TestProtobufDefinitions(t *testing.T) {
	for _, definition := range []string{
		"", "{", "1", `{}`, `{"fileDescriptorSet":"/w=="}`, `{"fileDescriptorSet":1}`,
		protobufDefinition(t, protobuf3, "p.N"), protobufDefinition(t, protobuf3, ""), protobufDefinition(t, protobuf3, "p.M.i"),
		protobufDefinition(t, protobuf3+protobuf3, "p.M"),
		protobufDefinition(t, `file { name: "m.proto" message_type { name: "M" field { number: -1 } } }`, "M"),
	} {
		if err := (Schema{Type: "PROTOBUF_NATIVE", Data: definition}).Check([]byte("\x00")); err != nil {
			t.Errorf("%s: %v", definition, err)
		}
	}
}

// TestProtobufImports has files import each other in more ways than can be followed.
func TestProtobufImports(t *testing.T) {
	text := `file { name: "0" } file { name: "1" dependency: "0" public_dependency: 0 }`
	for i := range 60 {
		text += fmt.Sprintf(`file { name: "%d" dependency: "%d" dependency: "%d" public_dependency: 0 public_dependency: 1 }`, i+2, i+1, i)
	}
	if _, err := parseProtobuf(protobufDefinition(t, text, "M")); !errors.Is(err, errDefinition) {
		t.Errorf("the definition is understood: %v", err)
	}
}

// TestProtobufBounds has values of the largest size with the most in them.
func TestProtobufBounds(t *testing.T) {
	const size = 5 << 20
	definition, err := parseProtobuf(protobufDefinition(t, protobuf2, "p.M"))
	if err != nil {
		t.Fatal(err)
	}
	long := func(field protowire.Number, value string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, field, protowire.BytesType), value)
	}
	for what, value := range map[string][]byte{
		"empty messages":  []byte(strings.Repeat("\x22\x00", size/2)),
		"texts":           []byte(strings.Repeat("\x12\x00", size/2)),
		"deep messages":   []byte(strings.Repeat(nested(100), size/len(nested(100)))),
		"numbers":         long(6, strings.Repeat("\x00", size)),
		"a long text":     long(2, strings.Repeat("ü", size/2)),
		"groups in a row": []byte(strings.Repeat("\x63\x64", size/2)),
	} {
		began := time.Now()
		if err := checkProtobuf(definition, value); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if lasted := time.Since(began); lasted > time.Minute {
			t.Errorf("%s: %v", what, lasted)
		}
	}
}

// FuzzProtobuf looks for values that can't be survived, and for those that another reader
// of Protocol Buffers takes and this one doesn't. Java reads
// less deep, and looks into more texts.
func FuzzProtobuf(f *testing.F) {
	var definitions []protoreflect.MessageDescriptor
	for _, text := range []string{protobuf3, protobuf2} {
		definition, err := parseProtobuf(protobufDefinition(f, text, "p.M"))
		if err != nil {
			f.Fatal(err)
		}
		definitions = append(definitions, definition)
	}
	for _, value := range []string{"\x08\x96\x01\x12\x02ab", "\x32\x08abcdefgh\x35abcd", "\x63\x08\x01\x64", "\x6a\x04\x08\x01\x12\x00", nested(3), "\x4a\x03\x0a\x01k"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, definition := range definitions {
			refused := checkProtobuf(definition, []byte(value))
			if proto.Unmarshal([]byte(value), dynamicpb.NewMessage(definition)) == nil && refused != nil &&
				refused.Error() != errProtobufDeep.Error() && refused.Error() != errProtobufUTF8.Error() {
				t.Errorf("%s %q: %v", definition.ParentFile().Syntax(), value, refused)
			}
		}
	})
}

// FuzzProtobufDefinition looks for definitions that can't be survived.
func FuzzProtobufDefinition(f *testing.F) {
	for _, text := range []string{protobuf3, protobuf2} {
		var kept struct{ FileDescriptorSet []byte }
		if err := json.Unmarshal([]byte(protobufDefinition(f, text, "p.M")), &kept); err != nil {
			f.Fatal(err)
		}
		f.Add(kept.FileDescriptorSet, "p.M", "\x08\x01")
	}
	f.Fuzz(func(t *testing.T, set []byte, root, value string) {
		definition, err := json.Marshal(map[string]any{"fileDescriptorSet": set, "rootMessageTypeName": root})
		if err != nil {
			t.Fatal(err)
		}
		_ = Schema{Type: "PROTOBUF_NATIVE", Data: string(definition)}.Check([]byte(value))
	})
}
