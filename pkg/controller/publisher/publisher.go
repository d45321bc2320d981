// Package publisher is the loop that observes functions, sources and sinks and
// publishes a status of each: see pkg/status for what and why.
package publisher

import (
	"context"
	"errors"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/credentials"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/duplicates"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/packages"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// Name is the loop's.
const Name = "status"

// Config is what a publisher works with.
type Config struct {
	Informers *component.Informers
	Writer    *work.Writer
	Clock     clock.PassiveClock
	// References is nil where references aren't checked.
	References *References
	// Credentials is nil where credentials aren't looked at.
	Credentials *credentials.Reader
	// Packages is nil where packages aren't looked at.
	Packages *packages.Resolver
	// Recorder is nil where no events are written.
	Recorder record.EventRecorder
	// Claims know which namespace serves what.
	Claims *tenancy.Index
	// StopsDuplicates says whether the loop runs that does.
	StopsDuplicates bool
}

// Publisher publishes.
type Publisher struct {
	config Config
	raised raises
}

// New returns a publisher.
func New(config Config) *Publisher {
	return &Publisher{config: config, raised: raises{of: map[work.Key]raise{}}}
}

// newerStatuses counts, since nobody looks at each object.
var newerStatuses = metrics.NewCounter(&metrics.CounterOpts{
	Namespace:      "functionmesh_apiserver",
	Name:           "newer_statuses_total",
	Help:           "How often a status was left alone because a newer server published it.",
	StabilityLevel: metrics.ALPHA,
})

func init() { legacyregistry.MustRegister(newerStatuses) }

// Reconcile publishes the status of an object if it isn't what is published.
func (p *Publisher) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := p.config.Informers.Get(key)
	if object == nil || object.Broken {
		p.raised.forget(key)
		return 0, nil
	}
	previous, err := status.Decode(&object.ObjectMeta)
	switch {
	case errors.Is(err, status.ErrNewer):
		newerStatuses.Inc()
		klog.FromContext(ctx).V(2).Info("Left a status alone", "resource", key.Resource, "object", klog.KRef(key.Namespace, key.Name), "err", err)
		return 0, nil
	case err != nil && !errors.Is(err, status.ErrNone):
		klog.FromContext(ctx).Info("Replacing a status", "resource", key.Resource, "object", klog.KRef(key.Namespace, key.Name), "err", err)
	}
	in := p.observe(object, previous)
	first, raising := p.raised.find(key, object.UID, object.Generation)
	in.SpecGeneration = first
	var again time.Duration
	if p.config.References != nil && !running(object, in.StatefulSet) {
		in.Missing, in.Unchecked, again = p.config.References.Check(ctx, object.Namespace, object.References)
	}
	if p.config.Credentials != nil {
		if in.Credential = p.config.Credentials.Check(ctx, object); in.Credential != nil {
			again = earlier(again, credentials.Again)
		}
	}
	if p.config.Packages != nil {
		in.Package = p.config.Packages.Known(object)
	}
	published, recheck := status.Compute(in)
	again = earlier(again, recheck)
	if previous == nil && object.Generation == 1 && !worthTelling(published, in.StatefulSet) {
		return again, nil
	}
	text, err := published.Encode()
	if err != nil {
		return 0, err
	}
	if object.Annotations[status.Annotation] == text {
		return again, nil
	}
	if raising {
		// What is written is of the generation that this makes.
		in.Generation++
		published, _ = status.Compute(in)
		if text, err = published.Encode(); err != nil {
			return 0, err
		}
	}
	wait, err := p.config.Writer.Patch(ctx, Name, key, &object.ObjectMeta, work.Patch{
		Annotations: map[string]any{status.Annotation: text},
		Written: func(generation int64) {
			p.raised.written(key, object.UID, object.Generation, generation)
		},
	})
	if err != nil || wait > 0 {
		return wait, err
	}
	p.tell(object, previous, published)
	return again, nil
}

func (p *Publisher) observe(object *component.Component, previous *status.Published) status.Input {
	in := status.Input{
		UID:                object.UID,
		Generation:         object.Generation,
		Created:            object.CreationTimestamp.Time,
		Deleted:            object.DeletionTimestamp != nil,
		OperatorGeneration: object.OperatorGeneration,
		Unmanaged:          object.Unmanaged,
		Replicas:           object.Replicas,
		Selector:           object.Selector,
		Leftover:           object.Annotations[component.LeftoverAnnotation],
		Previous:           previous,
		Now:                p.config.Clock.Now(),
	}
	in.StatefulSet, in.Pods = p.config.Informers.Children(object)
	if p.config.References == nil {
		in.Unchecked = "This server does not check whether what the object refers to is there."
	}
	in.NotServed = p.config.Claims.NotServed(object.Namespace, tenancy.PulsarNamespace{Tenant: object.Identity.Tenant, Namespace: object.Identity.Namespace})
	if elder := p.config.Informers.Elder(object); elder != nil {
		in.Elder = &status.Elder{Kind: elder.Kind.Kind, Name: elder.Name, Identity: object.Identity.String()}
		if why := duplicates.NotStopped(object); why != "" {
			in.Elder.NotStopped = why
		} else if !p.config.StopsDuplicates {
			in.Elder.NotStopped = "It is not stopped, because this server does not do that."
		}
	}
	return in
}

// running tells whether all instances are ready. Nothing that they refer to was
// missing then, and nothing has to be asked.
func running(object *component.Component, set *appsv1.StatefulSet) bool {
	return set != nil && object.Replicas > 0 && set.Status.ReadyReplicas >= object.Replicas &&
		set.Status.ObservedGeneration >= set.Generation
}

// worthTelling says whether the first status of a new resource says more than a read
// can tell of the resource alone, which is that the operator has to act.
func worthTelling(published *status.Published, set *appsv1.StatefulSet) bool {
	accepted, pkg := published.Condition(adminv1alpha1.ConditionAccepted), published.Condition(adminv1alpha1.ConditionPackageResolved)
	return set != nil || pkg != nil && pkg.Status != metav1.ConditionUnknown || published.Is(adminv1alpha1.ConditionReconciled) || accepted.Status == metav1.ConditionFalse ||
		published.Is(adminv1alpha1.ConditionStalled)
}

func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
