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
// have been authorized. looked is false where that couldn't be done: neither others whose
// files are looked into, nor what a file is like, keep anybody from writing. Errors are of
// type *restError.
func (c *components) completeNamed(ctx context.Context, form *form, object, before v1alpha1.Component) (looked bool, err error) {
	location, err := identity.ParsePackageURL(locationOf(object))
	if err != nil {
		// It is the API server's to refuse.
		return false, nil
	}
	// Some of the request's time has to be left for the rest of it.
	looking := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		looking, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	if form.namedAt != location {
		form.closeNamed()
		if form.named, err = c.uploads.fetch(looking, location, object.GetNamespace()); err != nil {
			return false, err
		}
		form.namedAt = location
	}
	if form.named == nil {
		return false, nil
	}
	err = c.complete(looking, form.named, object, before)
	var refused *restError
	if err == nil || errors.As(err, &refused) && refused.code == http.StatusBadRequest {
		return true, err
	}
	leaveOut(ctx, location, err)
	return false, nil
}

// keepsTypes tells whether a component that runs other code than before has types that the
// former code had.
func keepsTypes(object, before v1alpha1.Component) bool {
	if !codeChanges(object, before) {
		return false
	}
	input, output := object.Input(), object.Output()
	return input != nil && input.InputTypeClassName != "" && input.InputTypeClassName == before.Input().InputTypeClassName ||
		output != nil && output.OutputTypeClassName != "" && output.OutputTypeClassName == before.Output().OutputTypeClassName
}

// typesKept warns of that.
const typesKept = "The new code could not be looked into, so the names of types are still those of the former code. " +
	"If it has others, name them."

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
	if err == nil || reading.err == nil && errors.As(err, &refused) && refused.code == http.StatusBadRequest {
		return fetched, err
	}
	leaveOut(ctx, location, err)
	return nil, nil
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
