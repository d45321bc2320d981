package publisher

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

// raises knows the resources that get a new generation with each write of an
// annotation. The operator's webhook adds a null to claims, which is not stored, so
// that it adds it to every write, and Kubernetes takes that for another spec. Whoever
// published the new generation each time would never come to an end.
type raises struct {
	mu sync.Mutex
	of map[work.Key]raise
}

// raise says that the generations from first to last of a resource have one spec, and
// that the next write of an annotation makes another one of it.
type raise struct {
	uid         types.UID
	first, last int64
}

// find returns the first generation that has the spec of a generation, and whether a
// write of an annotation is expected to raise it.
func (r *raises) find(key work.Key, uid types.UID, generation int64) (first int64, raising bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, found := r.of[key]
	if !found || known.uid != uid {
		return generation, false
	}
	if known.last != generation {
		return generation, true
	}
	return known.first, true
}

// written notes what generation a write of an annotation made of another. Nobody else
// can have changed the resource in between, since the write names its version.
func (r *raises) written(key work.Key, uid types.UID, before, after int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, found := r.of[key]
	switch {
	case after == before:
		delete(r.of, key)
	case found && known.uid == uid && known.last == before:
		r.of[key] = raise{uid, known.first, after}
	default:
		r.of[key] = raise{uid, before, after}
	}
}

func (r *raises) forget(key work.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, key)
}
