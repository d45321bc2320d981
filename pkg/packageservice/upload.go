package packageservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// cleanupTimeout bounds the removal of what a failed upload left.
const cleanupTimeout = 10 * time.Second

// digestPrefix begins the version of a package that is named by its content.
const digestPrefix = "sha256-"

// VersionOf returns the version of a package with a digest, in hexadecimal.
func VersionOf(digest string) string { return digestPrefix + digest }

// DigestOf returns the digest that a version stands for, or "".
func DigestOf(version string) string {
	if len(version) != len(digestPrefix)+hex.EncodedLen(sha256.Size) || version[:len(digestPrefix)] != digestPrefix {
		return ""
	}
	digest := version[len(digestPrefix):]
	if _, err := hex.DecodeString(digest); err != nil {
		return ""
	}
	return digest
}

// ErrOtherContent says that a package has another content than was to be stored, and isn't
// one that may be replaced.
var ErrOtherContent = errors.New("there is a package of that name with another content")

// PropertyDigest is the property of a package that has the digest of its content, in
// hexadecimal: what it is meant to become, before all of it is there.
const PropertyDigest = "sha256"

// Package is what is to be stored, and as what.
type Package struct {
	// Name is the package's name.
	Name identity.PackageURL
	// Metadata has the content's digest among its properties.
	Metadata Metadata
	Content  io.ReaderAt
	Size     int64
	// Owned tells from metadata whether a package is ours to replace.
	Owned func(Metadata) bool
}

// unfinishedAfter is when an upload that hasn't got all of its content is taken for one
// that broke off, and not for one that somebody else is still making.
const unfinishedAfter = time.Minute

// Store makes sure that a package has its content. The same content is uploaded once,
// and what an earlier upload left half done is replaced. Errors are ErrOtherContent,
// *RefusedError and those of the network and the content.
func (c *Client) Store(ctx context.Context, token Token, stored Package) error {
	// Two uploads of the same at once would see, and remove, each other's halves.
	unlock, err := c.lock(ctx, stored.Name.String())
	if err != nil {
		return err
	}
	defer unlock()
	for {
		// What was there before is neither sent again nor a failed upload's to remove.
		_, err = c.Metadata(ctx, token, stored.Name)
		switch {
		case errors.Is(err, ErrNotFound):
			if err = c.upload(ctx, token, stored); !errors.Is(err, ErrExists) {
				return err
			}
		case err != nil:
			return err
		}
		complete, err := c.await(ctx, token, stored)
		if err != nil {
			return err
		}
		there, err := c.claim(ctx, token, stored)
		switch {
		case err != nil:
			return err
		case complete && !there:
			// It was removed as one that nobody used. Its content goes a moment after what is
			// said of it, and must not take the next one with it.
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		case complete:
			return nil
		}
		return c.replace(ctx, token, stored)
	}
}

// replace puts a package in the place of what an upload left that broke off.
func (c *Client) replace(ctx context.Context, token Token, stored Package) error {
	existing, err := c.Metadata(ctx, token, stored.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		// It went just now, or only its content is there.
	case err != nil:
		return err
	case !stored.Owned(*existing):
		return ErrOtherContent
	}
	if err := c.Delete(ctx, token, stored.Name); err != nil {
		return err
	}
	err = c.upload(ctx, token, stored)
	if errors.Is(err, ErrExists) {
		return ErrOtherContent
	}
	return err
}

// upload is Upload of all of it, and leaves nothing behind when it fails.
func (c *Client) upload(ctx context.Context, token Token, stored Package) error {
	err := c.Upload(ctx, token, stored.Name, stored.Metadata, io.NewSectionReader(stored.Content, 0, stored.Size))
	if err == nil || errors.Is(err, ErrExists) {
		return err
	}
	// Nobody refers to what there is of it. It must not stand in the way of the next try,
	// so it goes even when whoever asked for the upload is gone.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if deleteErr := c.Delete(cleanup, token, stored.Name); deleteErr != nil {
		return errors.Join(err, deleteErr)
	}
	return err
}

// await tells whether an existing package has the content that it should have, perhaps
// after whoever uploads it just now is done.
func (c *Client) await(ctx context.Context, token Token, stored Package) (bool, error) {
	complete := false
	err := wait.PollUntilContextTimeout(ctx, time.Second, unfinishedAfter, true, func(ctx context.Context) (bool, error) {
		digest, err := c.digest(ctx, token, stored.Name, stored.Size)
		switch {
		case err == nil && digest == stored.Metadata.Properties[PropertyDigest]:
			complete = true
			return true, nil
		case errors.Is(err, errTooLong):
			return true, nil // It won't become right any more.
		case err != nil && !errors.Is(err, ErrNotFound):
			return false, err
		}
		metadata, err := c.Metadata(ctx, token, stored.Name)
		if errors.Is(err, ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if meant := metadata.Properties[PropertyDigest]; meant != "" && meant != stored.Metadata.Properties[PropertyDigest] {
			return true, nil // Whoever uploads it means another content.
		}
		return time.Since(time.UnixMilli(metadata.ModificationTime)) > unfinishedAfter, nil
	})
	if wait.Interrupted(err) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return false, fmt.Errorf("could not find out whether a package is complete: %w", err)
	}
	return complete, nil
}

// lock waits until nobody else in this process stores a package of a name.
func (c *Client) lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		mine := make(chan struct{})
		held, busy := c.stores.LoadOrStore(name, mine)
		if !busy {
			return func() {
				c.stores.Delete(name)
				close(mine)
			}, nil
		}
		select {
		case <-held.(chan struct{}):
		case <-ctx.Done():
			return nil, fmt.Errorf("could not wait for another upload of the same package: %w", ctx.Err())
		}
	}
}

var errTooLong = errors.New("the package is longer than it should be")

// digest reads a package and returns its digest, unless it has more than size bytes.
func (c *Client) digest(ctx context.Context, token Token, name identity.PackageURL, size int64) (string, error) {
	content, err := c.Open(ctx, token, name)
	if err != nil {
		return "", err
	}
	defer content.Close()
	hash := sha256.New()
	read, err := io.Copy(hash, io.LimitReader(content, size+1))
	if err != nil {
		return "", fmt.Errorf("could not read a package: %w", err)
	}
	if read > size {
		return "", errTooLong
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Upload stores a package that doesn't exist yet. Errors are ErrExists, *RefusedError
// and those of the network and the content.
func (c *Client) Upload(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, content io.Reader) error {
	described, err := json.Marshal(metadata)
	if err != nil {
		return fmt.Errorf("could not encode metadata: %w", err)
	}
	reader, writer := io.Pipe()
	form := multipart.NewWriter(writer)
	written := make(chan error, 1)
	go func() {
		err := writeForm(form, described, content)
		writer.CloseWithError(err)
		written <- err
	}()
	response, err := c.send(ctx, token, "POST", segments(name), reader, form.FormDataContentType())
	// Whatever became of the request, nobody reads what is still written.
	reader.CloseWithError(io.ErrClosedPipe)
	failure := <-written
	if err != nil {
		return err
	}
	response.Body.Close()
	if failure != nil {
		return fmt.Errorf("could not send a package: %w", failure)
	}
	return nil
}

// writeForm writes the parts of an upload. The file is called data, whatever it was
// called by whoever sent it.
func writeForm(form *multipart.Writer, metadata []byte, content io.Reader) error {
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="metadata"`}, "Content-Type": {"application/json"},
	})
	if err != nil {
		return err
	}
	if _, err := part.Write(metadata); err != nil {
		return err
	}
	if part, err = form.CreateFormFile("file", "data"); err != nil {
		return err
	}
	if _, err := io.Copy(part, content); err != nil {
		return err
	}
	return form.Close()
}
