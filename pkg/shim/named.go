package shim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

// Pulsar's worker fetches a package that a config names by its URL and looks into it. So
// does the shim, where it can: with the caller's own credential, so that nobody learns
// anything of a package that Pulsar wouldn't give him. Where it can't, the component is
// taken as it is, and the runner finds out.

// completeNamed looks into the package that a component names by its URL, and fills in
// what it says. before is the component as it was, nil for a new one. The caller must
// have been authorized. Errors are of type *restError.
func (c *components) completeNamed(ctx context.Context, form *form, name identity.Name, object, before v1alpha1.Component) error {
	location, err := identity.ParsePackageURL(locationOf(object))
	if err != nil {
		// It is the API server's to refuse.
		return nil
	}
	if form.named == nil || form.namedAt != location {
		form.closeNamed()
		if form.named, err = c.uploads.fetch(ctx, location, object.GetNamespace()); err != nil {
			return err
		}
		form.namedAt = location
	}
	if form.named == nil {
		return nil
	}
	return c.complete(ctx, form.named, object, before)
}

// looksInto tells whether the package that a component names by its URL is to be looked
// into: that of a new component, and that of one whose package or class changes.
func (c *components) looksInto(object, before v1alpha1.Component) bool {
	spec := object.Common()
	if c.uploads == nil || spec.PackageService != nil || !identity.IsPackageURL(locationOf(object)) {
		return false
	}
	if function, ok := object.(*v1alpha1.PulsarFunction); ok && function.Spec.Generic != nil {
		return false
	}
	return before == nil || codeChanges(object, before)
}

// codeChanges tells whether a component runs another package, or another class, than before.
func codeChanges(object, before v1alpha1.Component) bool {
	return locationOf(object) != locationOf(before) || object.Common().ClassName != before.Common().ClassName
}

// fetch reads a package for a component of a Kubernetes namespace, with the caller's own token of
// Pulsar's where there is one. It returns nil where that can't be had. What it returns is
// to be closed. Errors are of type *restError.
func (u *uploads) fetch(ctx context.Context, location identity.PackageURL, place string) (*upload, error) {
	// Some of the request's time has to be left for the rest of it.
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	content, err := u.packages.service.Open(ctx, packageservice.Token(ownToken(ctx)), location)
	switch {
	case errors.Is(err, packageservice.ErrNotFound):
		return nil, errorf(http.StatusBadRequest, packageservice.MissingReason)
	case err != nil:
		leaveOut(ctx, location, err)
		return nil, nil
	}
	defer content.Close()
	reading := &reader{content, nil}
	fetched, err := u.take(reading, place)
	var refused *restError
	switch {
	case reading.err != nil:
		leaveOut(ctx, location, reading.err)
		return nil, nil
	case errors.As(err, &refused) && refused.code == http.StatusRequestEntityTooLarge:
		leaveOut(ctx, location, err)
		return nil, nil
	}
	return fetched, err
}

// leaveOut logs why a package is not looked into.
func leaveOut(ctx context.Context, location identity.PackageURL, err error) {
	klog.FromContext(ctx).Info("Not looking into a package", "package", location.String(), "err", err)
}

// reader remembers that it could not read, which is another failure than that of keeping
// what came.
type reader struct {
	io.Reader
	err error
}

func (r *reader) Read(into []byte) (int, error) {
	n, err := r.Reader.Read(into)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// closeNamed frees what a package holds that was looked into.
func (f *form) closeNamed() {
	if f.named != nil {
		f.named.Close()
		f.named = nil
	}
}
