package apiserver

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/registry/generic"
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
	"github.com/function-mesh/functionmesh-apiserver/pkg/crdschema"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarconnector"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/admin/pulsarfunction"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// Config is what a server is made of.
type Config struct {
	// Generic is the configuration of any API server.
	Generic *genericapiserver.RecommendedConfig
	// File is the configuration file, complete and valid.
	File *configv1alpha1.FunctionMeshAPIServerConfiguration
	// Controllers says which background loops run.
	Controllers *controller.Options
}

// CompletedConfig is a configuration that nothing is missing from.
type CompletedConfig struct {
	generic     genericapiserver.CompletedConfig
	client      *restclient.Config
	file        *configv1alpha1.FunctionMeshAPIServerConfiguration
	controllers *controller.Options
}

// Complete fills in what can be derived.
func (c *Config) Complete() CompletedConfig {
	return CompletedConfig{generic: c.Generic.Complete(), client: c.Generic.ClientConfig, file: c.File, controllers: c.Controllers}
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
	if err := server.AddPostStartHook("connectors", func(hook genericapiserver.PostStartHookContext) error {
		go catalogue.Run(hook)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("could not add a hook: %w", err)
	}
	definitions, err := crdschema.NewChecker(c.client, computev1alpha1.SchemeGroupVersion.WithResource("functions"))
	if err != nil {
		return nil, err
	}
	if err := server.AddPostStartHook("definitions", func(hook genericapiserver.PostStartHookContext) error {
		go definitions.Run(hook)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("could not add a hook: %w", err)
	}
	functions, err := c.pulsarFunctions(definitions)
	if err != nil {
		return nil, err
	}
	group := genericapiserver.NewDefaultAPIGroupInfo(v1alpha1.GroupName, Scheme, metav1.ParameterCodec, Codecs.CodecFactory)
	group.NegotiatedSerializer = Codecs
	group.VersionedResourcesStorageMap[v1alpha1.SchemeGroupVersion.Version] = map[string]rest.Storage{
		"pulsarfunctions":  functions,
		"pulsarconnectors": pulsarconnector.NewREST(catalogue),
	}
	if err := server.InstallAPIGroup(&group); err != nil {
		return nil, fmt.Errorf("could not install the API group: %w", err)
	}
	if err := controller.Install(server, c.client, c.controllers); err != nil {
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

func (c CompletedConfig) pulsarFunctions(definitions *crdschema.Checker) (rest.Storage, error) {
	client, err := crstorage.NewClient(c.client, computev1alpha1.SchemeGroupVersion.WithResource("functions"), "Function")
	if err != nil {
		return nil, err
	}
	client.Lacking = definitions.For(client.Resource)
	unlimited := restclient.CopyConfig(c.client)
	// Each new function asks for its ConfigMap: client-go's default would let five a
	// second through. Callers are subject to priority and fairness.
	unlimited.QPS = -1
	kube, err := kubernetes.NewForConfig(unlimited)
	if err != nil {
		return nil, fmt.Errorf("could not make a client: %w", err)
	}
	packageURLs, err := config.PackageURLPatterns(c.file)
	if err != nil {
		return nil, err
	}
	translator := translation.NewFunctionTranslator(c.file, nil)
	return pulsarfunction.NewREST(pulsarfunction.Config{
		Scheme:           Scheme,
		Client:           client,
		Translator:       translator,
		Validation:       validation.Options{AllowedPackageURLs: packageURLs, Clusters: config.ClusterNames(c.file)},
		EnsureConnection: connection.NewConfigMaps(kube, c.file.PulsarClusters, translator.ConfigMapName).Ensure,
	}, generic.RESTOptions{ResourcePrefix: "pulsarfunctions", EnableGarbageCollection: true})
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
