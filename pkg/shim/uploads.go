package shim

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

const (
	// uploadTimeout bounds a request that brings a file.
	uploadTimeout = 15 * time.Minute
	// maxUploads bounds the files that are being taken at once, and with the limit for
	// each what they fill of the disk.
	maxUploads = 20
)

// uploads puts the files that requests bring into Pulsar's package service.
type uploads struct {
	packages *packages
	// maxBytes bounds a file.
	maxBytes int64
	// slots are for the files that are being taken. inspecting has an entry for each that
	// is being read: an archive's directory is held in memory.
	slots      *slots
	inspecting chan struct{}
}

func newUploads(packages *packages, maxBytes int64) *uploads {
	return &uploads{packages: packages, maxBytes: maxBytes, slots: newSlots(maxUploads), inspecting: make(chan struct{}, 1)}
}

// upload is a file that a request brought. It lies in a file without a name, which is
// gone when it is closed or this process ends.
type upload struct {
	uploads *uploads
	tenant  string
	file    *os.File
	size    int64
	digest  string
	// stored says that the package service has it.
	stored bool
}

// take reads a file to its end, for a component of a tenant. The upload is to be closed.
// Errors are of type *restError.
func (u *uploads) take(content io.Reader, tenant string) (*upload, error) {
	if !u.slots.enter(tenant) {
		return nil, errorf(http.StatusTooManyRequests, "Too many uploads at once. Please try again in a little while.")
	}
	spooled, err := packageservice.Spool(content, u.maxBytes)
	var disk *packageservice.DiskError
	switch {
	case err == nil:
		return &upload{uploads: u, tenant: tenant, file: spooled.File, size: spooled.Size, digest: spooled.Digest}, nil
	case errors.As(err, &disk):
		err = &restError{code: http.StatusInsufficientStorage, reason: "There is no room for the package at the moment", cause: err}
	case errors.Is(err, packageservice.ErrTooLarge):
		err = errorf(http.StatusRequestEntityTooLarge, "The package is larger than %d bytes", u.maxBytes)
	case errors.Is(err, packageservice.ErrEmpty):
		err = errorf(http.StatusBadRequest, "The package is empty")
	default:
		err = bodyError(errors.Unwrap(err))
	}
	u.slots.leave(tenant)
	return nil, err
}

// Close frees what the upload holds.
func (u *upload) Close() {
	u.file.Close()
	u.uploads.slots.leave(u.tenant)
}
