// Package connectors is the catalogue of built-in connectors and functions: what
// builtin://name stands for. It knows nothing of who asks.
//
// The catalogue comes from a file, in the format of the Java worker, and follows its
// changes. Each of its states has a version, by which watchers continue where they
// were. There is no database to count versions, and every replica has a file of its
// own; see Snapshot for what a version means then.
package connectors

import (
	"slices"
	"sync"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Prefix is what a location begins with that names an entry of the catalogue.
const Prefix = "builtin://"

// keptSnapshots is how many states are remembered, the present one included, for
// watchers and lists that began with an earlier one.
const keptSnapshots = 10

// Catalogue holds the entries at one time. Its zero value and nil have none. It can
// be used concurrently.
type Catalogue struct {
	mu sync.Mutex
	// snapshots are the latest states, the present one last. There is one at least
	// as soon as anybody asks.
	snapshots []*Snapshot

	file *file
}

// NewCatalogue returns a catalogue with entries, of which the last of a name counts.
func NewCatalogue(entries []v1alpha1.PulsarConnectorSpec) *Catalogue {
	catalogue := &Catalogue{}
	catalogue.Replace(entries)
	return catalogue
}

// Replace exchanges all entries at once. Nothing happens if they are the same.
func (c *Catalogue) Replace(entries []v1alpha1.PulsarConnectorSpec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replace(entries, time.Now())
}

func (c *Catalogue) replace(entries []v1alpha1.PulsarConnectorSpec, now time.Time) {
	var before *Snapshot
	if len(c.snapshots) > 0 {
		before = c.snapshots[len(c.snapshots)-1]
	}
	after := newSnapshot(entries, before, now)
	if after == before {
		return
	}
	if len(c.snapshots) == keptSnapshots {
		c.snapshots = slices.Delete(c.snapshots, 0, 1)
	}
	c.snapshots = append(c.snapshots, after)
	if before != nil {
		close(before.replaced)
	}
}

// Current returns the present state.
func (c *Catalogue) Current() *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current()
}

func (c *Catalogue) current() *Snapshot {
	if len(c.snapshots) == 0 {
		c.replace(nil, time.Now())
	}
	return c.snapshots[len(c.snapshots)-1]
}

// At returns the state that a version stands for, the present one if it is equal to
// it, or nil if this catalogue doesn't have it: it may be of another replica, or too
// old.
func (c *Catalogue) At(version uint64) *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current()
	for _, snapshot := range slices.Backward(c.snapshots) {
		if contentOf(snapshot.Version) == contentOf(version) {
			return snapshot
		}
	}
	return nil
}

// Lookup returns the entry of a name, without the prefix. It must not be changed.
func (c *Catalogue) Lookup(name string) (v1alpha1.PulsarConnectorSpec, bool) {
	if c == nil {
		return v1alpha1.PulsarConnectorSpec{}, false
	}
	return c.Current().lookup(name)
}

// All returns the entries, sorted by name. They must not be changed.
func (c *Catalogue) All() []v1alpha1.PulsarConnectorSpec {
	if c == nil {
		return nil
	}
	entries := c.Current().Entries
	all := make([]v1alpha1.PulsarConnectorSpec, len(entries))
	for i := range entries {
		all[i] = entries[i].Spec
	}
	return all
}
