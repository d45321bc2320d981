package shim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
)

const (
	// uploadTimeout bounds a request that brings a file.
	uploadTimeout = 15 * time.Minute
	// maxUploads bounds the files that are being taken at once, and with the limit for
	// each what they fill of the disk.
	maxUploads = 20

	// propertyManager and manager mark the packages that were uploaded here.
	propertyManager = "managedBy"
	manager         = "functionmesh-apiserver"
)

// uploads puts the files that creates and updates bring into Pulsar's package service.
type uploads struct {
	service *packageservice.Client
	// maxBytes bounds a file.
	maxBytes int64
	// slots has an entry for each file that is being taken, inspecting one for each that
	// is being read: an archive's directory is held in memory.
	slots, inspecting chan struct{}

	lock sync.Mutex
	// byTenant is how many files each tenant has there.
	byTenant map[string]int
}

func newUploads(service *packageservice.Client, maxBytes int64) *uploads {
	return &uploads{service: service, maxBytes: maxBytes, slots: make(chan struct{}, maxUploads), inspecting: make(chan struct{}, 1), byTenant: map[string]int{}}
}

// enter takes a slot for a tenant, who may have half of them: a slow client holds one for
// as long as a file may take.
func (u *uploads) enter(tenant string) bool {
	u.lock.Lock()
	defer u.lock.Unlock()
	if u.byTenant[tenant] >= maxUploads/2 {
		return false
	}
	select {
	case u.slots <- struct{}{}:
		u.byTenant[tenant]++
		return true
	default:
		return false
	}
}

func (u *uploads) leave(tenant string) {
	u.lock.Lock()
	defer u.lock.Unlock()
	<-u.slots
	if u.byTenant[tenant]--; u.byTenant[tenant] == 0 {
		delete(u.byTenant, tenant)
	}
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
	if !u.enter(tenant) {
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
	u.uploads.leave(u.tenant)
}

// location returns the package that the upload becomes for a component: its version is
// its content's digest, so that a new content is a new location, which replaces the pods.
func (u *upload) location(kind *kind, name identity.Name) identity.PackageURL {
	return identity.PackageURL{Type: kind.Type, Tenant: name.Tenant, Namespace: name.Namespace, Name: name.Name, Version: packageservice.VersionOf(u.digest)}
}

// store puts the upload into the package service, with the caller's own token of Pulsar's
// where there is one. Errors are of type *restError.
func (u *upload) store(ctx context.Context, kind *kind, name identity.Name) error {
	if u.stored {
		return nil
	}
	location := u.location(kind, name)
	err := u.uploads.service.Store(ctx, packageservice.Token(ownToken(ctx)), packageservice.Package{
		Name: location,
		Metadata: packageservice.Metadata{
			Description: kind.Title + " " + name.String(),
			Contact:     manager,
			Properties: map[string]string{
				propertyManager: manager, "sha256": u.digest, "fileSize": strconv.FormatInt(u.size, 10),
				"tenant": name.Tenant, "namespace": name.Namespace, "functionName": name.Name,
			},
		},
		Content: u.file,
		Size:    u.size,
		Owned:   func(metadata packageservice.Metadata) bool { return metadata.Properties[propertyManager] == manager },
	})
	if err != nil {
		return notStored(ctx, location, err)
	}
	klog.FromContext(ctx).Info("Stored a package", "package", location.String(), "bytes", u.size)
	u.stored = true
	return nil
}

// notStored says why a package could not be stored.
func notStored(ctx context.Context, location identity.PackageURL, err error) error {
	answer := &restError{cause: fmt.Errorf("could not store the package %s: %w", location, err)}
	var refused *packageservice.RefusedError
	switch {
	case errors.Is(err, packageservice.ErrOtherContent):
		answer.code, answer.reason = http.StatusConflict, fmt.Sprintf("Package %s has another content than its name says, and was not uploaded here. Somebody has to remove it.", location)
	case errors.As(err, &refused) && (refused.Code == http.StatusUnauthorized || refused.Code == http.StatusForbidden):
		answer.code, answer.reason = http.StatusUnauthorized, "Pulsar doesn't let the caller write packages of namespace "+location.Tenant+"/"+location.Namespace
	case errors.As(err, &refused) && refused.Code/100 == 4:
		answer.code, answer.reason = http.StatusBadRequest, refused.Error()
	case ctx.Err() != nil:
		answer.code, answer.reason = http.StatusRequestTimeout, "The package could not be stored in time"
	default:
		answer.code, answer.reason = http.StatusServiceUnavailable, "Pulsar's package service did not take the package. Please try again in a little while."
	}
	return answer
}
