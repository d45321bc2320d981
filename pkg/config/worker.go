package config

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
)

// workerCustom is the member of a functions_worker.yml that has what the Java worker
// of Function Mesh knows beyond Pulsar's own.
const workerCustom = "functionsWorkerServiceCustomConfigs"

// workerConfig is what is read of a functions_worker.yml.
type workerConfig struct {
	PulsarFunctionsCluster       string          `yaml:"pulsarFunctionsCluster"`
	PulsarServiceURL             string          `yaml:"pulsarServiceUrl"`
	PulsarWebServiceURL          string          `yaml:"pulsarWebServiceUrl"`
	StateStorageURL              string          `yaml:"stateStorageServiceUrl"`
	StateStorageProvider         string          `yaml:"stateStorageProviderImplementation"`
	DownloadDirectory            string          `yaml:"downloadDirectory"`
	FunctionInstanceMinResources workerResources `yaml:"functionInstanceMinResources"`
	FunctionInstanceMaxResources workerResources `yaml:"functionInstanceMaxResources"`
	FunctionURLPatterns          []string        `yaml:"additionalEnabledFunctionsUrlPatterns"`
	ConnectorURLPatterns         []string        `yaml:"additionalEnabledConnectorUrlPatterns"`
	UseTLS                       bool            `yaml:"useTls"`
	TLSAllowInsecure             bool            `yaml:"tlsAllowInsecureConnection"`
	TLSVerifyHostname            bool            `yaml:"tlsEnableHostnameVerification"`
	workerAuthentication         `yaml:",inline"`
	Custom                       struct {
		FunctionEnabled      *bool             `yaml:"functionEnabled"`
		SourceEnabled        *bool             `yaml:"sourceEnabled"`
		SinkEnabled          *bool             `yaml:"sinkEnabled"`
		FunctionRunnerImages map[string]string `yaml:"functionRunnerImages"`
		DefaultResources     workerResources   `yaml:"defaultResources"`
		ConnectorsFile       string            `yaml:"connectorDefinitionsFilePath"`
		SecretAnnotationKey  string            `yaml:"oauth2SecretAnnotationKey"`
		workerDefaults       `yaml:",inline"`
	} `yaml:"functionsWorkerServiceCustomConfigs"`
	Factory struct {
		ExtraDependenciesDir string            `yaml:"extraFunctionDependenciesDir"`
		CustomLabels         map[string]string `yaml:"customLabels"`
		JobNamespace         string            `yaml:"jobNamespace"`
	} `yaml:"functionRuntimeFactoryConfigs"`
}

// workerResources are amounts as Pulsar has them: cores and bytes.
type workerResources struct {
	CPU  *float64 `yaml:"cpu"`
	RAM  *int64   `yaml:"ram"`
	Disk *int64   `yaml:"disk"`
}

// LoadWorker reads the configuration of a Java worker, a functions_worker.yml. It also
// returns the names of the members that have no effect here and did there, with what
// to do instead where there is something.
func LoadWorker(file string) (*v1alpha1.FunctionMeshAPIServerConfiguration, []string, error) {
	data, err := read(file)
	if err != nil {
		return nil, nil, err
	}
	return ParseWorker(data)
}

// ParseWorker is LoadWorker of a text.
func ParseWorker(data []byte) (*v1alpha1.FunctionMeshAPIServerConfiguration, []string, error) {
	var worker workerConfig
	var members map[string]any
	for _, target := range []any{&worker, &members} {
		if err := yaml.Unmarshal(data, target); err != nil {
			return nil, nil, fmt.Errorf("could not parse the worker's configuration: %w", err)
		}
	}
	config, err := worker.config()
	if err != nil {
		return nil, nil, err
	}
	config, err = complete(config)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; in a functions_worker.yml these are %s", err, workerNames)
	}
	return config, notHonoured(worker, members), nil
}

// workerNames says how a worker's configuration calls what is required.
const workerNames = "pulsarFunctionsCluster, pulsarServiceUrl, pulsarWebServiceUrl, stateStorageServiceUrl (pulsarClusters), downloadDirectory (packageDirectory), " +
	workerCustom + ".functionRunnerImages (runnerImages), brokerClientAuthenticationParameters (oauth2.issuers)"

func (w *workerConfig) config() (*v1alpha1.FunctionMeshAPIServerConfiguration, error) {
	config := &v1alpha1.FunctionMeshAPIServerConfiguration{
		PulsarClusters: []v1alpha1.PulsarCluster{{
			Name:          w.PulsarFunctionsCluster,
			ServiceURL:    w.PulsarServiceURL,
			WebServiceURL: w.PulsarWebServiceURL,

			StateStorageURL: w.stateStorageURL(),
		}},
		RunnerImages: v1alpha1.RunnerImages{
			Java:   w.Custom.FunctionRunnerImages["JAVA"],
			Python: w.Custom.FunctionRunnerImages["PYTHON"],
			Go:     w.Custom.FunctionRunnerImages["GO"],
		},
		// What the Java worker has for everything is for what nobody claims.
		DefaultNamespace: w.Factory.JobNamespace,
		DefaultResources: w.Custom.DefaultResources.list(),
		MinResources:     w.FunctionInstanceMinResources.list(),
		MaxResources:     w.FunctionInstanceMaxResources.list(),
		ConnectorsFile:   w.Custom.ConnectorsFile,
		FunctionEnabled:  w.Custom.FunctionEnabled,
		SourceEnabled:    w.Custom.SourceEnabled,
		SinkEnabled:      w.Custom.SinkEnabled,
	}
	if directory := strings.TrimRight(w.DownloadDirectory, "/"); directory != "" {
		if !path.IsAbs(directory) {
			// Images of Pulsar work in this directory.
			directory = path.Join(defaultPackageDirectory, directory)
		}
		config.PackageDirectory = directory
	}
	if w.sameURLPatterns() {
		config.AdditionalPackageURLPatterns = w.FunctionURLPatterns
	}
	var err error
	if config.OAuth2, err = w.oauth2(w.Custom.SecretAnnotationKey); err != nil {
		return nil, err
	}
	return config, w.setDefaults(config)
}

// keepsTables says whether state is kept in a table service.
func (w *workerConfig) keepsTables() bool {
	return w.StateStorageProvider == "" || w.StateStorageProvider == statestore.JavaProvider
}

// stateStorageURL returns where state is kept, where that is a table service: with
// another class, instances would look for their state where it isn't.
func (w *workerConfig) stateStorageURL() string {
	if !w.keepsTables() {
		return ""
	}
	return w.StateStorageURL
}

// sameURLPatterns says whether one list can stand for both. Else either kind would be
// allowed what only the other is.
func (w *workerConfig) sameURLPatterns() bool {
	return slices.Equal(w.FunctionURLPatterns, w.ConnectorURLPatterns)
}

func (r workerResources) list() corev1.ResourceList {
	list := corev1.ResourceList{}
	if r.CPU != nil {
		const thousandths = 1000
		list[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(*r.CPU*thousandths+0.5), resource.DecimalSI)
	}
	if r.RAM != nil {
		list[corev1.ResourceMemory] = *resource.NewQuantity(*r.RAM, resource.BinarySI)
	}
	return list
}
