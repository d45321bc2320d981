package shim

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const byIdentity = "identity"

// index knows which objects say that they are a component of Pulsar. It is a hint: it
// is read with the shim's own account and may be late, so whoever uses a hit reads the
// object as the caller and verifies it.
type index struct {
	factory   externalversions.SharedInformerFactory
	informers map[v1alpha1.ComponentKind]cache.SharedIndexInformer
}

// newIndex returns an index of the components in all Kubernetes namespaces: which of
// them serve something may change at any time.
func newIndex(client versioned.Interface) (*index, error) {
	factory := externalversions.NewSharedInformerFactoryWithOptions(client, 0, externalversions.WithTransform(strip))
	informers := factory.Admin().V1alpha1()
	result := &index{factory: factory, informers: map[v1alpha1.ComponentKind]cache.SharedIndexInformer{
		v1alpha1.FunctionKind: informers.PulsarFunctions().Informer(),
		v1alpha1.SinkKind:     informers.PulsarSinks().Informer(),
		v1alpha1.SourceKind:   informers.PulsarSources().Informer(),
	}}
	for kind, informer := range result.informers {
		if err := informer.AddIndexers(cache.Indexers{byIdentity: identityKeys}); err != nil {
			return nil, fmt.Errorf("could not index objects of kind %s: %w", kind.Kind, err)
		}
	}
	return result, nil
}

// run fills the index until the context ends, and returns when it has stopped.
func (i *index) run(ctx context.Context) {
	i.factory.Start(ctx.Done())
	<-ctx.Done()
	i.factory.Shutdown()
}

// synced tells whether the index has been filled once.
func (i *index) synced() bool {
	for _, informer := range i.informers {
		if !informer.HasSynced() {
			return false
		}
	}
	return true
}

// objectNames returns the names of the objects of a kind in a Kubernetes namespace that
// say they have the identity, the oldest first.
func (i *index) objectNames(kind v1alpha1.ComponentKind, namespace string, name identity.Name) []string {
	items, err := i.informers[kind].GetIndexer().ByIndex(byIdentity, identityKey(namespace, name))
	if err != nil {
		return nil
	}
	var entries []*entry
	for _, item := range items {
		if known, ok := item.(*entry); ok {
			entries = append(entries, known)
		}
	}
	slices.SortFunc(entries, func(a, b *entry) int { return byAge(a, b) })
	var names []string
	for _, known := range entries {
		names = append(names, known.Name)
	}
	return names
}

// aged is what objects and entries are ordered by.
type aged interface {
	GetName() string
	GetCreationTimestamp() metav1.Time
}

// byAge orders objects so that of several with one Pulsar identity the same one is
// always first: the oldest, which the identity belongs to.
func byAge(a, b aged) int {
	return cmp.Or(time.Time.Compare(a.GetCreationTimestamp().Time, b.GetCreationTimestamp().Time), cmp.Compare(a.GetName(), b.GetName()))
}

// identityOf returns the Pulsar identity that an object has.
func identityOf(object v1alpha1.Component) identity.Name {
	spec := object.Common()
	return identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}
}

// entry is what the index keeps of an object: a tenth of its size.
type entry struct {
	metav1.ObjectMeta
	identity identity.Name
}

func identityKey(namespace string, name identity.Name) string {
	return namespace + "/" + name.String()
}

func identityKeys(item any) ([]string, error) {
	known, ok := item.(*entry)
	if !ok {
		return nil, fmt.Errorf("unexpected type %T in the index", item)
	}
	return []string{identityKey(known.Namespace, known.identity)}, nil
}

// strip makes an entry of an object.
func strip(item any) (any, error) {
	object, ok := item.(v1alpha1.Component)
	if !ok {
		return item, nil
	}
	return &entry{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         object.GetNamespace(),
			Name:              object.GetName(),
			UID:               object.GetUID(),
			ResourceVersion:   object.GetResourceVersion(),
			CreationTimestamp: object.GetCreationTimestamp(),
		},
		identity: identityOf(object),
	}, nil
}
