package trigger

import (
	"errors"

	"github.com/apache/pulsar-client-go/pulsar"
)

// topicSchema is a topic's schema as Pulsar's web service describes it.
type topicSchema struct {
	Type       string            `json:"type"`
	Data       string            `json:"data"`
	Properties map[string]string `json:"properties"`
}

// check returns a *SchemaError for a value that Pulsar's producers wouldn't take for one
// of the type. What has a definition that isn't understood is for the function to read.
func (s topicSchema) check(value []byte) error {
	if known, err := checkPrimitive(s.Type, value); known {
		return err
	}
	if s.Type == "JSON" {
		return checkJSON(value)
	}
	if err := s.checkDefined(value); !errors.Is(err, errDefinition) {
		return err
	}
	return nil
}

// checkDefined checks a value of a type that is defined. The error is errDefinition for a
// type that isn't understood.
func (s topicSchema) checkDefined(value []byte) error {
	switch s.Type {
	case "AVRO", "PROTOBUF":
		// Pulsar describes the latter in Avro's way, and sends it so.
		definition, err := parseAvro(s.Data)
		if err != nil {
			return err
		}
		return checkAvro(definition, value)
	case "PROTOBUF_NATIVE":
		definition, err := parseProtobuf(s.Data)
		if err != nil {
			return err
		}
		return checkProtobuf(definition, value)
	case "KEY_VALUE":
		return s.checkPair(value)
	default:
		return errDefinition
	}
}

// numbers are those of the types in Pulsar's protocol, as far as what the web service
// says of such a schema is all of it.
var numbers = map[string]pulsar.SchemaType{
	"STRING": pulsar.STRING, "JSON": pulsar.JSON, "PROTOBUF": pulsar.PROTOBUF, "AVRO": pulsar.AVRO, "BOOLEAN": pulsar.BOOLEAN,
	"INT8": pulsar.INT8, "INT16": pulsar.INT16, "INT32": pulsar.INT32, "INT64": pulsar.INT64, "FLOAT": pulsar.FLOAT, "DOUBLE": pulsar.DOUBLE,
	"PROTOBUF_NATIVE": pulsar.ProtoNative,
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
