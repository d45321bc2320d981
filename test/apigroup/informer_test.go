package apigroup

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/informers/externalversions"
)

// TestInformer runs an informer of the generated client as controllers do, while
// both sides write.
func TestInformer(t *testing.T) {
	forEachKind(t, func(t *testing.T, k *ofKind) {
		clients, err := versioned.NewForConfig(authorConfig)
		k.check(err)
		factory := externalversions.NewSharedInformerFactoryWithOptions(clients, 0, externalversions.WithNamespace(k.namespace))
		generic, err := factory.ForResource(k.kind.gvr())
		k.check(err)
		informer := generic.Informer()
		var added, deleted atomic.Int32
		_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { added.Add(1) },
			DeleteFunc: func(any) { deleted.Add(1) },
		})
		k.check(err)
		k.create("before", "")
		ctx, cancel := context.WithCancel(k.ctx)
		factory.StartWithContext(ctx)
		defer factory.Shutdown()
		defer cancel()
		if synced := cache.WaitForCacheSync(ctx.Done(), informer.HasSynced); !synced {
			t.Fatal("the informer did not get in sync")
		}
		for i := range 10 {
			k.createBehind(fmt.Sprintf("by-hand-%d", i), "")
			k.create(fmt.Sprintf("by-view-%d", i), "")
			k.patchBehind(fmt.Sprintf("by-view-%d", i), `{"spec":{"replicas":2}}`)
			if i%2 == 0 {
				k.check(k.resources.Delete(k.ctx, fmt.Sprintf("by-hand-%d", i), metav1.DeleteOptions{}))
			}
		}
		stored, err := k.resources.List(k.ctx, metav1.ListOptions{})
		k.check(err)
		var want []string
		for i := range stored.Items {
			want = append(want, stored.Items[i].GetName()+" "+stored.Items[i].GetResourceVersion())
		}
		slices.Sort(want)
		k.eventually("the informer to know everything", func() error {
			var got []string
			for _, object := range informer.GetStore().List() {
				known, err := meta.Accessor(object)
				k.check(err)
				got = append(got, known.GetName()+" "+known.GetResourceVersion())
			}
			slices.Sort(got)
			return errIf(!slices.Equal(got, want), fmt.Sprintf("it knows %v of %v", got, want))
		})
		k.eventually("all events", func() error {
			return errIf(added.Load() != 21 || deleted.Load() != 5, fmt.Sprintf("%d objects and %d deletions", added.Load(), deleted.Load()))
		})
	})
}
