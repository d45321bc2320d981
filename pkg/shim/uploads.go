package shim

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

const (
	// uploadTimeout bounds a request that brings a file.
	uploadTimeout = 15 * time.Minute
	// maxUploads bounds the files that are being taken at once, and with the limit for
	// each what they fill of the disk.
	maxUploads = 20
	// maxUnplaced bounds those of which it isn't known yet where they go to. They come on
	// top, so that nobody's take the slots of others.
	maxUnplaced = 4
)

// uploads puts the files that requests bring into Pulsar's package service.
type uploads struct {
	packages *packages
	// maxBytes bounds a file.
	maxBytes int64
	// slots are for the files that are being taken, unplaced for those of which it isn't
	// known where they go to. inspecting has an entry for each that is being read: an
	// archive's directory is held in memory.
	slots      *slots.Slots
	unplaced   *slots.Slots
	inspecting chan struct{}
}

func newUploads(packages *packages, maxBytes int64) *uploads {
	return &uploads{packages: packages, maxBytes: maxBytes, slots: slots.New(maxUploads),
		// Half of them is what one place gets, and all of these are of none.
		unplaced: slots.New(2 * maxUnplaced), inspecting: make(chan struct{}, 1)}
}

// upload is a file that a request brought. It lies in a file without a name, which is
// gone when it is closed or this process ends.
type upload struct {
	uploads *uploads
	place   string
	file    *os.File
	size    int64
	digest  string
	// stored says that the package service has it.
	stored bool
}

// slotsFor returns those that count for a place, which is empty where it isn't known.
func (u *uploads) slotsFor(place string) *slots.Slots {
	if place == "" {
		return u.unplaced
	}
	return u.slots
}

// take reads a file to its end, for a component that goes to a Kubernetes namespace, or ""
// where that isn't known yet. The upload is to be closed. Errors are of type *restError.
func (u *uploads) take(content io.Reader, place string) (*upload, error) {
	if !u.slotsFor(place).Enter(place) {
		return nil, errorf(http.StatusTooManyRequests, "Too many uploads at once. Please try again in a little while.")
	}
	spooled, err := packageservice.Spool(content, u.maxBytes)
	var disk *packageservice.DiskError
	switch {
	case err == nil:
		return &upload{uploads: u, place: place, file: spooled.File, size: spooled.Size, digest: spooled.Digest}, nil
	case errors.As(err, &disk):
		err = &restError{code: http.StatusInsufficientStorage, reason: "There is no room for the package at the moment", cause: err}
	case errors.Is(err, packageservice.ErrTooLarge):
		err = errorf(http.StatusRequestEntityTooLarge, "The package is larger than %d bytes", u.maxBytes)
	case errors.Is(err, packageservice.ErrEmpty):
		err = errorf(http.StatusBadRequest, "The package is empty")
	default:
		err = bodyError(errors.Unwrap(err))
	}
	u.slotsFor(place).Leave(place)
	return nil, err
}

// Close frees what the upload holds.
func (u *upload) Close() {
	u.file.Close()
	u.uploads.slotsFor(u.place).Leave(u.place)
}
