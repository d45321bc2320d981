package storagesuite

import (
	"context"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/registry/rest/resttest"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// suiteREST is the REST storage under test, as the suite wants to talk to it:
//
//   - The suite chooses UIDs, and the backend does as well. A UID that an object was
//     created with stands for the one that it got.
//   - The suite's requests are nobody's, and who writes a component is somebody.
//   - A watch from resource version 1 begins when it is asked for: the backend has a
//     history, and what happened before is not what the suite waits for.
type suiteREST struct {
	*view.REST

	kind componentKind
	uids map[types.UID]types.UID
}

var _ rest.StandardStorage = (*suiteREST)(nil)

// newREST returns the storage of a kind without anything in it.
func newREST(t *testing.T, kind componentKind) *suiteREST {
	t.Helper()
	data, err := os.ReadFile(kind.definitionFile())
	if err != nil {
		t.Fatal(err)
	}
	definition := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(data, &definition.Object); err != nil {
		t.Fatal(err)
	}
	applyDefinition(t, definition)
	kind.behind.awaitServed(t)
	kind.behind.clear(t)
	t.Cleanup(func() { kind.behind.clear(t) })
	return &suiteREST{REST: kind.newStorage(t), kind: kind, uids: map[types.UID]types.UID{}}
}

// tester returns the suite for a new storage.
func tester(t *testing.T, kind componentKind) (*resttest.Tester, *suiteREST) {
	t.Helper()
	storage := newREST(t, kind)
	tester := resttest.New(t, storage)
	tester.SetRequestInfo(&genericapirequest.RequestInfo{
		IsResourceRequest: true,
		APIGroup:          v1alpha1.GroupName,
		APIVersion:        v1alpha1.SchemeGroupVersion.Version,
		Resource:          kind.Resource,
	})
	return tester, storage
}

// create is a resttest.CreateFunc.
func (s *suiteREST) create(ctx context.Context, obj runtime.Object) error {
	created, err := s.Create(ctx, obj.DeepCopyObject(), rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if uid := obj.(v1alpha1.Component).GetUID(); uid != "" {
		s.uids[uid] = created.(v1alpha1.Component).GetUID()
	}
	return nil
}

// get is a resttest.GetFunc.
func (s *suiteREST) get(ctx context.Context, obj runtime.Object) (runtime.Object, error) {
	return s.Get(ctx, obj.(v1alpha1.Component).GetName(), &metav1.GetOptions{})
}

// assign returns a resttest.AssignFunc: what it gets becomes all that is stored.
func (s *suiteREST) assign(ctx context.Context, t *testing.T) resttest.AssignFunc {
	return func(objects []runtime.Object) []runtime.Object {
		s.kind.behind.clear(t)
		for i := range objects {
			created, err := s.Create(ctx, objects[i], rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			objects[i] = created
		}
		return objects
	}
}

// emit returns a resttest.EmitFunc: it lets an event of a type happen to an object
// of some name.
func (s *suiteREST) emit(ctx context.Context, t *testing.T, name string) resttest.EmitFunc {
	return func(obj runtime.Object, action string) error {
		s.kind.behind.clear(t)
		object := obj.DeepCopyObject().(v1alpha1.Component)
		object.SetName(name)
		object.SetNamespace(genericapirequest.NamespaceValue(ctx))
		created, err := s.Create(ctx, object, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
		if err != nil {
			return err
		}
		switch watch.EventType(action) {
		case watch.Modified:
			s.kind.change(created.(v1alpha1.Component))
			_, _, err = s.Update(ctx, name, rest.DefaultUpdatedObjectInfo(created), nil, nil, false, &metav1.UpdateOptions{})
		case watch.Deleted:
			_, _, err = s.Delete(ctx, name, nil, nil)
		}
		return err
	}
}

// asSomebody returns a context with a caller: the suite's requests are nobody's.
func asSomebody(ctx context.Context) context.Context {
	return genericapirequest.WithUser(ctx, &user.DefaultInfo{Name: "suite"})
}

// Create implements rest.Creater.
func (s *suiteREST) Create(ctx context.Context, obj runtime.Object, validate rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	return s.REST.Create(asSomebody(ctx), obj, validate, options)
}

// Update implements rest.Updater.
func (s *suiteREST) Update(ctx context.Context, name string, info rest.UpdatedObjectInfo, create rest.ValidateObjectFunc,
	update rest.ValidateObjectUpdateFunc, forceAllowCreate bool, options *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return s.REST.Update(asSomebody(ctx), name, info, create, update, forceAllowCreate, options)
}

// Delete implements rest.GracefulDeleter.
func (s *suiteREST) Delete(ctx context.Context, name string, validate rest.ValidateObjectFunc, options *metav1.DeleteOptions) (runtime.Object, bool, error) {
	if options != nil && options.Preconditions != nil && options.Preconditions.UID != nil {
		if uid, ok := s.uids[*options.Preconditions.UID]; ok {
			options = options.DeepCopy()
			options.Preconditions.UID = &uid
		}
	}
	return s.REST.Delete(ctx, name, validate, options)
}

// Watch implements rest.Watcher.
func (s *suiteREST) Watch(ctx context.Context, options *metainternalversion.ListOptions) (watch.Interface, error) {
	if options.ResourceVersion == firstVersion {
		list, err := s.List(ctx, nil)
		if err != nil {
			return nil, err
		}
		accessor, err := meta.ListAccessor(list)
		if err != nil {
			return nil, err
		}
		options = options.DeepCopy()
		options.ResourceVersion = accessor.GetResourceVersion()
	}
	return s.REST.Watch(ctx, options)
}
