package shim

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

const (
	partPath     = "path"
	maxPathBytes = 8 << 10
	// reasonNoFile is Pulsar's.
	reasonNoFile = "Function Package is not provided %s"
)

// uploadToPath stores a file as the package that a path means.
func (c *components) uploadToPath(writer http.ResponseWriter, request *restful.Request) error {
	ctx := request.Request.Context()
	form := &pathForm{may: func(path string) (identity.PackageURL, string, error) { return c.lookup.mayUploadTo(ctx, path) }}
	defer form.Close()
	if c.uploads != nil {
		form.takeFile = func(content io.Reader, place string) (*upload, error) {
			// Pulsar's clients send the path after the file. Who may upload there is only known
			// then; until then it is enough to be known.
			if err := c.lookup.prove(ctx); err != nil {
				return nil, c.kind.called("").translate(err)
			}
			allowTime(writer, request.Request, uploadTimeout)
			return c.uploads.take(content, place)
		}
	}
	if err := readParts(request.Request, c.limits, form.take); err != nil {
		return err
	}
	if form.path == nil {
		return errorf(http.StatusBadRequest, reasonNoFile, "null")
	}
	location, _, err := form.may(*form.path)
	switch {
	case err != nil:
		return err
	case !form.uploaded:
		return errorf(http.StatusBadRequest, reasonNoFile, *form.path)
	case form.upload == nil:
		return errUpload(c.kind)
	}
	if err := form.upload.storeAt(ctx, location); err != nil {
		return err
	}
	writeNothing(writer, request.Request)
	return nil
}

// pathForm is what an upload to a path sends.
type pathForm struct {
	// path is nil without the part.
	path *string
	// uploaded says that a file was sent.
	uploaded bool
	// upload is the file; nil where nothing takes files, and its content is gone.
	upload *upload

	// may returns the package that a path means, and the Kubernetes namespace that it counts
	// for, if the caller may upload it.
	may func(path string) (location identity.PackageURL, place string, err error)
	// takeFile takes a file for a place, which is empty where it isn't known.
	takeFile func(content io.Reader, place string) (*upload, error)
}

// take reads one part.
func (f *pathForm) take(part *multipart.Part, body *meteredBody, name string) error {
	switch {
	case name == partPath:
		text, err := readPart(part, body, name, maxPathBytes)
		path := string(text)
		f.path = &path
		return err
	case name == partData && f.takeFile != nil:
		f.uploaded = true
		return f.keep(part, body)
	case name == partData:
		f.uploaded = true
		if err := body.discard(part); err != nil {
			return bodyError(err)
		}
	default:
		if _, err := io.Copy(io.Discard, part); err != nil {
			return bodyError(err)
		}
	}
	return nil
}

// keep keeps the file. Where its path is known already, it is only read for those who may
// upload it.
func (f *pathForm) keep(part io.Reader, body *meteredBody) (err error) {
	f.upload, err = keep(part, body, func(content io.Reader) (*upload, error) {
		place := ""
		if f.path != nil {
			var err error
			if _, place, err = f.may(*f.path); err != nil {
				return nil, err
			}
		}
		return f.takeFile(content, place)
	})
	return err
}

// Close frees what the form holds.
func (f *pathForm) Close() {
	if f.upload != nil {
		f.upload.Close()
		f.upload = nil
	}
}

// mayUploadTo returns the package that a path means, and the Kubernetes namespace that it
// counts for, if the caller may upload the code of the component after which it is called,
// and change the code of those that run the package already.
func (l *lookup) mayUploadTo(ctx context.Context, path string) (identity.PackageURL, string, error) {
	location, err := packageAt(path)
	if err != nil {
		return location, "", err
	}
	place, err := l.mayUpload(ctx, l.kindOf(location.Type), nameOfPackage(location), location.String())
	return location, place, err
}

// storeAt stores the upload as a package that the caller chose, who may.
func (u *upload) storeAt(ctx context.Context, location identity.PackageURL) error {
	if digest := packageservice.DigestOf(location.Version); digest != "" && digest != u.digest {
		return errorf(http.StatusBadRequest, "The file is not what its version says: its digest is %s", u.digest)
	}
	return u.storeAs(ctx, location, location.String(), pathManager, u.replacesAt(location))
}

// replacesAt tells from its metadata whether a package at a path may be replaced by the
// upload. What the latest version is changes with each upload, as scripts expect that
// upload to the same path. Other versions stay what they are: only what an upload of the
// same left that broke off is replaced, which may have been one with a component where the
// version is the digest.
func (u *upload) replacesAt(location identity.PackageURL) func(packageservice.Metadata) bool {
	return func(metadata packageservice.Metadata) bool {
		same := metadata.Properties[packageservice.PropertyDigest] == u.digest
		switch metadata.Properties[packageservice.PropertyManager] {
		case pathManager:
			return same || location.Version == identity.LatestPackageVersion
		case packageservice.Manager:
			return same && packageservice.DigestOf(location.Version) != ""
		}
		return false
	}
}
