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
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
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
	slots    *slots.Slots
}

func newDownloads(packages *packages) *downloads {
	return &downloads{packages: packages, slots: slots.New(maxDownloads)}
}

// serve answers with a package that the API server lets the caller read. place is the
// Kubernetes namespace that the download counts for. Errors are of type *restError: nothing is sent then.
func (d *downloads) serve(writer http.ResponseWriter, request *http.Request, location identity.PackageURL, place string) error {
	if !request.ProtoAtLeast(1, 1) {
		// To such a client the end of a connection is the end of a file, and an answer that
		// breaks off a whole one.
		return errorf(http.StatusHTTPVersionNotSupported, "Packages are only sent by HTTP 1.1 and later")
	}
	ctx := request.Context()
	if !d.slots.Enter(place) {
		return errorf(http.StatusTooManyRequests, "Too many downloads at once. Please try again in a little while.")
	}
	defer d.slots.Leave(place)
	allowTime(writer, request, downloadTimeout)
	access, err := d.packages.accessFor(ctx)
	if err != nil {
		return err
	}
	digest, err := d.digestOf(ctx, access, location)
	if err != nil {
		return notRead(ctx, access, location, err)
	}
	content, err := d.packages.service.Open(ctx, access.token, location)
	if err != nil {
		return notRead(ctx, access, location, err)
	}
	defer content.Close()
	answer := &packageAnswer{writer: writer, request: request}
	err = copyVerified(answer, content, digest)
	switch {
	case err == nil:
		klog.FromContext(ctx).Info("Sent a package", "package", location.String(), "bytes", answer.sent)
		return nil
	case errors.Is(err, errHeadersOnly):
		return nil
	case !answer.begun:
		return notRead(ctx, access, location, err)
	}
	if logger := klog.FromContext(ctx); answer.lost || ctx.Err() != nil {
		logger.V(4).Info("A download was not read to its end", "err", err, "package", location.String(), "bytes", answer.sent)
	} else {
		logger.Error(err, "Broke a download off", "package", location.String(), "bytes", answer.sent)
	}
	// What the client has is not the package. It hears of that by an answer that doesn't end.
	panic(http.ErrAbortHandler)
}

// digestOf returns the digest that a package should have, or "" where nobody says so whose
// word is known: without it, half of what somebody uploaded would be taken for all of it.
func (d *downloads) digestOf(ctx context.Context, access access, location identity.PackageURL) (string, error) {
	if digest := packageservice.DigestOf(location.Version); digest != "" {
		return digest, nil
	}
	metadata, err := d.packages.service.Metadata(ctx, access.token, location)
	if err != nil || !uploadedHere(*metadata) {
		return "", err
	}
	return packageservice.DigestIn(*metadata), nil
}

// errHeadersOnly ends the answer to a request that asks for the headers alone. The server
// would let the body be written, to nobody.
var errHeadersOnly = errors.New("only the headers were asked for")

// errOtherDigest says that a package is not what its version or its metadata say.
var errOtherDigest = errors.New("the package has another content than is said of it")

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
	// lost says that the client is gone.
	lost bool
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
	a.lost = err != nil
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
	case errors.Is(err, errOtherDigest) && packageservice.DigestOf(location.Version) == "":
		answer = errorf(http.StatusBadGateway, "Package '%s' is not whole: it is being uploaded or replaced just now, or its upload broke off", location)
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
