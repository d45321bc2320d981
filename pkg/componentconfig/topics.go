package componentconfig

import (
	"maps"
	"slices"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// topics is everything that names what is consumed, whatever a kind calls it.
type topics struct {
	names   []string
	pattern string
	// noPattern says that the pattern was given and is empty.
	noPattern bool
	serdes    map[string]string
	schemas   map[string]string
	specs     map[string]ConsumerConfig
}

// input is an input topic, or a pattern of topics, and how it is consumed.
type input struct {
	name string
	spec ConsumerConfig
	// named is set where the name alone was given, as inputs and topicsPattern do.
	named bool
}

// schemaReader reads a schema that is given as a text, which means different things
// to different kinds, and when a function is created and when it is updated. The
// second result is false for one that can't be read.
type schemaReader func(value string) (ConsumerConfig, bool)

// topicsOfView returns what a view consumes, which it may say in all the five ways.
// What a schema's text means can't be reported from there, so one that isn't JSON is
// taken for the schema's type.
func topicsOfView(view *v1alpha1.InputConfig) topics {
	specs := make(map[string]ConsumerConfig, len(view.InputSpecs))
	for topic, consumer := range view.InputSpecs {
		specs[topic] = consumerFromView(consumer)
	}
	return topics{
		names:   view.Inputs,
		pattern: view.TopicsPattern,
		serdes:  view.CustomSerdeInputs,
		schemas: view.CustomSchemaInputs,
		specs:   specs,
	}
}

// toView writes the topics into a view that has none.
func (t topics) toView(view *v1alpha1.InputConfig, read schemaReader, listed bool) {
	for _, in := range t.fold(read) {
		setTopic(view, in.name, in.spec, listed)
	}
}

// fold returns everything that a new component consumes, once each. The later way to
// say it wins, in Pulsar's order: names, pattern, serdes, schemas, specs. Schemas
// that can't be read are left out.
func (t topics) fold(read schemaReader) []input {
	var fold inputFold
	fold.names(t)
	if t.noPattern {
		fold.put(input{spec: bareSpec(true), named: true})
	}
	fold.serdes(t)
	fold.schemas(t, read)
	fold.specs(t)
	return fold.inputs
}

// foldUpdate is fold for an update, in which Pulsar has the older ways to say it win
// over specs. Only a name alone doesn't: a client that sends the document that it
// created a function from would lose its specs.
func (t topics) foldUpdate() []input {
	var fold inputFold
	fold.names(t)
	fold.specs(t)
	fold.serdes(t)
	fold.schemas(t, schemaOrType)
	for i := range fold.inputs {
		spec := &fold.inputs[i].spec
		spec.CryptoConfig = completeCrypto(spec.CryptoConfig)
	}
	return fold.inputs
}

// unreadable returns the schemas that can't be read, or nil.
func (t topics) unreadable(read schemaReader) map[string]string {
	var result map[string]string
	for topic, schema := range t.schemas {
		if _, ok := read(schema); ok {
			continue
		}
		if result == nil {
			result = map[string]string{}
		}
		result[topic] = schema
	}
	return result
}

// inputFold collects inputs by name. Each keeps the place of its first mention:
// inputs come first, in their own order, then the others in alphabetical order.
type inputFold struct {
	inputs []input
	places map[string]int
}

func (f *inputFold) names(t topics) {
	for _, topic := range t.names {
		f.put(input{name: topic, spec: bareSpec(false), named: true})
	}
	if t.pattern != "" {
		f.put(input{name: t.pattern, spec: bareSpec(true), named: true})
	}
}

func (f *inputFold) serdes(t topics) {
	for _, topic := range sortedKeys(t.serdes) {
		spec := bareSpec(false)
		spec.SerdeClassName = t.serdes[topic]
		f.put(input{name: topic, spec: spec})
	}
}

func (f *inputFold) schemas(t topics, read schemaReader) {
	for _, topic := range sortedKeys(t.schemas) {
		if spec, ok := read(t.schemas[topic]); ok {
			spec.RegexPattern = false
			f.put(input{name: topic, spec: spec})
		}
	}
}

func (f *inputFold) specs(t topics) {
	for _, topic := range sortedKeys(t.specs) {
		f.put(input{name: topic, spec: t.specs[topic]})
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

// schemaOrType reads what an update has as a schema: Pulsar takes the text for the
// schema's type there, although a function's create needs JSON. Both are understood.
func schemaOrType(value string) (ConsumerConfig, bool) {
	if spec, ok := parseSchema(value); ok {
		return spec, true
	}
	spec := bareSpec(false)
	spec.SchemaType = value
	return spec, true
}

// parseSchema reads the JSON text of a ConsumerConfig, as a function's create must
// have it.
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

// consumerToView returns a spec as a view has it. former is the crypto settings that
// the view has.
func consumerToView(config ConsumerConfig, former *v1alpha1.CryptoConfig) v1alpha1.ConsumerSpec {
	spec := v1alpha1.ConsumerSpec{
		SchemaType:         config.SchemaType,
		SerdeClassName:     config.SerdeClassName,
		RegexPattern:       config.RegexPattern,
		SchemaProperties:   orNil(config.SchemaProperties),
		ConsumerProperties: orNil(config.ConsumerProperties),
		ReceiverQueueSize:  config.ReceiverQueueSize,
		CryptoConfig:       cryptoToView(config.CryptoConfig, former),
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

// consumerFromView returns both kinds of properties. Pulsar stores them, but shows
// one of them only, which depends on the kind: a client that reads, changes and
// writes would lose the other.
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
