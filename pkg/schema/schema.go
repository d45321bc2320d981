// Package schema tells whether bytes are a value of a topic's schema, as Pulsar's producers
// do before they send one, and says what is wrong in Pulsar's words.
//
// Values and definitions are those of anybody who may trigger a function or set a schema.
// So values are walked over and never decoded: nothing is allocated for what they claim.
package schema

import "errors"

// Schema is a topic's schema as Pulsar's web service describes it.
type Schema struct {
	Type       string            `json:"type"`
	Data       string            `json:"data"`
	Properties map[string]string `json:"properties"`
}

// Error says that a value isn't what a schema asks for.
type Error struct{ Reason string }

func (e *Error) Error() string { return e.Reason }

// Check returns a *Error for a value that Pulsar's producers wouldn't take for one
// of the type. What has a definition that isn't understood is for the function to read.
func (s Schema) Check(value []byte) error {
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
func (s Schema) checkDefined(value []byte) error {
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
