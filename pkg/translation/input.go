package translation

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

var (
	positionsToCR = map[adminv1alpha1.SubscriptionPosition]computev1alpha1.SubscriptionPosition{
		adminv1alpha1.Latest:   computev1alpha1.Latest,
		adminv1alpha1.Earliest: computev1alpha1.Earliest,
	}
	positionsFromCR = inverse(positionsToCR)
)

// consumeToCR translates what functions and sinks consume, and how.
func consumeToCR(view *adminv1alpha1.InputConfig, cr *computev1alpha1.ConsumeSpec) error {
	*cr = computev1alpha1.ConsumeSpec{
		Input:               inputToCR(view),
		AutoAck:             view.AutoAck,
		MaxMessageRetry:     view.MaxMessageRetries,
		DeadLetterTopic:     view.DeadLetterTopic,
		RetainOrdering:      view.RetainOrdering,
		RetainKeyOrdering:   view.RetainKeyOrdering,
		SubscriptionName:    view.SubscriptionName,
		CleanupSubscription: view.CleanupSubscription,
	}
	var err error
	if cr.Timeout, err = millisecondsToCR(view.TimeoutMs, "spec.timeoutMs"); err != nil {
		return err
	}
	cr.SubscriptionPosition, err = lookUp(positionsToCR, view.SubscriptionPosition, "spec.subscriptionPosition")
	return err
}

// consumeFromCR is the inverse of consumeToCR.
func consumeFromCR(cr *computev1alpha1.ConsumeSpec, view *adminv1alpha1.InputConfig) error {
	*view = adminv1alpha1.InputConfig{
		SubscriptionName:    cr.SubscriptionName,
		CleanupSubscription: ptr.To(ptr.Deref(cr.CleanupSubscription, false)),
		RetainOrdering:      cr.RetainOrdering,
		RetainKeyOrdering:   cr.RetainKeyOrdering,
		AutoAck:             cr.AutoAck,
		TimeoutMs:           millisecondsFromCR(cr.Timeout),
		MaxMessageRetries:   cr.MaxMessageRetry,
		DeadLetterTopic:     cr.DeadLetterTopic,
	}
	inputFromCR(&cr.Input, view)
	position := orDefault(cr.SubscriptionPosition, operatorDefaultPosition)
	var err error
	view.SubscriptionPosition, err = lookUp(positionsFromCR, position, "spec.subscriptionPosition")
	return err
}

// inputToCR translates all that says what is consumed.
//
// An entry of customSchemaInputs is written twice. Pulsar has a JSON object there,
// with schema type and properties; the operator takes it for the schema type as it
// is. So what the object says is written as a source spec too, which the operator
// prefers, unless the view has an input spec of its own for the topic.
func inputToCR(view *adminv1alpha1.InputConfig) computev1alpha1.InputConf {
	cr := computev1alpha1.InputConf{
		TypeClassName:       view.InputTypeClassName,
		Topics:              emptyListAsNil(view.Inputs),
		TopicPattern:        view.TopicsPattern,
		CustomSerdeSources:  emptyAsNil(view.CustomSerdeInputs),
		CustomSchemaSources: emptyAsNil(view.CustomSchemaInputs),
	}
	specs := make(map[string]computev1alpha1.ConsumerConfig, len(view.InputSpecs)+len(view.CustomSchemaInputs))
	for topic, text := range view.CustomSchemaInputs {
		if spec, ok := sourceSpecOfSchema(text); ok {
			specs[topic] = spec
		}
	}
	for topic, spec := range view.InputSpecs {
		specs[topic] = computev1alpha1.ConsumerConfig{
			SchemaType:         spec.SchemaType,
			SerdeClassName:     spec.SerdeClassName,
			IsRegexPattern:     spec.RegexPattern,
			SchemaProperties:   emptyAsNil(spec.SchemaProperties),
			ConsumerProperties: emptyAsNil(spec.ConsumerProperties),
			ReceiverQueueSize:  spec.ReceiverQueueSize,
			CryptoConfig:       cryptoToCR(spec.CryptoConfig),
		}
	}
	cr.SourceSpecs = emptyAsNil(specs)
	return cr
}

// inputFromCR is the inverse of inputToCR. A source spec that says what the schema
// of the same topic says is not shown a second time.
func inputFromCR(cr *computev1alpha1.InputConf, view *adminv1alpha1.InputConfig) {
	view.InputTypeClassName = orDefault(cr.TypeClassName, DefaultTypeClassName)
	view.Inputs = emptyListAsNil(cr.Topics)
	view.TopicsPattern = cr.TopicPattern
	view.CustomSerdeInputs = emptyAsNil(cr.CustomSerdeSources)
	view.CustomSchemaInputs = emptyAsNil(cr.CustomSchemaSources)
	specs := make(map[string]adminv1alpha1.ConsumerSpec, len(cr.SourceSpecs))
	for topic, spec := range cr.SourceSpecs {
		derived, ok := sourceSpecOfSchema(cr.CustomSchemaSources[topic])
		if ok && equality.Semantic.DeepEqual(derived, spec) {
			continue
		}
		specs[topic] = adminv1alpha1.ConsumerSpec{
			SchemaType:         spec.SchemaType,
			SerdeClassName:     spec.SerdeClassName,
			RegexPattern:       spec.IsRegexPattern,
			SchemaProperties:   emptyAsNil(spec.SchemaProperties),
			ConsumerProperties: emptyAsNil(spec.ConsumerProperties),
			ReceiverQueueSize:  spec.ReceiverQueueSize,
			CryptoConfig:       cryptoFromCR(spec.CryptoConfig),
		}
	}
	view.InputSpecs = emptyAsNil(specs)
}

// sourceSpecOfSchema reads the parts of a Pulsar ConsumerConfig that Pulsar takes
// from an entry of customSchemaInputs. A text that is none is a schema type.
func sourceSpecOfSchema(text string) (computev1alpha1.ConsumerConfig, bool) {
	var config struct {
		SchemaType         string            `json:"schemaType"`
		SchemaProperties   map[string]string `json:"schemaProperties"`
		ConsumerProperties map[string]string `json:"consumerProperties"`
	}
	if len(text) == 0 || text[0] != '{' || json.Unmarshal([]byte(text), &config) != nil {
		return computev1alpha1.ConsumerConfig{}, false
	}
	return computev1alpha1.ConsumerConfig{
		SchemaType:         config.SchemaType,
		SchemaProperties:   emptyAsNil(config.SchemaProperties),
		ConsumerProperties: emptyAsNil(config.ConsumerProperties),
	}, true
}
