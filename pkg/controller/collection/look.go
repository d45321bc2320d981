package collection

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const (
	// requestsPerTenant bounds what a pass asks about the packages of one tenant in Pulsar,
	// and duePerTenant how many of them it removes: whose packages have no end mustn't keep
	// it from all others'. Each pass takes another order, so that none is left out for ever.
	requestsPerTenant = 5000
	duePerTenant      = 100
	// rounds is how often a pass adds the installation to a package before it leaves that
	// to the next one.
	rounds = 3
)

// look is one pass over the packages of a cluster.
type look struct {
	*Collector
	cluster string
	service *packageservice.Client
	// installation is this one's identity.
	installation string
	used         map[string]bool
	failures     failures
	// asked is how many requests each tenant has cost, and dues how many of its packages
	// are due.
	asked, dues map[string]int
	due         []identity.PackageURL
	// added are packages that others have, and this installation from now on.
	added []identity.PackageURL
}

// ask paces and bounds a request.
func (l *look) ask(ctx context.Context, request func(ctx context.Context) error) error {
	if err := l.limiter.Wait(ctx); err != nil {
		return fmt.Errorf("could not wait: %w", err)
	}
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return request(bounded)
}

// all looks at the packages of all namespaces, and returns those namespaces that have any,
// or may have.
func (l *look) all(ctx context.Context, spaces map[tenancy.PulsarNamespace]bool) []tenancy.PulsarNamespace {
	var inhabited []tenancy.PulsarNamespace
	for _, space := range shuffled(slices.Collect(maps.Keys(spaces))) {
		if ctx.Err() != nil || l.into(ctx, space) {
			inhabited = append(inhabited, space)
		}
	}
	for range rounds {
		again := l.added
		if l.added = nil; len(again) == 0 || !packageservice.AwaitWrites(ctx) {
			break
		}
		// Others may have written what they read before.
		for _, name := range again {
			l.at(ctx, name)
		}
	}
	return inhabited
}

// into looks at the packages of a namespace, and returns false if there are none.
func (l *look) into(ctx context.Context, space tenancy.PulsarNamespace) (inhabited bool) {
	for _, kind := range adminv1alpha1.ComponentKinds {
		if l.exhausted(space.Tenant) {
			return true
		}
		var names []string
		err := l.askAbout(ctx, space.Tenant, func(ctx context.Context) (err error) {
			names, err = l.service.Packages(ctx, "", kind.Type, space.Tenant, space.Namespace)
			return err
		})
		if err != nil {
			// It will be the same for the other types.
			l.failures.add(fmt.Errorf("could not list packages of %s: %w", space, err))
			return true
		}
		inhabited = inhabited || len(names) > 0
		for _, name := range shuffled(names) {
			if ctx.Err() != nil || l.exhausted(space.Tenant) {
				return true
			}
			l.versionsOf(ctx, identity.PackageURL{Type: kind.Type, Tenant: space.Tenant, Namespace: space.Namespace, Name: name})
		}
	}
	return inhabited
}

// versionsOf looks at those versions of a package that are digests.
func (l *look) versionsOf(ctx context.Context, found identity.PackageURL) {
	var versions []string
	err := l.askAbout(ctx, found.Tenant, func(ctx context.Context) (err error) {
		versions, err = l.service.Versions(ctx, "", found)
		return err
	})
	if err != nil {
		l.failures.add(fmt.Errorf("could not list versions of a package of %s/%s: %w", found.Tenant, found.Namespace, err))
		return
	}
	for _, version := range shuffled(versions) {
		if found.Version = version; packageservice.DigestOf(version) == "" {
			continue
		}
		if ctx.Err() != nil || l.exhausted(found.Tenant) {
			return
		}
		l.at(ctx, found)
	}
}

// askAbout is ask of what counts for a tenant.
func (l *look) askAbout(ctx context.Context, tenant string, request func(ctx context.Context) error) error {
	l.asked[tenant]++
	return l.ask(ctx, request)
}

func (l *look) exhausted(tenant string) bool { return l.asked[tenant] >= requestsPerTenant }

func shuffled[T any](items []T) []T {
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return items
}

// at looks at one package: it is marked when it is found to be unused for the first time,
// and due a grace period later, unless it was used in between.
func (l *look) at(ctx context.Context, name identity.PackageURL) {
	if err := l.judge(ctx, name); err != nil {
		l.failures.add(fmt.Errorf("could not look at package %s: %w", name, err))
	}
}

func (l *look) judge(ctx context.Context, name identity.PackageURL) error {
	var metadata *packageservice.Metadata
	err := l.askAbout(ctx, name.Tenant, func(ctx context.Context) (err error) {
		metadata, err = l.service.Metadata(ctx, "", name)
		return err
	})
	if errors.Is(err, packageservice.ErrNotFound) {
		return nil
	}
	if err != nil || !packageservice.Managed(*metadata) {
		return err
	}
	used, has := l.isUsed(l.used, name), packageservice.Has(*metadata, l.installation)
	since, unused := packageservice.UnusedSince(*metadata, l.installation)
	set := func(used bool) error {
		return l.askAbout(ctx, name.Tenant, func(ctx context.Context) error {
			return l.service.SetUse(ctx, "", name, *metadata, l.installation, used)
		})
	}
	switch {
	case !has && used:
		l.added = append(l.added, name)
		return set(true)
	case !has:
		// It is other installations' to know about.
	case used == unused:
		return set(used)
	case unused && l.isDue(*metadata, since) && l.dues[name.Tenant] < duePerTenant:
		l.dues[name.Tenant]++
		l.due = append(l.due, name)
	}
	return nil
}

// isDue tells whether a package that is unused since a time is to be removed, and isn't being
// removed already.
func (l *look) isDue(metadata packageservice.Metadata, since time.Time) bool {
	return time.Since(since) >= l.GracePeriod && !packageservice.Announced(metadata)
}

func (l *look) isUsed(used map[string]bool, name identity.PackageURL) bool {
	return used[packageservice.DigestOf(name.Version)]
}
