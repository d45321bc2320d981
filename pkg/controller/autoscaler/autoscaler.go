// Package autoscaler is the loop that deletes HorizontalPodAutoscalers which the
// operator leaves behind: when maxReplicas goes from a resource it deletes one of
// another name, and the real one goes on scaling.
package autoscaler

import (
	"context"
	"fmt"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/work"
)

// Name is the loop's.
const Name = "hpa-cleanup"

var resource = autoscalingv2.SchemeGroupVersion.WithResource("horizontalpodautoscalers")

// Cleaner deletes what is left behind.
type Cleaner struct {
	informers   *component.Informers
	autoscalers cache.SharedIndexInformer
	dynamic     dynamic.Interface
	metadata    metadata.Interface
	recorder    record.EventRecorder
}

// New returns a cleaner, which knows nothing before Run. It calls f with the keys of
// the resources whose autoscalers change. recorder may be nil.
func New(informers *component.Informers, dynamicClient dynamic.Interface, client metadata.Interface,
	recorder record.EventRecorder, f func(work.Key)) (*Cleaner, error) {
	autoscalers := metadatainformer.NewFilteredMetadataInformer(client, resource, metav1.NamespaceAll, 0, nil,
		func(options *metav1.ListOptions) { options.LabelSelector = component.ComponentLabel }).Informer()
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(item any) { owners(item, f) },
		UpdateFunc: func(_, item any) { owners(item, f) },
	}
	if _, err := autoscalers.AddEventHandler(handler); err != nil {
		return nil, fmt.Errorf("could not watch autoscalers: %w", err)
	}
	return &Cleaner{informers: informers, autoscalers: autoscalers, dynamic: dynamicClient, metadata: client, recorder: recorder}, nil
}

// Run knows autoscalers until ctx ends.
func (c *Cleaner) Run(ctx context.Context) { c.autoscalers.RunWithContext(ctx) }

func owners(item any, f func(work.Key)) {
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
}

// Reconcile deletes the autoscaler of an object that shouldn't have one.
func (c *Cleaner) Reconcile(ctx context.Context, key work.Key) (time.Duration, error) {
	object := c.informers.Get(key)
	if object == nil || !unwanted(object) {
		return 0, nil
	}
	item, _, err := c.autoscalers.GetStore().GetByKey(cache.NewObjectName(key.Namespace, object.ChildName()).String())
	found, ok := item.(*metav1.PartialObjectMetadata)
	if err != nil || !ok || !metav1.IsControlledBy(found, object) {
		return 0, nil
	}
	// maxReplicas may be back, and what was found be the autoscaler that is wanted.
	latest, err := c.dynamic.Resource(computev1alpha1.SchemeGroupVersion.WithResource(key.Resource)).
		Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("could not read the resource: %w", err)
	}
	if object, err = component.Strip(object.Kind, latest); err != nil || !unwanted(object) {
		return 0, err
	}
	err = c.metadata.Resource(resource).Namespace(key.Namespace).Delete(ctx, found.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &found.UID, ResourceVersion: &found.ResourceVersion},
	})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("could not delete the autoscaler: %w", err)
	}
	if c.recorder != nil {
		c.recorder.Event(component.ViewReference(object), corev1.EventTypeNormal, "AutoscalerDeleted",
			"Deleted HorizontalPodAutoscaler "+found.Name+", which was left over: the object has no maxReplicas.")
	}
	return 0, nil
}

// unwanted tells whether the operator would have no autoscaler for an object.
func unwanted(object *component.Component) bool {
	return !object.Broken && !object.Autoscaled && !object.Unmanaged && object.DeletionTimestamp == nil
}
