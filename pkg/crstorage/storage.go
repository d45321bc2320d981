package crstorage

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/warning"

	"github.com/function-mesh/functionmesh-apiserver/pkg/delta"
)

// emptyResourceVersion is that of a list while the custom resource definition is
// missing. A watch from it begins as soon as the definition is there.
const emptyResourceVersion = "0"

// Config says what a Storage is for.
type Config struct {
	// Client reaches the custom resources.
	Client *Client
	// Resource and Kind are the view's.
	Resource schema.GroupResource
	Kind     string
	// Prefix is what the storage keys begin with, without a slash at its end.
	Prefix string
	// NewObject returns an empty view.
	NewObject func() runtime.Object
}

// Storage keeps views as custom resources.
type Storage struct {
	config     Config
	projection projection
	errors     *errorMapper
	versioner  storage.APIObjectVersioner
}

var _ storage.Interface = (*Storage)(nil)

// New returns a storage that translates with translator. CR is the type of the
// custom resource and View that of the view, a pointer.
func New[CR any, P object[CR], View runtime.Object](config Config, translator Translator[CR, View]) *Storage {
	projection := typedProjection[CR, P, View]{translator: translator}
	return &Storage{
		config:     config,
		projection: projection,
		errors: &errorMapper{
			cr:       config.Client.Resource,
			crKind:   config.Client.Kind,
			view:     config.Resource,
			viewKind: config.Kind,
			viewPath: projection.viewPath,
		},
	}
}

// Versioner implements storage.Interface. Resource versions are the backend's.
func (s *Storage) Versioner() storage.Versioner { return s.versioner }

// Get implements storage.Interface.
func (s *Storage) Get(ctx context.Context, key string, options storage.GetOptions, out runtime.Object) error {
	namespace, name := s.parseKey(key)
	data, err := s.config.Client.get(ctx, namespace, name, options.ResourceVersion)
	if err != nil {
		if missingDefinition(err) {
			s.warnMissing(ctx)
		}
		err = s.errors.read(ctx, key, err)
		if storage.IsNotFound(err) && options.IgnoreNotFound {
			return runtime.SetZeroValue(out)
		}
		return err
	}
	view, err := s.projection.view(data)
	if view == nil {
		return err
	}
	return copyInto(view, out)
}

// GetList implements storage.Interface.
func (s *Storage) GetList(ctx context.Context, key string, options storage.ListOptions, list runtime.Object) error {
	namespace, name := s.parseListKey(key, options.Recursive)
	listOptions, err := s.listOptions(name, options)
	if err != nil {
		return err
	}
	listOptions.Limit = options.Predicate.Limit
	listOptions.Continue = options.Predicate.Continue

	data, err := s.config.Client.list(ctx, namespace, listOptions)
	if missingDefinition(err) {
		s.warnMissing(ctx)
		return setList(list, nil, metav1.ListMeta{ResourceVersion: emptyResourceVersion})
	}
	if err != nil {
		return s.errors.status(ctx, err)
	}
	views, listMeta, err := s.projection.viewList(data)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	return setList(list, views, listMeta)
}

// Create implements storage.Interface. ttl has no meaning for a custom resource.
func (s *Storage) Create(ctx context.Context, key string, obj, out runtime.Object, _ uint64) error {
	if version, err := s.versioner.ObjectResourceVersion(obj); err == nil && version != 0 {
		return storage.ErrResourceVersionSetOnCreate
	}
	namespace, name := s.parseKey(key)
	cr, err := s.projection.cr(obj, true)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	delta.Prune(cr, s.projection.containers())
	resource := s.config.Client.Resource
	cr["apiVersion"] = resource.GroupVersion().String()
	cr["kind"] = s.config.Client.Kind
	delete(cr, "status")
	metadata, ok := cr["metadata"].(map[string]any)
	if !ok {
		metadata = map[string]any{}
		cr["metadata"] = metadata
	}
	metadata["name"] = name
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	for _, serverOwned := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "generateName"} {
		delete(metadata, serverOwned)
	}
	data, err := s.send(ctx, func(body []byte) ([]byte, error) {
		return s.config.Client.create(ctx, namespace, body, writeOptionsFrom(ctx))
	}, cr)
	if err != nil {
		return s.errors.create(ctx, key, err)
	}
	if out == nil {
		return nil
	}
	return s.project(data, out)
}

// GuaranteedUpdate implements storage.Interface. A conflict that the backend
// reports is tried again until ctx ends; an error of tryUpdate, a conflict with the
// resource version that the client sent among them, is the caller's.
//
// cachedExistingObject is not used: what is merged must be what is stored.
func (s *Storage) GuaranteedUpdate(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc, _ runtime.Object) error {
	backoff := wait.Backoff{Duration: 5 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 30, Cap: 500 * time.Millisecond}
	for {
		retry, err := s.tryOnce(ctx, key, destination, ignoreNotFound, preconditions, tryUpdate)
		if !retry {
			return err
		}
		timer := time.NewTimer(backoff.Step())
		select {
		case <-ctx.Done():
			timer.Stop()
			return s.errors.transport(ctx, ctx.Err())
		case <-timer.C:
		}
	}
}

func (s *Storage) tryOnce(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc) (retry bool, err error) {
	namespace, name := s.parseKey(key)
	data, err := s.config.Client.get(ctx, namespace, name, "")
	if missingDefinition(err) {
		return false, s.errors.missingDefinitionError()
	}
	if apierrors.IsNotFound(err) && s.errors.isOurs(err) {
		if !ignoreNotFound {
			return false, storage.NewKeyNotFoundError(key, 0)
		}
		return s.createFrom(ctx, key, destination, preconditions, tryUpdate)
	}
	if err != nil {
		return false, s.errors.status(ctx, err)
	}

	current, cause := s.projection.view(data)
	if cause != nil {
		return false, s.untranslatableError(name, cause)
	}
	if err := preconditions.Check(key, current); err != nil {
		return false, err
	}
	// tryUpdate may change what it is given.
	before, err := s.projection.cr(current, false)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	version, err := s.versioner.ObjectResourceVersion(current)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	updated, _, err := tryUpdate(current, storage.ResponseMeta{ResourceVersion: version})
	if err != nil {
		return false, err
	}
	after, err := s.projection.cr(updated, false)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	stored, err := fromJSON(data)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if err := s.checkOwner(stored, before, after, name); err != nil {
		return false, err
	}
	changed, err := s.merge(stored, before, after)
	if err != nil {
		return false, apierrors.NewInternalError(err)
	}
	if !changed {
		return false, s.project(data, destination)
	}
	data, err = s.send(ctx, func(body []byte) ([]byte, error) {
		return s.config.Client.update(ctx, namespace, name, body, writeOptionsFrom(ctx))
	}, stored)
	switch {
	case err == nil:
		return false, s.project(data, destination)
	case missingDefinition(err):
		return false, s.errors.missingDefinitionError()
	case apierrors.IsConflict(err), apierrors.IsNotFound(err) && s.errors.isOurs(err):
		return true, nil
	}
	return false, s.errors.status(ctx, err)
}

// merge writes the difference between two projections into the stored resource.
//
// What a view shows where a resource is silent can depend on its other fields. So
// the result is projected once more: had the update changed such a field, what it
// didn't change would otherwise change along.
func (s *Storage) merge(stored, before, after map[string]any) (changed bool, err error) {
	if !delta.Apply(stored, before, after, s.projection.containers()) {
		return false, nil
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return false, fmt.Errorf("could not encode a custom resource: %w", err)
	}
	view, err := s.projection.view(data)
	if err != nil {
		return false, fmt.Errorf("could not read the changed resource: %w", err)
	}
	reached, err := s.projection.cr(view, false)
	if err != nil {
		return false, err
	}
	delta.Apply(stored, reached, after, s.projection.containers())
	return true, nil
}

// createFrom is an update of an object that isn't there, which a server-side apply
// may be. An object that appeared meanwhile means another try.
func (s *Storage) createFrom(ctx context.Context, key string, destination runtime.Object,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc) (retry bool, err error) {
	empty := s.config.NewObject()
	if err := preconditions.Check(key, empty); err != nil {
		return false, err
	}
	created, _, err := tryUpdate(empty, storage.ResponseMeta{})
	if err != nil {
		return false, err
	}
	err = s.Create(ctx, key, created, destination, 0)
	return storage.IsExist(err), err
}

func (s *Storage) send(_ context.Context, write func([]byte) ([]byte, error), object map[string]any) ([]byte, error) {
	body, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("could not encode a custom resource: %w", err)
	}
	return write(body)
}

func (s *Storage) project(data []byte, out runtime.Object) error {
	view, err := s.projection.view(data)
	if view == nil {
		return apierrors.NewInternalError(err)
	}
	return copyInto(view, out)
}

func (s *Storage) untranslatableError(name string, cause error) error {
	err := apierrors.NewInvalid(schema.GroupKind{Group: s.config.Resource.Group, Kind: s.config.Kind}, name, nil)
	message := fmt.Sprintf("the %s behind it can't be shown, so it can't be changed here, only deleted: %v", s.config.Client.Kind, cause)
	err.ErrStatus.Message = fmt.Sprintf("%s %q is invalid: spec: %s", s.config.Kind, name, message)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeFieldValueInvalid, Field: "spec", Message: message}}
	return err
}

// checkOwner refuses to change the spec of a resource that a controller of the
// backend's own group has made, such as a FunctionMesh: it would be changed back.
func (s *Storage) checkOwner(stored, before, after map[string]any, name string) error {
	if reflect.DeepEqual(before["spec"], after["spec"]) {
		return nil
	}
	owner := metav1.GetControllerOf(&unstructured.Unstructured{Object: stored})
	if owner == nil {
		return nil
	}
	version, err := schema.ParseGroupVersion(owner.APIVersion)
	if err != nil || version.Group != s.config.Client.Resource.Group {
		return nil
	}
	return apierrors.NewConflict(s.config.Resource, name,
		fmt.Errorf("its spec is written by %s %s: change it there", owner.Kind, owner.Name))
}

func (s *Storage) warnMissing(ctx context.Context) {
	missingDefinitions.WithLabelValues(s.config.Client.Resource.GroupResource().String()).Inc()
	warning.AddWarning(ctx, "", fmt.Sprintf("the custom resource definition %s is not installed", s.config.Client.Resource.GroupResource()))
}

// parseKey splits the key of an object into namespace and name.
func (s *Storage) parseKey(key string) (namespace, name string) {
	path := strings.Trim(strings.TrimPrefix(key, s.config.Prefix), "/")
	namespace, name, namespaced := strings.Cut(path, "/")
	if !namespaced {
		return "", namespace
	}
	return namespace, name
}

// parseListKey splits the key of a list, which is a namespace's if it is recursive,
// else an object's.
func (s *Storage) parseListKey(key string, recursive bool) (namespace, name string) {
	if !recursive {
		return s.parseKey(key)
	}
	return strings.Trim(strings.TrimPrefix(key, s.config.Prefix), "/"), ""
}

// listOptions translates what list and watch have in common.
func (s *Storage) listOptions(name string, options storage.ListOptions) (metav1.ListOptions, error) {
	translated := metav1.ListOptions{
		ResourceVersion:      options.ResourceVersion,
		ResourceVersionMatch: options.ResourceVersionMatch,
	}
	if label := options.Predicate.Label; label != nil && !label.Empty() {
		translated.LabelSelector = s.projection.selectorToCR(label).String()
	}
	if field := options.Predicate.Field; field != nil && !field.Empty() {
		for _, requirement := range field.Requirements() {
			if requirement.Field != "metadata.name" && requirement.Field != "metadata.namespace" {
				return metav1.ListOptions{}, apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector", requirement.Field))
			}
		}
		translated.FieldSelector = field.String()
	}
	if name != "" && translated.FieldSelector == "" {
		translated.FieldSelector = "metadata.name=" + name
	}
	return translated, nil
}

func copyInto(view, out runtime.Object) error {
	target, err := conversion.EnforcePtr(out)
	if err != nil {
		return fmt.Errorf("could not return an object: %w", err)
	}
	target.Set(reflect.ValueOf(view).Elem())
	return nil
}

func setList(list runtime.Object, views []runtime.Object, listMeta metav1.ListMeta) error {
	if views == nil {
		views = []runtime.Object{}
	}
	if err := meta.SetList(list, views); err != nil {
		return fmt.Errorf("could not return a list: %w", err)
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return fmt.Errorf("could not return a list: %w", err)
	}
	accessor.SetResourceVersion(listMeta.ResourceVersion)
	accessor.SetContinue(listMeta.Continue)
	accessor.SetRemainingItemCount(listMeta.RemainingItemCount)
	return nil
}

// ReadinessCheck implements storage.Interface. It doesn't depend on the backend: a
// server that isn't ready takes its API group out of discovery, which blocks the
// deletion of every namespace in the cluster.
func (s *Storage) ReadinessCheck() error { return nil }

// Stats implements storage.Interface. It counts the objects.
func (s *Storage) Stats(ctx context.Context) (storage.Stats, error) {
	data, err := s.config.Client.list(ctx, "", metav1.ListOptions{Limit: 1, ResourceVersion: "0"})
	if missingDefinition(err) {
		return storage.Stats{}, nil
	}
	if err != nil {
		return storage.Stats{}, s.errors.status(ctx, err)
	}
	views, listMeta, err := s.projection.viewList(data)
	if err != nil {
		return storage.Stats{}, err
	}
	count := int64(len(views))
	if listMeta.RemainingItemCount != nil {
		count += *listMeta.RemainingItemCount
	}
	return storage.Stats{ObjectCount: count}, nil
}

// GetCurrentResourceVersion implements storage.Interface.
func (s *Storage) GetCurrentResourceVersion(ctx context.Context) (uint64, error) {
	data, err := s.config.Client.list(ctx, "", metav1.ListOptions{Limit: 1})
	if err != nil {
		return 0, s.errors.status(ctx, err)
	}
	_, listMeta, err := s.projection.viewList(data)
	if err != nil {
		return 0, err
	}
	version, err := strconv.ParseUint(listMeta.ResourceVersion, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("could not read the resource version of a list: %w", err)
	}
	return version, nil
}

// RequestWatchProgress implements storage.Interface. The backend sends bookmarks by
// itself.
func (s *Storage) RequestWatchProgress(context.Context) error { return nil }

// EnableResourceSizeEstimation implements storage.Interface. Sizes are the
// backend's concern.
func (s *Storage) EnableResourceSizeEstimation(storage.KeysFunc) error { return nil }

// CompactRevision implements storage.Interface. Compaction is the backend's concern.
func (s *Storage) CompactRevision() int64 { return 0 }
