package connectors

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// contentBits is how many bits of a version say what the content is. The others are
// the time in seconds, for which 33 bits last until 2242: versions are also handled
// as signed numbers.
const contentBits = 30

// Snapshot is the catalogue at one time. It never changes.
//
// Its version has two parts. The upper one is the time when this process first had
// this state, so that versions grow, also over a restart. The lower one is a hash of
// the content: two replicas that have read the same file give it different times, and
// yet each knows the other's version for what it is, so that a watch can move between
// them without missing or repeating anything.
type Snapshot struct {
	Version uint64
	// Entries are sorted by the name of the entry.
	Entries []Entry

	byName   map[string]int
	replaced chan struct{}
}

// Entry is an entry of the catalogue.
type Entry struct {
	// ObjectName is a name that Kubernetes accepts, Spec.Name where possible.
	ObjectName string
	// Version is that of the first state with this entry as it is.
	Version uint64
	Spec    v1alpha1.PulsarConnectorSpec
}

// newSnapshot returns a state that comes after before, which can be nil, or before
// itself if nothing has changed.
func newSnapshot(specs []v1alpha1.PulsarConnectorSpec, before *Snapshot, now time.Time) *Snapshot {
	last := make(map[string]v1alpha1.PulsarConnectorSpec, len(specs))
	for _, spec := range specs {
		last[spec.Name] = spec
	}
	entries := make([]Entry, 0, len(last))
	for name, spec := range last {
		entries = append(entries, Entry{ObjectName: ObjectName(name), Spec: spec})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })

	content := hash(entries)
	seconds := uint64(now.Unix())
	if before != nil {
		if contentOf(before.Version) == content {
			return before
		}
		// Versions grow whatever the clock says.
		seconds = max(seconds, before.Version>>contentBits+1)
	}
	snapshot := &Snapshot{
		Version:  seconds<<contentBits | content,
		Entries:  entries,
		byName:   make(map[string]int, len(entries)),
		replaced: make(chan struct{}),
	}
	for i := range entries {
		entry := &entries[i]
		entry.Version = snapshot.Version
		if before != nil {
			if old, ok := before.byName[entry.Spec.Name]; ok && reflect.DeepEqual(before.Entries[old].Spec, entry.Spec) {
				entry.Version = before.Entries[old].Version
			}
		}
		snapshot.byName[entry.Spec.Name] = i
	}
	return snapshot
}

// Replaced is closed when the catalogue has a later state.
func (s *Snapshot) Replaced() <-chan struct{} { return s.replaced }

func (s *Snapshot) lookup(name string) (v1alpha1.PulsarConnectorSpec, bool) {
	i, ok := s.byName[name]
	if !ok {
		return v1alpha1.PulsarConnectorSpec{}, false
	}
	return s.Entries[i].Spec, true
}

// contentOf returns the part of a version that says what the content is.
func contentOf(version uint64) uint64 { return version & (1<<contentBits - 1) }

// hash is the same for equal contents only, as far as a hash can promise it.
func hash(entries []Entry) uint64 {
	data, err := json.Marshal(entries)
	if err != nil {
		// Strings, lists and maps of them have an encoding.
		panic(fmt.Sprintf("could not encode the catalogue: %v", err))
	}
	sum := sha256.Sum256(data)
	return contentOf(uint64(binary.BigEndian.Uint32(sum[:])))
}
