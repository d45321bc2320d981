// Package connectors is the catalogue of built-in connectors and functions: what
// builtin://name stands for. It knows nothing of who asks.
//
// The catalogue comes from a file, in the format of the Java worker, and follows its
// changes. Each change has a version, by which watchers continue where they were.
// There is no database to count versions, and every replica has a file of its own;
// see version for what a version means then.
package connectors

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	// Prefix is what a location begins with that names an entry of the catalogue.
	Prefix = "builtin://"

	// maxChanges is how many changes are remembered, for watchers and lists that began
	// before them.
	maxChanges = 4096
)

// Catalogue holds the entries at one time. Its zero value and nil have none. It can
// be used concurrently.
type Catalogue struct {
	file *file

	mu      sync.Mutex
	current *Snapshot
	// changes led from the version oldest to the current one.
	changes []Change
	oldest  uint64
}

// Entry is an entry of the catalogue. It never changes.
type Entry struct {
	// ObjectName is a name that Kubernetes accepts, Spec.Name where possible.
	ObjectName string
	// Version is that of the change which made the entry what it is.
	Version uint64
	Spec    v1alpha1.PulsarConnectorSpec

	hash uint64
}

// Snapshot is the catalogue at one time. It never changes.
type Snapshot struct {
	Version uint64
	// Entries are sorted by the name of their objects.
	Entries []*Entry

	byName   map[string]*Entry
	replaced chan struct{}
}

// Replaced is closed when the catalogue has other entries.
func (s *Snapshot) Replaced() <-chan struct{} { return s.replaced }

// Change is a change of one entry. Each has a version of its own, so that a watcher
// which was interrupted between two of them misses none.
type Change struct {
	Version uint64
	// Before is nil when the entry was added, After when it was removed.
	Before, After *Entry
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

func (c *Catalogue) replace(specs []v1alpha1.PulsarConnectorSpec, now time.Time) {
	wanted := make(map[string]*Entry, len(specs))
	for _, spec := range specs {
		wanted[spec.Name] = newEntry(spec)
	}
	if c.current == nil {
		c.start(wanted, now)
		return
	}
	var changes []Change
	for name, before := range c.current.byName {
		after, ok := wanted[name]
		switch {
		case !ok:
			changes = append(changes, Change{Before: before})
		case reflect.DeepEqual(before.Spec, after.Spec):
			wanted[name] = before
		default:
			changes = append(changes, Change{Before: before, After: after})
		}
	}
	for name, after := range wanted {
		if _, ok := c.current.byName[name]; !ok {
			changes = append(changes, Change{After: after})
		}
	}
	if len(changes) == 0 {
		return
	}
	// In the same order everywhere: then replicas agree about what is between the changes.
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.objectName(), b.objectName()) })
	version := c.current.Version
	for i := range changes {
		version = nextVersion(version, now, contentAfter(version, changes[i]))
		changes[i].Version = version
		if changes[i].After != nil {
			changes[i].After.Version = version
		}
	}
	c.changes = append(c.changes, changes...)
	if tooMany := len(c.changes) - maxChanges; tooMany > 0 {
		c.oldest = c.changes[tooMany-1].Version
		c.changes = slices.Delete(c.changes, 0, tooMany)
	}
	before := c.current
	c.current = newSnapshot(version, wanted)
	close(before.replaced)
}

// start is the first state, which no change led to.
func (c *Catalogue) start(entries map[string]*Entry, now time.Time) {
	var content uint64
	for _, entry := range entries {
		content ^= entry.hash
	}
	c.oldest = nextVersion(0, now, content)
	for _, entry := range entries {
		entry.Version = c.oldest
	}
	c.current = newSnapshot(c.oldest, entries)
}

func newEntry(spec v1alpha1.PulsarConnectorSpec) *Entry {
	return &Entry{ObjectName: ObjectName(spec.Name), Spec: spec, hash: hashOf(spec)}
}

func newSnapshot(version uint64, byName map[string]*Entry) *Snapshot {
	entries := make([]*Entry, 0, len(byName))
	for _, entry := range byName {
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.ObjectName, b.ObjectName) })
	return &Snapshot{Version: version, Entries: entries, byName: byName, replaced: make(chan struct{})}
}

func (c Change) objectName() string {
	if c.After != nil {
		return c.After.ObjectName
	}
	return c.Before.ObjectName
}

// Current returns the present state.
func (c *Catalogue) Current() *Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Catalogue) now() *Snapshot {
	if c.current == nil {
		c.replace(nil, time.Now())
	}
	return c.current
}

// Lookup returns the entry of a name, without the prefix. It must not be changed.
func (c *Catalogue) Lookup(name string) (v1alpha1.PulsarConnectorSpec, bool) {
	if c == nil {
		return v1alpha1.PulsarConnectorSpec{}, false
	}
	entry, ok := c.Current().byName[name]
	if !ok {
		return v1alpha1.PulsarConnectorSpec{}, false
	}
	return entry.Spec, true
}

// All returns the entries, sorted by name. They must not be changed.
func (c *Catalogue) All() []v1alpha1.PulsarConnectorSpec {
	if c == nil {
		return nil
	}
	entries := c.Current().Entries
	all := make([]v1alpha1.PulsarConnectorSpec, len(entries))
	for i, entry := range entries {
		all[i] = entry.Spec
	}
	slices.SortFunc(all, func(a, b v1alpha1.PulsarConnectorSpec) int { return strings.Compare(a.Name, b.Name) })
	return all
}
