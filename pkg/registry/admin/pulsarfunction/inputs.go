package pulsarfunction

import (
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

// inputs are what a function consumes, by full names.
type inputs struct {
	topics, patterns sets.Set[string]
}

func inputsOf(config *v1alpha1.InputConfig) inputs {
	in := inputs{sets.New[string](), sets.New[string]()}
	for _, topic := range config.Inputs {
		in.topics.Insert(identity.FullTopicName(topic))
	}
	for topic := range config.CustomSerdeInputs {
		in.topics.Insert(identity.FullTopicName(topic))
	}
	for topic := range config.CustomSchemaInputs {
		in.topics.Insert(identity.FullTopicName(topic))
	}
	for topic, spec := range config.InputSpecs {
		if spec.RegexPattern {
			in.patterns.Insert(identity.FullTopicName(topic))
		} else {
			in.topics.Insert(identity.FullTopicName(topic))
		}
	}
	if config.TopicsPattern != "" {
		in.patterns.Insert(identity.FullTopicName(config.TopicsPattern))
	}
	return in
}

// choose returns the full name of the topic that a message goes to, or why there is none
// in Pulsar's words. asked is the topic that the caller wants, empty for the only one.
func (in inputs) choose(asked string) (topic, reason string) {
	if asked != "" {
		if !identity.ValidTopicName(asked) || !in.has(identity.FullTopicName(asked)) {
			return "", unknownTopic
		}
		return identity.FullTopicName(asked), ""
	}
	switch {
	case len(in.topics)+len(in.patterns) != 1:
		return "", manyTopics
	case len(in.topics) == 0:
		// To Pulsar a pattern is the name of a topic, which isn't there.
		return "", notReady
	}
	only, _ := in.topics.PopAny()
	return only, ""
}

// has tells whether a topic is among the inputs, by its name or because a pattern takes
// it.
func (in inputs) has(topic string) bool {
	if in.topics.Has(topic) {
		return true
	}
	for pattern := range in.patterns {
		if pulsaradmin.Takes(pattern, topic) {
			return true
		}
	}
	return false
}
