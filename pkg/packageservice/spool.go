package packageservice

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

var (
	// ErrTooLarge says that a package has more bytes than it may have.
	ErrTooLarge = errors.New("the package is too large")
	// ErrEmpty says that a package has none.
	ErrEmpty = errors.New("the package is empty")
)

// DiskError says that a package could not be kept, whatever came of it.
type DiskError struct{ cause error }

func (e *DiskError) Error() string { return "could not keep a package: " + e.cause.Error() }

// Unwrap returns the cause.
func (e *DiskError) Unwrap() error { return e.cause }

// Spooled is a package in a file without a name, which is gone when it is closed or this
// process ends.
type Spooled struct {
	*os.File

	Size int64
	// Digest is of the content, in hexadecimal.
	Digest string
}

// Spool reads a package of at most so many bytes to its end. The result is to be closed.
// Errors are ErrTooLarge, ErrEmpty, *DiskError and those of reading.
func Spool(content io.Reader, maxBytes int64) (_ *Spooled, err error) {
	spooled := &Spooled{}
	if spooled.File, err = os.CreateTemp("", "package-"); err != nil {
		return nil, &DiskError{err}
	}
	defer func() {
		if err != nil {
			spooled.Close()
		}
	}()
	if err := os.Remove(spooled.Name()); err != nil {
		return nil, &DiskError{err}
	}
	hash, onDisk := sha256.New(), &writer{spooled.File, nil}
	spooled.Size, err = io.Copy(io.MultiWriter(onDisk, hash), io.LimitReader(content, maxBytes+1))
	switch {
	case onDisk.err != nil:
		return nil, &DiskError{onDisk.err}
	case err != nil:
		return nil, fmt.Errorf("could not read a package: %w", err)
	case spooled.Size > maxBytes:
		return nil, ErrTooLarge
	case spooled.Size == 0:
		return nil, ErrEmpty
	}
	spooled.Digest = hex.EncodeToString(hash.Sum(nil))
	return spooled, nil
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
