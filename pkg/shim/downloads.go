package shim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"time"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

const (
	// downloadTimeout bounds a request that is answered with a package.
	downloadTimeout = 15 * time.Minute
	// maxDownloads bounds the packages that are being sent at once.
	maxDownloads = 20
	// downloadBytes is how much of a package is held in memory, twice.
	downloadBytes = 64 << 10
)

// downloads sends packages from Pulsar's package service to callers.
type downloads struct {
	packages *packages
	slots    *slots
}

func newDownloads(packages *packages) *downloads {
	return &downloads{packages: packages, slots: newSlots(maxDownloads)}
}

// serve answers with a package that the API server lets the caller read. tenant is who the
// download counts for. Errors are of type *restError: nothing is sent then.
func (d *downloads) serve(writer http.ResponseWriter, request *http.Request, location identity.PackageURL, tenant string) error {
	if !request.ProtoAtLeast(1, 1) {
		// To such a client the end of a connection is the end of a file, and an answer that
		// breaks off a whole one.
		return errorf(http.StatusHTTPVersionNotSupported, "Packages are only sent by HTTP 1.1 and later")
	}
	ctx := request.Context()
	if !d.slots.enter(tenant) {
		return errorf(http.StatusTooManyRequests, "Too many downloads at once. Please try again in a little while.")
	}
	defer d.slots.leave(tenant)
	allowTime(writer, request, downloadTimeout)
	access, err := d.packages.accessFor(ctx)
	if err != nil {
		return err
	}
	content, err := d.packages.service.Open(ctx, access.token, location)
	if err != nil {
		return notRead(ctx, access, location, err)
	}
	defer content.Close()
	answer := &packageAnswer{writer: writer, request: request}
	err = copyVerified(answer, content, packageservice.DigestOf(location.Version))
	switch {
	case err == nil:
		klog.FromContext(ctx).Info("Sent a package", "package", location.String(), "bytes", answer.sent)
		return nil
	case errors.Is(err, errHeadersOnly):
		return nil
	case !answer.begun:
		return notRead(ctx, access, location, err)
	}
	klog.FromContext(ctx).Error(err, "Broke a download off", "package", location.String(), "bytes", answer.sent)
	// What the client has is not the package. It hears of that by an answer that doesn't end.
	panic(http.ErrAbortHandler)
}

// errHeadersOnly ends the answer to a request that asks for the headers alone. The server
// would let the body be written, to nobody.
var errHeadersOnly = errors.New("only the headers were asked for")

// errOtherDigest says that a package is not what its version says.
var errOtherDigest = errors.New("the package has another content than its name says")

// copyVerified copies a package, of which the last bytes aren't written before all of it
// is known to have the digest. One without a digest is taken as it is.
func copyVerified(to io.Writer, from io.Reader, digest string) error {
	held, next := make([]byte, 0, downloadBytes), make([]byte, downloadBytes)
	sum := sha256.New()
	for {
		n, err := fill(next[:downloadBytes], from)
		sum.Write(next[:n])
		// Compared, not matched: a package that was cut off ends in an error around EOF.
		last := err == io.EOF
		switch {
		case err != nil && !last:
			return fmt.Errorf("could not read a package: %w", err)
		case last && digest != "" && digestIn(sum) != digest:
			return errOtherDigest
		}
		if len(held) > 0 {
			if _, err := to.Write(held); err != nil {
				return fmt.Errorf("could not send a package: %w", err)
			}
		}
		held, next = next[:n], held[:downloadBytes]
		if last {
			// An empty package is an answer, too.
			if _, err := to.Write(held); err != nil {
				return fmt.Errorf("could not send a package: %w", err)
			}
			return nil
		}
	}
}

// fill reads until a buffer is full or there is an error, io.EOF among them.
func fill(buffer []byte, from io.Reader) (n int, err error) {
	for n < len(buffer) && err == nil {
		var read int
		read, err = from.Read(buffer[n:])
		n += read
	}
	return n, err
}

func digestIn(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }

// packageAnswer writes the headers of an answer before its first bytes.
type packageAnswer struct {
	writer  http.ResponseWriter
	request *http.Request
	begun   bool
	sent    int64
}

// Write implements io.Writer.
func (a *packageAnswer) Write(content []byte) (int, error) {
	if !a.begun {
		a.begun = true
		addWarnings(a.writer, a.request)
		a.writer.Header().Set("Content-Type", "application/octet-stream")
		a.writer.Header().Set("X-Content-Type-Options", "nosniff")
		a.writer.WriteHeader(http.StatusOK)
	}
	if info := requestInfoFrom(a.request.Context()); info != nil && info.headersOnly {
		return 0, errHeadersOnly
	}
	n, err := a.writer.Write(content)
	a.sent += int64(n)
	return n, err
}

// notRead says why a package could not be read.
func notRead(ctx context.Context, access access, location identity.PackageURL, err error) error {
	answer := errorf(http.StatusServiceUnavailable, "Pulsar's package service did not give the package. Please try again in a little while.")
	var refused *packageservice.RefusedError
	switch {
	case isUnauthorized(err):
		answer = access.unauthorized("read", location)
	case errors.Is(err, packageservice.ErrNotFound):
		answer = errorf(http.StatusNotFound, "Package '%s' does not exist", location)
	case errors.Is(err, errOtherDigest):
		answer = errorf(http.StatusBadGateway, "Package '%s' has another content than its name says", location)
	case errors.As(err, &refused) && refused.Code/100 == 4:
		answer = errorf(http.StatusBadRequest, "%v", refused)
	case ctx.Err() != nil:
		answer = errorf(http.StatusRequestTimeout, "The package could not be read in time")
	}
	answer.cause = fmt.Errorf("could not read the package %s: %w", location, err)
	return answer
}
