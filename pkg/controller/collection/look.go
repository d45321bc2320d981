package collection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/klog/v2"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// look is one pass over the packages of a cluster.
type look struct {
	*Collector
	cluster string
	service *packageservice.Client
	used    map[string]bool
	due     []identity.PackageURL
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

// into looks at the packages of a namespace.
func (l *look) into(ctx context.Context, space tenancy.PulsarNamespace) error {
	var failures []error
	for _, kind := range adminv1alpha1.ComponentKinds {
		var names, versions []string
		err := l.ask(ctx, func(ctx context.Context) (err error) {
			names, err = l.service.Packages(ctx, "", kind.Type, space.Tenant, space.Namespace)
			return err
		})
		if err != nil {
			// It will be the same for the other types.
			return errors.Join(append(failures, fmt.Errorf("could not list packages of %s: %w", space, err))...)
		}
		for _, name := range names {
			found := identity.PackageURL{Type: kind.Type, Tenant: space.Tenant, Namespace: space.Namespace, Name: name}
			err := l.ask(ctx, func(ctx context.Context) (err error) {
				versions, err = l.service.Versions(ctx, "", found)
				return err
			})
			if err != nil {
				failures = append(failures, fmt.Errorf("could not list versions of a package of %s: %w", space, err))
				continue
			}
			for _, version := range versions {
				if found.Version = version; packageservice.DigestOf(version) == "" {
					continue
				}
				if err := l.at(ctx, found); err != nil {
					failures = append(failures, fmt.Errorf("could not look at package %s: %w", found, err))
				}
			}
		}
	}
	return errors.Join(failures...)
}

// at looks at one package: it is marked when it is found to be unused for the first time,
// and due a grace period later, unless it was used in between.
func (l *look) at(ctx context.Context, name identity.PackageURL) error {
	used := l.isUsed(l.used, name)
	var metadata *packageservice.Metadata
	err := l.ask(ctx, func(ctx context.Context) (err error) {
		metadata, err = l.service.Metadata(ctx, "", name)
		return err
	})
	if errors.Is(err, packageservice.ErrNotFound) {
		return nil
	}
	if err != nil || !packageservice.Managed(*metadata) {
		return err
	}
	since, marked := packageservice.UnusedSince(*metadata)
	switch {
	case marked == used:
		// It came into use, or went out of it.
		if err := l.ask(ctx, func(ctx context.Context) error { return l.service.SetUnused(ctx, "", name, *metadata, !used) }); err != nil {
			return err
		}
	case !used && time.Since(since) >= l.GracePeriod:
		l.due = append(l.due, name)
	}
	return nil
}

func (l *look) isUsed(used map[string]bool, name identity.PackageURL) bool {
	return used[strings.ToLower(packageservice.DigestOf(name.Version))]
}

// remove removes what is due. Who is about to name one of them hears of it before, and
// what is named by then stays.
func (l *look) remove(ctx context.Context) error {
	var failures []error
	for due := range slices.Chunk(l.due, batch) {
		var removals []packageservice.Removal
		for _, name := range due {
			removal, announced, err := l.announce(ctx, name)
			if err != nil {
				failures = append(failures, fmt.Errorf("could not announce the removal of package %s: %w", name, err))
			}
			if announced {
				removals = append(removals, removal)
			}
		}
		if len(removals) == 0 {
			continue
		}
		if !packageservice.AwaitNotice(ctx) {
			return nil
		}
		if err := l.ready(ctx); err != nil {
			return err
		}
		for _, removal := range removals {
			gone := false
			err := l.ask(ctx, func(ctx context.Context) (err error) {
				gone, err = l.service.Finish(ctx, "", removal, func() bool { return !l.isUsed(l.Collector.used(), removal.Name) })
				return err
			})
			if err != nil {
				failures = append(failures, fmt.Errorf("could not remove package %s: %w", removal.Name, err))
			} else if gone {
				removed.Inc()
				klog.FromContext(ctx).Info("Removed a package that nothing names", "cluster", l.cluster, "package", removal.Name.String())
			}
		}
	}
	return errors.Join(failures...)
}

// announce says that a package is about to be removed, if it is still unused.
func (l *look) announce(ctx context.Context, name identity.PackageURL) (removal packageservice.Removal, announced bool, err error) {
	if l.isUsed(l.Collector.used(), name) {
		return removal, false, nil
	}
	err = l.ask(ctx, func(ctx context.Context) error {
		read := time.Now()
		metadata, err := l.service.Metadata(ctx, "", name)
		if errors.Is(err, packageservice.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		// It may have been uploaded again, by whoever is about to name it.
		since, marked := packageservice.UnusedSince(*metadata)
		if !packageservice.Managed(*metadata) || !marked || time.Since(since) < l.GracePeriod {
			return nil
		}
		removal, err = l.service.Announce(ctx, "", name, *metadata, read)
		announced = err == nil
		return err
	})
	return removal, announced, err
}
