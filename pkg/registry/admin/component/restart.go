package component

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/storage"
	storeerr "k8s.io/apiserver/pkg/storage/errors"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// restarter restarts components of a kind.
type restarter struct {
	store     *view.REST
	resources *crstorage.Storage
	instances Instances
}

func newRestartREST(store *view.REST, resources *crstorage.Storage, instances Instances) *ActionREST {
	restarter := &restarter{store: store, resources: resources, instances: instances}
	return &ActionREST{do: func(ctx context.Context, name string, action *v1alpha1.PulsarAction, validate func(context.Context) error, options *metav1.CreateOptions) error {
		if action.Instance != nil {
			return restarter.one(ctx, name, action, validate, options)
		}
		return restarter.all(ctx, name, action, validate, options)
	}}
}

// all has every pod replaced, few at a time, by a change of what all of them are made
// of. Of a component without pods it takes effect with the first ones.
func (r *restarter) all(ctx context.Context, name string, action *v1alpha1.PulsarAction, validate func(context.Context) error, options *metav1.CreateOptions) error {
	key, err := r.store.KeyFunc(ctx, name)
	if err != nil {
		return err
	}
	ctx = crstorage.WithWriteOptions(ctx, crstorage.WriteOptions{DryRun: options.DryRun})
	check := func(ctx context.Context, obj runtime.Object) error {
		if err := checkUID(action.UID, obj.(v1alpha1.Component)); err != nil {
			return err
		}
		return validate(ctx)
	}
	now := time.Now()
	err = r.resources.UpdateHidden(ctx, key, &storage.Preconditions{}, check, func(resource map[string]any) error {
		return translation.Restart(resource, now)
	})
	if apierrors.HasStatusCause(err, crstorage.CauseTypeOwned) {
		return view.WithPulsarReason(err, err.Error())
	}
	return storeerr.InterpretUpdateError(err, r.store.DefaultQualifiedResource, name)
}

// one has the pod of one instance replaced.
func (r *restarter) one(ctx context.Context, name string, action *v1alpha1.PulsarAction, validate func(context.Context) error, options *metav1.CreateOptions) error {
	obj, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return err
	}
	component := obj.(v1alpha1.Component)
	if err := checkUID(action.UID, component); err != nil {
		return err
	}
	if err := validate(ctx); err != nil {
		return err
	}
	instance := *action.Instance
	if instance < 0 || instance >= parallelismOf(component) {
		spec := component.Common()
		missing := apierrors.NewBadRequest(fmt.Sprintf("%s %s has no instance %d", component.ComponentKind().Kind, name, instance))
		return view.WithPulsarReason(missing, fmt.Sprintf("%s/%s/%s/%d doesn't exist", spec.Tenant, spec.Namespace, spec.Name, instance))
	}
	return r.instances.Restart(ctx, component, instance, options.DryRun)
}
