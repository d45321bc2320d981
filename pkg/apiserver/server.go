package apiserver

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/client-go/kubernetes"
	restclient "k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/validation"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connection"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller"
	packagesloop "github.com/function-mesh/functionmesh-apiserver/pkg/controller/packages"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/revisions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller/subscriptions"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crdschema"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pinning"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/component"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarconnector"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarfunction"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarsink"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarsource"
	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// Config is what a server is made of.
type Config struct {
	// Generic is the configuration of any API server.
	Generic *genericapiserver.RecommendedConfig
	// File is the configuration file, complete and valid.
	File *configv1alpha1.FunctionMeshAPIServerConfiguration
	// PodNetworks are the networks that pods have their addresses in, none for any.
	PodNetworks []netip.Prefix
	// Controllers says which background loops run.
	Controllers *controller.Options
}

// CompletedConfig is a configuration that nothing is missing from.
type CompletedConfig struct {
	generic     genericapiserver.CompletedConfig
	client      *restclient.Config
	file        *configv1alpha1.FunctionMeshAPIServerConfiguration
	podNetworks []netip.Prefix
	controllers *controller.Options
}

// Complete fills in what can be derived.
func (c *Config) Complete() CompletedConfig {
	return CompletedConfig{
		generic: c.Generic.Complete(), client: c.Generic.ClientConfig, file: c.File, podNetworks: c.PodNetworks, controllers: c.Controllers,
	}
}

// New makes the server with its API group.
func (c CompletedConfig) New() (*genericapiserver.GenericAPIServer, error) {
	server, err := c.generic.New("functionmesh-apiserver", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return nil, fmt.Errorf("could not make the server: %w", err)
	}
	if err := server.AddReadyzChecks(aggregatorKnown(c.generic.Authentication.RequestHeaderConfig)); err != nil {
		return nil, fmt.Errorf("could not add a check of readiness: %w", err)
	}
	catalogue, err := loadConnectors(c.file.ConnectorsFile)
	if err != nil {
		return nil, err
	}
	definitions, err := crdschema.NewChecker(c.client,
		computev1alpha1.SchemeGroupVersion.WithResource(computev1alpha1.FunctionResource),
		computev1alpha1.SchemeGroupVersion.WithResource(computev1alpha1.SourceResource),
		computev1alpha1.SchemeGroupVersion.WithResource(computev1alpha1.SinkResource))
	if err != nil {
		return nil, err
	}
	for name, run := range map[string]func(context.Context){"connectors": catalogue.Run, "definitions": definitions.Run} {
		if err := server.AddPostStartHook(name, func(hook genericapiserver.PostStartHookContext) error {
			go run(hook)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("could not add a hook: %w", err)
		}
	}
	claims, err := tenancy.NewIndex(c.generic.SharedInformerFactory.Core().V1().Namespaces().Informer(), c.file.DefaultNamespace)
	if err != nil {
		return nil, err
	}
	packages, err := packageServices(c.file.PulsarClusters)
	if err != nil {
		return nil, err
	}
	resources, err := c.resources(catalogue, definitions, claims, packages)
	if err != nil {
		return nil, err
	}
	group := genericapiserver.NewDefaultAPIGroupInfo(v1alpha1.GroupName, Scheme, parameterCodec, Codecs.CodecFactory)
	group.NegotiatedSerializer = Codecs
	group.VersionedResourcesStorageMap[v1alpha1.SchemeGroupVersion.Version] = resources
	if err := server.InstallAPIGroup(&group); err != nil {
		return nil, fmt.Errorf("could not install the API group: %w", err)
	}
	pulsar, err := pulsarClients(c.file.PulsarClusters, pulsaradmin.NewClient)
	if err != nil {
		return nil, err
	}
	topics, err := subscriptions.ClustersOf(c.file.PulsarClusters)
	if err != nil {
		return nil, err
	}
	if err := controller.Install(server, controller.Config{
		Client: c.client, Claims: claims, Packages: packages, Pulsar: pulsar, Topics: topics, TrustCertsFiles: config.TrustCertsFiles(c.file), Options: c.controllers,
		ConfigMapName:      translation.NewFunctionTranslator(c.file, catalogue).ConfigMapName,
		PackageGracePeriod: c.file.PackageGracePeriod.Duration,
		RevisionLimit:      int(*c.file.RevisionHistoryLimit),
		Project: map[string]revisions.Project{
			computev1alpha1.FunctionResource: translation.NewFunctionTranslator(c.file, catalogue).FromJSON,
			computev1alpha1.SourceResource:   translation.NewSourceTranslator(c.file, catalogue).FromJSON,
			computev1alpha1.SinkResource:     translation.NewSinkTranslator(c.file, catalogue).FromJSON,
		},
	}); err != nil {
		return nil, err
	}
	return server, nil
}

// loadConnectors returns the catalogue of a file, which may be none.
func loadConnectors(file string) (*connectors.Catalogue, error) {
	if file == "" {
		return connectors.NewCatalogue(nil), nil
	}
	return connectors.Load(file)
}

// resources returns the storage of all that the group serves, by path.
func (c CompletedConfig) resources(catalogue *connectors.Catalogue, definitions *crdschema.Checker, claims *tenancy.Index,
	packages map[string]*packageservice.Client) (map[string]rest.Storage, error) {
	shared, err := c.componentConfig(catalogue, claims, packages)
	if err != nil {
		return nil, err
	}
	shared.Packages = packages
	resources := map[string]rest.Storage{"pulsarconnectors": pulsarconnector.NewREST(catalogue)}
	for _, kind := range []struct {
		resource, kind string
		newREST        func(client *crstorage.Client) (map[string]rest.Storage, error)
	}{
		{computev1alpha1.FunctionResource, computev1alpha1.FunctionKind, func(client *crstorage.Client) (map[string]rest.Storage, error) {
			return pulsarfunction.NewREST(shared, client, translation.NewFunctionTranslator(c.file, catalogue))
		}},
		{computev1alpha1.SourceResource, computev1alpha1.SourceKind, func(client *crstorage.Client) (map[string]rest.Storage, error) {
			return pulsarsource.NewREST(shared, client, translation.NewSourceTranslator(c.file, catalogue))
		}},
		{computev1alpha1.SinkResource, computev1alpha1.SinkKind, func(client *crstorage.Client) (map[string]rest.Storage, error) {
			return pulsarsink.NewREST(shared, client, translation.NewSinkTranslator(c.file, catalogue))
		}},
	} {
		client, err := crstorage.NewClient(c.client, computev1alpha1.SchemeGroupVersion.WithResource(kind.resource), kind.kind)
		if err != nil {
			return nil, err
		}
		client.Lacking = definitions.For(client.Resource)
		served, err := kind.newREST(client)
		if err != nil {
			return nil, err
		}
		maps.Copy(resources, served)
	}
	return resources, nil
}

// componentConfig is what all kinds of component have in common.
func (c CompletedConfig) componentConfig(catalogue *connectors.Catalogue, claims *tenancy.Index,
	packages map[string]*packageservice.Client) (component.Config, error) {
	unlimited := restclient.CopyConfig(c.client)
	// Each new component asks for its ConfigMap: client-go's default would let five a
	// second through. Callers are subject to priority and fairness.
	unlimited.QPS = -1
	kube, err := kubernetes.NewForConfig(unlimited)
	if err != nil {
		return component.Config{}, fmt.Errorf("could not make a client: %w", err)
	}
	packageURLs, err := config.PackageURLPatterns(c.file)
	if err != nil {
		return component.Config{}, err
	}
	namespaces, err := pulsarNamespaces(c.file.PulsarClusters)
	if err != nil {
		return component.Config{}, err
	}
	states, err := stateStores(c.file.PulsarClusters)
	if err != nil {
		return component.Config{}, err
	}
	configMapName := translation.NewFunctionTranslator(c.file, catalogue).ConfigMapName
	var pinner *pinning.Pinner
	if c.file.PinPackages {
		pinner = pinning.New(packages, claims.Installation, pinning.MaxBytes)
	}
	resolved := sets.New[string]()
	if c.controllers.Enabled(packagesloop.Name) {
		resolved = sets.KeySet(packages)
	}
	userPrefix := ""
	if c.file.OAuth2 != nil {
		userPrefix = c.file.OAuth2.KubernetesUserPrefix
	}
	return component.Config{
		KubernetesUserPrefix: userPrefix,
		Secrets:              kube,

		Scheme: Scheme,
		Validation: validation.Options{
			AllowedPackageURLs: packageURLs,
			Clusters:           config.ClusterNames(c.file),
			Catalogue:          catalogue,
			DisabledKinds:      config.DisabledKinds(c.file),
			MinResources:       c.file.MinResources,
			MaxResources:       c.file.MaxResources,
		},
		Authorizer: c.generic.Authorization.Authorizer,
		Identities: &component.Identities{},
		Users:      &component.Users{},
		Tenancy: tenancy.NewEnforcer(claims, func(ctx context.Context, name string) (metav1.Object, error) {
			return kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		}),
		CheckNamespace:   namespaces,
		EnsureConnection: connection.NewConfigMaps(kube, c.file.PulsarClusters, configMapName).Ensure,
		Pinner:           pinner,
		Resolved:         resolved,
		Instances:        instances.New(kube, c.podNetworks, c.generic.DrainedNotify()),
		StateStores:      states,
		Revisions:        kube.AppsV1(),
		Admission:        c.generic.AdmissionControl,
		Clusters: func(name string) (configv1alpha1.PulsarCluster, bool) {
			at := slices.IndexFunc(c.file.PulsarClusters, func(cluster configv1alpha1.PulsarCluster) bool { return cluster.Name == name })
			if at < 0 {
				return configv1alpha1.PulsarCluster{}, false
			}
			return c.file.PulsarClusters[at], true
		},
	}, nil
}

// stateStores returns the state stores of the clusters that have one. They live as long as
// the process.
func stateStores(clusters []configv1alpha1.PulsarCluster) (map[string]component.StateStore, error) {
	stores := map[string]component.StateStore{}
	for _, cluster := range clusters {
		if cluster.StateStorageURL == "" {
			continue
		}
		store, err := statestore.New(cluster.StateStorageURL)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
		stores[cluster.Name] = store
	}
	return stores, nil
}

// Run serves until ctx ends, then stops gracefully.
func Run(ctx context.Context, options *Options) error {
	if err := options.Complete(); err != nil {
		return err
	}
	if err := options.Validate(); err != nil {
		return err
	}
	config, err := options.Config()
	if err != nil {
		return err
	}
	server, err := config.Complete().New()
	if err != nil {
		return err
	}
	return server.PrepareRun().RunWithContext(ctx)
}
