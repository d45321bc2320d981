package crstorage

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/conversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
	// KeepObserved, if set, gives the answer to the dry run of an update what was
	// observed of the object before. A projection that compares the two would else tell
	// of a change that is not going to be observed, and kubectl diff show it.
	KeepObserved func(answer, asked runtime.Object)
	// CheckWrite, if set, may refuse a change of a custom resource. It gets the
	// resource as it is stored, and the two projections that the change is the
	// difference of; it returns why somebody else has to make the change, or nil.
	CheckWrite func(stored, before, after map[string]any) *metav1.StatusCause
	// AuthorizeWrite, if set, may refuse a change by who makes it. It gets what CheckWrite
	// gets, and its error is the answer.
	AuthorizeWrite func(ctx context.Context, name string, stored, before, after map[string]any) error
	// BeforeWrite, if set, has the last word on a view that is about to be stored: it may
	// change it. old is nil for a new one. It is called after all that may refuse the write,
	// never on a dry run, and for each try of a write.
	BeforeWrite func(ctx context.Context, view, old runtime.Object) error
	// InSteps, if set, says how to create a view that the backend refuses to create
	// as it is: first is what to create, and finish makes the view of it. Without
	// such a need first is nil.
	InSteps func(view runtime.Object) (first runtime.Object, finish func(runtime.Object))
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
func New[CR any, P Object[CR], View runtime.Object](config Config, translator Translator[CR, View]) *Storage {
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
	return s.create(ctx, key, obj, out)
}

func (s *Storage) create(ctx context.Context, key string, obj, out runtime.Object) error {
	if s.config.BeforeWrite != nil {
		// What it does elsewhere it does for nothing that is refused.
		cr, err := s.projection.cr(obj, true)
		if err != nil {
			return apierrors.NewInternalError(err)
		}
		delta.Prune(cr, s.projection.containers())
		delete(cr, "status")
		_, name := s.parseKey(key)
		if err := s.checkDefinition(nil, cr, name); err != nil {
			return err
		}
	}
	if err := s.beforeWrite(ctx, obj, nil); err != nil {
		return err
	}
	if s.config.InSteps != nil {
		if first, finish := s.config.InSteps(obj); first != nil {
			return s.createInSteps(ctx, key, first, finish, out)
		}
	}
	return s.createAtOnce(ctx, key, obj, out)
}

func (s *Storage) createAtOnce(ctx context.Context, key string, obj, out runtime.Object) error {
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
	for _, serverOwned := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"} {
		delete(metadata, serverOwned)
	}
	if err := s.checkDefinition(nil, cr, name); err != nil {
		return err
	}
	data, err := send(cr, func(body []byte) ([]byte, error) {
		return s.config.Client.create(ctx, namespace, body, writeOptionsFrom(ctx))
	})
	if err != nil {
		return s.errors.create(ctx, key, err)
	}
	if out == nil {
		return nil
	}
	return s.project(data, out)
}

// checkDefinition refuses what the installed definition has no field for. It would
// be kept, and have no effect.
func (s *Storage) checkDefinition(before, after map[string]any, name string) error {
	if s.config.Client.Lacking == nil {
		return nil
	}
	if errs := s.config.Client.Lacking(before, after, s.projection.viewPath); len(errs) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: s.config.Resource.Group, Kind: s.config.Kind}, name, errs)
	}
	return nil
}

func send(object map[string]any, write func(body []byte) ([]byte, error)) ([]byte, error) {
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
		if _, selectable := s.projection.selectorToCR(label).Requirements(); !selectable {
			// As a text it would be empty, and select everything.
			return metav1.ListOptions{}, apierrors.NewBadRequest(fmt.Sprintf("no object can have what label selector %q asks for", label))
		}
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
	if name != "" {
		translated.FieldSelector = withName(options.Predicate.Field, name).String()
	}
	return translated, nil
}

// withName returns a selector of what selector selects, of the name alone.
func withName(selector fields.Selector, name string) fields.Selector {
	named := fields.OneTermEqualSelector("metadata.name", name)
	if selector == nil || selector.Empty() {
		return named
	}
	if wanted, ok := selector.RequiresExactMatch("metadata.name"); ok && wanted == name {
		return selector
	}
	return fields.AndSelectors(selector, named)
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
	// At resource version 0 the backend ignores the limit.
	data, err := s.config.Client.list(ctx, "", metav1.ListOptions{Limit: 1})
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
