// Package connectors is the catalogue of built-in connectors and functions: what
// builtin://name stands for. It knows nothing of who asks.
package connectors

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Prefix is what a location begins with that names an entry of the catalogue.
const Prefix = "builtin://"

// Catalogue holds the entries at one time. Its zero value and nil have none. It can
// be used concurrently.
type Catalogue struct {
	entries atomic.Pointer[map[string]v1alpha1.PulsarConnectorSpec]
}

// NewCatalogue returns a catalogue with entries, of which the last of a name counts.
func NewCatalogue(entries []v1alpha1.PulsarConnectorSpec) *Catalogue {
	catalogue := &Catalogue{}
	catalogue.Replace(entries)
	return catalogue
}

// Replace exchanges all entries at once.
func (c *Catalogue) Replace(entries []v1alpha1.PulsarConnectorSpec) {
	byName := make(map[string]v1alpha1.PulsarConnectorSpec, len(entries))
	for _, entry := range entries {
		byName[entry.Name] = entry
	}
	c.entries.Store(&byName)
}

// Lookup returns the entry of a name, without the prefix. It must not be changed.
func (c *Catalogue) Lookup(name string) (v1alpha1.PulsarConnectorSpec, bool) {
	if c == nil || c.entries.Load() == nil {
		return v1alpha1.PulsarConnectorSpec{}, false
	}
	entry, ok := (*c.entries.Load())[name]
	return entry, ok
}

// All returns the entries, sorted by name. They must not be changed.
func (c *Catalogue) All() []v1alpha1.PulsarConnectorSpec {
	if c == nil || c.entries.Load() == nil {
		return nil
	}
	byName := *c.entries.Load()
	all := make([]v1alpha1.PulsarConnectorSpec, 0, len(byName))
	for _, entry := range byName {
		all = append(all, entry)
	}
	slices.SortFunc(all, func(a, b v1alpha1.PulsarConnectorSpec) int { return strings.Compare(a.Name, b.Name) })
	return all
}
