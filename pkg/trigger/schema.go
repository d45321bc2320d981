package trigger

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/apache/pulsar-client-go/pulsar"
)

// topicSchema is a topic's schema as Pulsar's web service describes it.
type topicSchema struct {
	Type       string            `json:"type"`
	Data       string            `json:"data"`
	Properties map[string]string `json:"properties"`
}

// sizes are of the types whose values all have the same, with the names that Pulsar's
// refusals give these types.
var sizes = map[string]struct {
	bytes int
	name  string
}{
	"BOOLEAN": {1, "BooleanSchema"}, "INT8": {1, "ByteSchema"}, "INT16": {2, "ShortSchema"}, "INT32": {4, "IntSchema"},
	"INT64": {8, "LongSchema"}, "FLOAT": {4, "FloatSchema"}, "DOUBLE": {8, "DoubleSchema"},
}

// check returns a *SchemaError for a value that isn't of the type. Structures other than
// JSON are for the function to read.
func (s topicSchema) check(value []byte) error {
	if size, ok := sizes[s.Type]; ok && len(value) != size.bytes {
		return &SchemaError{fmt.Sprintf("Size of data received by %s is not %d", size.name, size.bytes)}
	}
	if s.Type == "JSON" && !json.Valid(value) {
		return &SchemaError{"it is not JSON"}
	}
	return nil
}

// numbers are those of the types in Pulsar's protocol, as far as what the web service
// says of such a schema is all of it.
var numbers = map[string]pulsar.SchemaType{
	"STRING": pulsar.STRING, "JSON": pulsar.JSON, "PROTOBUF": pulsar.PROTOBUF, "AVRO": pulsar.AVRO, "BOOLEAN": pulsar.BOOLEAN,
	"INT8": pulsar.INT8, "INT16": pulsar.INT16, "INT32": pulsar.INT32, "INT64": pulsar.INT64, "FLOAT": pulsar.FLOAT, "DOUBLE": pulsar.DOUBLE,
}

// schema returns the schema for a producer, nil for a type of which not enough is known:
// its values go without one, and the function reads them with its own.
func (s topicSchema) schema() pulsar.Schema {
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
