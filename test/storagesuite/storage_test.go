package storagesuite

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	"k8s.io/apiserver/pkg/storage"
	storagetesting "k8s.io/apiserver/pkg/storage/testing"
	"k8s.io/apiserver/pkg/storage/value"

	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
)

const (
	keyPrefix = "/pods"
	// firstVersion is the resource version that suites take for the oldest there is.
	firstVersion = "1"
	// transformerPrefix is what the suites' transformers expect of stored data.
	transformerPrefix = "suite:"
)

// suiteStorage is the storage under test, as the suites want to talk to it. It
// differs from crstorage.Storage in what the suites know of etcd:
//
//   - A pod without a namespace among pods that have one is in namespace "default",
//     since the backend has no place for it.
//   - A selector of the field spec.nodeName becomes one of a label. Storage refuses
//     fields other than the metadata's, on purpose.
//   - A deleted object has the resource version of its deletion, which is looked up
//     in a watch: the backend's answer to a DELETE doesn't tell.
//   - A watch from resource version 1 begins when the storage was empty: the backend
//     has a history before that, which it has partly forgotten.
//   - The key in a continue token has no slash at its begin. API servers take it
//     either way; kube-apiserver writes one for custom resources.
type suiteStorage struct {
	*crstorage.Storage

	translator *podTranslator
	namespaced bool
	// emptyVersion is a resource version at which the storage was empty.
	emptyVersion string
	// transformer is what a suite has put in the place of etcd's, if anything.
	transformer value.Transformer
}

var (
	_ storage.Interface                             = (*suiteStorage)(nil)
	_ storagetesting.InterfaceWithPrefixTransformer = (*suiteStorage)(nil)
)

// newStorage returns an empty storage.
func newStorage(t *testing.T, backend backend) *suiteStorage {
	t.Helper()
	backend.install(t)
	backend.clear(t)
	t.Cleanup(func() { backend.clear(t) })
	translator := &podTranslator{}
	s := &suiteStorage{
		translator: translator,
		namespaced: backend.namespaced,
		Storage: crstorage.New(crstorage.Config{
			Client:    backend.client(t),
			Resource:  schema.GroupResource{Group: "example.apiserver.k8s.io", Resource: "pods"},
			Kind:      "Pod",
			Prefix:    keyPrefix,
			NewObject: func() runtime.Object { return &example.Pod{} },
		}, translator),
	}
	version, err := s.GetCurrentResourceVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.emptyVersion = fmt.Sprint(version)
	return s
}

// objectKey gives a key without a namespace one, where objects need it.
func (s *suiteStorage) objectKey(key string) string {
	name := strings.Trim(strings.TrimPrefix(key, keyPrefix), "/")
	if !s.namespaced || name == "" || strings.Contains(name, "/") {
		return key
	}
	return path.Join(keyPrefix, "default", name)
}

func (s *suiteStorage) options(key string, options storage.ListOptions) (string, storage.ListOptions) {
	if !options.Recursive {
		key = s.objectKey(key)
	}
	options.Predicate = byLabel(options.Predicate)
	return key, options
}

// byLabel turns a selector of spec.nodeName into one of a label of that name.
func byLabel(predicate storage.SelectionPredicate) storage.SelectionPredicate {
	if predicate.Field == nil {
		return predicate
	}
	field := fields.Everything()
	label := labels.NewSelector()
	if predicate.Label != nil {
		requirements, _ := predicate.Label.Requirements()
		label = label.Add(requirements...)
	}
	for _, term := range predicate.Field.Requirements() {
		if term.Field == nodeNameField {
			requirement, err := labels.NewRequirement(term.Field, term.Operator, []string{term.Value})
			if err != nil {
				panic(err)
			}
			label = label.Add(*requirement)
			continue
		}
		field = fields.AndSelectors(field, fields.ParseSelectorOrDie(term.Field+string(term.Operator)+term.Value))
	}
	predicate.Field, predicate.Label = field, label
	return predicate
}

func (s *suiteStorage) Create(ctx context.Context, key string, obj, out runtime.Object, ttl uint64) error {
	return s.Storage.Create(ctx, s.objectKey(key), obj, out, ttl)
}

func (s *suiteStorage) Get(ctx context.Context, key string, options storage.GetOptions, out runtime.Object) error {
	return s.Storage.Get(ctx, s.objectKey(key), options, out)
}

func (s *suiteStorage) GuaranteedUpdate(ctx context.Context, key string, destination runtime.Object, ignoreNotFound bool,
	preconditions *storage.Preconditions, tryUpdate storage.UpdateFunc, cached runtime.Object) error {
	return s.Storage.GuaranteedUpdate(ctx, s.objectKey(key), destination, ignoreNotFound, preconditions, tryUpdate, cached)
}

// GetList lets the suite's transformer see one object after the list was read.
func (s *suiteStorage) GetList(ctx context.Context, key string, options storage.ListOptions, list runtime.Object) error {
	key, options = s.options(key, options)
	if err := s.Storage.GetList(ctx, key, options, list); err != nil {
		return err
	}
	if err := normalizeContinue(list); err != nil {
		return err
	}
	if s.transformer == nil {
		return nil
	}
	_, _, err := s.transformer.TransformFromStorage(ctx, []byte(transformerPrefix), value.DefaultContext(key))
	return err
}

// normalizeContinue removes the slash at the begin of the key in a list's token.
func normalizeContinue(list runtime.Object) error {
	accessor, err := meta.ListAccessor(list)
	if err != nil || accessor.GetContinue() == "" {
		return err
	}
	start, version, err := storage.DecodeContinue(accessor.GetContinue(), keyPrefix+"/")
	if err != nil {
		return err
	}
	token, err := storage.EncodeContinue(start, keyPrefix+"/", version)
	accessor.SetContinue(token)
	return err
}

func (s *suiteStorage) Watch(ctx context.Context, key string, options storage.ListOptions) (watch.Interface, error) {
	key, options = s.options(key, options)
	if options.ResourceVersion == firstVersion {
		options.ResourceVersion = s.emptyVersion
	}
	return s.Storage.Watch(ctx, key, options)
}

func (s *suiteStorage) Delete(ctx context.Context, key string, out runtime.Object, preconditions *storage.Preconditions,
	validate storage.ValidateObjectFunc, cached runtime.Object, options storage.DeleteOptions) error {
	key = s.objectKey(key)
	if err := s.Storage.Delete(ctx, key, out, preconditions, validate, cached, options); err != nil {
		return err
	}
	deleted, err := meta.Accessor(out)
	if err != nil {
		return err
	}
	version, err := s.deletion(ctx, key, deleted.GetResourceVersion())
	deleted.SetResourceVersion(version)
	return err
}

// deletion returns the resource version of the deletion of an object that had
// version before.
func (s *suiteStorage) deletion(ctx context.Context, key, version string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	watcher, err := s.Storage.Watch(ctx, key, storage.ListOptions{ResourceVersion: version, Predicate: storage.Everything})
	if err != nil {
		return "", fmt.Errorf("could not watch a deleted object: %w", err)
	}
	defer watcher.Stop()
	event, open := <-watcher.ResultChan()
	if !open || event.Type != watch.Deleted {
		return "", fmt.Errorf("after the deletion of %s at version %s came %v", key, version, event)
	}
	object, err := meta.Accessor(event.Object)
	if err != nil {
		return "", err
	}
	return object.GetResourceVersion(), nil
}

// UpdatePrefixTransformer implements storagetesting.InterfaceWithPrefixTransformer.
// There is nothing to transform; GetList tells the transformer what is read.
func (s *suiteStorage) UpdatePrefixTransformer(modify storagetesting.PrefixTransformerModifier) func() {
	before := s.transformer
	s.transformer = modify(storagetesting.NewPrefixTransformer([]byte(transformerPrefix), false))
	return func() { s.transformer = before }
}
