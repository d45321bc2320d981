package revisions

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	appsinformers "k8s.io/client-go/informers/apps/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
)

const byOwner = "owner"

// Index knows the ControllerRevisions of components, without what they hold.
type Index struct{ informer cache.SharedIndexInformer }

// stored is what is kept of a ControllerRevision. It must not be changed.
type stored struct {
	metav1.ObjectMeta
	// digests are of the packages that it names.
	digests []string
}

// NewIndex returns an index that Run fills.
func NewIndex(client kubernetes.Interface) (*Index, error) {
	informer := appsinformers.NewFilteredControllerRevisionInformer(client, metav1.NamespaceAll, 0, cache.Indexers{byOwner: ownerOf},
		func(options *metav1.ListOptions) { options.LabelSelector = revision.OwnerLabel })
	if err := informer.SetTransform(strip); err != nil {
		return nil, fmt.Errorf("could not strip ControllerRevisions: %w", err)
	}
	return &Index{informer: informer}, nil
}

func strip(item any) (any, error) {
	found, ok := item.(*appsv1.ControllerRevision)
	if !ok {
		return item, nil
	}
	return &stored{
		ObjectMeta: metav1.ObjectMeta{
			Name: found.Name, Namespace: found.Namespace, UID: found.UID, ResourceVersion: found.ResourceVersion,
			OwnerReferences: found.OwnerReferences,
		},
		digests: packageservice.DigestsIn(string(found.Data.Raw)),
	}, nil
}

func ownerOf(item any) ([]string, error) {
	object, ok := item.(metav1.Object)
	if !ok {
		return nil, nil
	}
	if owner := metav1.GetControllerOf(object); owner != nil {
		return []string{string(owner.UID)}, nil
	}
	return nil, nil
}

// OnDelete has f called with the key of each resource one of whose revisions goes. f must
// not block.
func (i *Index) OnDelete(f func(work.Key)) error {
	_, err := i.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{DeleteFunc: func(item any) {
		if tombstone, ok := item.(cache.DeletedFinalStateUnknown); ok {
			item = tombstone.Obj
		}
		object, ok := item.(metav1.Object)
		if !ok {
			return
		}
		owner := metav1.GetControllerOf(object)
		if owner == nil {
			return
		}
		for _, kind := range component.Kinds {
			if owner.Kind == kind.CRKind {
				f(work.Key{Resource: kind.CRResource, Namespace: object.GetNamespace(), Name: owner.Name})
			}
		}
	}})
	if err != nil {
		return fmt.Errorf("could not watch ControllerRevisions: %w", err)
	}
	return nil
}

// Run fills the index and keeps it up to date until ctx ends.
func (i *Index) Run(ctx context.Context) { i.informer.RunWithContext(ctx) }

// HasSynced tells whether all ControllerRevisions are known.
func (i *Index) HasSynced() bool { return i.informer.HasSynced() }

// EachDigest calls f with the digest of each package that a revision names.
func (i *Index) EachDigest(f func(digest string)) {
	for _, item := range i.informer.GetStore().List() {
		if found, ok := item.(*stored); ok {
			for _, digest := range found.digests {
				f(digest)
			}
		}
	}
}

// of returns the ControllerRevisions that the resource with a UID controls.
func (i *Index) of(uid types.UID) []*stored {
	items, err := i.informer.GetIndexer().ByIndex(byOwner, string(uid))
	if err != nil {
		return nil
	}
	var all []*stored
	for _, item := range items {
		if found, ok := item.(*stored); ok {
			all = append(all, found)
		}
	}
	return all
}
