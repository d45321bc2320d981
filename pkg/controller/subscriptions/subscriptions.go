// Package subscriptions is the loop that removes the subscriptions of functions and sinks
// that are deleted, where their authors want that and the operator doesn't do it: it
// leaves alone what has the Java worker's labels. A subscription that nobody consumes by
// keeps every message of its topics.
//
// A finalizer keeps the resource until that is done, and no longer than a deadline: Pulsar
// may be gone for good. Where the loop is switched off it takes its finalizers away, so
// that nothing waits for a server that isn't there any more.
package subscriptions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	// Name is the loop's.
	Name = "subscription-cleanup"
	// Finalizer is on resources whose subscription the loop removes.
	Finalizer = translation.ReservedPrefix + Name

	// DefaultDeadline is how long a deleted resource waits for its subscription to go.
	DefaultDeadline = time.Hour
	// terminatingDeadline is how long the deletion of a whole namespace waits, and
	// inUseDeadline what somebody else's consumer keeps: ours is gone with its pod.
	terminatingDeadline = 5 * time.Minute
	inUseDeadline       = 5 * time.Minute
	// again is when something is looked at that nobody tells of.
	again = 15 * time.Second
	// askTimeout bounds what Pulsar is asked for one resource at a time. A loop has half
	// as much again.
	askTimeout = 20 * time.Second

	reasonRemoved    = "SubscriptionRemoved"
	reasonNotRemoved = "SubscriptionNotRemoved"
	reasonLeft       = "SubscriptionLeft"
)

// Topics is what the loop does in a Pulsar cluster: see pulsaradmin.Topics.
type Topics interface {
	RemoveSubscription(ctx context.Context, topic, subscription string) error
	Matching(ctx context.Context, pattern string) ([]string, error)
}

// Config is what a cleaner works with.
type Config struct {
	Informers *component.Informers
	Writer    *work.Writer
	Kube      kubernetes.Interface
	Clock     clock.PassiveClock
	// Recorder is nil where no events are written.
	Recorder record.EventRecorder
	// Claims know which namespace serves what.
	Claims *tenancy.Index
	// Clusters are those where the server has an account, by their names.
	Clusters map[string]Topics
	// Enabled is false where no subscriptions are removed: finalizers are taken away.
	Enabled bool
	// Deadline is how long a deleted resource waits.
	Deadline time.Duration
}

// Cleaner removes subscriptions.
type Cleaner struct{ config Config }

// New returns a cleaner.
func New(config Config) *Cleaner { return &Cleaner{config} }

// Reconcile gives a resource the finalizer or takes it away, and removes the subscription
// of one that is being deleted.
func (c *Cleaner) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := c.config.Informers.Get(key)
	if object == nil {
		return 0, nil
	}
	has, wanted := slices.Contains(object.Finalizers, Finalizer), c.wanted(object)
	switch {
	case object.DeletionTimestamp == nil && has != wanted:
		return c.setFinalizer(ctx, key, object, wanted)
	case object.DeletionTimestamp == nil || !has:
		return 0, nil
	case !wanted:
		return c.setFinalizer(ctx, key, object, false)
	}
	return c.remove(ctx, key, object)
}

// wanted tells whether the subscription of a resource is to be removed.
func (c *Cleaner) wanted(object *component.Component) bool {
	return c.config.Enabled && object.Subscription != nil && c.config.Clusters[object.Subscription.Cluster] != nil
}

func (c *Cleaner) setFinalizer(ctx context.Context, key work.Key, object *component.Component, wanted bool) (time.Duration, error) {
	finalizers := slices.DeleteFunc(slices.Clone(object.Finalizers), func(name string) bool { return name == Finalizer })
	if wanted {
		finalizers = append(finalizers, Finalizer)
	}
	if finalizers == nil {
		finalizers = []string{}
	}
	return c.config.Writer.Patch(ctx, Name, key, &object.ObjectMeta, work.Patch{Finalizers: finalizers})
}

// remove removes the subscription of a resource that is being deleted, and lets the
// resource go.
func (c *Cleaner) remove(ctx context.Context, key work.Key, object *component.Component) (time.Duration, error) {
	if why := c.notOurs(object); why != "" {
		return c.release(ctx, key, object, reasonLeft, why)
	}
	late := c.late(ctx, object)
	// Whoever writes the number again, or refuses it, doesn't keep the resource for ever.
	if object.Replicas > 0 && !late {
		// Its pods would go only after the resource, and they would make it again.
		return c.config.Writer.Patch(ctx, Name, key, &object.ObjectMeta, work.Patch{Spec: map[string]any{"replicas": 0}})
	}
	name := object.Subscription.Name
	if _, pods := c.config.Informers.Children(object); len(pods) > 0 {
		if late {
			return c.release(ctx, key, object, reasonLeft, fmt.Sprintf("Subscription %s is left: instances still run.", name))
		}
		return again, nil
	}
	// What is found out has to be written in what is left of the time.
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	kept, err := c.removeAll(asking, object)
	switch {
	case err == nil && kept != "":
		return c.release(ctx, key, object, reasonLeft, kept)
	case err == nil:
		return c.release(ctx, key, object, reasonRemoved, fmt.Sprintf("Removed subscription %s.", name))
	case late, errors.Is(err, pulsaradmin.ErrInUse) && c.age(object) > inUseDeadline:
		return c.release(ctx, key, object, reasonLeft, "Not removed in time: "+err.Error()+".")
	}
	if news := "Not removed yet: " + err.Error() + "."; object.Annotations[component.LeftoverAnnotation] != news {
		wait, patchErr := c.config.Writer.Patch(ctx, Name, key, &object.ObjectMeta,
			work.Patch{Annotations: map[string]any{component.LeftoverAnnotation: news}})
		if patchErr != nil || wait > 0 {
			return wait, patchErr
		}
		c.tell(object, corev1.EventTypeWarning, reasonNotRemoved, news)
	}
	return 0, err
}

// notOurs says why a subscription isn't the resource's to remove, empty if it is.
func (c *Cleaner) notOurs(object *component.Component) string {
	id := object.Identity
	if why := c.config.Claims.NotServed(object.Namespace, tenancy.PulsarNamespace{Tenant: id.Tenant, Namespace: id.Namespace}); why != "" {
		return fmt.Sprintf("Subscription %s is left: %s", object.Subscription.Name, why)
	}
	if elder := c.config.Informers.Elder(object); elder != nil {
		return fmt.Sprintf("Subscription %s is left: it is that of %s %s, which has the same name in Pulsar.", object.Subscription.Name, elder.Kind.Kind, elder.Name)
	}
	if other := c.sharer(object); other != nil {
		return fmt.Sprintf("Subscription %s is left: another resource has it as well.", object.Subscription.Name)
	}
	return ""
}

// sharer returns a resource, of any namespace, that goes on with the subscription of one
// that is deleted: by its own name in Pulsar, or because it says so. A resource's name in
// Pulsar may come from its labels, and its subscription's from its spec.
func (c *Cleaner) sharer(object *component.Component) (sharer *component.Component) {
	c.config.Informers.Each(func(key work.Key) {
		other := c.config.Informers.Get(key)
		if other == nil || other.UID == object.UID || other.DeletionTimestamp != nil {
			return
		}
		if object.Subscription.Own && other.Identity.String() == object.Subscription.Name ||
			other.Subscription != nil && other.Subscription.Name == object.Subscription.Name && other.Subscription.Cluster == object.Subscription.Cluster &&
				(object.Subscription.Own || other.Namespace == object.Namespace) {
			sharer = other
		}
	})
	return sharer
}

// removeAll removes a subscription from all topics. kept says which of them aren't the
// resource's to touch, empty if all are.
//
// Whoever writes a resource names topics and subscription, and the server's account may
// touch any. A subscription under the component's own name is nobody else's. One of a
// chosen name is, unless the namespace serves the topic's as well.
func (c *Cleaner) removeAll(ctx context.Context, object *component.Component) (kept string, err error) {
	subscription := object.Subscription
	topics := c.config.Clusters[subscription.Cluster]
	remove := func(topic string) error {
		if !subscription.Own && c.config.Claims.NotServed(object.Namespace, namespaceOf(topic)) != "" {
			kept = fmt.Sprintf("Subscription %s is left at topic %s: namespace %s doesn't serve the topic's, and the subscription may be somebody else's.",
				subscription.Name, topic, object.Namespace)
			return nil
		}
		if err := topics.RemoveSubscription(ctx, topic, subscription.Name); err != nil {
			logCause(ctx, object, err)
			return fmt.Errorf("subscription %s of topic %s: %w", subscription.Name, topic, err)
		}
		return nil
	}
	var failures error
	for _, topic := range subscription.Topics {
		if ctx.Err() != nil {
			break
		}
		failures = first(failures, remove(topic))
	}
	for _, pattern := range subscription.Patterns {
		if ctx.Err() != nil {
			break
		}
		if !pulsaradmin.Readable(pattern) {
			kept = fmt.Sprintf("Subscription %s is left: the pattern %s can't be read here.", subscription.Name, pattern)
			continue
		}
		matching, err := topics.Matching(ctx, pattern)
		if err != nil {
			logCause(ctx, object, err)
			failures = first(failures, fmt.Errorf("subscription %s of topics %s: %w", subscription.Name, pattern, err))
		}
		for _, topic := range matching {
			if ctx.Err() != nil {
				break
			}
			failures = first(failures, remove(topic))
		}
	}
	if failures == nil && ctx.Err() != nil {
		failures = fmt.Errorf("subscription %s: Pulsar takes too long", subscription.Name)
	}
	return kept, failures
}

// first returns the earlier one of two errors, as a text that stays the same while one
// thing is wrong.
func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// logCause logs what isn't said to everybody.
func logCause(ctx context.Context, object *component.Component, err error) {
	var unknown *pulsaradmin.UnknownError
	if errors.As(err, &unknown) && unknown.Unwrap() != nil {
		klog.FromContext(ctx).Error(unknown.Unwrap(), "Could not ask Pulsar about a subscription", "object", klog.KObj(object))
	}
}

// release lets a resource go, and tells how its subscription ended.
func (c *Cleaner) release(ctx context.Context, key work.Key, object *component.Component, reason, message string) (time.Duration, error) {
	wait, err := c.setFinalizer(ctx, key, object, false)
	if err != nil || wait > 0 {
		return wait, err
	}
	eventType := corev1.EventTypeNormal
	if reason == reasonLeft {
		eventType = corev1.EventTypeWarning
	}
	c.tell(object, eventType, reason, message)
	klog.FromContext(ctx).Info("Let a deleted component go", "object", klog.KObj(object), "reason", reason, "message", message)
	return 0, nil
}

func (c *Cleaner) tell(object *component.Component, eventType, reason, message string) {
	if c.config.Recorder != nil {
		c.config.Recorder.Event(component.ViewReference(object), eventType, reason, message)
	}
}

// late tells whether a resource has waited long enough.
func (c *Cleaner) late(ctx context.Context, object *component.Component) bool {
	switch age := c.age(object); {
	case age > c.config.Deadline:
		return true
	case age <= terminatingDeadline:
		return false
	}
	namespace, err := c.config.Kube.CoreV1().Namespaces().Get(ctx, object.Namespace, metav1.GetOptions{})
	return err == nil && namespace.DeletionTimestamp != nil
}

// age is how long ago a resource was deleted.
func (c *Cleaner) age(object *component.Component) time.Duration {
	return c.config.Clock.Since(object.DeletionTimestamp.Time)
}
