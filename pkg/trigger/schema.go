package trigger

import (
	"errors"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
)

// numbers are those of the types in Pulsar's protocol, as far as what the web service
// says of such a schema is all of it.
var numbers = map[string]pulsar.SchemaType{
	"STRING": pulsar.STRING, "JSON": pulsar.JSON, "PROTOBUF": pulsar.PROTOBUF, "AVRO": pulsar.AVRO, "BOOLEAN": pulsar.BOOLEAN,
	"INT8": pulsar.INT8, "INT16": pulsar.INT16, "INT32": pulsar.INT32, "INT64": pulsar.INT64, "FLOAT": pulsar.FLOAT, "DOUBLE": pulsar.DOUBLE,
	"PROTOBUF_NATIVE": pulsar.ProtoNative,
}

// schemaFor returns a topic's schema for a producer, nil for a type of which not enough is
// known: its values go without one, and the function reads them with its own.
func schemaFor(s schema.Schema) pulsar.Schema {
	number, ok := numbers[s.Type]
	if !ok {
		return nil
	}
	return &producerSchema{pulsar.SchemaInfo{Name: s.Type, Schema: s.Data, Type: number, Properties: s.Properties}}
}

// producerSchema says what bytes are that somebody else has made. The library's own
// schemas end the process over a definition that they can't read.
type producerSchema struct{ info pulsar.SchemaInfo }

var _ pulsar.Schema = (*producerSchema)(nil)

var errOnlyBytes = errors.New("only bytes are sent")

// Encode implements pulsar.Schema.
func (*producerSchema) Encode(any) ([]byte, error) { return nil, errOnlyBytes }

// Decode implements pulsar.Schema.
func (*producerSchema) Decode([]byte, any) error { return errOnlyBytes }

// Validate implements pulsar.Schema.
func (*producerSchema) Validate([]byte) error { return nil }

// GetSchemaInfo implements pulsar.Schema.
func (s *producerSchema) GetSchemaInfo() *pulsar.SchemaInfo { return &s.info }
