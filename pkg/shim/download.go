package shim

import (
	"context"
	"net/http"
	"strings"

	"github.com/emicklei/go-restful/v3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

const (
	parameterPath              = "path"
	parameterTransformFunction = "transform-function"
	downloadPath               = "/download"
)

// packageRoutes returns what deals with code apart from definitions, which Pulsar has
// for functions only. A sink's and a source's is downloaded there, too.
func (c *components) packageRoutes() []route {
	if c.kind.ComponentKind != v1alpha1.FunctionKind {
		return nil
	}
	return []route{
		{http.MethodPost, "/upload", "uploadFunction", c.uploadToPath},
		{http.MethodGet, downloadPath, "downloadFunction", c.downloadFromPath},
		{http.MethodGet, componentPath + downloadPath, "downloadFunctionPackage", c.downloadPackage},
	}
}

// isDownload tells whether a request may be answered with a package, which takes its time.
func isDownload(request *http.Request) bool {
	return strings.HasPrefix(request.URL.Path, "/admin/v3/function") && strings.HasSuffix(request.URL.Path, downloadPath)
}

// downloadPackage answers with the code of a component of any kind, as Pulsar does.
func (c *components) downloadPackage(writer http.ResponseWriter, request *restful.Request) error {
	ctx := request.Request.Context()
	name, object, err := c.findOfAnyKind(request)
	if err != nil {
		return err
	}
	kind := c.lookup.kindOf(object.ComponentKind().Type)
	subject := kind.called(name.Name)
	transformFunction := strings.EqualFold(request.QueryParameter(parameterTransformFunction), "true")
	found, err := kind.in(object.GetNamespace()).packageOf(ctx, object.GetName(), transformFunction)
	switch {
	case err != nil:
		return subject.translate(err)
	case found.UID != object.GetUID():
		return errorf(http.StatusConflict, "%s %s was replaced just now. Please try again.", kind.Title, name.Name)
	}
	switch {
	case c.downloads == nil:
		return errNoDownloads
	case found.Location == "", strings.HasPrefix(found.Location, "builtin://"):
		return errorf(http.StatusNotFound, "The code of %s %s comes with the image that runs it, so that there is nothing to download", kind.Title, name.Name)
	case !identity.IsPackageURL(found.Location):
		return errorf(http.StatusBadRequest, "The code of %s %s is not in Pulsar's package service: only what is there can be downloaded", kind.Title, name.Name)
	}
	location, err := identity.ParsePackageURL(found.Location)
	if err != nil {
		return errorf(http.StatusBadRequest, "%v", err)
	}
	own := identity.Name{Tenant: location.Tenant, Namespace: location.Namespace, Name: location.Name} == name && location.Type == kind.Type
	if !own && ownToken(ctx) == "" {
		// Whoever wrote the component chose the package, and needn't have been somebody who
		// may read it. With a token of the caller's Pulsar decides that.
		if _, err := c.lookup.mayDownload(ctx, location); err != nil {
			return err
		}
	}
	return c.downloads.serve(writer, request.Request, location, object.GetNamespace())
}

// downloadFromPath answers with a package.
func (c *components) downloadFromPath(writer http.ResponseWriter, request *restful.Request) error {
	location, err := packageAt(request.QueryParameter(parameterPath))
	if err != nil {
		return err
	}
	place, err := c.lookup.mayDownload(request.Request.Context(), location)
	if err != nil {
		return err
	}
	if c.downloads == nil {
		return errNoDownloads
	}
	return c.downloads.serve(writer, request.Request, location, place)
}

// errNoDownloads refuses what there is no package service to take from.
var errNoDownloads = errorf(http.StatusNotImplemented, "Downloading packages is not enabled here (--package-service-url)")

// packageAt returns the package that a path means, of uploads and downloads alike: one
// without a type is a function's, and one without a version the one that Pulsar calls the
// latest. Errors are of type *restError.
func packageAt(path string) (identity.PackageURL, error) {
	url := path
	if !identity.IsPackageURL(path) {
		// An at sign would be a version, which only URLs have.
		if strings.Count(path, "/") != 2 || strings.ContainsAny(path, ":@") {
			return identity.PackageURL{}, errorf(http.StatusBadRequest, "The path must be TENANT/NAMESPACE/NAME or a package URL, TYPE://TENANT/NAMESPACE/NAME@VERSION with the type function, sink or source")
		}
		url = v1alpha1.FunctionKind.Type + "://" + path
	}
	location, err := identity.ParsePackageURL(url)
	if err != nil {
		return location, errorf(http.StatusBadRequest, "%v", err)
	}
	return location, nil
}

// mayDownload returns the Kubernetes namespace that a package counts for, if the caller may
// read the code of the component after which it is called, which need not exist. Errors
// are of type *restError.
func (l *lookup) mayDownload(ctx context.Context, location identity.PackageURL) (string, error) {
	name, kind := nameOfPackage(location), l.kindOf(location.Type)
	serving, err := l.serving(ctx, name.Tenant, name.Namespace)
	switch {
	case err != nil:
		return "", kind.called(name.Name).translate(err)
	case len(serving) == 0:
		return "", errorf(http.StatusBadRequest, "No Kubernetes namespace serves Pulsar namespace %s/%s", name.Tenant, name.Namespace)
	}
	counts := ""
	err = inAny(serving, func(place string) error {
		_, err := kind.in(place).packageOf(caller.Aside(ctx), name.ObjectName(), false)
		// It is authorized before it is looked for.
		if err == nil || apierrors.IsNotFound(err) {
			counts = place
			return nil
		}
		return err
	})
	if err != nil {
		return "", kind.called(name.Name).translate(err)
	}
	return counts, nil
}

// nameOfPackage returns the component after which a package is called.
func nameOfPackage(location identity.PackageURL) identity.Name {
	return identity.Name{Tenant: location.Tenant, Namespace: location.Namespace, Name: location.Name}
}

// findOfAnyKind is find without regard to the kind.
func (c *components) findOfAnyKind(request *restful.Request) (identity.Name, v1alpha1.Component, error) {
	name, err := c.nameOf(request)
	if err != nil {
		return name, nil, err
	}
	ctx, subject := request.Request.Context(), c.kind.called(name.Name)
	object, err := c.lookup.findAny(ctx, c.kind, name)
	switch {
	case err != nil:
		return name, nil, subject.translate(err)
	case object == nil:
		return name, nil, subject.missing(http.StatusNotFound)
	}
	return name, object, nil
}
