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
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// cleanupTimeout bounds the removal of what a failed upload left.
const cleanupTimeout = 10 * time.Second

// digestPrefix begins the version of a package that is named by its content.
const digestPrefix = "sha256-"

// VersionOf returns the version of a package with a digest, in hexadecimal.
func VersionOf(digest string) string { return digestPrefix + digest }

// DigestOf returns the digest that a version stands for, in small letters, or "".
func DigestOf(version string) string {
	if len(version) != len(digestPrefix)+hex.EncodedLen(sha256.Size) || version[:len(digestPrefix)] != digestPrefix {
		return ""
	}
	digest := strings.ToLower(version[len(digestPrefix):])
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

const (
	// PropertySize is the property that has the content's size.
	PropertySize = "fileSize"
	// propertyUpload tells one upload of a package from all others.
	propertyUpload = "upload"
)

// Package is what is to be stored, and as what.
type Package struct {
	// Name is the package's name.
	Name identity.PackageURL
	// Keeper looks after it once it is stored.
	Keeper Keeper
	// Metadata has the content's digest among its properties. Who keeps it is added.
	Metadata Metadata
	Content  io.ReaderAt
	Size     int64
	// Owned tells from metadata whether a package is ours to replace.
	Owned func(Metadata) bool
}

const (
	// unfinishedAfter is when an upload that hasn't got all of its content is taken for one
	// that broke off, and not for one that somebody else is still making.
	unfinishedAfter = time.Minute
	// maxRounds bounds how often a package is replaced that others replace, too.
	maxRounds = 5
)

// errContended says that others were faster each time.
var errContended = errors.New("others store the same package again and again")

// Store makes sure that a package has its content. The same content is uploaded once,
// and what an earlier upload left half done is replaced. Errors are ErrOtherContent,
// *RefusedError and those of the network and the content.
func (c *Client) Store(ctx context.Context, token Token, stored Package) error {
	if err := stored.Keeper.check(); err != nil {
		return err
	}
	// Two uploads of the same at once would see, and remove, each other's halves. Of other
	// processes that is kept by what the halves say of themselves.
	unlock, err := c.lock(ctx, stored.Name.String())
	if err != nil {
		return err
	}
	defer unlock()
	for range maxRounds {
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
		there, err := c.Claim(ctx, token, stored.Name, stored.Keeper)
		switch {
		case err != nil:
			return err
		case complete && !there:
			// It was removed as one that nobody used. Its content goes a moment after what is
			// said of it, and must not take the next one with it.
			if err := pause(ctx, time.Second); err != nil {
				return err
			}
			continue
		case complete:
			return nil
		}
		if err := c.replace(ctx, token, stored); !errors.Is(err, ErrExists) {
			return err
		}
	}
	return errContended
}

// replace puts a package in the place of another one. The error is ErrExists when somebody
// else did.
func (c *Client) replace(ctx context.Context, token Token, stored Package) error {
	existing, err := c.Metadata(ctx, token, stored.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		// It went just now, or only its content is there.
	case err != nil:
		return err
	case !stored.Owned(*existing):
		return ErrOtherContent
	default:
		stored.Metadata = inherited(stored.Keeper.sign(stored.Metadata), *existing)
	}
	if err := c.Delete(ctx, token, stored.Name); err != nil {
		return err
	}
	return c.upload(ctx, token, stored)
}

// upload is Upload of all of it, and leaves nothing behind when it fails.
func (c *Client) upload(ctx context.Context, token Token, stored Package) error {
	metadata, id := stored.Keeper.sign(stored.Metadata), string(uuid.NewUUID())
	metadata.Properties[propertyUpload] = id
	err := c.Upload(ctx, token, stored.Name, metadata, io.NewSectionReader(stored.Content, 0, stored.Size))
	if err == nil || errors.Is(err, ErrExists) {
		return err
	}
	// Nobody refers to what there is of it. It must not stand in the way of the next try,
	// so it goes even when whoever asked for the upload is gone.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if discardErr := c.discard(cleanup, token, stored.Name, id); discardErr != nil {
		return errors.Join(err, discardErr)
	}
	return err
}

// discard removes what there is of a failed upload, unless somebody else's has taken its
// place. The service has no deletion on condition, so it is read just before.
func (c *Client) discard(ctx context.Context, token Token, name identity.PackageURL, id string) error {
	metadata, err := c.Metadata(ctx, token, name)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case metadata.Properties[propertyUpload] != id:
		return nil
	}
	return c.Delete(ctx, token, name)
}

// await tells whether an existing package has the content that it should have, perhaps
// after whoever uploads it just now is done. The error is ErrOtherContent for what has
// another one, and isn't to be replaced.
func (c *Client) await(ctx context.Context, token Token, stored Package) (bool, error) {
	complete := false
	err := wait.PollUntilContextTimeout(ctx, time.Second, unfinishedAfter, true, func(ctx context.Context) (done bool, err error) {
		complete, done, err = c.look(ctx, token, stored)
		return done, err
	})
	switch {
	case err == nil, wait.Interrupted(err) && ctx.Err() == nil:
		return complete, nil
	case errors.Is(err, ErrOtherContent):
		return false, err
	}
	return false, fmt.Errorf("could not find out whether a package is complete: %w", err)
}

// look tells whether an existing package has the content that it should have, and whether
// that won't change any more.
func (c *Client) look(ctx context.Context, token Token, stored Package) (complete, final bool, err error) {
	metadata, err := c.Metadata(ctx, token, stored.Name)
	gone := errors.Is(err, ErrNotFound)
	if err != nil && !gone {
		return false, false, err
	}
	should, meant, longest := stored.Metadata.Properties[PropertyDigest], metadata.Properties[PropertyDigest], stored.Size
	ours := !gone && stored.Owned(*metadata)
	if size, err := strconv.ParseInt(metadata.Properties[PropertySize], 10, 64); ours && err == nil {
		longest = max(longest, size)
	}
	digest, err := c.digest(ctx, token, stored.Name, longest)
	switch {
	case err == nil && digest == should:
		return true, true, nil
	case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, errTooLong):
		return false, false, err
	case gone:
		return false, true, nil
	case !ours && meant != should:
		return false, true, ErrOtherContent
	case errors.Is(err, errTooLong):
		return false, true, nil // It won't become right any more.
	case err == nil && digest == meant:
		return false, true, nil // Whoever uploaded it is done, and meant another content.
	}
	return false, time.Since(time.UnixMilli(metadata.ModificationTime)) > unfinishedAfter, nil
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
