// Package component serves functions, sources and sinks. They differ in what they
// consume and produce, which types, translation and validation know; how they are
// created, changed, scaled, suspended and printed is the same, and is here. The
// packages of the kinds hold the rest.
package component

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/generic"
	genericregistry "k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"

	"k8s.io/client-go/kubernetes"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pinning"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// Kind is what a kind has of its own.
type Kind struct {
	v1alpha1.ComponentKind

	// ShortName is the resource's name for hurried people.
	ShortName string
	// New and NewList return an empty object and an empty list.
	New     func() v1alpha1.Component
	NewList func() runtime.Object
	// Columns are printed beside those of every kind.
	Columns []Column
}

// Config is what every kind needs of the server.
type Config struct {
	// Scheme knows the kinds.
	Scheme *runtime.Scheme
	// Validation says what is allowed.
	Validation validation.Options
	// Authorizer knows the rights of callers.
	Authorizer authorizer.Authorizer
	// Secrets reaches the Secrets of tokens, with the server's own account.
	Secrets kubernetes.Interface
	// KubernetesUserPrefix begins the names of Kubernetes users that have a role in
	// Pulsar.
	KubernetesUserPrefix string
	// Identities knows the identities in Pulsar that are taken. It is shared by the
	// kinds, since they share these.
	Identities *Identities
	// Users knows which components run a package. It is shared by the kinds, since each of
	// them can run any.
	Users *Users
	// Tenancy says in which Kubernetes namespace what belongs.
	Tenancy Tenancy
	// CheckNamespace says whether a namespace exists in a Pulsar cluster: its errors are
	// those of pulsaradmin.Client.
	CheckNamespace func(ctx context.Context, cluster, tenant, namespace string) error
	// EnsureConnection gives a namespace what its components need to reach a Pulsar
	// cluster. It is called before the first write of a new component, never on a dry
	// run.
	EnsureConnection func(ctx context.Context, namespace, cluster string) error
	// Pinner gives packages the names of their contents; nil where they keep those that
	// their authors gave them.
	Pinner *pinning.Pinner
	// Resolved are the names of the Pulsar clusters whose package services are asked which
	// packages there are.
	Resolved sets.Set[string]
	// Instances knows what runs.
	Instances Instances
	// Clusters knows the Pulsar clusters.
	Clusters Clusters
	// StateStores are where components keep state, by the Pulsar cluster.
	StateStores map[string]StateStore
	// Revisions reaches the ControllerRevisions that hold what components were, with the
	// server's own account.
	Revisions appsclient.ControllerRevisionsGetter
	// Packages are the package services of clusters, by name, for the server's own account.
	Packages map[string]*packageservice.Client
	// Admission decides about updates that aren't requests of their own.
	Admission admission.Interface
}

// Clusters returns the Pulsar cluster of a name, and false if the server isn't configured
// with it.
type Clusters func(name string) (configv1alpha1.PulsarCluster, bool)

// Translator translates a kind and knows its defaults.
type Translator[CR any, View v1alpha1.Component] interface {
	crstorage.Translator[CR, View]

	// Default fills in what the author of a new component left to the server.
	Default(View)
	// DefaultUpdate does the same for a changed one.
	DefaultUpdate(view, before View)
	// ServerDefaults returns a component with nothing but what the server gives one like
	// view, whoever its author is.
	ServerDefaults(view View) View
}

// NewREST returns the storage of a kind and of its subresources, by their paths.
// client reaches the custom resources behind it.
func NewREST[CR any, P crstorage.Object[CR], View v1alpha1.Component](kind Kind, config Config, client *crstorage.Client,
	translator Translator[CR, View]) (map[string]rest.Storage, error) {
	resource := v1alpha1.Resource(kind.Resource)
	newObject := func() runtime.Object { return kind.New() }
	defaults := typedDefaults[CR, View]{translator}
	checks := &checks{config: config, defaults: defaults, owner: client.Resource.GroupVersion().WithKind(client.Kind)}
	var beforeWrite func(ctx context.Context, view, old runtime.Object) error
	if config.Pinner != nil {
		beforeWrite = checks.pin
	}
	hidden := checks.hiddenCredentialsChecker(kind.ComponentKind, client.Resource.Resource)
	storage := crstorage.New[CR, P, View](crstorage.Config{
		Client:         client,
		Resource:       resource,
		Kind:           kind.Kind,
		Prefix:         "/" + kind.Resource,
		NewObject:      newObject,
		CheckWrite:     checkReplicasWriter,
		AuthorizeWrite: hidden,
		BeforeWrite:    beforeWrite,
		InSteps:        startFirst,
		KeepObserved: func(answer, asked runtime.Object) {
			*answer.(v1alpha1.Component).ObservedStatus() = *asked.(v1alpha1.Component).ObservedStatus()
		},
	}, translator)

	strategy := newStrategy(config, defaults)
	table := newTable(kind)
	served, err := view.New(view.Config{
		Store: &genericregistry.Store{
			NewFunc:                   newObject,
			NewListFunc:               kind.NewList,
			DefaultQualifiedResource:  resource,
			SingularQualifiedResource: v1alpha1.Resource(strings.ToLower(kind.Kind)),
			CreateStrategy:            strategy,
			UpdateStrategy:            strategy,
			DeleteStrategy:            strategy,
			ResetFieldsStrategy:       strategy,
			TableConvertor:            table,
		},
		Storage:      storage,
		ShortNames:   []string{kind.ShortName},
		BeforeCreate: checks.create,
		BeforeUpdate: checks.update,
	}, generic.RESTOptions{ResourcePrefix: kind.Resource, EnableGarbageCollection: true})
	if err != nil {
		return nil, fmt.Errorf("could not serve %s: %w", resource, err)
	}
	config.Identities.add(served)
	config.Users.add(usersOf{lister: served, mayReplaceCode: checks.codeReplacer(served.Store, storage, hidden)})
	revisions := &RevisionsREST{store: served, resources: storage, client: config.Revisions}
	return map[string]rest.Storage{
		kind.Resource:                served,
		kind.Resource + "/status":    &StatusREST{store: served},
		kind.Resource + "/scale":     newScaleREST(served, resource),
		kind.Resource + "/suspend":   newSuspendREST(served, true),
		kind.Resource + "/resume":    newSuspendREST(served, false),
		kind.Resource + "/restart":   newRestartREST(served, storage, config.Instances),
		kind.Resource + "/package":   newPackageREST(served, config.Users),
		kind.Resource + "/revisions": revisions,
		kind.Resource + "/rollback": &RollbackREST{revisions: revisions, scheme: config.Scheme,
			admission: admission.WithAudit(config.Admission), packages: config.Packages, tenancy: config.Tenancy},
		kind.Resource + "/instances": &InstancesREST{store: served, instances: config.Instances},
		kind.Resource + "/log":       &LogREST{store: served, kind: kind, authorizer: config.Authorizer, instances: config.Instances},
		kind.Resource + "/state":     &StateREST{store: served, resources: storage, tenancy: config.Tenancy, stores: config.StateStores},
		kind.Resource + "/credential": &CredentialREST{store: served, crKind: client.Kind, kind: kind.ComponentKind, secrets: config.Secrets,
			userPrefix: config.KubernetesUserPrefix},
	}, nil
}

// defaults are a translator's without its type parameters.
type defaults interface {
	create(v1alpha1.Component)
	update(component, before v1alpha1.Component)
	// server returns a component with nothing but what the server gives component.
	server(component v1alpha1.Component) v1alpha1.Component
}

type typedDefaults[CR any, View v1alpha1.Component] struct{ translator Translator[CR, View] }

func (d typedDefaults[CR, View]) create(component v1alpha1.Component) {
	d.translator.Default(component.(View))
}

func (d typedDefaults[CR, View]) update(component, before v1alpha1.Component) {
	d.translator.DefaultUpdate(component.(View), before.(View))
}

func (d typedDefaults[CR, View]) server(component v1alpha1.Component) v1alpha1.Component {
	return d.translator.ServerDefaults(component.(View))
}
