// Package packages is the loop that asks Pulsar's package services which packages there
// are that components name by URL.
//
// It is apart from the loop that publishes what it hears, because Pulsar may take its
// time, or not answer, and nobody should wait for that. The same package is asked for
// once in a while, however many components name it.
package packages

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/clock"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const (
	// Name is the loop's.
	Name = "packages"

	// askTimeout bounds one question, and downFor is how long a service that didn't
	// answer is left alone.
	askTimeout = 10 * time.Second
	downFor    = 15 * time.Second
	// soonest is after what time a package is asked for again because instances have
	// started meanwhile. Those that crash start all the time.
	soonest = 10 * time.Second
	// retries is how many times sooner is asked again what went wrong.
	retries = 5
	// jitter keeps what was asked at once from being asked at once again.
	jitter = 0.2

	maxAnswers = 16 << 10
	// keptFor is how long the answer about a package is kept that nobody names any more.
	keptFor = 24 * time.Hour
)

// Config is what a resolver works with.
type Config struct {
	Informers *component.Informers
	Clock     clock.PassiveClock
	// Services are the package services, by the name of the ConfigMap that says where
	// each is.
	Services map[string]*packageservice.Client
	// Claims know which namespace serves what.
	Claims *tenancy.Index
	// Interval is after what time a package is asked for again.
	Interval time.Duration
	// Publish has the status of an object published.
	Publish func(work.Key)
}

// Resolver finds out which packages there are. It can be used concurrently.
type Resolver struct {
	config  Config
	answers *cache.LRUExpireCache
	calls   singleflight.Group
	// shown has the answer with which an object's status was last published, by its key.
	shown sync.Map

	lock sync.Mutex
	// down are the services that didn't answer, and until when nobody asks them.
	down map[string]time.Time
}

// New returns a resolver.
func New(config Config) *Resolver {
	return &Resolver{config: config, answers: cache.NewLRUExpireCache(maxAnswers), down: map[string]time.Time{}}
}

// answer is what is known of a package. It doesn't change.
type answer struct {
	status.Package
	// asked is when the question was, until when it is asked again.
	asked, until time.Time
	// fetched is when an instance last fetched the package, as far as was known then.
	fetched time.Time
	// inside is what was found in the content, nil if nobody has looked.
	inside *inside
}

// Known returns what is known of an object's package, nil if it has none with a URL. It
// never waits.
func (r *Resolver) Known(object *component.Component) *status.Package {
	if object.Package == nil {
		return nil
	}
	if _, settled := r.subject(object); settled != nil {
		return settled
	}
	known := basic(*object.Package)
	known.Pending = true
	if kept, ok := r.answers.Get(*object.Package); ok {
		known = kept.(*answer).Package
	}
	return &known
}

// Reconcile asks for the package of an object if it is time to, and has its status
// published.
func (r *Resolver) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := r.config.Informers.Get(key)
	if object == nil || object.Broken || object.Package == nil || object.DeletionTimestamp != nil {
		r.shown.Delete(key)
		return 0, nil
	}
	service, settled := r.subject(object)
	if settled != nil {
		r.shown.Delete(key)
		return 0, nil
	}
	_, pods := r.config.Informers.Children(object)
	known, again := r.ask(ctx, service, *object.Package, status.LastFetch(pods))
	if before, _ := r.shown.Swap(key, known); before != known {
		r.config.Publish(key)
	}
	return wait.Jitter(max(again, time.Second), jitter), nil
}

// subject returns whom to ask for an object's package, or what is to be said of it
// without asking anybody.
func (r *Resolver) subject(object *component.Component) (*packageservice.Client, *status.Package) {
	known := basic(*object.Package)
	name, err := identity.ParsePackageURL(object.Package.Location)
	if err != nil {
		known.Unusable = err.Error()
		return nil, &known
	}
	service, ok := r.config.Services[object.Package.ConfigMap]
	if !ok {
		known.Unknown, known.Why = status.ReasonPackageNotConfigured, "this server has no account at the Pulsar cluster that the package comes from"
		return nil, &known
	}
	// The server's account may see more than whoever may write in this namespace.
	pulsar := tenancy.PulsarNamespace{Tenant: name.Tenant, Namespace: name.Namespace}
	if r.config.Claims.NotServed(object.Namespace, pulsar) != "" {
		known.Unknown = status.ReasonPackageNotChecked
		known.Why = "the object's namespace doesn't serve Pulsar namespace " + pulsar.String() + ", so this server doesn't look into that"
		return nil, &known
	}
	return service, nil
}

// ask makes sure that there is an answer, and returns it and how long it counts. fetched is
// when an instance last fetched the package: what that got is to be known soon.
func (r *Resolver) ask(ctx context.Context, service *packageservice.Client, of component.Package, fetched time.Time) (*answer, time.Duration) {
	now := r.config.Clock.Now()
	var last *answer
	if kept, ok := r.answers.Get(of); ok {
		last = kept.(*answer)
		rest := last.until.Sub(now)
		if fetched.After(last.asked) && fetched.After(last.fetched) && !last.Pinned {
			rest = min(rest, last.asked.Add(soonest).Sub(now))
		}
		if rest > 0 {
			return last, rest
		}
	}
	asked, _, _ := r.calls.Do(fmt.Sprintf("%s %s %t", of.ConfigMap, of.Location, of.Program), func() (any, error) {
		bounded, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		found := r.look(bounded, service, of, last)
		found.asked, found.fetched = now, fetched
		r.answers.Add(of, found, keptFor)
		return found, nil
	})
	found := asked.(*answer)
	return found, found.until.Sub(now)
}

// downUntil returns until when a service is left alone, zero if it isn't.
func (r *Resolver) downUntil(configMap string) time.Time {
	r.lock.Lock()
	defer r.lock.Unlock()
	if until := r.down[configMap]; r.config.Clock.Now().Before(until) {
		return until
	}
	return time.Time{}
}

// setDown has a service left alone for a while, and tells whether it wasn't.
func (r *Resolver) setDown(configMap string) bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	now := r.config.Clock.Now()
	before := r.down[configMap]
	r.down[configMap] = now.Add(downFor)
	return !now.Before(before)
}
