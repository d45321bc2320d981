package pulsarfunction

import (
	"context"
	"fmt"

	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/storage/names"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// Config is what the kind needs of the server.
type Config struct {
	// Scheme knows the kind.
	Scheme *runtime.Scheme
	// Client reaches the Function resources.
	Client *crstorage.Client
	// Translator translates between both kinds.
	Translator *translation.FunctionTranslator
	// Validation says what is allowed.
	Validation validation.Options
	// EnsureConnection gives a namespace what its functions need to reach a Pulsar
	// cluster. It is called before the first write of a new function, never on a dry
	// run.
	EnsureConnection func(ctx context.Context, namespace, cluster string) error
}

// NewREST returns the storage of pulsarfunctions.
func NewREST(config Config, options generic.RESTOptions) (*view.REST, error) {
	resource := v1alpha1.Resource("pulsarfunctions")
	storage := crstorage.New(crstorage.Config{
		Client:    config.Client,
		Resource:  resource,
		Kind:      "PulsarFunction",
		Prefix:    "/" + options.ResourcePrefix,
		NewObject: func() runtime.Object { return &v1alpha1.PulsarFunction{} },
	}, config.Translator)

	kind := strategy{
		ObjectTyper:   config.Scheme,
		NameGenerator: names.SimpleNameGenerator,
		translator:    config.Translator,
		validation:    config.Validation,
	}
	store := &genericregistry.Store{
		NewFunc:                   func() runtime.Object { return &v1alpha1.PulsarFunction{} },
		NewListFunc:               func() runtime.Object { return &v1alpha1.PulsarFunctionList{} },
		DefaultQualifiedResource:  resource,
		SingularQualifiedResource: v1alpha1.Resource("pulsarfunction"),
		CreateStrategy:            kind,
		UpdateStrategy:            kind,
		DeleteStrategy:            kind,
		ResetFieldsStrategy:       kind,
		TableConvertor:            tableConvertor{},
	}
	checks := &creation{ensureConnection: config.EnsureConnection}
	served, err := view.New(view.Config{
		Store:        store,
		Storage:      storage,
		ShortNames:   []string{"pfn"},
		BeforeCreate: checks.check,
	}, options)
	if err != nil {
		return nil, fmt.Errorf("could not serve %s: %w", resource, err)
	}
	checks.list = served.List
	return served, nil
}

// creation checks what a new function needs of its namespace.
type creation struct {
	list             func(context.Context, *metainternalversion.ListOptions) (runtime.Object, error)
	ensureConnection func(ctx context.Context, namespace, cluster string) error
}

// check refuses a second function of one Pulsar identity in a namespace, and
// prepares the namespace. Functions that race each other under different names are
// not caught here.
func (c *creation) check(ctx context.Context, obj runtime.Object, dryRun bool) error {
	function := obj.(*v1alpha1.PulsarFunction)
	spec := &function.Spec
	id := identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}
	list, err := c.list(ctx, &metainternalversion.ListOptions{
		LabelSelector: labels.SelectorFromSet(labels.Set{identity.LabelIdentity: id.Label()}),
	})
	if err != nil {
		return err
	}
	functions := list.(*v1alpha1.PulsarFunctionList).Items
	for i := range functions {
		existing := &functions[i]
		same := existing.Spec.Tenant == id.Tenant && existing.Spec.Namespace == id.Namespace && existing.Spec.Name == id.Name
		switch {
		case !same:
		case existing.Name == function.Name:
			// The backend refuses it, unless the object goes meanwhile.
			view.SetReason(ctx, alreadyExistsReason(spec))
		default:
			return alreadyExists(function, existing)
		}
	}
	if dryRun {
		return nil
	}
	return c.ensureConnection(ctx, genericapirequest.NamespaceValue(ctx), spec.Cluster)
}

var _ crstorage.Translator[computev1alpha1.Function, *v1alpha1.PulsarFunction] = (*translation.FunctionTranslator)(nil)
