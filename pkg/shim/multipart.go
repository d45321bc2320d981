package shim

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
)

const (
	partURL           = "url"
	partData          = "data"
	partUpdateOptions = "updateOptions"

	maxURLBytes           = 8 << 10
	maxUpdateOptionsBytes = 16 << 10
	// maxParts is more than any client sends: unknown parts are ignored, as in
	// Pulsar, but not without end.
	maxParts = 16
	// maxDiscardedBytes is how much of a file that nobody wants is read before the
	// answer. A client that is still sending may not look for one before it is done.
	maxDiscardedBytes = 64 << 20
)

// errUpload refuses a file: there is no package service yet to put it into.
var errUpload = errorf(http.StatusBadRequest,
	"Uploading a package is not available yet: put it into Pulsar's package management "+
		"and give its URL, function://tenant/namespace/name@version")

// form is what a create or an update sends.
type form struct {
	// config is the JSON of the component's config; nil when the part is missing.
	config []byte
	// packageURL is the text of the part url.
	packageURL string
	// updateOptions is the JSON of the update's options; nil without the part.
	updateOptions []byte
	// uploaded says that a file was sent. Its content is gone.
	uploaded bool
}

// readForm reads the parts of a create or an update, in whichever order they come.
// configPart is the name of the part with the config, of maxConfig bytes at most.
// Files are never held in memory. Errors are of type *restError.
func readForm(writer http.ResponseWriter, request *http.Request, configPart string, maxConfig int64) (*form, error) {
	mediaType, parameters, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, errorf(http.StatusUnsupportedMediaType, "Content-Type must be multipart/form-data with a boundary")
	}
	// Beyond this the server answers at once and closes the connection.
	body := http.MaxBytesReader(writer, request.Body, maxConfig+maxDiscardedBytes)
	reader := multipart.NewReader(body, parameters["boundary"])
	result := &form{}
	seen := map[string]bool{}
	for range maxParts {
		part, err := reader.NextPart()
		// Compared, not matched: a body that was cut off ends in an error around EOF.
		if err == io.EOF {
			return result, nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
		name := part.FormName()
		if seen[name] {
			return nil, errorf(http.StatusBadRequest, "Part %q was sent more than once", name)
		}
		seen[name] = true
		if err := result.take(part, name, configPart, maxConfig); err != nil {
			return nil, err
		}
	}
	return nil, errorf(http.StatusBadRequest, "The request has more than %d parts", maxParts)
}

// take reads one part.
func (f *form) take(part *multipart.Part, name, configPart string, maxConfig int64) (err error) {
	switch name {
	case configPart:
		f.config, err = readPart(part, name, maxConfig)
	case partURL:
		var text []byte
		text, err = readPart(part, name, maxURLBytes)
		f.packageURL = string(text)
	case partUpdateOptions:
		f.updateOptions, err = readPart(part, name, maxUpdateOptionsBytes)
	case partData:
		f.uploaded = true
		if _, err := io.Copy(io.Discard, part); err != nil {
			if isTooLarge(err) {
				return errUpload
			}
			return bodyError(err)
		}
	default:
		if _, err := io.Copy(io.Discard, part); err != nil {
			return bodyError(err)
		}
	}
	return err
}

// readPart returns a part's content, which is never nil.
func readPart(part *multipart.Part, name string, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if int64(len(content)) > limit {
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
