package shim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
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
	taken := &upload{uploads: u, tenant: tenant}
	var err error
	if taken.file, err = os.CreateTemp("", "upload-"); err == nil {
		err = os.Remove(taken.file.Name())
	}
	if err != nil {
		taken.Close()
		return nil, &restError{code: http.StatusInternalServerError, reason: reasonInternal, cause: fmt.Errorf("could not make a file for an upload: %w", err)}
	}
	hash := sha256.New()
	onDisk := &writer{taken.file, nil}
	taken.size, err = io.Copy(io.MultiWriter(onDisk, hash), io.LimitReader(content, u.maxBytes+1))
	switch {
	case onDisk.err != nil:
		err = &restError{code: http.StatusInsufficientStorage, reason: "There is no room for the package at the moment", cause: fmt.Errorf("could not keep an upload: %w", onDisk.err)}
	case err != nil:
		err = bodyError(err)
	case taken.size > u.maxBytes:
		err = errorf(http.StatusRequestEntityTooLarge, "The package is larger than %d bytes", u.maxBytes)
	case taken.size == 0:
		err = errorf(http.StatusBadRequest, "The package is empty")
	}
	if err != nil {
		taken.Close()
		return nil, err
	}
	taken.digest = hex.EncodeToString(hash.Sum(nil))
	return taken, nil
}

// writer remembers that it could not write, which is another failure than that nothing
// came.
type writer struct {
	io.Writer
	err error
}

func (w *writer) Write(content []byte) (int, error) {
	n, err := w.Writer.Write(content)
	if err != nil {
		w.err = err
	}
	return n, err
}

// Close frees what the upload holds.
func (u *upload) Close() {
	if u.file != nil {
		u.file.Close()
	}
	u.uploads.slots.leave(u.tenant)
}
