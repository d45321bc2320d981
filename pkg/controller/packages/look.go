package packages

import (
	"bytes"
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
	known := status.Package{PackageStatus: v1alpha1.PackageStatus{Location: of.Location}}
	if name, err := identity.ParsePackageURL(of.Location); err == nil {
		known.Location = name.String()
		known.Digest = packageservice.DigestOf(name.Version)
		known.Pinned = known.Digest != ""
	}
	return known
}

// look asks for a package. last is what was heard last, nil for nothing.
func (r *Resolver) look(ctx context.Context, service *packageservice.Client, of component.Package, last *answer) status.Package {
	if r.isDown(of.ConfigMap) {
		return unknown(of, status.ReasonPackageUnreachable, unreachable)
	}
	found, err := find(ctx, service, of, last)
	var refused *packageservice.RefusedError
	isAnswer := errors.As(err, &refused)
	switch {
	case err == nil:
	case errors.Is(err, packageservice.ErrNotFound):
		found = basic(of)
		found.Missing = true
	case isAnswer && refused.Code/100 == 4:
		found = unknown(of, status.ReasonPackageForbidden,
			fmt.Sprintf("Pulsar answers the server's account with %d %s", refused.Code, http.StatusText(refused.Code)))
	default:
		found = unknown(of, status.ReasonPackageUnreachable, unreachable)
		// An answer is about one package, silence about all.
		if isAnswer || r.setDown(of.ConfigMap) {
			klog.FromContext(ctx).Error(err, "Could not ask a package service", "configMap", of.ConfigMap, "package", found.Location)
		}
	}
	lookups.WithLabelValues(found.Reason()).Inc()
	return found
}

func unknown(of component.Package, reason, why string) status.Package {
	known := basic(of)
	known.Unknown, known.Why = reason, why
	return known
}

// find returns what a package service says of a package. Errors are the service's.
func find(ctx context.Context, service *packageservice.Client, of component.Package, last *answer) (status.Package, error) {
	known := basic(of)
	name, err := identity.ParsePackageURL(of.Location)
	if err != nil {
		return known, err
	}
	metadata, err := service.Metadata(ctx, "", name)
	if err != nil {
		return known, err
	}
	if known.Digest == "" {
		known.Digest = packageservice.DigestIn(*metadata)
	}
	modified := metav1.NewTime(time.UnixMilli(metadata.ModificationTime).UTC().Truncate(time.Second))
	known.ModificationTime = &modified
	if of.Program {
		err = lookInside(ctx, service, name, &known, last)
	}
	return known, err
}

const unreachable = "Pulsar's package service gives no answer"

// lookInside finds out the architecture of a program, once for each content.
func lookInside(ctx context.Context, service *packageservice.Client, name identity.PackageURL, known *status.Package, last *answer) error {
	if last != nil && last.ModificationTime.Equal(known.ModificationTime) && last.Digest == known.Digest {
		known.Architecture, known.Unusable = last.Architecture, last.Unusable
		return nil
	}
	content, err := service.Open(ctx, "", name)
	if err != nil {
		return err
	}
	defer content.Close()
	head, err := io.ReadAll(io.LimitReader(content, programHead))
	if err != nil {
		return fmt.Errorf("could not read a package: %w", err)
	}
	var refusal *inspect.Refusal
	known.Architecture, err = inspect.Executable(bytes.NewReader(head))
	if errors.As(err, &refusal) {
		known.Unusable = refusal.Error()
		return nil
	}
	return err
}
