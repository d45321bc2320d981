package componentconfig

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Inputs is what the configurations of functions and sinks say alike about what is
// consumed.
type Inputs struct {
	// Inputs, TopicsPattern and what each kind calls its serdes and schemas are older
	// ways to say what InputSpecs says.
	Inputs        []string                  `json:"inputs,omitempty"`
	TopicsPattern string                    `json:"topicsPattern,omitempty"`
	InputSpecs    map[string]ConsumerConfig `json:"inputSpecs"`
	// EmptyPattern says that TopicsPattern was given and is empty. Pulsar takes that for
	// the name of a topic when something is created.
	EmptyPattern bool `json:"-"`

	RetainOrdering      *bool  `json:"retainOrdering,omitempty"`
	RetainKeyOrdering   *bool  `json:"retainKeyOrdering,omitempty"`
	AutoAck             *bool  `json:"autoAck,omitempty"`
	MaxMessageRetries   *int32 `json:"maxMessageRetries,omitempty"`
	DeadLetterTopic     string `json:"deadLetterTopic,omitempty"`
	CleanupSubscription *bool  `json:"cleanupSubscription,omitempty"`
	TimeoutMs           *int64 `json:"timeoutMs,omitempty"`
}

func parseInputs(in object) Inputs {
	return Inputs{
		Inputs:              in.texts("inputs"),
		TopicsPattern:       in.text("topicsPattern"),
		EmptyPattern:        in.given("topicsPattern") && in.text("topicsPattern") == "",
		InputSpecs:          parseInputSpecs(in),
		RetainOrdering:      in.boolean("retainOrdering"),
		RetainKeyOrdering:   in.boolean("retainKeyOrdering"),
		AutoAck:             in.boolean("autoAck"),
		MaxMessageRetries:   in.int32("maxMessageRetries"),
		DeadLetterTopic:     in.text("deadLetterTopic"),
		CleanupSubscription: in.boolean("cleanupSubscription"),
		TimeoutMs:           in.int64("timeoutMs"),
	}
}

// toView returns all but the topics.
func (i *Inputs) toView() v1alpha1.InputConfig {
	return v1alpha1.InputConfig{
		CleanupSubscription: i.CleanupSubscription,
		RetainOrdering:      ptr.Deref(i.RetainOrdering, false),
		RetainKeyOrdering:   ptr.Deref(i.RetainKeyOrdering, false),
		AutoAck:             i.AutoAck,
		TimeoutMs:           i.TimeoutMs,
		MaxMessageRetries:   i.MaxMessageRetries,
		DeadLetterTopic:     i.DeadLetterTopic,
	}
}

// inputsFromView returns what both kinds show, all of it in InputSpecs, and the names
// of the topics in order. autoAck is for a view that doesn't say.
func inputsFromView(view *v1alpha1.InputConfig, autoAck bool) (Inputs, []string) {
	folded := topicsOfView(view).fold(schemaOrType)
	result := Inputs{
		InputSpecs:          make(map[string]ConsumerConfig, len(folded)),
		RetainOrdering:      ptr.To(view.RetainOrdering),
		RetainKeyOrdering:   ptr.To(view.RetainKeyOrdering),
		AutoAck:             ptr.To(ptr.Deref(view.AutoAck, autoAck)),
		CleanupSubscription: ptr.To(ptr.Deref(view.CleanupSubscription, true)),
	}
	var names []string
	for _, in := range folded {
		if in.spec.SchemaType != "" {
			in.spec.SerdeClassName = ""
		}
		result.InputSpecs[in.name] = in.spec
		names = append(names, in.name)
	}
	if ptr.Deref(view.TimeoutMs, 0) != 0 {
		result.TimeoutMs = view.TimeoutMs
	}
	return result, names
}

// checkTopics refuses inputs that a component doesn't have already, as a topic or as
// a pattern as before.
func (i *Inputs) checkTopics(inputs []input) error {
	for _, in := range inputs {
		former, known := i.InputSpecs[in.name]
		if !known {
			return &Error{Reason: "Input Topics cannot be altered"}
		}
		if former.RegexPattern != in.spec.RegexPattern {
			return &Error{Reason: fmt.Sprintf("isRegexPattern for input topic %s cannot be altered", in.name)}
		}
	}
	return nil
}

func (i *Inputs) checkOrdering(update *Inputs) []check {
	return []check{
		{pointerDiffers(i.RetainOrdering, update.RetainOrdering), "Retain Ordering cannot be altered"},
		{pointerDiffers(i.RetainKeyOrdering, update.RetainKeyOrdering), "Retain Key Ordering cannot be altered"},
	}
}

func (i *Inputs) checkAutoAck(update *Inputs) check {
	return check{pointerDiffers(i.AutoAck, update.AutoAck), "AutoAck cannot be altered"}
}

// merge takes from an update what both kinds take, but for topics.
func (i *Inputs) merge(update *Inputs) {
	replacePointer(&i.TimeoutMs, update.TimeoutMs)
	replacePointer(&i.CleanupSubscription, update.CleanupSubscription)
}

// mergeTopics replaces how inputs are consumed.
func (i *Inputs) mergeTopics(inputs []input) {
	specs := maps.Clone(i.InputSpecs)
	for _, in := range inputs {
		specs[in.name] = in.spec
	}
	i.InputSpecs = specs
}

// applyInputs writes into a view what an update changed of it. listed is for setTopic.
func applyInputs(view *v1alpha1.InputConfig, existing, merged *Inputs, listed bool) {
	for _, topic := range sortedKeys(merged.InputSpecs) {
		if !equalities.DeepEqual(existing.InputSpecs[topic], merged.InputSpecs[topic]) {
			setTopic(view, topic, merged.InputSpecs[topic], listed)
		}
	}
	change(&view.TimeoutMs, existing.TimeoutMs, merged.TimeoutMs)
	change(&view.CleanupSubscription, existing.CleanupSubscription, merged.CleanupSubscription)
}

// setTopic writes an input in the view's own form: a plain topic stands in inputs,
// all else in inputSpecs. Where listed is set, a topic always stands in inputs too.
func setTopic(view *v1alpha1.InputConfig, name string, config ConsumerConfig, listed bool) {
	former := view.InputSpecs[name].CryptoConfig
	delete(view.CustomSerdeInputs, name)
	delete(view.CustomSchemaInputs, name)
	if view.TopicsPattern == name {
		view.TopicsPattern = ""
	}
	plain := !config.RegexPattern && equalities.DeepEqual(config, bareSpec(false))
	if plain {
		delete(view.InputSpecs, name)
	} else {
		if view.InputSpecs == nil {
			view.InputSpecs = map[string]v1alpha1.ConsumerSpec{}
		}
		view.InputSpecs[name] = consumerToView(config, former)
	}
	if (plain || listed && !config.RegexPattern) && !slices.Contains(view.Inputs, name) {
		view.Inputs = append(view.Inputs, name)
	}
}

// givenRetries returns how often a message is retried, or nil for ever, for which
// there is any number below the least.
func givenRetries(retries *int32, least int32) *int32 {
	if retries == nil || *retries < least {
		return nil
	}
	return retries
}
