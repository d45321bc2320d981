package packages

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-base/metrics"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/inspect"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// programHead is how much of a program says which architecture it is for.
const programHead = 64

// lookups counts what is asked of package services.
var lookups = metrics.NewCounterVec(&metrics.CounterOpts{
	Namespace:      "functionmesh_apiserver",
	Name:           "package_lookups_total",
	Help:           "How often a package service was asked for a package, by the reason of the condition that followed.",
	StabilityLevel: metrics.ALPHA,
}, []string{"reason"})

func init() { legacyregistry.MustRegister(lookups) }

// basic returns what a package's URL says.
func basic(of component.Package) status.Package {
	known := status.Package{PackageStatus: v1alpha1.PackageStatus{Location: of.Location}, ConfigMap: of.ConfigMap}
	if name, err := identity.ParsePackageURL(of.Location); err == nil {
		known.Location = name.String()
		known.Digest = packageservice.DigestOf(name.Version)
		known.Pinned = known.Digest != ""
	}
	return known
}

// look asks for a package. last is what was heard last, nil for nothing.
func (r *Resolver) look(ctx context.Context, service *packageservice.Client, of component.Package, last *answer) *answer {
	found := &answer{Package: basic(of)}
	if last != nil {
		found.inside = last.inside
	}
	if down := r.downUntil(of.ConfigMap); !down.IsZero() {
		found.Unknown, found.Why, found.until = status.ReasonPackageUnreachable, unreachable, down
		return found
	}
	silent, err := find(ctx, service, of, found)
	var refused *packageservice.RefusedError
	switch isAnswer := errors.As(err, &refused); {
	case err == nil:
	case errors.Is(err, packageservice.ErrNotFound):
		found.Package = basic(of)
		found.Missing = true
	case isAnswer && refused.Code/100 == 4:
		found.Package = basic(of)
		found.Unknown, found.Why = status.ReasonPackageForbidden,
			fmt.Sprintf("Pulsar answers the server's account with %d %s", refused.Code, http.StatusText(refused.Code))
	default:
		found.Package = basic(of)
		found.Unknown, found.Why = status.ReasonPackageUnreachable, unreachable
		// An answer is about one package, and so is content that doesn't come. Silence is
		// about all.
		if !silent || isAnswer || r.setDown(of.ConfigMap) {
			klog.FromContext(ctx).Error(err, "Could not ask a package service", "configMap", of.ConfigMap, "package", found.Location)
		}
	}
	interval := r.config.Interval
	if found.Missing || found.Unknown != "" {
		interval /= retries
	}
	found.until = r.config.Clock.Now().Add(interval)
	lookups.WithLabelValues(found.Reason()).Inc()
	return found
}

const unreachable = "Pulsar's package service gives no answer"

// find completes an answer by what a package service says of a package. Errors are the
// service's; silent says that it said nothing at all.
func find(ctx context.Context, service *packageservice.Client, of component.Package, found *answer) (silent bool, err error) {
	name, err := identity.ParsePackageURL(of.Location)
	if err != nil {
		return false, err
	}
	metadata, err := service.Metadata(ctx, "", name)
	if err != nil {
		return true, err
	}
	if found.Digest == "" {
		found.Digest = packageservice.DigestIn(*metadata)
	}
	// Who only describes a package anew doesn't store it, and leaves no time of that.
	stored := cmp.Or(metadata.CreateTime, metadata.ModificationTime)
	found.Described = metadata.CreateTime == 0
	if stored != 0 {
		at := metav1.NewTime(time.UnixMilli(stored).UTC().Truncate(time.Second))
		found.ModificationTime = &at
	}
	if found.inside == nil || found.inside.stored != stored || found.inside.digest != found.Digest {
		seen := &inside{stored: stored, digest: found.Digest}
		if err := seen.look(ctx, service, name, of.Program); err != nil {
			return false, err
		}
		found.inside = seen
	}
	found.Architecture, found.Unusable = found.inside.architecture, found.inside.unusable
	return false, nil
}

// inside is what is in a content: one that was stored then, in milliseconds since 1970,
// with a digest as far as that is known.
type inside struct {
	stored                         int64
	digest, architecture, unusable string
}

// look finds out whether there is a content, and the architecture of a program.
func (i *inside) look(ctx context.Context, service *packageservice.Client, name identity.PackageURL, program bool) error {
	content, err := service.Open(ctx, "", name)
	if err != nil {
		return err
	}
	defer content.Close()
	head, err := io.ReadAll(io.LimitReader(content, programHead))
	switch {
	case err != nil:
		return fmt.Errorf("could not read a package: %w", err)
	case len(head) == 0:
		// An upload that broke off leaves that.
		return packageservice.ErrNotFound
	case !program:
		return nil
	}
	var refusal *inspect.Refusal
	i.architecture, err = inspect.Executable(bytes.NewReader(head))
	if errors.As(err, &refusal) {
		i.unusable = refusal.Error()
		return nil
	}
	return err
}
