package component

import (
	"context"
	"fmt"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// ScaleREST serves the subresource scale of a kind, which autoscalers and kubectl
// scale write. Its number is that of the instances that should run now: none while
// the component is suspended.
type ScaleREST struct {
	rest.TableConvertor
	store    *view.REST
	resource schema.GroupResource
}

func newScaleREST(store *view.REST, resource schema.GroupResource) *ScaleREST {
	return &ScaleREST{TableConvertor: scaleTable{}, store: store, resource: resource}
}

var (
	_ rest.Storage                  = (*ScaleREST)(nil)
	_ rest.Patcher                  = (*ScaleREST)(nil)
	_ rest.GroupVersionKindProvider = (*ScaleREST)(nil)
	_ rest.TableConvertor           = (*ScaleREST)(nil)
)

// scaleKind is what the subresource is, whichever group serves it.
var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

// parallelismPath is where the views have what the scale has as spec.replicas, so that
// each knows who set it in the other.
var parallelismPath = managedfields.ResourcePathMappings{
	v1alpha1.SchemeGroupVersion.String(): fieldpath.MakePathOrDie("spec", "parallelism"),
}

// GroupVersionKind implements rest.GroupVersionKindProvider.
func (r *ScaleREST) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind { return scaleKind }

// New implements rest.Storage.
func (r *ScaleREST) New() runtime.Object { return &autoscalingv1.Scale{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *ScaleREST) Destroy() {}

// Get implements rest.Getter.
func (r *ScaleREST) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	obj, err := r.store.Get(ctx, name, options)
	if err != nil {
		return nil, err
	}
	return scaleOf(obj), nil
}

// Update implements rest.Updater.
func (r *ScaleREST) Update(ctx context.Context, name string, objInfo rest.UpdatedObjectInfo, createValidation rest.ValidateObjectFunc,
	updateValidation rest.ValidateObjectUpdateFunc, _ bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	obj, _, err := r.store.Update(ctx, name, &scaleUpdate{UpdatedObjectInfo: objInfo, resource: r.resource},
		func(ctx context.Context, obj runtime.Object) error { return createValidation(ctx, scaleOf(obj)) },
		func(ctx context.Context, obj, old runtime.Object) error {
			return updateValidation(ctx, scaleOf(obj), scaleOf(old))
		}, false, options)
	if cause, found := apierrors.StatusCause(err, crstorage.CauseTypeOwned); found {
		return nil, false, refusedScale(name, cause.Message)
	}
	if err != nil {
		return nil, false, err
	}
	return scaleOf(obj), false, nil
}

// scaleOf returns the scale of a component.
func scaleOf(obj runtime.Object) *autoscalingv1.Scale {
	component := obj.(v1alpha1.Component)
	status := component.ObservedStatus()
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name:              component.GetName(),
			Namespace:         component.GetNamespace(),
			UID:               component.GetUID(),
			ResourceVersion:   component.GetResourceVersion(),
			CreationTimestamp: component.GetCreationTimestamp(),
		},
		Spec:   autoscalingv1.ScaleSpec{Replicas: replicasOfView(component)},
		Status: autoscalingv1.ScaleStatus{Replicas: status.Replicas, Selector: status.Selector},
	}
}

// scaleUpdate makes the update of a scale one of its component.
type scaleUpdate struct {
	rest.UpdatedObjectInfo
	resource schema.GroupResource
}

// UpdatedObject implements rest.UpdatedObjectInfo.
func (u *scaleUpdate) UpdatedObject(ctx context.Context, old runtime.Object) (runtime.Object, error) {
	component := old.DeepCopyObject().(v1alpha1.Component)
	name := component.GetName()
	managed := managedfields.NewScaleHandler(component.GetManagedFields(), v1alpha1.SchemeGroupVersion, parallelismPath)
	before := scaleOf(component)
	var err error
	if before.ManagedFields, err = managed.ToSubresource(); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("could not read who owns the scale: %w", err))
	}
	updated, err := u.UpdatedObjectInfo.UpdatedObject(ctx, before)
	if err != nil {
		return nil, err
	}
	scale, ok := updated.(*autoscalingv1.Scale)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("it must be a Scale, not a %T", updated))
	}
	if scale.UID != "" && scale.UID != component.GetUID() {
		return nil, apierrors.NewConflict(u.resource, name, fmt.Errorf(
			"precondition failed: UID in precondition: %v, UID in object meta: %v", scale.UID, component.GetUID()))
	}
	if err := u.scale(component, scale.Spec.Replicas); err != nil {
		return nil, err
	}
	// Storage compares it.
	component.SetResourceVersion(scale.ResourceVersion)
	entries, err := managed.ToParent(scale.ManagedFields)
	if err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("could not tell who owns the scale: %w", err))
	}
	component.SetManagedFields(entries)
	return component, nil
}

// scale sets how many instances of a component should run. Stopping it keeps its
// parallelism; what is suspended is resumed by who means that, not by an autoscaler.
func (u *scaleUpdate) scale(component v1alpha1.Component, replicas int32) error {
	spec := component.Common()
	switch {
	case replicas < 0:
		return apierrors.NewInvalid(scaleKind.GroupKind(), component.GetName(), field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), replicas, "must be greater than or equal to 0").WithOrigin("minimum")})
	case untranslated(component):
		// Validation refuses whatever changes.
		spec.Parallelism = ptr.To(replicas)
	case replicas == 0:
		spec.Suspend = true
	case spec.Suspend:
		return refusedScale(component.GetName(), "it is suspended: resume first, by spec.suspend")
	default:
		spec.Parallelism = ptr.To(replicas)
	}
	return nil
}

// refusedScale says why a scale can't be changed. It is no conflict: kubectl scale
// repeats those for minutes, in silence, and no repetition helps here.
func refusedScale(name, reason string) error {
	return apierrors.NewInvalid(scaleKind.GroupKind(), name, field.ErrorList{field.Forbidden(field.NewPath("spec", "replicas"), reason)})
}
