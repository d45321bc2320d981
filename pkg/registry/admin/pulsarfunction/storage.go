package pulsarfunction

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metainternalversion "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
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

// listPageSize bounds what is read at once while a new function's identity is looked
// for.
const listPageSize = 500

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
		KeepObserved: func(answer, asked runtime.Object) {
			*answer.(v1alpha1.Component).ObservedStatus() = *asked.(v1alpha1.Component).ObservedStatus()
		},
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
		BeforeUpdate: checks.move,
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
	existing, err := c.find(ctx, function)
	if err != nil {
		return err
	}
	switch {
	case existing == nil, existing.Name == function.Name && existing.DeletionTimestamp != nil:
	case existing.Name == function.Name:
		// The backend refuses it, unless the object goes meanwhile.
		view.SetReason(ctx, alreadyExistsReason(&function.Spec))
	default:
		return alreadyExists(function, existing)
	}
	if dryRun {
		return nil
	}
	return c.ensureConnection(ctx, genericapirequest.NamespaceValue(ctx), function.Spec.Cluster)
}

// move prepares the namespace for a function that goes to another Pulsar cluster.
func (c *creation) move(ctx context.Context, obj, old runtime.Object, dryRun bool) error {
	cluster, before := obj.(*v1alpha1.PulsarFunction).Spec.Cluster, old.(*v1alpha1.PulsarFunction).Spec.Cluster
	if cluster == before || dryRun {
		return nil
	}
	return c.ensureConnection(ctx, genericapirequest.NamespaceValue(ctx), cluster)
}

// find returns an object with the Pulsar identity of function, or nil. Objects
// that this server made carry the identity in a label; the others, made by hand or by
// the Java worker, don't, and are all looked at.
func (c *creation) find(ctx context.Context, function *v1alpha1.PulsarFunction) (*v1alpha1.PulsarFunction, error) {
	id := identityOf(function)
	unlabelled, err := labels.NewRequirement(identity.LabelIdentity, selection.DoesNotExist, nil)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	for _, selector := range []labels.Selector{
		labels.SelectorFromSet(labels.Set{identity.LabelIdentity: id.Label()}),
		labels.NewSelector().Add(*unlabelled),
	} {
		options := &metainternalversion.ListOptions{LabelSelector: selector, Limit: listPageSize}
		for {
			list, err := c.list(ctx, options)
			if err != nil {
				return nil, err
			}
			page := list.(*v1alpha1.PulsarFunctionList)
			for i := range page.Items {
				if existing := &page.Items[i]; identityOf(existing) == id {
					return existing, nil
				}
			}
			if page.Continue == "" {
				break
			}
			options.Continue = page.Continue
		}
	}
	return nil, nil
}

func identityOf(function *v1alpha1.PulsarFunction) identity.Name {
	spec := &function.Spec
	return identity.Name{Tenant: spec.Tenant, Namespace: spec.Namespace, Name: spec.Name}
}

var _ crstorage.Translator[computev1alpha1.Function, *v1alpha1.PulsarFunction] = (*translation.FunctionTranslator)(nil)
