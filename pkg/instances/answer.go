package instances

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	// This registers the codec of protocol buffers.
	_ "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	// maxAnswer bounds an instance's answer, in bytes.
	maxAnswer = 256 << 10
	// maxFields bounds of how many fields an answer is. An exception of which nothing is
	// said takes two bytes in an answer, and fifty times that in memory.
	maxFields = 8 << 10
)

// strictCodec reads answers that are small in memory, too.
type strictCodec struct{ encoding.CodecV2 }

// newStrictCodec returns a codec for protocol buffers.
func newStrictCodec() strictCodec { return strictCodec{encoding.GetCodecV2("proto")} }

// Unmarshal implements encoding.CodecV2.
func (strictCodec) Unmarshal(data mem.BufferSlice, value any) error {
	message, ok := value.(proto.Message)
	if !ok {
		return fmt.Errorf("could not decode an answer as a %T", value)
	}
	raw := data.Materialize()
	if err := checkFields(raw); err != nil {
		return err
	}
	return proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(raw, message)
}

// checkFields refuses what isn't a message, and one of too many fields.
func checkFields(raw []byte) error {
	for fields := 0; len(raw) > 0; fields++ {
		if fields == maxFields {
			return fmt.Errorf("could not take an answer of more than %d fields", maxFields)
		}
		_, _, length := protowire.ConsumeField(raw)
		if length < 0 {
			return fmt.Errorf("could not read an answer: %w", protowire.ParseError(length))
		}
		raw = raw[length:]
	}
	return nil
}
