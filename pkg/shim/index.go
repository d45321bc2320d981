package shim

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

const byIdentity = "identity"

// index knows which objects say that they are a Pulsar function. It is a hint: it
// is read with the shim's own account and may be late, so whoever uses a hit reads
// the object as the caller and verifies it.
type index struct {
	factory  externalversions.SharedInformerFactory
	informer cache.SharedIndexInformer
}

// newIndex returns an index of the functions in a Kubernetes namespace.
func newIndex(client versioned.Interface, namespace string) (*index, error) {
	factory := externalversions.NewSharedInformerFactoryWithOptions(client, 0,
		externalversions.WithNamespace(namespace), externalversions.WithTransform(stripFunction))
	informer := factory.Admin().V1alpha1().PulsarFunctions().Informer()
	if err := informer.AddIndexers(cache.Indexers{byIdentity: identityKeys}); err != nil {
		return nil, fmt.Errorf("could not index functions: %w", err)
	}
	return &index{factory: factory, informer: informer}, nil
}

// run fills the index until the context ends, and returns when it has stopped.
func (i *index) run(ctx context.Context) {
	i.factory.Start(ctx.Done())
	<-ctx.Done()
	i.factory.Shutdown()
}

// synced tells whether the index has been filled once.
func (i *index) synced() bool {
	return i.informer.HasSynced()
}

// objectNames returns the names of the objects that say they are the function, the
// oldest first.
func (i *index) objectNames(name identity.Name) []string {
	items, err := i.informer.GetIndexer().ByIndex(byIdentity, name.String())
	if err != nil {
		return nil
	}
	var objects []*v1alpha1.PulsarFunction
	for _, item := range items {
		if object, ok := item.(*v1alpha1.PulsarFunction); ok {
			objects = append(objects, object)
		}
	}
	slices.SortFunc(objects, byAge)
	var names []string
	for _, object := range objects {
		names = append(names, object.Name)
	}
	return names
}

// byAge orders objects so that of several with one Pulsar identity the same one is
// always first: the oldest, which the identity belongs to.
func byAge(a, b *v1alpha1.PulsarFunction) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// identityOf returns the Pulsar identity that an object has.
func identityOf(function *v1alpha1.PulsarFunction) identity.Name {
	return identity.Name{Tenant: function.Spec.Tenant, Namespace: function.Spec.Namespace, Name: function.Spec.Name}
}

func identityKeys(item any) ([]string, error) {
	function, ok := item.(*v1alpha1.PulsarFunction)
	if !ok {
		return nil, fmt.Errorf("unexpected type %T in the index", item)
	}
	return []string{identityOf(function).String()}, nil
}

// stripFunction keeps of an object what the index needs: a tenth of its size.
func stripFunction(item any) (any, error) {
	function, ok := item.(*v1alpha1.PulsarFunction)
	if !ok {
		return item, nil
	}
	return &v1alpha1.PulsarFunction{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:         function.Namespace,
			Name:              function.Name,
			UID:               function.UID,
			ResourceVersion:   function.ResourceVersion,
			CreationTimestamp: function.CreationTimestamp,
		},
		Spec: v1alpha1.PulsarFunctionSpec{ComponentSpec: v1alpha1.ComponentSpec{
			Tenant:    function.Spec.Tenant,
			Namespace: function.Spec.Namespace,
			Name:      function.Spec.Name,
		}},
	}, nil
}
