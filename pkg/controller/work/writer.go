package work

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/utils/clock"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

const (
	// FieldManager is who the custom resources' managed fields say wrote what a loop
	// did: the same as for what a request did.
	FieldManager = "functionmesh-apiserver"

	// writeInterval is the least time between two writes of one object. Each of them
	// goes to every watcher.
	writeInterval = time.Second
)

// Writer writes custom resources for all loops.
type Writer struct {
	client dynamic.Interface
	clock  clock.PassiveClock

	mu sync.Mutex
	// last is when the latest write of a resource ended, for as long as that matters.
	last map[types.UID]time.Time
}

// NewWriter returns a writer.
func NewWriter(client dynamic.Interface, clock clock.PassiveClock) *Writer {
	return &Writer{client: client, clock: clock, last: map[types.UID]time.Time{}}
}

// Patch merges into a custom resource if it is still of meta's version, and fails
// with a conflict otherwise: a late write, even by a server that doesn't know yet
// that it isn't the leader any more, changes nothing. It does nothing and returns
// how long to wait if the last write was too short a time ago. A resource that is
// gone is no error.
func (w *Writer) Patch(ctx context.Context, loop string, key Key, meta *metav1.ObjectMeta, patch Patch) (wait time.Duration, err error) {
	if wait := w.reserve(meta.UID); wait > 0 {
		return wait, nil
	}
	metadata := map[string]any{"resourceVersion": meta.ResourceVersion}
	if patch.Finalizers != nil {
		metadata["finalizers"] = patch.Finalizers
	}
	if patch.Annotations != nil {
		metadata["annotations"] = patch.Annotations
	}
	body := map[string]any{"metadata": metadata}
	if patch.Spec != nil {
		body["spec"] = patch.Spec
	}
	data, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("could not encode a patch: %w", err)
	}
	resource := computev1alpha1.SchemeGroupVersion.WithResource(key.Resource)
	written, err := w.client.Resource(resource).Namespace(key.Namespace).
		Patch(ctx, key.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: FieldManager})
	w.ended(meta.UID)
	switch {
	case err == nil:
		writes.WithLabelValues(loop).Inc()
		if patch.Written != nil {
			patch.Written(written.GetGeneration())
		}
		return 0, nil
	case apierrors.IsNotFound(err):
		// Gone in the meantime.
		return 0, nil
	}
	return 0, fmt.Errorf("could not patch the resource: %w", err)
}

// Patch is what a write changes. A nil value removes.
type Patch struct {
	Spec        map[string]any
	Annotations map[string]any
	// Finalizers replace all that there are; nil leaves them.
	Finalizers []string
	// Written, if there is one, is told the generation of the resource as it was written.
	Written func(generation int64)
}

// reserve returns how long to wait, and if that is zero, makes others wait.
func (w *Writer) reserve(uid types.UID) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	if last, ok := w.last[uid]; ok {
		if rest := last.Add(writeInterval).Sub(now); rest > 0 {
			return rest
		}
	}
	w.last[uid] = now
	return 0
}

// ended makes the next write wait from now on, and forgets what has waited long
// enough: what is left is what was written within the last second.
func (w *Writer) ended(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	w.last[uid] = now
	if len(w.last) < sweepSize {
		return
	}
	for other, last := range w.last {
		if now.Sub(last) >= writeInterval {
			delete(w.last, other)
		}
	}
}

// sweepSize is from how many entries on old ones are looked for.
const sweepSize = 256
