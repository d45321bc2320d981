package component

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

const (
	// ComponentLabel is on everything that the operator makes of a resource. What early
	// ones have made, which later ones leave as it is, has only olderLabel.
	ComponentLabel = computev1alpha1.GroupName + "/component"
	olderLabel     = "component"

	byIdentity = "identity"
	byOwner    = "owner"

	// resync has every object looked at again, lest something was missed.
	resync = 10 * time.Minute
)

// Informers know the custom resources of all kinds and what was made of them.
type Informers struct {
	kinds    []*kindInformer
	children []*childInformer
}

// childInformer knows the StatefulSets and pods with certain labels. No two have the
// same ones.
type childInformer struct {
	factory            informers.SharedInformerFactory
	statefulSets, pods cache.SharedIndexInformer
}

// kindInformer knows the custom resources of one kind.
type kindInformer struct {
	Kind

	informer cache.SharedIndexInformer
	// undefined is true while the kind has no definition, so that nothing of it can
	// exist. refused is true when it may not be read.
	undefined, refused atomic.Bool
}

// NewInformers returns informers that Run starts.
func NewInformers(dynamicClient dynamic.Interface, client kubernetes.Interface) (*Informers, error) {
	i := &Informers{}
	for _, kind := range Kinds {
		informer, err := newKindInformer(dynamicClient, kind)
		if err != nil {
			return nil, err
		}
		i.kinds = append(i.kinds, informer)
	}
	for _, selector := range childSelectors() {
		informer, err := newChildInformer(client, selector)
		if err != nil {
			return nil, err
		}
		i.children = append(i.children, informer)
	}
	return i, nil
}

// childSelectors select by label everything that any operator has made, each of it
// once.
func childSelectors() []string {
	var types []string
	for _, kind := range Kinds {
		types = append(types, kind.Type)
	}
	return []string{ComponentLabel, fmt.Sprintf("!%s,%s in (%s)", ComponentLabel, olderLabel, strings.Join(types, ","))}
}

func newChildInformer(client kubernetes.Interface, selector string) (*childInformer, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, resync,
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = selector }),
		informers.WithTransform(stripChild))
	informer := &childInformer{
		factory:      factory,
		statefulSets: factory.Apps().V1().StatefulSets().Informer(),
		pods:         factory.Core().V1().Pods().Informer(),
	}
	if err := informer.pods.AddIndexers(cache.Indexers{byOwner: ownerKeys}); err != nil {
		return nil, fmt.Errorf("could not index pods: %w", err)
	}
	return informer, nil
}

func newKindInformer(client dynamic.Interface, kind Kind) (*kindInformer, error) {
	k := &kindInformer{Kind: kind}
	resource := computev1alpha1.SchemeGroupVersion.WithResource(kind.CRResource)
	k.informer = dynamicinformer.NewFilteredDynamicInformer(client, resource, metav1.NamespaceAll, resync,
		cache.Indexers{byIdentity: identityKeys}, nil).Informer()
	transform := func(item any) (any, error) {
		if object, ok := item.(*unstructured.Unstructured); ok {
			return Strip(kind, object)
		}
		return item, nil
	}
	if err := k.informer.SetTransform(transform); err != nil {
		return nil, fmt.Errorf("could not strip %s: %w", kind.CRResource, err)
	}
	handler := func(ctx context.Context, reflector *cache.Reflector, err error) {
		k.undefined.Store(apierrors.IsNotFound(err))
		k.refused.Store(apierrors.IsForbidden(err))
		if apierrors.IsNotFound(err) {
			klog.FromContext(ctx).V(2).Info("A kind has no definition yet", "resource", kind.CRResource)
			return
		}
		cache.DefaultWatchErrorHandler(ctx, reflector, err)
	}
	if err := k.informer.SetWatchErrorHandlerWithContext(handler); err != nil {
		return nil, fmt.Errorf("could not watch %s: %w", kind.CRResource, err)
	}
	return k, nil
}

// OnChange has f called with the key of each custom resource of which, or of whose
// children, something may have changed. f must not block.
func (i *Informers) OnChange(f func(work.Key)) error {
	for _, kind := range i.kinds {
		if _, err := kind.informer.AddEventHandler(handlerOf(func(object metav1.Object) { i.changed(object, f) })); err != nil {
			return fmt.Errorf("could not watch %s: %w", kind.CRResource, err)
		}
	}
	for _, children := range i.children {
		for _, informer := range []cache.SharedIndexInformer{children.statefulSets, children.pods} {
			if _, err := informer.AddEventHandler(handlerOf(func(object metav1.Object) { i.childChanged(object, f) })); err != nil {
				return fmt.Errorf("could not watch what the operator made: %w", err)
			}
		}
	}
	return nil
}

func handlerOf(f func(metav1.Object)) cache.ResourceEventHandlerFuncs {
	handle := func(item any) {
		if tombstone, ok := item.(cache.DeletedFinalStateUnknown); ok {
			item = tombstone.Obj
		}
		if object, ok := item.(metav1.Object); ok {
			f(object)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: handle,
		UpdateFunc: func(old, item any) {
			// What else had the identity that this one had is concerned, too.
			handle(old)
			handle(item)
		},
		DeleteFunc: handle,
	}
}

// changed tells of a resource and of those that have its Pulsar identity.
func (i *Informers) changed(object metav1.Object, f func(work.Key)) {
	component, ok := object.(*Component)
	if !ok {
		return
	}
	f(component.Key())
	for _, other := range i.namesakes(component) {
		f(other.Key())
	}
}

// childChanged tells of the resource that a StatefulSet, or a StatefulSet's pod, is
// of.
func (i *Informers) childChanged(object metav1.Object, f func(work.Key)) {
	owner := metav1.GetControllerOf(object)
	if owner == nil {
		return
	}
	if owner.Kind == "StatefulSet" {
		set := i.statefulSet(object.GetNamespace(), owner.Name)
		if set == nil || set.UID != owner.UID {
			return
		}
		if owner = metav1.GetControllerOf(set); owner == nil {
			return
		}
	}
	for _, kind := range Kinds {
		if owner.Kind == kind.CRKind {
			f(work.Key{Resource: kind.CRResource, Namespace: object.GetNamespace(), Name: owner.Name})
		}
	}
}

// Run fills the informers and keeps them up to date until ctx ends.
func (i *Informers) Run(ctx context.Context) {
	for _, children := range i.children {
		children.factory.StartWithContext(ctx)
	}
	for _, kind := range i.kinds {
		go kind.informer.RunWithContext(ctx)
	}
	<-ctx.Done()
	for _, children := range i.children {
		children.factory.Shutdown()
	}
}

// WaitForSync returns when everything is known that can be, and false if ctx ends
// first. It doesn't wait for kinds without a definition, or that may not be read.
func (i *Informers) WaitForSync(ctx context.Context) bool {
	return cache.WaitForCacheSync(ctx.Done(), func() bool {
		return !slices.ContainsFunc(i.children, func(children *childInformer) bool {
			return !children.statefulSets.HasSynced() || !children.pods.HasSynced()
		})
	}, func() bool {
		return !slices.ContainsFunc(i.kinds, func(kind *kindInformer) bool { return !kind.known() && !kind.refused.Load() })
	})
}

// Complete tells whether all custom resources are known. Only then can what isn't
// known be taken for gone.
func (i *Informers) Complete() bool {
	return !slices.ContainsFunc(i.kinds, func(kind *kindInformer) bool { return !kind.known() })
}

// Known tells whether the custom resources of all kinds are known. It isn't enough that
// a kind has no definition: it may have been removed by mistake.
func (i *Informers) Known() bool {
	return !slices.ContainsFunc(i.kinds, func(kind *kindInformer) bool { return !kind.informer.HasSynced() })
}

func (k *kindInformer) known() bool { return k.informer.HasSynced() || k.undefined.Load() }

// Each calls f with the key of each custom resource that is known.
func (i *Informers) Each(f func(work.Key)) {
	for _, kind := range i.kinds {
		for _, item := range kind.informer.GetStore().List() {
			if component, ok := item.(*Component); ok {
				f(component.Key())
			}
		}
	}
}

// Get returns what is known of a custom resource, nil if there is none.
func (i *Informers) Get(key work.Key) *Component {
	for _, kind := range i.kinds {
		if kind.CRResource != key.Resource {
			continue
		}
		item, _, err := kind.informer.GetStore().GetByKey(cache.NewObjectName(key.Namespace, key.Name).String())
		if component, ok := item.(*Component); err == nil && ok {
			return component
		}
	}
	return nil
}

// Children returns the StatefulSet that the operator made of a resource, nil if
// there is none, and the StatefulSet's pods.
func (i *Informers) Children(component *Component) (*appsv1.StatefulSet, []*corev1.Pod) {
	set := i.statefulSet(component.Namespace, component.ChildName())
	if set == nil || !metav1.IsControlledBy(set, component) {
		return nil, nil
	}
	var pods []*corev1.Pod
	for _, children := range i.children {
		items, err := children.pods.GetIndexer().ByIndex(byOwner, string(set.UID))
		if err != nil {
			return set, nil
		}
		for _, item := range items {
			if pod, ok := item.(*corev1.Pod); ok {
				pods = append(pods, pod)
			}
		}
	}
	return set, pods
}

func (i *Informers) statefulSet(namespace, name string) *appsv1.StatefulSet {
	for _, children := range i.children {
		item, _, err := children.statefulSets.GetStore().GetByKey(cache.NewObjectName(namespace, name).String())
		if set, ok := item.(*appsv1.StatefulSet); err == nil && ok {
			return set
		}
	}
	return nil
}

func ownerKeys(item any) ([]string, error) {
	object, ok := item.(metav1.Object)
	if !ok {
		return nil, nil
	}
	owner := metav1.GetControllerOf(object)
	if owner == nil {
		return nil, nil
	}
	return []string{string(owner.UID)}, nil
}
