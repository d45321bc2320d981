package packageservice

import (
	"context"
	"errors"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// Packages that nothing names any more are removed by one who can't see a request that is
// about to name one, and the service has neither a deletion nor a change of metadata on
// condition. So both leave word in the package's metadata:
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
// kube-apiserver and this project's API server let a creation take (34 seconds), and who
// removes it sees what was created.
//
// Another installation's creation it doesn't see. So only a package that no other one has
// is removed, and who claims one that his installation doesn't have yet reads it again
// writeTime later: a mark that was written over the claim is there by then, and it is
// still time to take it away. All other writes, and marks that took too long, leave a
// package that isn't due before another grace period is over. In that time the collection
// of each installation adds those to it whose word was lost.
const (
	removalNotice = 45 * time.Second
	removalWindow = 2 * time.Minute
	writeTime     = 5 * time.Second
	// clockSkew is how much the clocks of servers may differ.
	clockSkew = 10 * time.Second
	// lastCall leaves time to write before a removal by a clock that is ahead.
	lastCall = removalNotice - 2*clockSkew - writeTime

	propertyRemoving = "removingSince"
)

// SetUse notes whether a package is in use in an installation, from now on. It adds the
// installation to those that have the package.
func (c *Client) SetUse(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, installation string, used bool) error {
	return c.SetMetadata(ctx, token, name, withUse(metadata, installation, used, time.Now()))
}

// Leave takes an installation out of those that have a package.
func (c *Client) Leave(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, installation string) error {
	return c.SetMetadata(ctx, token, name, without(metadata, installation))
}

// Removal is a package that is about to be removed.
type Removal struct {
	Name         identity.PackageURL
	installation string
	at           time.Time
}

// ErrShared says that another installation has a package.
var ErrShared = errors.New("another installation has the package")

// errSlow says that too long a time passed between reading and writing.
var errSlow = errors.New("it took too long to announce the removal of a package")

// Announce says that a package is about to be removed by the only installation that has
// it, with metadata as it was read at a time. The error is ErrShared if it isn't the only
// one. If nothing comes of it the package is due after another grace period.
func (c *Client) Announce(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata, installation string, read time.Time) (Removal, error) {
	if !alone(metadata, installation) {
		return Removal{}, ErrShared
	}
	at := time.Now()
	announced := withUse(metadata, installation, false, at)
	announced.Properties[propertyRemoving] = mark(at)
	err := c.SetMetadata(ctx, token, name, announced)
	if err == nil && time.Since(read) >= writeTime {
		err = errSlow
	}
	return Removal{Name: name, installation: installation, at: at}, err
}

// Announced tells whether a removal is announced that may still be finished.
func Announced(metadata Metadata) bool {
	at, announced := markedAt(metadata, propertyRemoving)
	age := time.Since(at)
	return announced && age > -clockSkew && age < removalWindow+clockSkew
}

// AwaitNotice returns when removals up to now may be finished, and false if ctx ends
// first.
func AwaitNotice(ctx context.Context) bool { return pause(ctx, removalNotice) == nil }

// AwaitWrites returns when nobody writes any more what he read before, and false if ctx
// ends first.
func AwaitWrites(ctx context.Context) bool { return pause(ctx, writeTime) == nil }

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
	if !announced || at.UnixMilli() != removal.at.UnixMilli() || !Managed(*metadata) || !alone(*metadata, removal.installation) || !stillUnused() {
		return false, nil
	}
	return true, c.Delete(ctx, token, removal.Name)
}
