package component

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pinning"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// pin gives a package that is new to a component the name of its content. It is called
// right before a component is stored. before is nil for a new one.
//
// It is done with the server's account, which may see and write more than the caller. So
// it is only done in Pulsar namespaces that the component's namespace serves; a package
// from elsewhere stays as it is named, with a warning.
func (c *checks) pin(ctx context.Context, obj, before runtime.Object) error {
	component := obj.(v1alpha1.Component)
	spec := component.Common()
	name, err := identity.ParsePackageURL(location(component))
	if err != nil || packageservice.DigestOf(name.Version) != "" {
		return nil
	}
	// Who changes something else doesn't mean the code to change.
	if before != nil && location(before.(v1alpha1.Component)) == spec.Package.Location {
		return nil
	}
	kubernetes := genericapirequest.NamespaceValue(ctx)
	pulsar := tenancy.PulsarNamespace{Tenant: name.Tenant, Namespace: name.Namespace}
	served, err := c.config.Tenancy.Serves(ctx, kubernetes, pulsar)
	switch {
	case err != nil:
		return unknownPlace(ctx, component, err)
	case !served:
		warnUnpinned(ctx, "Kubernetes namespace "+kubernetes+" does not serve Pulsar namespace "+pulsar.String())
		return nil
	case spec.PackageService != nil:
		warnUnpinned(ctx, "it comes from another package service")
		return nil
	}
	pinned, err := c.config.Pinner.Pin(ctx, pinning.Subject{
		Cluster: spec.Cluster, Package: name, Title: component.ComponentKind().Title,
		Of: identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}, Place: kubernetes,
	})
	if err != nil {
		return notPinned(ctx, component, name, err)
	}
	spec.Package.Location = pinned.String()
	return nil
}

func warnUnpinned(ctx context.Context, why string) {
	warning.AddWarning(ctx, "", "spec.package.location: the package is not pinned to its content, since "+why)
}

// notPinned says why a package could not be pinned.
func notPinned(ctx context.Context, component v1alpha1.Component, name identity.PackageURL, err error) error {
	path := field.NewPath("spec", "package", "location")
	invalid := func(detail, reason string) error {
		refused := apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(component.ComponentKind().Kind).GroupKind(), component.GetName(),
			field.ErrorList{field.Invalid(path, name.String(), detail)})
		return view.WithPulsarReason(refused, reason)
	}
	const can = "it can't be pinned to its content: "
	switch {
	case errors.Is(err, packageservice.ErrNotFound):
		return invalid(can+"there is no such package", packageservice.MissingReason)
	case errors.Is(err, packageservice.ErrEmpty):
		return invalid(can+"it is empty", "The package is empty")
	case errors.Is(err, packageservice.ErrTooLarge):
		text := fmt.Sprintf("The package is larger than %d bytes", pinning.MaxBytes)
		return invalid(can+"it is larger than that", text)
	case errors.Is(err, packageservice.ErrOtherContent):
		conflict := apierrors.NewConflict(v1alpha1.Resource(component.ComponentKind().Resource), component.GetName(),
			fmt.Errorf("%s: %sa package that is named by its digest has another content", path, can))
		return view.WithPulsarReason(conflict, conflict.Error())
	case errors.Is(err, pinning.ErrBusy):
		text := "Package " + name.String() + " could not be pinned to its content: too many packages are being pinned. Please try again in a little while."
		return view.WithPulsarReason(apierrors.NewTooManyRequests(text, retryAfterSeconds), text)
	case errors.Is(err, pinning.ErrTooSlow):
		// Who tries again at once would have as much of it copied again.
		text := "Package " + name.String() + " could not be pinned to its content: " + err.Error() + "."
		return view.WithPulsarReason(apierrors.NewServiceUnavailable(text), text)
	}
	klog.FromContext(ctx).Error(err, "Could not pin a package", "package", name.String(),
		"namespace", genericapirequest.NamespaceValue(ctx), "name", component.GetName())
	text := "Package " + name.String() + " could not be pinned to its content: Pulsar's package service did not give or take it. Please try again in a little while."
	var refused *packageservice.RefusedError
	switch {
	case errors.As(err, &refused) && refused.Code/100 == 4:
		text = fmt.Sprintf("Package %s could not be pinned to its content: Pulsar answers the server's account with %d.", name, refused.Code)
	case errors.Is(err, pinning.ErrChanged):
		text = "Package " + name.String() + " could not be pinned to its content: it is being replaced, or not all of it is there. Please try again in a little while."
	}
	unavailable := apierrors.NewServiceUnavailable(text)
	unavailable.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterSeconds}
	return view.WithPulsarReason(unavailable, text)
}
