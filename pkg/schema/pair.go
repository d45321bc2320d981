package schema

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// What the properties of a schema say of keys and values.
const (
	propertyEncoding  = "kv.encoding.type"
	propertyKeyType   = "key.schema.type"
	propertyValueType = "value.schema.type"
)

// checkPair checks a key and its value, or a value whose key isn't in the message.
func (s Schema) checkPair(pair []byte) error {
	var definition struct{ Key, Value json.RawMessage }
	if err := json.Unmarshal([]byte(s.Data), &definition); err != nil {
		return fmt.Errorf("%w: %w", errDefinition, err)
	}
	valueSchema := Schema{Type: s.half(propertyValueType), Data: string(definition.Value)}
	switch s.Properties[propertyEncoding] {
	case "SEPARATED":
		return valueSchema.checkHalf(pair)
	case "", "INLINE":
	default:
		return errDefinition
	}
	key, rest, err := cutHalf(pair)
	if err != nil {
		return err
	}
	value, _, err := cutHalf(rest)
	if err != nil {
		return err
	}
	if err := (Schema{Type: s.half(propertyKeyType), Data: string(definition.Key)}).checkHalf(key); err != nil {
		return err
	}
	return valueSchema.checkHalf(value)
}

// half returns the type of keys or of values.
func (s Schema) half(property string) string {
	if kind := s.Properties[property]; kind != "" {
		return kind
	}
	return "BYTES"
}

// checkHalf checks a key or a value, nil for none. There are no pairs of pairs.
func (s Schema) checkHalf(value []byte) error {
	if value == nil {
		return nil
	}
	if known, err := checkPrimitive(s.Type, value); known {
		return err
	}
	switch s.Type {
	case "JSON":
		return checkJSON(value)
	case "AVRO", "PROTOBUF_NATIVE":
		return s.checkDefined(value)
	default:
		return errDefinition
	}
}

// cutHalf cuts off what has its length before it, nil for what is said not to be there.
func cutHalf(from []byte) (half, rest []byte, err error) {
	const size = 4
	if len(from) < size {
		return nil, nil, &Error{"it ends before the length of a key or a value"}
	}
	length, rest := int32(binary.BigEndian.Uint32(from)), from[size:]
	switch {
	case length == -1:
		return nil, rest, nil
	case length < 0 || int(length) > len(rest):
		return nil, nil, &Error{"a key or a value isn't as long as it says"}
	}
	return rest[:length:length], rest[length:], nil
}
