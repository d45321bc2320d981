package shim

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const (
	partURL           = "url"
	partData          = "data"
	partUpdateOptions = "updateOptions"

	maxURLBytes           = 8 << 10
	maxUpdateOptionsBytes = 16 << 10
	// maxOverheadBytes is room for the headers of parts, and for unknown parts.
	maxOverheadBytes = 64 << 10
	// maxDiscardedBytes is how much more is read of a part that is too large. A client
	// that is still sending may not look for the answer before it is done.
	maxDiscardedBytes = 8 << 20
)

// errUpload refuses a file where there is no package service to put it into.
func errUpload(kind *kind) *restError {
	option := map[v1alpha1.ComponentKind]string{v1alpha1.FunctionKind: "--jar", v1alpha1.SinkKind: "--archive", v1alpha1.SourceKind: "--archive"}[kind.ComponentKind]
	url := kind.Type + "://TENANT/NAMESPACE/NAME@VERSION"
	return errorf(http.StatusBadRequest,
		"Uploading a package with a %s is not enabled here (--package-service-url). Upload it at the broker's admin URL, "+
			"pulsar-admin --admin-url http://BROKER:8080 packages upload %s --path FILE --description TEXT, "+
			"and give that package URL instead of the file, as in %s %s", kind.Type, url, option, url)
}

// formLimits bound a form.
type formLimits struct {
	// config is how many bytes a component's config may have.
	config int64
	// parts is how many parts there may be. Unknown ones are ignored, as in Pulsar, but
	// not without end.
	parts int
}

// form is what a create or an update sends.
type form struct {
	// config is the JSON of the component's config; nil when the part is missing.
	config []byte
	// packageURL is the text of the part url.
	packageURL string
	// updateOptions is the JSON of the update's options; nil without the part.
	updateOptions []byte
	// uploaded says that a file was sent.
	uploaded bool
	// upload is the file; nil where nothing takes files, and its content is gone.
	upload *upload
	// named is the package that the component names by its URL, namedAt; nil where it
	// wasn't fetched.
	named   *upload
	namedAt identity.PackageURL

	kind     *kind
	takeFile func(io.Reader) (*upload, error)
}

// refusalOr returns the refusal of an upload if that took all of the request's time,
// else the error.
func (f *form) refusalOr(ctx context.Context, err error) error {
	if f.refused() && ctx.Err() != nil {
		return errUpload(f.kind)
	}
	return err
}

// readForm reads the parts of a create or an update, in whichever order they come.
// Files are never held in memory: they are read to their end, for as long as the
// server lets a request take, because a client may not look for an answer earlier.
// Errors are of type *restError.
//
// takeFile takes a file; where it is nil files are read and forgotten. The form is to be
// closed.
func readForm(request *http.Request, kind *kind, limits formLimits, takeFile func(io.Reader) (*upload, error)) (*form, error) {
	result := &form{kind: kind, takeFile: takeFile}
	err := readParts(request, limits, func(part *multipart.Part, body *meteredBody, name string) error {
		return result.take(part, body, name, limits.config)
	})
	if err != nil {
		result.Close()
		return nil, err
	}
	return result, nil
}

// readParts has take read the parts of a request's form, each name once. Errors are of
// type *restError, or take's.
func readParts(request *http.Request, limits formLimits, take func(part *multipart.Part, body *meteredBody, name string) error) error {
	if encoding := request.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return errorf(http.StatusUnsupportedMediaType, "Content-Encoding is not supported: send the form as it is")
	}
	mediaType, parameters, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	const help = "Content-Type must be multipart/form-data with a boundary"
	switch {
	case err != nil || mediaType != "multipart/form-data":
		return errorf(http.StatusUnsupportedMediaType, help)
	case parameters["boundary"] == "":
		return errorf(http.StatusBadRequest, help)
	}
	body := &meteredBody{
		body: request.Body,
		left: limits.config + maxURLBytes + maxUpdateOptionsBytes + maxOverheadBytes,
	}
	reader := multipart.NewReader(body, parameters["boundary"])
	seen, parts := map[string]bool{}, 0
	for {
		part, err := reader.NextPart()
		// Compared, not matched: a body that was cut off ends in an error around EOF.
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return bodyError(err)
		}
		if parts == limits.parts {
			return errorf(http.StatusRequestEntityTooLarge, "The request has more than %d parts", limits.parts)
		}
		parts++
		name := part.FormName()
		if seen[name] {
			// As in Pulsar the first one counts.
			if err := skip(part); err != nil {
				return err
			}
			continue
		}
		seen[name] = true
		if err := take(part, body, name); err != nil {
			return err
		}
	}
}

// skip reads what doesn't count.
func skip(part io.Reader) error {
	if _, err := io.Copy(io.Discard, part); err != nil {
		return bodyError(err)
	}
	return nil
}

// saidToBeJSON tells whether a part has the content type of JSON. To Pulsar one without is
// none.
func saidToBeJSON(part *multipart.Part) bool {
	mediaType, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
	return mediaType == "application/json"
}

// meteredBody is a request's body, of which only so much is read beside what is
// discarded. The reader of parts holds their headers in memory, so it needs a bound.
type meteredBody struct {
	body io.Reader
	left int64
	// discarding lets reads through that don't count.
	discarding bool
}

func (b *meteredBody) Read(into []byte) (int, error) {
	if b.discarding {
		return b.body.Read(into)
	}
	if b.left <= 0 {
		return 0, &http.MaxBytesError{}
	}
	if int64(len(into)) > b.left {
		into = into[:b.left]
	}
	n, err := b.body.Read(into)
	b.left -= int64(n)
	return n, err
}

// discard reads a part to its end.
func (b *meteredBody) discard(part io.Reader) error {
	b.discarding = true
	defer func() { b.discarding = false }()
	_, err := io.Copy(io.Discard, part)
	return err
}

// take reads one part.
func (f *form) take(part *multipart.Part, body *meteredBody, name string, maxConfig int64) (err error) {
	switch name {
	case f.kind.configPart():
		f.config, err = readPart(part, body, name, maxConfig)
		if !saidToBeJSON(part) {
			f.config = nil
		}
	case partURL:
		var text []byte
		text, err = readPart(part, body, name, maxURLBytes)
		// A blank one is none to Pulsar.
		if strings.TrimSpace(string(text)) != "" {
			f.packageURL = string(text)
		}
	case partUpdateOptions:
		f.updateOptions, err = readPart(part, body, name, maxUpdateOptionsBytes)
	case partData:
		f.uploaded = true
		if f.takeFile != nil {
			f.upload, err = keep(part, body, f.takeFile)
			return err
		}
		// However the file ends, what the client needs to know is the same.
		if body.discard(part) != nil {
			return errUpload(f.kind)
		}
	default:
		err = skip(part)
	}
	return err
}

// keep has a file taken.
func keep(part io.Reader, body *meteredBody, takeFile func(io.Reader) (*upload, error)) (*upload, error) {
	body.discarding = true
	defer func() { body.discarding = false }()
	taken, err := takeFile(part)
	if err != nil {
		// A client that is still sending may not look for the answer before it is done.
		_, _ = io.Copy(io.Discard, io.LimitReader(part, maxDiscardedBytes))
	}
	return taken, err
}

// Close frees what the form holds.
func (f *form) Close() {
	f.closeNamed()
	if f.upload != nil {
		f.upload.Close()
		f.upload = nil
	}
}

// readPart returns a part's content, which is never nil.
func readPart(part *multipart.Part, body *meteredBody, name string, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(content)) > limit {
		_ = body.discard(io.LimitReader(part, maxDiscardedBytes))
		return nil, errorf(http.StatusRequestEntityTooLarge, "Part %q is larger than %d bytes", name, limit)
	}
	return content, nil
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errorf(http.StatusRequestTimeout, "The request's body did not arrive in time")
	}
	if isTooLarge(err) {
		return errorf(http.StatusRequestEntityTooLarge, "The request's body is too large")
	}
	return errorf(http.StatusBadRequest, "The request's body is not valid multipart/form-data: %v", err)
}

func isTooLarge(err error) bool {
	var tooLarge *http.MaxBytesError
	return errors.As(err, &tooLarge)
}
