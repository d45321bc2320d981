package connectors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// A version has two parts. The upper one is the time when this process made the
// change, so that versions grow, also over a restart. The lower one is a hash of the
// whole content after it: two replicas that have read the same file give it different
// times, and yet each knows the other's version for what it is, so that a watch can
// move between them without missing anything.
const (
	// contentBits leaves 34 bits for the time in ticks, which last until 2080: versions
	// are also handled as signed numbers.
	contentBits = 29
	tick        = 100 * time.Millisecond
)

// epoch is when ticks begin.
var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// nextVersion returns a version of a content that is above another, whatever the
// clock says.
func nextVersion(before uint64, now time.Time, content uint64) uint64 {
	ticks := uint64(max(0, now.Sub(epoch)/tick))
	ticks = max(ticks, before>>contentBits+1)
	return ticks<<contentBits | content
}

// contentOf returns the part of a version that says what the content is.
func contentOf(version uint64) uint64 { return version & (1<<contentBits - 1) }

// contentAfter returns that part of a version which a change leads to.
func contentAfter(version uint64, change Change) uint64 {
	content := contentOf(version)
	for _, entry := range []*Entry{change.Before, change.After} {
		if entry != nil {
			content ^= entry.hash
		}
	}
	return content
}

// hashOf is the same for equal entries only, as far as a hash can promise it.
func hashOf(spec v1alpha1.PulsarConnectorSpec) uint64 {
	data, err := json.Marshal(spec)
	if err != nil {
		// Strings, lists and maps of them have an encoding.
		panic(fmt.Sprintf("could not encode a connector: %v", err))
	}
	sum := sha256.Sum256(data)
	return contentOf(uint64(binary.BigEndian.Uint32(sum[:])))
}

// At returns the state that a version stands for, or nil if this catalogue doesn't
// know the version: it is too old, or another replica's.
func (c *Catalogue) At(version uint64) *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	later, ok := c.since(version)
	if !ok {
		return nil
	}
	if len(later) == 0 {
		return c.current
	}
	byName := maps.Clone(c.current.byName)
	for _, change := range slices.Backward(later) {
		if change.After != nil {
			delete(byName, change.After.Spec.Name)
		}
		if change.Before != nil {
			byName[change.Before.Spec.Name] = change.Before
		}
	}
	return newSnapshot(version, byName)
}

// Since returns the changes from a version to the state that is returned too, the
// present one. It says whether it knows the version, as At does.
func (c *Catalogue) Since(version uint64) ([]Change, *Snapshot, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	later, ok := c.since(version)
	return slices.Clone(later), c.current, ok
}

func (c *Catalogue) since(version uint64) ([]Change, bool) {
	wanted := contentOf(version)
	if contentOf(c.now().Version) == wanted {
		return nil, true
	}
	for i, change := range slices.Backward(c.changes) {
		if contentOf(change.Version) == wanted {
			return c.changes[i+1:], true
		}
	}
	if contentOf(c.oldest) == wanted {
		return c.changes, true
	}
	return nil, false
}
