package collection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// remove removes what is due. Who is about to name one of them hears of it before, and
// what is named by then stays. What another installation has is only left to that. It
// doesn't wait for the end of the notice: others' packages are looked at meanwhile.
func (l *look) remove(ctx context.Context) {
	for due := range slices.Chunk(l.due, batch) {
		var removals []packageservice.Removal
		for _, name := range due {
			removal, announced, err := l.announce(ctx, name)
			if err != nil {
				l.failures.add(fmt.Errorf("could not announce the removal of package %s: %w", name, err))
			}
			if announced {
				removals = append(removals, removal)
			}
		}
		if len(removals) == 0 {
			continue
		}
		l.finishing.Go(func() {
			if !packageservice.AwaitNotice(ctx) {
				return
			}
			if err := l.finish(ctx, removals); err != nil && ctx.Err() == nil {
				klog.FromContext(ctx).Error(err, "Could not remove packages that nothing names", "cluster", l.cluster)
			}
		})
	}
}

// finish removes what was announced, unless it is named now.
func (l *look) finish(ctx context.Context, removals []packageservice.Removal) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	var failed failures
	for _, removal := range removals {
		gone := false
		err := l.ask(ctx, func(ctx context.Context) (err error) {
			gone, err = l.service.Finish(ctx, "", removal, func() bool { return !l.isUsed(l.Collector.used(), removal.Name) })
			return err
		})
		if err != nil {
			failed.add(fmt.Errorf("could not remove package %s: %w", removal.Name, err))
		} else if gone {
			removed.Inc()
			klog.FromContext(ctx).Info("Removed a package that nothing names", "cluster", l.cluster, "package", removal.Name.String())
		}
	}
	return failed.err()
}

// announce says that a package is about to be removed, if it is still unused and no other
// installation has it. If one has, it is told that this one hasn't any more.
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
		since, unused := packageservice.UnusedSince(*metadata, l.installation)
		if !packageservice.Managed(*metadata) || !unused || !l.isDue(*metadata, since) {
			return nil
		}
		removal, err = l.service.Announce(ctx, "", name, *metadata, l.installation, read)
		if errors.Is(err, packageservice.ErrShared) {
			klog.FromContext(ctx).Info("Left a package that nothing names here to other installations", "cluster", l.cluster, "package", name.String())
			return l.service.Leave(ctx, "", name, *metadata, l.installation)
		}
		announced = err == nil
		return err
	})
	return removal, announced, err
}

// maxFailures is how many of what failed in a pass are told, of which there may be any
// number.
const maxFailures = 10

// failures are what failed in a pass.
type failures struct {
	kept  []error
	count int
}

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	if f.count++; len(f.kept) < maxFailures {
		f.kept = append(f.kept, err)
	}
}

// err returns all of them as one, nil if there are none.
func (f *failures) err() error {
	if f.count > len(f.kept) {
		return errors.Join(append(f.kept, fmt.Errorf("and %d more", f.count-len(f.kept)))...)
	}
	return errors.Join(f.kept...)
}
