package shim

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// pathManager marks packages that were uploaded to a path: they are whoever's
// who uploaded them.
const pathManager = "pulsar-admin-shim"

// location returns the package that the upload becomes for a component: its version is
// its content's digest, so that a new content is a new location, which replaces the pods.
func (u *upload) location(kind *kind, name identity.Name) identity.PackageURL {
	return identity.PackageURL{Type: kind.Type, Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, Version: packageservice.VersionOf(u.digest)}
}

// store puts the upload into the package service, as the code of a component for which the
// caller may upload code. Errors are of type *restError.
func (u *upload) store(ctx context.Context, kind *kind, name identity.Name) error {
	if u.stored {
		return nil
	}
	err := u.storeAs(ctx, u.location(kind, name), kind.Title+" "+name.String(), packageservice.Manager, uploadedHere)
	u.stored = err == nil
	return err
}

// uploadedHere tells from its metadata whether a package is one that was uploaded here.
func uploadedHere(metadata packageservice.Metadata) bool {
	by := metadata.Properties[packageservice.PropertyManager]
	return by == packageservice.Manager || by == pathManager
}

// storeAs puts the upload into the package service, for callers who may upload the code of
// the component after which the package is called. replaces tells which packages with
// another content it may take the place of. Errors are of type *restError.
func (u *upload) storeAs(ctx context.Context, location identity.PackageURL, description, by string, replaces func(packageservice.Metadata) bool) error {
	access, err := u.uploads.packages.accessFor(ctx)
	if err != nil {
		return err
	}
	err = u.uploads.packages.service.Store(ctx, access.token, packageservice.Package{
		Name:   location,
		Keeper: packageservice.Keeper{Manager: by, Installation: u.uploads.packages.installation()},
		Metadata: packageservice.Describe(description,
			identity.Name{Tenant: location.Tenant, Namespace: location.Namespace, Name: location.Name}, u.digest, u.size),
		Content: u.file,
		Size:    u.size,
		Owned:   replaces,
	})
	if err != nil {
		return notStored(ctx, access, location, err)
	}
	klog.FromContext(ctx).Info("Stored a package", "package", location.String(), "bytes", u.size)
	return nil
}

// notStored says why a package could not be stored.
func notStored(ctx context.Context, access access, location identity.PackageURL, err error) error {
	answer := errorf(http.StatusServiceUnavailable, "Pulsar's package service did not take the package. Please try again in a little while.")
	var refused *packageservice.RefusedError
	switch {
	case isUnauthorized(err):
		answer = access.unauthorized("write", location)
	case errors.Is(err, packageservice.ErrOtherContent) && packageservice.DigestOf(location.Version) != "":
		answer = errorf(http.StatusConflict, "Package %s has another content than its name says, and was not uploaded here. Somebody has to remove it.", location)
	case errors.Is(err, packageservice.ErrOtherContent):
		answer = errorf(http.StatusConflict, "Package '%s' already exists, with another content", location)
	case errors.As(err, &refused) && refused.Code/100 == 4:
		answer = errorf(http.StatusBadRequest, "%v", refused)
	case ctx.Err() != nil:
		answer = errorf(http.StatusRequestTimeout, "The package could not be stored in time")
	}
	answer.cause = fmt.Errorf("could not store the package %s: %w", location, err)
	return answer
}
