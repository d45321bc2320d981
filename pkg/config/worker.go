package config

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// workerCustom is the member of a functions_worker.yml that has what the Java worker
// of Function Mesh knows beyond Pulsar's own.
const workerCustom = "functionsWorkerServiceCustomConfigs"

// workerConfig is what is read of a functions_worker.yml.
type workerConfig struct {
	PulsarFunctionsCluster       string          `yaml:"pulsarFunctionsCluster"`
	PulsarServiceURL             string          `yaml:"pulsarServiceUrl"`
	PulsarWebServiceURL          string          `yaml:"pulsarWebServiceUrl"`
	DownloadDirectory            string          `yaml:"downloadDirectory"`
	FunctionInstanceMinResources workerResources `yaml:"functionInstanceMinResources"`
	FunctionInstanceMaxResources workerResources `yaml:"functionInstanceMaxResources"`
	FunctionURLPatterns          []string        `yaml:"additionalEnabledFunctionsUrlPatterns"`
	ConnectorURLPatterns         []string        `yaml:"additionalEnabledConnectorUrlPatterns"`
	Custom                       struct {
		FunctionEnabled      *bool             `yaml:"functionEnabled"`
		SourceEnabled        *bool             `yaml:"sourceEnabled"`
		SinkEnabled          *bool             `yaml:"sinkEnabled"`
		FunctionRunnerImages map[string]string `yaml:"functionRunnerImages"`
		DefaultResources     workerResources   `yaml:"defaultResources"`
		ConnectorsFile       string            `yaml:"connectorDefinitionsFilePath"`
	} `yaml:"functionsWorkerServiceCustomConfigs"`
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
	config, err := complete(worker.config())
	if err != nil {
		return nil, nil, fmt.Errorf("%w; in a functions_worker.yml these are %s", err, workerNames)
	}
	return config, notHonoured(worker, members), nil
}

// workerNames says how a worker's configuration calls what is required.
const workerNames = "pulsarFunctionsCluster, pulsarServiceUrl, pulsarWebServiceUrl (pulsarClusters), downloadDirectory (packageDirectory), " +
	workerCustom + ".functionRunnerImages (runnerImages)"

func (w *workerConfig) config() *v1alpha1.FunctionMeshAPIServerConfiguration {
	config := &v1alpha1.FunctionMeshAPIServerConfiguration{
		PulsarClusters: []v1alpha1.PulsarCluster{{
			Name:          w.PulsarFunctionsCluster,
			ServiceURL:    w.PulsarServiceURL,
			WebServiceURL: w.PulsarWebServiceURL,
		}},
		RunnerImages: v1alpha1.RunnerImages{
			Java:   w.Custom.FunctionRunnerImages["JAVA"],
			Python: w.Custom.FunctionRunnerImages["PYTHON"],
			Go:     w.Custom.FunctionRunnerImages["GO"],
		},
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
	return config
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

// customHonoured are the members of functionsWorkerServiceCustomConfigs that are read.
var customHonoured = []string{
	"functionEnabled", "sourceEnabled", "sinkEnabled", "functionRunnerImages", "defaultResources", "connectorDefinitionsFilePath",
	// The file is looked at more often than that.
	"connectorSearchIntervalSeconds",
}

// workerMatters are Pulsar's own members that decide what becomes of a function, and
// that have no effect here. The others are about a worker that runs functions itself,
// or about its own listeners.
var workerMatters = []string{
	"authenticationEnabled", "authenticationProviders", "authorizationEnabled", "authorizationProvider", "superUserRoles", "proxyRoles",
	"anonymousUserRole", "functionAuthProviderClassName", "clientAuthenticationPlugin", "clientAuthenticationParameters",
	"brokerClientAuthenticationEnabled", "brokerClientAuthenticationPlugin", "brokerClientAuthenticationParameters",
	"useTls", "tlsEnabled", "tlsAllowInsecureConnection", "tlsEnableHostnameVerification", "tlsTrustCertsFilePath", "brokerClientTrustCertsFilePath",
	"stateStorageServiceUrl", "stateStorageProviderImplementation", "secretsProviderConfiguratorClassName", "secretsProviderConfiguratorConfig",
	"runtimeCustomizerClassName", "runtimeCustomizerConfig", "validateConnectorConfig", "forwardSourceMessageProperty",
	"exposeAdminClientEnabled", "ignoreUnknownConfigFields",
}

// workerInstead says what to do where something has another place here.
var workerInstead = map[string]string{
	"jobNamespace":          "--default-namespace of pulsar-admin-shim",
	"authenticationEnabled": "pulsar-admin-shim's flags and Kubernetes' RBAC", "authorizationEnabled": "Kubernetes' RBAC",
	"superUserRoles": "Kubernetes' RBAC",
}

// notHonoured returns the members that are set, matter, and have no effect.
func notHonoured(worker workerConfig, members map[string]any) []string {
	var names []string
	add := func(prefix, name string, value any) {
		if !isSet(value) {
			return
		}
		full := prefix + name
		if instead, ok := workerInstead[name]; ok {
			full += " (instead: " + instead + ")"
		}
		names = append(names, full)
	}
	for name, value := range members {
		if slices.Contains(workerMatters, name) {
			add("", name, value)
		}
	}
	for _, within := range []string{workerCustom, "functionRuntimeFactoryConfigs"} {
		nested, _ := members[within].(map[string]any)
		for name, value := range nested {
			if within != workerCustom || !slices.Contains(customHonoured, name) {
				add(within+".", name, value)
			}
		}
	}
	for name, resources := range map[string]workerResources{
		workerCustom + ".defaultResources": worker.Custom.DefaultResources,
		"functionInstanceMinResources":     worker.FunctionInstanceMinResources,
		"functionInstanceMaxResources":     worker.FunctionInstanceMaxResources,
	} {
		if resources.Disk != nil {
			add(name+".", "disk", *resources.Disk)
		}
	}
	if !worker.sameURLPatterns() {
		const instead = "additionalEnabledFunctionsUrlPatterns and additionalEnabledConnectorUrlPatterns (only where both are the same)"
		names = append(names, instead)
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names
}

// isSet says whether a value is more than what stands for nothing.
func isSet(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case []any:
		return len(value) > 0
	case map[string]any:
		return len(value) > 0
	}
	return true
}
