package schema

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

const (
	// maxProtobufDepth is how deep messages go in Java.
	maxProtobufDepth = 100
	// maxPublicImports is how many imports that go on to others a definition has at most:
	// the library follows each way through them, and each more can double their number.
	maxPublicImports = 16
	// maxMissing is how many fields are said to be missing at most.
	maxMissing = 20
)

// parseProtobuf reads the definition of a type, as Pulsar keeps it for PROTOBUF_NATIVE.
func parseProtobuf(definition string) (protoreflect.MessageDescriptor, error) {
	var kept struct {
		FileDescriptorSet   []byte `json:"fileDescriptorSet"`
		RootMessageTypeName string `json:"rootMessageTypeName"`
	}
	if err := json.Unmarshal([]byte(definition), &kept); err != nil {
		return nil, fmt.Errorf("%w: %w", errDefinition, err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(kept.FileDescriptorSet, &set); err != nil {
		return nil, fmt.Errorf("%w: %w", errDefinition, err)
	}
	public := 0
	for _, file := range set.File {
		public += len(file.PublicDependency)
	}
	if public > maxPublicImports {
		return nil, errDefinition
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(&set)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDefinition, err)
	}
	found, err := files.FindDescriptorByName(protoreflect.FullName(kept.RootMessageTypeName))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDefinition, err)
	}
	message, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, errDefinition
	}
	return message, nil
}

func protobufError(text string) *Error {
	return &Error{"com.google.protobuf.InvalidProtocolBufferException: " + text}
}

// The reasons are Pulsar's.
var (
	errProtobufEnds = protobufError("While parsing a protocol message, the input ended unexpectedly in the middle of a field.  " +
		"This could mean either that the input has been truncated or that an embedded message misreported its own length.")
	errProtobufVarint = protobufError("CodedInputStream encountered a malformed varint.")
	errProtobufLength = protobufError("CodedInputStream encountered an embedded string or message which claimed to have negative size.")
	errProtobufTag    = protobufError("Protocol message contained an invalid tag (zero).")
	errProtobufGroup  = protobufError("Protocol message end-group tag did not match expected tag.")
	errProtobufUTF8   = protobufError("Protocol message had invalid UTF-8.")
	errProtobufDeep   = protobufError("Protocol message had too many levels of nesting.  May be malicious.  Use setRecursionLimit() to increase the recursion depth limit.")
	errProtobufWire   = &Error{"com.google.protobuf.InvalidProtocolBufferException$InvalidWireTypeException: Protocol message tag had invalid wire type."}
)

// checkProtobuf checks that a value is a message of a type. It makes nothing of the value:
// a message in memory can take a hundred times as much as its bytes.
func checkProtobuf(definition protoreflect.MessageDescriptor, value []byte) error {
	walk := protobufWalk{rest: value}
	if err := walk.message(definition, 0, 0); err != nil {
		return err
	}
	missing := walk.missing
	if len(missing) == 0 && !walk.merged {
		missing = walk.within
	}
	if len(missing) > 0 {
		return protobufError("Message missing required fields: " + strings.Join(missing, ", "))
	}
	return nil
}

// protobufWalk goes over the bytes of a message.
type protobufWalk struct {
	// rest is what is left of the innermost message that says how long it is.
	rest []byte
	// missing are required fields of the message itself that are not there, and within is
	// the first one of a message in it.
	missing, within []string
	// merged says that a message in it comes in pieces, each of which may lack fields.
	merged bool
}

// message goes over a message or a group up to its end: that of the bytes, or the tag end.
// definition is nil for a group of which nothing is known.
func (w *protobufWalk) message(definition protoreflect.MessageDescriptor, end uint32, depth int) error {
	if depth > maxProtobufDepth {
		return errProtobufDeep
	}
	var seen map[protoreflect.FieldNumber]bool
	for len(w.rest) > 0 {
		bits, err := w.varint()
		if err != nil {
			return err
		}
		tag := uint32(bits)
		number, wire := protoreflect.FieldNumber(tag>>3), protowire.Type(tag&7)
		if number == 0 {
			return errProtobufTag
		}
		if wire == protowire.EndGroupType {
			if tag != end {
				return errProtobufGroup
			}
			w.required(definition, seen, depth)
			return nil
		}
		var field protoreflect.FieldDescriptor
		if definition != nil {
			field = definition.Fields().ByNumber(number)
		}
		packed := field != nil && field.IsList() && packable(field.Kind()) && wire == protowire.BytesType
		switch {
		case packed:
			err = w.packed(field.Kind())
		case field != nil && wire == wireType(field.Kind()):
			if field.Cardinality() == protoreflect.Required || field.Message() != nil && !field.IsList() && !field.IsMap() {
				if seen == nil {
					seen = map[protoreflect.FieldNumber]bool{}
				}
				w.merged = w.merged || seen[number] && field.Message() != nil
				seen[number] = true
			}
			err = w.field(field, tag, depth)
		default:
			err = w.unknown(number, wire, depth)
		}
		if err != nil {
			return err
		}
	}
	if end != 0 {
		return errProtobufGroup
	}
	w.required(definition, seen, depth)
	return nil
}

// required notes which required fields are not among those that were seen.
func (w *protobufWalk) required(definition protoreflect.MessageDescriptor, seen map[protoreflect.FieldNumber]bool, depth int) {
	missing, limit := &w.missing, maxMissing
	if depth > 0 {
		missing, limit = &w.within, 1
	}
	if definition == nil {
		return
	}
	for i := range definition.RequiredNumbers().Len() {
		if len(*missing) == limit {
			return
		}
		if number := definition.RequiredNumbers().Get(i); !seen[number] {
			*missing = append(*missing, string(definition.Fields().ByNumber(number).Name()))
		}
	}
}

// field goes over the value of a field that has its own wire type.
func (w *protobufWalk) field(field protoreflect.FieldDescriptor, tag uint32, depth int) error {
	switch field.Kind() {
	case protoreflect.GroupKind:
		return w.message(field.Message(), tag&^7|uint32(protowire.EndGroupType), depth+1)
	case protoreflect.MessageKind:
		return w.inside(func() error { return w.message(field.Message(), 0, depth+1) })
	case protoreflect.StringKind:
		text, err := w.bytes()
		if err == nil && checksUTF8(field) && !utf8.Valid(text) {
			err = errProtobufUTF8
		}
		return err
	default:
		return w.scalar(wireType(field.Kind()))
	}
}

// checksUTF8 tells whether Java demands that a text is valid.
func checksUTF8(field protoreflect.FieldDescriptor) bool {
	if field.ContainingMessage().IsMapEntry() || field.ParentFile().Syntax() == protoreflect.Proto3 {
		return true
	}
	options, ok := field.ParentFile().Options().(*descriptorpb.FileOptions)
	return ok && options.GetJavaStringCheckUtf8()
}

// packed goes over numbers that have one tag together.
func (w *protobufWalk) packed(kind protoreflect.Kind) error {
	return w.inside(func() error {
		for len(w.rest) > 0 {
			if err := w.scalar(wireType(kind)); err != nil {
				return err
			}
		}
		return nil
	})
}

// unknown goes over a field that the type doesn't have, or has as something else.
func (w *protobufWalk) unknown(number protoreflect.FieldNumber, wire protowire.Type, depth int) error {
	if wire == protowire.StartGroupType {
		return w.message(nil, uint32(number)<<3|uint32(protowire.EndGroupType), depth+1)
	}
	return w.scalar(wire)
}

func (w *protobufWalk) scalar(wire protowire.Type) error {
	switch wire {
	case protowire.VarintType:
		_, err := w.varint()
		return err
	case protowire.Fixed32Type:
		return w.skip(4)
	case protowire.Fixed64Type:
		return w.skip(8)
	case protowire.BytesType:
		_, err := w.bytes()
		return err
	default:
		return errProtobufWire
	}
}

func (w *protobufWalk) skip(length int) error {
	if length > len(w.rest) {
		return errProtobufEnds
	}
	w.rest = w.rest[length:]
	return nil
}

func (w *protobufWalk) varint() (uint64, error) {
	bits, length := varint(w.rest, binary.MaxVarintLen64)
	switch {
	case length < 0:
		return 0, errProtobufVarint
	case length == 0:
		return 0, errProtobufEnds
	}
	w.rest = w.rest[length:]
	return bits, nil
}

// bytes takes as many as the length before them says, which is a number of 32 bits in Java.
func (w *protobufWalk) bytes() ([]byte, error) {
	bits, err := w.varint()
	length := int32(uint32(bits))
	switch {
	case err != nil:
		return nil, err
	case length < 0:
		return nil, errProtobufLength
	case int(length) > len(w.rest):
		return nil, errProtobufEnds
	}
	taken := w.rest[:length]
	w.rest = w.rest[length:]
	return taken, nil
}

// inside has a function go over the bytes that have their length before them.
func (w *protobufWalk) inside(over func() error) error {
	content, err := w.bytes()
	if err != nil {
		return err
	}
	after := w.rest
	w.rest = content
	err = over()
	w.rest = after
	return err
}

func packable(kind protoreflect.Kind) bool {
	wire := wireType(kind)
	return wire != protowire.BytesType && wire != protowire.StartGroupType
}

func wireType(kind protoreflect.Kind) protowire.Type {
	switch kind {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.GroupKind:
		return protowire.StartGroupType
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.Fixed32Type
	default:
		return protowire.VarintType
	}
}
