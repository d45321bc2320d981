package packageservice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Packages that nothing names any more are removed by one who can't see a request that is
// about to name one, and the service has no deletion on condition. So both leave word in
// the package's metadata:
//
//   - Who is about to name a package that is there already writes its metadata anew,
//     without any mark (Claim does). From reading it to that it takes less than writeTime,
//     or it begins again.
//   - Who removes one writes a mark, in as short a time, waits for removalNotice, and
//     removes it only if the mark is still there, no later than removalWindow after it.
//   - Who finds such a mark takes it away until lastCall, and later waits until it is
//     older than removalWindow or the package is gone.
//
// A mark may take the place of a claim that was written while the mark was. What was
// claimed is then still there for removalNotice less writeTime, which is longer than
// kube-apiserver and this project's API server let a creation take (34 seconds).
const (
	removalNotice = 45 * time.Second
	removalWindow = 2 * time.Minute
	writeTime     = 5 * time.Second
	// clockSkew is how much the clocks of servers may differ.
	clockSkew = 10 * time.Second
	// lastCall leaves time to write before a removal by a clock that is ahead.
	lastCall = removalNotice - 2*clockSkew - writeTime

	propertyUnused   = "unusedSince"
	propertyRemoving = "removingSince"
)

// UnusedSince returns since when a package is known to be in nobody's use, and false if it
// isn't.
func UnusedSince(metadata Metadata) (time.Time, bool) { return markedAt(metadata, propertyUnused) }

func markedAt(metadata Metadata, property string) (time.Time, bool) {
	at, err := strconv.ParseInt(metadata.Properties[property], 10, 64)
	return time.UnixMilli(at), err == nil
}

// Packages returns the names of the packages of a type in a namespace, in no particular
// order.
func (c *Client) Packages(ctx context.Context, token Token, packageType, tenant, namespace string) ([]string, error) {
	var names []string
	err := c.getJSON(ctx, token, &names, []string{packageType, tenant, namespace})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return names, err
}

// SetMetadata replaces what is said of a package. Errors are as those of Metadata.
func (c *Client) SetMetadata(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata) error {
	metadata.ModificationTime = time.Now().UnixMilli()
	data, err := json.Marshal(metadata)
	if err != nil {
		return fmt.Errorf("could not encode metadata: %w", err)
	}
	response, err := c.send(ctx, token, http.MethodPut, append(segments(name), "metadata"), bytes.NewReader(data), "application/json")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// SetUnused notes that a package is in nobody's use from now on, or that it is in use.
func (c *Client) SetUnused(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, unused bool) error {
	property := propertyUnused
	if !unused {
		property = ""
	}
	return c.SetMetadata(ctx, token, name, marked(metadata, property, time.Now()))
}

// marked returns metadata with the mark of a property, and no other one but that of
// being unused if that is still true.
func marked(metadata Metadata, property string, at time.Time) Metadata {
	metadata.Properties = maps.Clone(metadata.Properties)
	if property != propertyRemoving {
		delete(metadata.Properties, propertyUnused)
	}
	delete(metadata.Properties, propertyRemoving)
	if property != "" {
		if metadata.Properties == nil {
			metadata.Properties = map[string]string{}
		}
		metadata.Properties[property] = strconv.FormatInt(at.UnixMilli(), 10)
	}
	return metadata
}

// Removal is a package that is about to be removed.
type Removal struct {
	Name identity.PackageURL
	at   time.Time
}

// errSlow says that too long a time passed between reading and writing.
var errSlow = errors.New("it took too long to announce the removal of a package")

// Announce says that a package is about to be removed, with metadata as it was read at a
// time.
func (c *Client) Announce(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, read time.Time) (Removal, error) {
	at := time.Now()
	err := c.SetMetadata(ctx, token, name, marked(metadata, propertyRemoving, at))
	if err == nil && time.Since(read) >= writeTime {
		err = errSlow
	}
	return Removal{Name: name, at: at}, err
}

// AwaitNotice returns when removals up to now may be finished, and false if ctx ends
// first.
func AwaitNotice(ctx context.Context) bool {
	select {
	case <-time.After(removalNotice):
		return true
	case <-ctx.Done():
		return false
	}
}

// Finish removes what was announced, and returns false if it didn't: somebody is about to
// use the package, stillUnused says that somebody does, or it is too late, since
// nobody waits any more.
func (c *Client) Finish(ctx context.Context, token Token, removal Removal, stillUnused func() bool) (bool, error) {
	ctx, cancel := context.WithDeadline(ctx, removal.at.Add(removalWindow))
	defer cancel()
	metadata, err := c.Metadata(ctx, token, removal.Name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at, announced := markedAt(*metadata, propertyRemoving)
	if !announced || at.UnixMilli() != removal.at.UnixMilli() || !Managed(*metadata) || !stillUnused() {
		return false, nil
	}
	return true, c.Delete(ctx, token, removal.Name)
}

// Claim makes sure that a package, which is there already, isn't removed as one that
// nobody uses before it can be seen that somebody does. It returns false when the package
// is gone. It says nothing of packages that aren't ours, which nobody removes.
func (c *Client) Claim(ctx context.Context, token Token, name identity.PackageURL) (bool, error) {
	for {
		asked := time.Now()
		metadata, err := c.Metadata(ctx, token, name)
		switch {
		case errors.Is(err, ErrNotFound):
			return false, nil
		case err != nil:
			return false, err
		case !Managed(*metadata):
			return true, nil
		}
		if at, announced := markedAt(*metadata, propertyRemoving); announced && time.Since(at) >= lastCall && time.Since(at) < removalWindow+clockSkew {
			if err := pause(ctx); err != nil {
				return false, err
			}
			continue
		}
		err = c.SetMetadata(ctx, token, name, marked(*metadata, "", asked))
		switch {
		case errors.Is(err, ErrNotFound):
			return false, nil
		case err != nil:
			return false, err
		case time.Since(asked) < writeTime:
			return true, nil
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("could not wait for the removal of a package: %w", ctx.Err())
	}
}
