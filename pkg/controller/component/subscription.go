package component

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// NeedCleanupAnnotation, with the value false, says that nobody shall remove the
// subscription of a resource. It is the operator's.
const NeedCleanupAnnotation = computev1alpha1.GroupName + "/need-cleanup"

// workerLabels are those by which the operator knows what the Java worker made: it removes
// no subscription of that, since the worker would.
var workerLabels = []string{computev1alpha1.GroupName + "/pulsar-cluster", "pulsar-cluster"}

// Subscription is a subscription on the topics that a resource consumes.
type Subscription struct {
	// Cluster is the Pulsar cluster's name.
	Cluster string
	// Name is the subscription's. Own says that it is the name that belongs to the
	// component, and wasn't chosen.
	Name string
	Own  bool
	// Topics and Patterns are full names.
	Topics, Patterns []string
}

// subscriptionOf returns the subscription to remove when a resource is deleted: one that
// its author wants removed, and that the operator leaves because it takes the resource for
// the Java worker's. Of all others the operator takes care.
func subscriptionOf(object *unstructured.Unstructured, spec *crSpec) *Subscription {
	labels := object.GetLabels()
	workers := slices.ContainsFunc(workerLabels, func(label string) bool {
		_, has := labels[label]
		return has
	})
	if !workers || !ptr.Deref(spec.CleanupSubscription, false) || object.GetAnnotations()[NeedCleanupAnnotation] == "false" {
		return nil
	}
	subscription := &Subscription{Cluster: spec.ClusterName, Name: spec.SubscriptionName}
	if subscription.Name == "" {
		subscription.Own = true
		subscription.Name = identity.Name{
			Tenant:    cmp.Or(spec.Tenant, adminv1alpha1.DefaultTenant),
			Namespace: cmp.Or(spec.Namespace, adminv1alpha1.DefaultNamespace),
			// Not the name by which the worker's clients know it.
			Name: cmp.Or(spec.Name, object.GetName()),
		}.String()
	}
	topics, patterns := sets.New[string](), sets.New[string]()
	add := func(to sets.Set[string], topic string) {
		if identity.ValidTopicName(topic) {
			to.Insert(identity.FullTopicName(topic))
		}
	}
	input := &spec.Input
	for _, topic := range input.Topics {
		add(topics, topic)
	}
	for topic := range input.CustomSerdeSources {
		add(topics, topic)
	}
	for topic := range input.CustomSchemaSources {
		add(topics, topic)
	}
	add(patterns, input.TopicPattern)
	for topic, source := range input.SourceSpecs {
		if source.IsRegexPattern {
			add(patterns, topic)
		} else {
			add(topics, topic)
		}
	}
	subscription.Topics, subscription.Patterns = sets.List(topics), sets.List(patterns)
	return subscription
}
