package inspect

import (
	"encoding/json"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/javaclass"
)

// function does FunctionConfigUtils.doJavaChecks.
func (i *inspection) function(function *v1alpha1.PulsarFunction) error {
	spec := &function.Spec
	if spec.ClassName == "" {
		service, err := i.archive.Service()
		if err != nil {
			return err
		}
		if service == nil || service.FunctionClass == "" {
			return refuse("Function class name is not provided.")
		}
		spec.ClassName = service.FunctionClass
	}
	class, err := i.class(spec.ClassName, refuse("Function class %s must be in class path", spec.ClassName))
	if err != nil || class == nil {
		return err
	}
	_, answer, err := i.implementsAny(class, javaclass.Function, javaclass.JavaFunction, javaclass.WindowFunction)
	switch {
	case err != nil:
		return err
	case answer == javaclass.No:
		return refuse("Function class %s does not implement the correct interface", spec.ClassName)
	case answer == javaclass.Unknown:
		return nil
	}
	input, output, err := i.functionTypes(class, spec.WindowConfig != nil)
	if err != nil {
		return err
	}
	if err := i.checkInput(&spec.InputConfig, input, "Only one of schemaType or serdeClassName should be set in inputSpec"); err != nil {
		return err
	}
	if output == nil || output.String() != "java.lang.Void" {
		if err := i.checkOutput(&spec.OutputConfig, output, "Only one of outputSchemaType or outputSerdeClassName should be set"); err != nil {
			return err
		}
	}
	fill(&spec.InputTypeClassName, nameOf(input))
	fill(&spec.OutputTypeClassName, nameOf(output))
	return nil
}

// functionTypes does FunctionCommon.getFunctionTypes: what a function takes and gives.
func (i *inspection) functionTypes(class *javaclass.Class, window bool) (input, output *javaclass.Type, err error) {
	name := javaclass.Function
	if window {
		name = javaclass.WindowFunction
	}
	if answer, err := i.pool.Implements(class, name); err != nil || answer != javaclass.Yes {
		if err != nil {
			return nil, nil, err
		}
		name = javaclass.JavaFunction
	}
	answer, err := i.pool.Implements(class, name)
	if err != nil {
		return nil, nil, err
	}
	if answer != javaclass.Yes {
		return nil, nil, refuse("Function class %s does not implement the correct interface", class.Name)
	}
	arguments, err := i.pool.Arguments(class, name)
	if err != nil || len(arguments) != 2 {
		return nil, nil, err
	}
	in, out := arguments[0], arguments[1]
	if window && name == javaclass.JavaFunction {
		answer, err := i.pool.Assignable(in, javaclass.Type{Name: javaclass.Collection})
		if err != nil {
			return nil, nil, err
		}
		if answer == javaclass.No {
			return nil, nil, refuse("Window function must take a collection as input")
		}
		in = firstArgument(in)
	}
	for _, wrapper := range []string{javaclass.Record, javaclass.CompletableFuture} {
		answer, err := i.pool.Assignable(out, javaclass.Type{Name: wrapper})
		if err != nil {
			return nil, nil, err
		}
		if answer == javaclass.Yes {
			out = firstArgument(out)
		}
	}
	return &in, &out, nil
}

func firstArgument(t javaclass.Type) javaclass.Type {
	if len(t.Arguments) == 0 {
		return javaclass.Type{Name: object}
	}
	return t.Arguments[0]
}

// checkInput checks the classes that deserialize what a component takes.
func (i *inspection) checkInput(input *v1alpha1.InputConfig, taken *javaclass.Type, both string) error {
	for _, topic := range sortedKeys(input.CustomSerdeInputs) {
		if err := i.checkSerde(input.CustomSerdeInputs[topic], taken, true); err != nil {
			return err
		}
	}
	for _, topic := range sortedKeys(input.CustomSchemaInputs) {
		schema := input.CustomSchemaInputs[topic]
		consumer := struct {
			SchemaType string `json:"schemaType"`
		}{}
		if json.Unmarshal([]byte(schema), &consumer) == nil {
			schema = consumer.SchemaType
		}
		if err := i.checkSchema(schema, taken, true); err != nil {
			return err
		}
	}
	for _, topic := range sortedKeys(input.InputSpecs) {
		consumer := input.InputSpecs[topic]
		if consumer.SchemaType != "" && consumer.SerdeClassName != "" {
			return refuse("%s", both)
		}
		if err := i.checkSerde(consumer.SerdeClassName, taken, true); err != nil {
			return err
		}
		if err := i.checkSchema(consumer.SchemaType, taken, true); err != nil {
			return err
		}
		if err := i.checkCrypto(consumer.CryptoConfig, false); err != nil {
			return err
		}
	}
	return nil
}

// checkOutput checks the classes that serialize what a component gives.
func (i *inspection) checkOutput(output *v1alpha1.OutputConfig, given *javaclass.Type, both string) error {
	if output.OutputSchemaType != "" && output.OutputSerdeClassName != "" {
		return refuse("%s", both)
	}
	if err := i.checkSchema(output.OutputSchemaType, given, false); err != nil {
		return err
	}
	if err := i.checkSerde(output.OutputSerdeClassName, given, false); err != nil {
		return err
	}
	if output.ProducerConfig == nil {
		return nil
	}
	return i.checkCrypto(output.ProducerConfig.CryptoConfig, true)
}
