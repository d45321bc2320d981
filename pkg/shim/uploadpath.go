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
	form := &pathForm{may: func(path string) (identity.PackageURL, error) { return c.lookup.mayUploadTo(ctx, path) }}
	defer form.Close()
	if c.uploads != nil {
		form.takeFile = func(content io.Reader, tenant string) (*upload, error) {
			// Pulsar's clients send the path after the file. Who may upload there is only known
			// then; until then it is enough to be known.
			if err := c.lookup.prove(ctx); err != nil {
				return nil, c.kind.called("").translate(err)
			}
			allowTime(writer, request.Request, uploadTimeout)
			return c.uploads.take(content, tenant)
		}
	}
	if err := readParts(request.Request, c.limits, form.take); err != nil {
		return err
	}
	if form.path == nil {
		return errorf(http.StatusBadRequest, reasonNoFile, "null")
	}
	location, err := form.may(*form.path)
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

	// may returns the package that a path means, if the caller may upload it.
	may      func(path string) (identity.PackageURL, error)
	takeFile func(content io.Reader, tenant string) (*upload, error)
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
		// Files of which it isn't known for which tenant they are share what one tenant gets.
		tenant := ""
		if f.path != nil {
			location, err := f.may(*f.path)
			if err != nil {
				return nil, err
			}
			tenant = location.Tenant
		}
		return f.takeFile(content, tenant)
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

// mayUploadTo returns the package that a path means if the caller may upload the code of
// the component after which it is called.
func (l *lookup) mayUploadTo(ctx context.Context, path string) (identity.PackageURL, error) {
	location, err := packageAt(path)
	if err != nil {
		return location, err
	}
	return location, l.mayUpload(ctx, l.kindOf(location.Type), nameOfPackage(location))
}

// storeAt stores the upload as a package that the caller chose, who may. What the latest
// version is changes with each upload, as scripts expect that upload to the same path.
// Other versions stay what they are.
func (u *upload) storeAt(ctx context.Context, location identity.PackageURL) error {
	if digest := packageservice.DigestOf(location.Version); digest != "" && digest != u.digest {
		return errorf(http.StatusBadRequest, "The file is not what its version says: its digest is %s", u.digest)
	}
	return u.storeAs(ctx, location, location.String(), pathManager, func(metadata packageservice.Metadata) bool {
		same := metadata.Properties[packageservice.PropertyDigest] == u.digest
		return metadata.Properties[packageservice.PropertyManager] == pathManager && (same || location.Version == identity.LatestPackageVersion)
	})
}
