// Package revisions is the loop that keeps what functions, sources and sinks were: the
// latest revisions of each, as ControllerRevisions. It sees changes of the custom
// resources as well, which no request to this server makes. What lasts for less than a
// moment it may miss.
package revisions

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
)

// Name is the loop's.
const Name = "revisions"

// maxContent bounds what a revision holds. etcd takes little more.
const maxContent = 1 << 20

// Project returns the view of a custom resource, given as JSON.
type Project func(data []byte) (v1alpha1.Component, error)

// Config is what the loop works with.
type Config struct {
	Informers *component.Informers
	Index     *Index
	Kube      kubernetes.Interface
	Dynamic   dynamic.Interface
	Writer    *work.Writer
	// Project has a projection for each kind, by the name of the custom resources.
	Project map[string]Project
	// Limit is how many revisions an object has at most, the present one among them.
	Limit int
}

// Keeper keeps revisions.
type Keeper struct {
	Config

	lock sync.Mutex
	// seen is what was looked at. What was not since this loop began may be out of date.
	seen map[work.Key]version
}

type version struct {
	uid        types.UID
	generation int64
}

// New returns a keeper.
func New(config Config) *Keeper { return &Keeper{Config: config, seen: map[work.Key]version{}} }

// Reconcile keeps what a resource is now, if it isn't kept, and removes what is too old.
func (k *Keeper) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := k.Informers.Get(key)
	if object == nil || object.Broken || object.DeletionTimestamp != nil {
		k.forget(key)
		return 0, nil
	}
	if k.upToDate(key, object) {
		return 0, nil
	}
	latest, err := k.Dynamic.Resource(computev1alpha1.SchemeGroupVersion.WithResource(key.Resource)).
		Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("could not read the resource: %w", err)
	}
	if latest.GetDeletionTimestamp() != nil {
		return 0, nil
	}
	wait, err := k.keep(ctx, key, object.Kind, latest)
	if err == nil && wait == 0 {
		k.saw(key, version{latest.GetUID(), latest.GetGeneration()})
	}
	return wait, err
}

// upToDate tells whether nothing can have changed that matters, without a request.
func (k *Keeper) upToDate(key work.Key, object *component.Component) bool {
	k.lock.Lock()
	last, known := k.seen[key]
	k.lock.Unlock()
	if !known || last != (version{object.UID, object.Generation}) {
		return false
	}
	entries := revision.Recorded(object.Annotations)
	if len(entries) == 0 {
		return false
	}
	name := nameOf(object.Name, object.Kind, object.UID, entries[len(entries)-1].Hash)
	return slices.ContainsFunc(k.Index.of(object.UID), func(found *stored) bool { return found.Name == name })
}

func (k *Keeper) saw(key work.Key, what version) {
	k.lock.Lock()
	defer k.lock.Unlock()
	k.seen[key] = what
}

func (k *Keeper) forget(key work.Key) {
	k.lock.Lock()
	defer k.lock.Unlock()
	delete(k.seen, key)
}

// keep makes the ControllerRevision of what a resource is now, or gives the one that
// there is the newest number, and then says so on the resource.
func (k *Keeper) keep(ctx context.Context, key work.Key, kind component.Kind, latest *unstructured.Unstructured) (time.Duration, error) {
	content, ok, err := k.contentOf(ctx, key, latest)
	if !ok {
		return 0, err
	}
	entries := k.record(revision.Recorded(latest.GetAnnotations()), revision.Hash(content))
	newest := entries[len(entries)-1]
	if err := k.store(ctx, latest, kind, newest, content); err != nil {
		return 0, err
	}
	record, err := revision.Record(entries)
	if err != nil {
		return 0, err
	}
	if record != latest.GetAnnotations()[revision.RecordAnnotation] {
		meta := &metav1.ObjectMeta{UID: latest.GetUID(), ResourceVersion: latest.GetResourceVersion()}
		wait, err := k.Writer.Patch(ctx, Name, key, meta, work.Patch{Annotations: map[string]any{revision.RecordAnnotation: record}})
		if err != nil || wait > 0 {
			return wait, err
		}
	}
	return 0, k.prune(ctx, latest, kind, entries)
}

// contentOf returns what the revision of a resource holds, and false if it can have none.
func (k *Keeper) contentOf(ctx context.Context, key work.Key, latest *unstructured.Unstructured) ([]byte, bool, error) {
	data, err := latest.MarshalJSON()
	if err != nil {
		return nil, false, fmt.Errorf("could not encode the resource: %w", err)
	}
	view, err := k.Project[key.Resource](data)
	if err != nil {
		// Its status says so. It can't be changed here, and so not rolled back.
		return nil, false, nil
	}
	content, err := revision.Of(view)
	if err != nil {
		return nil, false, err
	}
	if len(content) > maxContent {
		klog.FromContext(ctx).Info("A resource is too large to have revisions", "resource", key.Resource,
			"object", klog.KRef(key.Namespace, key.Name), "bytes", len(content))
		return nil, false, nil
	}
	return content, true, nil
}

// record returns the revisions of a resource that is now what a hash says, the newest
// last. One that is used again gets the newest number.
func (k *Keeper) record(entries []revision.Entry, hash string) []revision.Entry {
	next := int64(1)
	for _, entry := range entries {
		next = max(next, entry.Revision+1)
	}
	if last := len(entries) - 1; last < 0 || entries[last].Hash != hash {
		entries = slices.DeleteFunc(slices.Clone(entries), func(entry revision.Entry) bool { return entry.Hash == hash })
		entries = append(entries, revision.Entry{Revision: next, Hash: hash})
	}
	return entries[max(0, len(entries)-k.Limit):]
}

// prune removes what is no revision of a resource any more, or never was.
func (k *Keeper) prune(ctx context.Context, latest *unstructured.Unstructured, kind component.Kind, entries []revision.Entry) error {
	var kept []string
	for _, entry := range entries {
		kept = append(kept, nameOf(latest.GetName(), kind, latest.GetUID(), entry.Hash))
	}
	for _, found := range k.Index.of(latest.GetUID()) {
		if slices.Contains(kept, found.Name) {
			continue
		}
		err := k.Kube.AppsV1().ControllerRevisions(found.Namespace).Delete(ctx, found.Name,
			metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(found.UID))})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return fmt.Errorf("could not remove a revision: %w", err)
		}
	}
	return nil
}

func nameOf(resource string, kind component.Kind, uid types.UID, hash string) string {
	return revision.Name(resource, kind.Type, uid, hash)
}
