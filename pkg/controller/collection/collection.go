// Package collection is the loop that removes code which nothing runs: packages that
// pulsar-admin-shim uploaded, and that no object and no revision names any more, or ever
// did, for a grace period.
//
// What it knows of a package survives in the package's own metadata, and what is in use is
// told by the digest alone, wherever and however an object names it: a package too many
// costs a little space, one too few stops somebody's function.
package collection

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/revisions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// Name is the loop's.
const Name = "package-collection"

const (
	// requestsPerSecond is what all of it may ask of Pulsar.
	requestsPerSecond = 20
	// requestTimeout bounds each request.
	requestTimeout = 30 * time.Second
	// minInterval and maxInterval bound the time between two passes, of which there are
	// passesPerPeriod in a grace period.
	minInterval, maxInterval = time.Second, time.Hour
	passesPerPeriod          = 4
	// batch is how many packages are removed at once, so that all of them are in time.
	batch = 20
	// spacesPerNamespace is how many namespaces in Pulsar a pass looks into since objects of
	// one Kubernetes namespace say that they are of them. Custom resources can say anything.
	spacesPerNamespace = 100
)

// Config is what the loop works with.
type Config struct {
	Informers *component.Informers
	Index     *revisions.Index
	Claims    *tenancy.Index
	Dynamic   dynamic.Interface
	// Services and Pulsar are of each cluster where the server has an account, by its name.
	Services map[string]*packageservice.Client
	Pulsar   map[string]*pulsaradmin.Client
	// GracePeriod is for how long a package is kept that nothing names.
	GracePeriod time.Duration
}

// Collector removes packages.
type Collector struct {
	Config
	limiter flowcontrol.RateLimiter
	// spaces are those in which the last pass found packages: nothing may point to them any
	// more.
	spaces map[tenancy.PulsarNamespace]bool
	// finishing are the removals that are announced.
	finishing sync.WaitGroup
}

// New returns a collector.
func New(config Config) *Collector {
	return &Collector{
		Config: config, limiter: flowcontrol.NewTokenBucketRateLimiter(requestsPerSecond, requestsPerSecond),
		spaces: map[tenancy.PulsarNamespace]bool{},
	}
}

// Run looks for packages again and again until ctx ends.
func (c *Collector) Run(ctx context.Context) {
	defer c.finishing.Wait()
	interval := min(max(c.GracePeriod/passesPerPeriod, minInterval), maxInterval)
	for {
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return
		}
		if err := c.pass(ctx); err != nil && ctx.Err() == nil {
			klog.FromContext(ctx).Error(err, "Could not look for packages that nothing names")
		}
	}
}

// ready returns an error unless all is known that could name a package: what isn't known
// would be taken for unused. That objects can be listed now tells that what informers hold
// isn't what they last saw before they were shut out.
func (c *Collector) ready(ctx context.Context) error {
	if !c.Informers.Known() || !c.Index.HasSynced() || !c.Claims.HasSynced() {
		return errors.New("not all objects and revisions are known")
	}
	if c.Claims.Installation() == "" {
		return errors.New("the identity of this installation isn't known")
	}
	for _, kind := range component.Kinds {
		resource := c.Dynamic.Resource(computev1alpha1.SchemeGroupVersion.WithResource(kind.CRResource))
		if _, err := resource.List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return fmt.Errorf("could not list %s: %w", kind.CRResource, err)
		}
	}
	if _, err := c.Dynamic.Resource(appsv1.SchemeGroupVersion.WithResource("controllerrevisions")).
		List(ctx, metav1.ListOptions{LabelSelector: revision.OwnerLabel, Limit: 1}); err != nil {
		return fmt.Errorf("could not list revisions: %w", err)
	}
	return nil
}

// used returns the digests of all packages that something names.
func (c *Collector) used() map[string]bool {
	used := map[string]bool{}
	c.Informers.Each(func(key work.Key) {
		if object := c.Informers.Get(key); object != nil {
			for _, digest := range object.Digests {
				used[digest] = true
			}
		}
	})
	c.Index.EachDigest(func(digest string) { used[digest] = true })
	return used
}

// pass looks at all packages once. What fails for one doesn't keep it from the others.
func (c *Collector) pass(ctx context.Context) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	inhabited := map[tenancy.PulsarNamespace]bool{}
	var failed []error
	for _, cluster := range slices.Sorted(maps.Keys(c.Services)) {
		look := &look{
			Collector: c, cluster: cluster, service: c.Services[cluster], installation: c.Claims.Installation(), used: c.used(),
			asked: map[string]int{}, dues: map[string]int{},
		}
		spaces := c.findSpaces(ctx, c.Pulsar[cluster], &look.failures)
		for _, space := range look.all(ctx, spaces) {
			inhabited[space] = true
		}
		look.remove(ctx)
		failed = append(failed, look.failures.err())
	}
	c.spaces = inhabited
	return errors.Join(failed...)
}

// findSpaces returns the namespaces in Pulsar that may have packages: those that had, those
// of objects, and those that are served, of which not all can be known from Kubernetes
// alone.
func (c *Collector) findSpaces(ctx context.Context, pulsar *pulsaradmin.Client, failed *failures) map[tenancy.PulsarNamespace]bool {
	spaces := maps.Clone(c.spaces)
	pointed := map[string]int{}
	c.Informers.Each(func(key work.Key) {
		object := c.Informers.Get(key)
		if object == nil || object.Identity.Tenant == "" || object.Identity.Namespace == "" {
			return
		}
		space := tenancy.PulsarNamespace{Tenant: object.Identity.Tenant, Namespace: object.Identity.Namespace}
		if !spaces[space] && pointed[key.Namespace] < spacesPerNamespace {
			pointed[key.Namespace]++
			spaces[space] = true
		}
	})
	claims, others := c.Claims.Claims()
	tenants := map[string]bool{}
	for _, claim := range claims {
		if claim.Whole() {
			tenants[claim.Tenant] = true
			continue
		}
		spaces[claim] = true
	}
	if pulsar == nil {
		return spaces
	}
	if others {
		c.limiter.Accept()
		all, err := pulsar.Tenants(ctx)
		failed.add(err)
		for _, tenant := range all {
			tenants[tenant] = true
		}
	}
	for _, tenant := range slices.Sorted(maps.Keys(tenants)) {
		if ctx.Err() != nil {
			break
		}
		c.limiter.Accept()
		namespaces, err := pulsar.Namespaces(ctx, tenant)
		failed.add(err)
		for _, namespace := range namespaces {
			spaces[tenancy.PulsarNamespace{Tenant: tenant, Namespace: namespace}] = true
		}
	}
	return spaces
}
