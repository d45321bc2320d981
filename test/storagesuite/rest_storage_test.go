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
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/registry/rest/resttest"
	"sigs.k8s.io/yaml"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apiserver"
	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarfunction"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// definitionFile is the definition of Functions that `make run` installs.
const definitionFile = "../../artifacts/development/compute.functionmesh.io_functions.yaml"

var functions = backend{
	resource:   computev1alpha1.SchemeGroupVersion.WithResource("functions"),
	kind:       computev1alpha1.FunctionKind,
	namespaced: true,
}

// suiteREST is the REST storage under test, as the suite wants to talk to it:
//
//   - The suite chooses UIDs, and the backend does as well. A UID that an object was
//     created with stands for the one that it got.
//   - A watch from resource version 1 begins when it is asked for: the backend has a
//     history, and what happened before is not what the suite waits for.
type suiteREST struct {
	*view.REST

	uids map[types.UID]types.UID
}

var _ rest.StandardStorage = (*suiteREST)(nil)

// newREST returns the storage of PulsarFunctions without any in it.
func newREST(t *testing.T) *suiteREST {
	t.Helper()
	data, err := os.ReadFile(definitionFile)
	if err != nil {
		t.Fatal(err)
	}
	definition := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(data, &definition.Object); err != nil {
		t.Fatal(err)
	}
	applyDefinition(t, definition)
	functions.awaitServed(t)
	functions.clear(t)
	t.Cleanup(func() { functions.clear(t) })

	file, err := config.Parse([]byte(devenv.DefaultConfig))
	if err != nil {
		t.Fatal(err)
	}
	resources, err := pulsarfunction.NewREST(component.Config{
		Scheme:     apiserver.Scheme,
		Validation: validation.Options{Clusters: config.ClusterNames(file)},
		// Rights and the ConfigMap are the business of the tests of the servers.
		Authorizer:       authorizerfactory.NewAlwaysAllowAuthorizer(),
		Identities:       &component.Identities{},
		CheckNamespace:   func(context.Context, string, string, string) error { return nil },
		EnsureConnection: func(context.Context, string, string) error { return nil },
	}, functions.client(t), translation.NewFunctionTranslator(file, nil))
	if err != nil {
		t.Fatal(err)
	}
	served := resources["pulsarfunctions"].(*view.REST)
	t.Cleanup(served.Destroy)
	return &suiteREST{REST: served, uids: map[types.UID]types.UID{}}
}

// tester returns the suite for a new storage.
func tester(t *testing.T) (*resttest.Tester, *suiteREST) {
	t.Helper()
	storage := newREST(t)
	tester := resttest.New(t, storage)
	tester.SetRequestInfo(&genericapirequest.RequestInfo{
		IsResourceRequest: true,
		APIGroup:          v1alpha1.GroupName,
		APIVersion:        v1alpha1.SchemeGroupVersion.Version,
		Resource:          "pulsarfunctions",
	})
	return tester, storage
}

// create is a resttest.CreateFunc.
func (s *suiteREST) create(ctx context.Context, obj runtime.Object) error {
	created, err := s.Create(ctx, obj.DeepCopyObject(), rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if uid := obj.(*v1alpha1.PulsarFunction).UID; uid != "" {
		s.uids[uid] = created.(*v1alpha1.PulsarFunction).UID
	}
	return nil
}

// get is a resttest.GetFunc.
func (s *suiteREST) get(ctx context.Context, obj runtime.Object) (runtime.Object, error) {
	return s.Get(ctx, obj.(*v1alpha1.PulsarFunction).Name, &metav1.GetOptions{})
}

// assign returns a resttest.AssignFunc: what it gets becomes all that is stored.
func (s *suiteREST) assign(ctx context.Context, t *testing.T) resttest.AssignFunc {
	return func(objects []runtime.Object) []runtime.Object {
		functions.clear(t)
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
		functions.clear(t)
		function := obj.DeepCopyObject().(*v1alpha1.PulsarFunction)
		function.Name, function.Namespace = name, genericapirequest.NamespaceValue(ctx)
		created, err := s.Create(ctx, function, rest.ValidateAllObjectFunc, &metav1.CreateOptions{})
		if err != nil {
			return err
		}
		switch watch.EventType(action) {
		case watch.Modified:
			created.(*v1alpha1.PulsarFunction).Spec.Output = "persistent://public/default/other-output"
			_, _, err = s.Update(ctx, name, rest.DefaultUpdatedObjectInfo(created), nil, nil, false, &metav1.UpdateOptions{})
		case watch.Deleted:
			_, _, err = s.Delete(ctx, name, nil, nil)
		}
		return err
	}
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
