// Package view serves kinds whose objects are views of custom resources.
//
// It is genericregistry.Store with a few methods replaced. The store assumes in
// places that it owns its objects: it finishes deletions by itself, and does dry
// runs without asking its storage. The objects here are the backend's, so both are
// left to the backend. What differs between kinds is in their own packages.
package view

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	storeerr "k8s.io/apiserver/pkg/storage/errors"
	"k8s.io/apiserver/pkg/util/dryrun"

	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
)

// REST serves one kind.
type REST struct {
	*genericregistry.Store

	config Config
}

// Config is what a kind brings.
type Config struct {
	// Store has the kind's strategies, its table convertor, its resources and the
	// functions that make objects.
	Store *genericregistry.Store
	// Storage keeps the kind's objects.
	Storage *crstorage.Storage
	// ShortNames are the kind's names for hurried people.
	ShortNames []string
	// BeforeCreate, if set, sees every new object after validation and admission,
	// before it is stored.
	BeforeCreate func(ctx context.Context, obj runtime.Object, dryRun bool) error
	// BeforeUpdate, if set, does the same with every change.
	BeforeUpdate func(ctx context.Context, obj, old runtime.Object, dryRun bool) error
}

var (
	_ rest.StandardStorage    = (*REST)(nil)
	_ rest.ShortNamesProvider = (*REST)(nil)
	_ rest.CategoriesProvider = (*REST)(nil)
)

// New returns the REST storage of a kind.
func New(config Config, options generic.RESTOptions) (*REST, error) {
	store := config.Store
	// An object whose last finalizer goes is deleted by the backend.
	store.ShouldDeleteDuringUpdate = func(context.Context, string, runtime.Object, runtime.Object) bool { return false }
	store.Storage.Storage = config.Storage
	if err := store.CompleteWithOptions(&generic.StoreOptions{RESTOptions: options}); err != nil {
		return nil, fmt.Errorf("could not complete the store: %w", err)
	}
	return &REST{Store: store, config: config}, nil
}

// ShortNames implements rest.ShortNamesProvider.
func (r *REST) ShortNames() []string { return r.config.ShortNames }

// Categories implements rest.CategoriesProvider.
func (r *REST) Categories() []string { return []string{"pulsar"} }

// Create implements rest.Creater.
func (r *REST) Create(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	ctx, reason := withReason(ctx)
	ctx = crstorage.WithWriteOptions(ctx, crstorage.WriteOptions{DryRun: options.DryRun})
	forwarded := options.DeepCopy()
	forwarded.DryRun = nil
	created, err := r.Store.Create(ctx, obj, r.admit(validate, options.DryRun), forwarded)
	return created, reason.addTo(err)
}

// Update implements rest.Updater.
func (r *REST) Update(ctx context.Context, name string, objInfo rest.UpdatedObjectInfo, createValidation rest.ValidateObjectFunc,
	updateValidation rest.ValidateObjectUpdateFunc, forceAllowCreate bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	ctx, reason := withReason(ctx)
	ctx = crstorage.WithWriteOptions(ctx, crstorage.WriteOptions{DryRun: options.DryRun})
	forwarded := options.DeepCopy()
	forwarded.DryRun = nil
	updated, created, err := r.Store.Update(ctx, name, objInfo, r.admit(createValidation, options.DryRun), r.admitUpdate(updateValidation, options.DryRun), forceAllowCreate, forwarded)
	return updated, created, reason.addTo(err)
}

// admit lets the kind see a new object when admission has.
func (r *REST) admit(validate rest.ValidateObjectFunc, dryRun []string) rest.ValidateObjectFunc {
	return func(ctx context.Context, obj runtime.Object) error {
		if validate != nil {
			if err := validate(ctx, obj); err != nil {
				return err
			}
		}
		if r.config.BeforeCreate == nil {
			return nil
		}
		return r.config.BeforeCreate(ctx, obj, dryrun.IsDryRun(dryRun))
	}
}

// admitUpdate lets the kind see a change when admission has.
func (r *REST) admitUpdate(validate rest.ValidateObjectUpdateFunc, dryRun []string) rest.ValidateObjectUpdateFunc {
	return func(ctx context.Context, obj, old runtime.Object) error {
		if validate != nil {
			if err := validate(ctx, obj, old); err != nil {
				return err
			}
		}
		if r.config.BeforeUpdate == nil {
			return nil
		}
		return r.config.BeforeUpdate(ctx, obj, old, dryrun.IsDryRun(dryRun))
	}
}

// Delete implements rest.GracefulDeleter. The backend decides when the object is
// gone.
func (r *REST) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	key, err := r.KeyFunc(ctx, name)
	if err != nil {
		return nil, false, err
	}
	if options == nil {
		options = &metav1.DeleteOptions{}
	}
	deleted, gone, err := r.config.Storage.DeleteWithOptions(ctx, key, storage.ValidateObjectFunc(validate), options)
	if err != nil {
		return nil, false, storeerr.InterpretDeleteError(err, r.DefaultQualifiedResource, name)
	}
	if gone {
		status, err := r.config.Storage.DeletedStatus(deleted)
		return status, true, err
	}
	return deleted, gone, nil
}

const (
	// deletePageSize is how many objects a collection's deletion reads at once.
	deletePageSize = 500
	// deleteWorkers bounds how many it deletes at once: a caller's one request must not
	// become a burst of requests to the backend.
	deleteWorkers = 8
)

// DeleteCollection implements rest.CollectionDeleter.
func (r *REST) DeleteCollection(ctx context.Context, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions,
	listOptions *metainternalversion.ListOptions) (runtime.Object, error) {
	page := &metainternalversion.ListOptions{}
	if listOptions != nil {
		page = listOptions.DeepCopy()
	}
	onePage := page.Limit > 0
	if !onePage {
		page.Limit = deletePageSize
	}
	var deleted []runtime.Object
	for {
		list, err := r.List(ctx, page)
		if err != nil {
			return nil, err
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if err := r.deleteAll(ctx, items, validate, options); err != nil {
			return nil, err
		}
		deleted = append(deleted, items...)
		listMeta, err := meta.ListAccessor(list)
		if err != nil {
			return nil, apierrors.NewInternalError(err)
		}
		if onePage || listMeta.GetContinue() == "" {
			return list, meta.SetList(list, deleted)
		}
		page.Continue, page.ResourceVersion, page.ResourceVersionMatch = listMeta.GetContinue(), "", ""
	}
}

func (r *REST) deleteAll(ctx context.Context, items []runtime.Object, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) error {
	workers, ctx := errgroup.WithContext(ctx)
	workers.SetLimit(deleteWorkers)
	for _, item := range items {
		workers.Go(func() error {
			accessor, err := meta.Accessor(item)
			if err != nil {
				return apierrors.NewInternalError(err)
			}
			_, _, err = r.Delete(ctx, accessor.GetName(), validate, options.DeepCopy())
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		})
	}
	return workers.Wait()
}

// Destroy implements rest.Storage.
func (r *REST) Destroy() { r.Store.Destroy() }
