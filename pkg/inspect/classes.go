package inspect

import (
	"maps"
	"slices"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
)

// defaultSerDe is the serde that no package has.
const defaultSerDe = "org.apache.pulsar.functions.api.utils.DefaultSerDe"

// builtinSchemas are the schema types that are no classes (SchemaType of Pulsar's
// client), in upper case.
var builtinSchemas = map[string]bool{
	"NONE": true, "STRING": true, "JSON": true, "PROTOBUF": true, "AVRO": true, "BOOLEAN": true, "INT8": true,
	"INT16": true, "INT32": true, "INT64": true, "FLOAT": true, "DOUBLE": true, "DATE": true, "TIME": true,
	"TIMESTAMP": true, "KEY_VALUE": true, "INSTANT": true, "LOCAL_DATE": true, "LOCAL_TIME": true,
	"LOCAL_DATE_TIME": true, "PROTOBUF_NATIVE": true, "BYTES": true, "AUTO": true, "AUTO_CONSUME": true,
	"AUTO_PUBLISH": true, "EXTERNAL": true,
}

// checkSerde does ValidatorUtils.validateSerde. value is what the component takes
// (in) or gives, or nil when that isn't known.
func (i *inspection) checkSerde(name string, value *javaclass.Type, in bool) error {
	if name == "" || name == defaultSerDe {
		return nil
	}
	return i.checkConverter(name, javaclass.SerDe, value, in,
		"The input serialization/deserialization class %s does not exist", "Serializer type mismatch %s vs %s")
}

// checkSchema does ValidatorUtils.validateSchema.
func (i *inspection) checkSchema(name string, value *javaclass.Type, in bool) error {
	if name == "" || builtinSchemas[strings.ToUpper(name)] {
		return nil
	}
	return i.checkConverter(name, javaclass.Schema, value, in,
		"The schema class %s does not exist", "Schema type mismatch %s vs %s")
}

// checkConverter checks a class that implements name, an interface with the converted
// type as its argument.
func (i *inspection) checkConverter(className, name string, value *javaclass.Type, in bool, missing, mismatch string) error {
	class, err := i.class(className, refuse(missing, className))
	if err != nil || class == nil {
		return err
	}
	switch answer, err := i.pool.Implements(class, name); {
	case err != nil:
		return err
	case answer == javaclass.No:
		return refuse("%s does not implement %s", className, name)
	case answer == javaclass.Unknown || value == nil:
		return nil
	}
	converted, err := i.argument(class, name)
	if err != nil || converted == nil {
		return err
	}
	from, to := *converted, *value
	if !in {
		from, to = to, from
	}
	switch answer, err := i.pool.Assignable(from, to); {
	case err != nil:
		return err
	case answer == javaclass.No:
		return refuse(mismatch, value.SourceName(), converted.SourceName())
	}
	return nil
}

// checkCrypto does ValidatorUtils.validateCryptoKeyReader.
func (i *inspection) checkCrypto(crypto *v1alpha1.CryptoConfig, producer bool) error {
	if crypto == nil || crypto.CryptoKeyReaderClassName == "" {
		return nil
	}
	name := crypto.CryptoKeyReaderClassName
	class, err := i.class(name, refuse("The crypto key reader class %s does not exist", name))
	if err != nil {
		return err
	}
	if class != nil {
		switch answer, err := i.pool.Implements(class, javaclass.CryptoKeyReader); {
		case err != nil:
			return err
		case answer == javaclass.No:
			return refuse("%s does not implement %s", name, javaclass.CryptoKeyReader)
		case !class.HasConstructor(javaclass.Map):
			return refuse("The crypto key reader class %s does not implement the desired constructor.", name)
		}
	}
	if producer && len(crypto.EncryptionKeys) == 0 {
		return refuse("Missing encryption key name for producer crypto key reader")
	}
	return nil
}

// sortedKeys makes the first error of a map always the same one.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
