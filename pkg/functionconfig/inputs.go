package functionconfig

import (
	"maps"
	"slices"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// input is an input topic, or a pattern of topics, and how it is consumed.
type input struct {
	name string
	spec ConsumerConfig
	// named is set where the name alone was given, as inputs and topicsPattern do.
	named bool
}

// schemaReader reads a value of customSchemaInputs, which means different things when
// a function is created and when it is updated. The second result is false for one
// that can't be read.
type schemaReader func(value string) (ConsumerConfig, bool)

// createInputs returns everything that a new function consumes, once each. The later
// way to say it wins, in Pulsar's order: inputs, topicsPattern, customSerdeInputs,
// customSchemaInputs, inputSpecs. The second result has the entries of
// customSchemaInputs that can't be read.
func (c *FunctionConfig) createInputs(read schemaReader) ([]input, map[string]string) {
	var fold inputFold
	fold.names(c)
	fold.serdes(c)
	unreadable := fold.schemas(c, read)
	fold.specs(c)
	return fold.inputs, unreadable
}

// updateInputs is createInputs for an update, in which Pulsar has the older ways to
// say it win over inputSpecs. Only a name alone doesn't win here: a client that sends
// the document that it created the function from would lose its specs.
func (c *FunctionConfig) updateInputs() []input {
	var fold inputFold
	fold.names(c)
	fold.specs(c)
	fold.serdes(c)
	fold.schemas(c, schemaOrType)
	return fold.inputs
}

// foldSpec is createInputs for the view, which knows the same five ways. What a
// schema text means can't be reported from here, so one that isn't JSON is taken
// for the schema's type, as Pulsar does on update.
func foldSpec(spec *v1alpha1.PulsarFunctionSpec) map[string]ConsumerConfig {
	config := FunctionConfig{
		Inputs:             spec.Inputs,
		TopicsPattern:      spec.TopicsPattern,
		CustomSerdeInputs:  spec.CustomSerdeInputs,
		CustomSchemaInputs: spec.CustomSchemaInputs,
		InputSpecs:         make(map[string]ConsumerConfig, len(spec.InputSpecs)),
	}
	for topic, consumer := range spec.InputSpecs {
		config.InputSpecs[topic] = consumerFromView(consumer)
	}
	inputs, _ := config.createInputs(schemaOrType)
	result := make(map[string]ConsumerConfig, len(inputs))
	for _, in := range inputs {
		if in.spec.SchemaType != "" {
			in.spec.SerdeClassName = ""
		}
		result[in.name] = in.spec
	}
	return result
}

// inputFold collects inputs by name. Each keeps the place of its first mention:
// inputs come first, in their own order, then the others in alphabetical order.
type inputFold struct {
	inputs []input
	places map[string]int
}

func (f *inputFold) names(c *FunctionConfig) {
	for _, topic := range c.Inputs {
		f.put(input{name: topic, spec: bareSpec(false), named: true})
	}
	if c.TopicsPattern != "" {
		f.put(input{name: c.TopicsPattern, spec: bareSpec(true), named: true})
	}
}

func (f *inputFold) serdes(c *FunctionConfig) {
	for _, topic := range sortedKeys(c.CustomSerdeInputs) {
		spec := bareSpec(false)
		spec.SerdeClassName = c.CustomSerdeInputs[topic]
		f.put(input{name: topic, spec: spec})
	}
}

// schemas returns what can't be read.
func (f *inputFold) schemas(c *FunctionConfig, read schemaReader) map[string]string {
	var unreadable map[string]string
	for _, topic := range sortedKeys(c.CustomSchemaInputs) {
		spec, ok := read(c.CustomSchemaInputs[topic])
		if !ok {
			if unreadable == nil {
				unreadable = map[string]string{}
			}
			unreadable[topic] = c.CustomSchemaInputs[topic]
			continue
		}
		spec.RegexPattern = false
		f.put(input{name: topic, spec: spec})
	}
	return unreadable
}

func (f *inputFold) specs(c *FunctionConfig) {
	for _, topic := range sortedKeys(c.InputSpecs) {
		f.put(input{name: topic, spec: c.InputSpecs[topic]})
	}
}

func (f *inputFold) put(in input) {
	if place, known := f.places[in.name]; known {
		f.inputs[place] = in
		return
	}
	if f.places == nil {
		f.places = map[string]int{}
	}
	f.places[in.name] = len(f.inputs)
	f.inputs = append(f.inputs, in)
}

// schemaOrType reads what an update has in customSchemaInputs: Pulsar takes the
// text for the schema's type there, although a create needs JSON. Both are
// understood.
func schemaOrType(value string) (ConsumerConfig, bool) {
	if spec, ok := parseSchema(value); ok {
		return spec, true
	}
	spec := bareSpec(false)
	spec.SchemaType = value
	return spec, true
}

// parseSchema reads the JSON text of a ConsumerConfig, as a create must have it.
func parseSchema(value string) (ConsumerConfig, bool) {
	in, found, err := parseObject([]byte(value), "schema")
	if err != nil || !found {
		return bareSpec(false), false
	}
	spec := parseConsumerConfig(in)
	return spec, *in.err == nil
}

// bareSpec is how a topic is consumed of which no more than the name is known.
func bareSpec(regexPattern bool) ConsumerConfig {
	return ConsumerConfig{
		RegexPattern:       regexPattern,
		SchemaProperties:   map[string]string{},
		ConsumerProperties: map[string]string{},
	}
}

// setInput writes an input in the view's own form: a plain topic stands in inputs,
// all else in inputSpecs. For Go a topic always stands in inputs too, where the Go
// runtime looks for it.
func setInput(spec *v1alpha1.PulsarFunctionSpec, name string, config ConsumerConfig) {
	delete(spec.CustomSerdeInputs, name)
	delete(spec.CustomSchemaInputs, name)
	if spec.TopicsPattern == name {
		spec.TopicsPattern = ""
	}
	plain := !config.RegexPattern && equalities.DeepEqual(config, bareSpec(false))
	if plain {
		delete(spec.InputSpecs, name)
	} else {
		if spec.InputSpecs == nil {
			spec.InputSpecs = map[string]v1alpha1.ConsumerSpec{}
		}
		spec.InputSpecs[name] = consumerToView(config)
	}
	listed := plain || (spec.Go != nil && !config.RegexPattern)
	if listed && !slices.Contains(spec.Inputs, name) {
		spec.Inputs = append(spec.Inputs, name)
	}
}

func consumerToView(config ConsumerConfig) v1alpha1.ConsumerSpec {
	spec := v1alpha1.ConsumerSpec{
		SchemaType:         config.SchemaType,
		SerdeClassName:     config.SerdeClassName,
		RegexPattern:       config.RegexPattern,
		SchemaProperties:   orNil(config.SchemaProperties),
		ConsumerProperties: orNil(config.ConsumerProperties),
		ReceiverQueueSize:  config.ReceiverQueueSize,
		CryptoConfig:       cryptoToView(config.CryptoConfig),
		PoolMessages:       config.PoolMessages,
	}
	if processor := config.MessagePayloadProcessorConfig; processor != nil {
		spec.MessagePayloadProcessorConfig = &v1alpha1.MessagePayloadProcessorConfig{
			ClassName: processor.ClassName,
			Config:    processor.Config,
		}
	}
	return spec
}

// consumerFromView returns consumerProperties too, which Pulsar stores but never
// shows for functions: a client that reads, changes and writes would lose them.
func consumerFromView(spec v1alpha1.ConsumerSpec) ConsumerConfig {
	config := ConsumerConfig{
		SchemaType:         spec.SchemaType,
		SerdeClassName:     spec.SerdeClassName,
		RegexPattern:       spec.RegexPattern,
		SchemaProperties:   orEmpty(spec.SchemaProperties),
		ConsumerProperties: orEmpty(spec.ConsumerProperties),
		ReceiverQueueSize:  spec.ReceiverQueueSize,
		CryptoConfig:       cryptoFromView(spec.CryptoConfig),
		PoolMessages:       spec.PoolMessages,
	}
	if processor := spec.MessagePayloadProcessorConfig; processor != nil {
		config.MessagePayloadProcessorConfig = &MessagePayloadProcessorConfig{
			ClassName: processor.ClassName,
			Config:    processor.Config,
		}
	}
	return config
}

func orNil(values map[string]string) map[string]string {
	if len(values) == 0 {
		return nil
	}
	return values
}

func sortedKeys[V any](values map[string]V) []string {
	return slices.Sorted(maps.Keys(values))
}
