// Package config reads, completes and checks the configuration file of
// functionmesh-apiserver.
package config

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	apiVersion = "config.functionmesh.io/v1alpha1"
	kind       = "FunctionMeshAPIServerConfiguration"

	// maxFileSize bounds a configuration file, in bytes.
	maxFileSize = 1 << 20

	defaultPackageDirectory = "/pulsar"
	defaultCPU              = "1"
	defaultMemory           = "1Gi"
)

var (
	// clusterName and directory match what is safe in the operator's shell command.
	clusterName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	directory   = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)
)

// Load reads a configuration file, fills in its defaults and checks it. An error
// names each field that is wrong.
func Load(file string) (*v1alpha1.FunctionMeshAPIServerConfiguration, error) {
	data, err := read(file)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("could not read the configuration: %w", err)
	}
	if info.Size() > maxFileSize {
		return nil, fmt.Errorf("could not read the configuration: %s has more than %d bytes", file, maxFileSize)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("could not read the configuration: %w", err)
	}
	return data, nil
}

// Parse is Load of a text.
func Parse(data []byte) (*v1alpha1.FunctionMeshAPIServerConfiguration, error) {
	config := &v1alpha1.FunctionMeshAPIServerConfiguration{}
	if err := yaml.UnmarshalStrict(data, config); err != nil {
		return nil, fmt.Errorf("could not parse the configuration: %w", err)
	}
	if config.APIVersion != apiVersion || config.Kind != kind {
		return nil, fmt.Errorf("could not parse the configuration: it must be of kind %s and apiVersion %s", kind, apiVersion)
	}
	return complete(config)
}

// complete fills in defaults and checks all.
func complete(config *v1alpha1.FunctionMeshAPIServerConfiguration) (*v1alpha1.FunctionMeshAPIServerConfiguration, error) {
	setDefaults(config)
	if errs := validate(config); len(errs) > 0 {
		return nil, fmt.Errorf("could not accept the configuration: %w", errs.ToAggregate())
	}
	return config, nil
}

func setDefaults(config *v1alpha1.FunctionMeshAPIServerConfiguration) {
	if config.PackageDirectory == "" {
		config.PackageDirectory = defaultPackageDirectory
	}
	if config.DefaultResources == nil {
		config.DefaultResources = corev1.ResourceList{}
	}
	for name, quantity := range map[corev1.ResourceName]string{corev1.ResourceCPU: defaultCPU, corev1.ResourceMemory: defaultMemory} {
		if _, ok := config.DefaultResources[name]; !ok {
			config.DefaultResources[name] = resource.MustParse(quantity)
		}
	}
	setOAuth2Defaults(config.OAuth2)
	for _, enabled := range []**bool{&config.FunctionEnabled, &config.SourceEnabled, &config.SinkEnabled} {
		if *enabled == nil {
			*enabled = ptr.To(true)
		}
	}
}

func validate(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	clusters := field.NewPath("pulsarClusters")
	if len(config.PulsarClusters) == 0 {
		errs = append(errs, field.Required(clusters, "at least one cluster"))
	}
	seen := map[string]bool{}
	for i, cluster := range config.PulsarClusters {
		errs = append(errs, validateCluster(clusters.Index(i), cluster)...)
		if seen[cluster.Name] {
			errs = append(errs, field.Duplicate(clusters.Index(i).Child("name"), cluster.Name))
		}
		seen[cluster.Name] = true
	}
	errs = append(errs, validateConfigMapNames(config)...)
	errs = append(errs, validatePinning(config)...)
	if path.Clean(config.PackageDirectory) != config.PackageDirectory || !directory.MatchString(config.PackageDirectory) {
		errs = append(errs, field.Invalid(field.NewPath("packageDirectory"), config.PackageDirectory,
			"must be an absolute path of letters, digits, '.', '_' and '-'"))
	}
	for name, image := range map[string]string{"java": config.RunnerImages.Java, "python": config.RunnerImages.Python, "go": config.RunnerImages.Go} {
		if image == "" {
			errs = append(errs, field.Required(field.NewPath("runnerImages", name), "the image that runs such functions"))
		}
	}
	if config.DefaultNamespace != "" && config.DefaultNamespace != tenancy.Anywhere {
		for _, problem := range utilvalidation.IsDNS1123Label(config.DefaultNamespace) {
			errs = append(errs, field.Invalid(field.NewPath("defaultNamespace"), config.DefaultNamespace, problem))
		}
	}
	for i, pattern := range config.AdditionalPackageURLPatterns {
		if _, err := regexp.Compile(pattern); err != nil {
			errs = append(errs, field.Invalid(field.NewPath("additionalPackageUrlPatterns").Index(i), pattern, err.Error()))
		}
	}
	errs = append(errs, validateDefaults(config)...)
	errs = append(errs, validateOAuth2(config.OAuth2)...)
	return append(errs, validateResources(config)...)
}

// validateResources checks the three lists, and that the default is within the bounds.
func validateResources(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	defaults := field.NewPath("defaultResources")
	for _, list := range []struct {
		at    *field.Path
		value corev1.ResourceList
	}{
		{defaults, config.DefaultResources},
		{field.NewPath("minResources"), config.MinResources},
		{field.NewPath("maxResources"), config.MaxResources},
	} {
		for name, quantity := range list.value {
			if name != corev1.ResourceCPU && name != corev1.ResourceMemory {
				errs = append(errs, field.NotSupported(list.at, name, []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}))
			} else if quantity.Sign() <= 0 {
				errs = append(errs, field.Invalid(list.at.Child(string(name)), quantity.String(), "must be positive"))
			}
		}
	}
	for name, quantity := range config.DefaultResources {
		if minimum, ok := config.MinResources[name]; ok && quantity.Cmp(minimum) < 0 {
			errs = append(errs, field.Invalid(defaults.Child(string(name)), quantity.String(), "is less than minResources has: "+minimum.String()))
		}
		if maximum, ok := config.MaxResources[name]; ok && quantity.Cmp(maximum) > 0 {
			errs = append(errs, field.Invalid(defaults.Child(string(name)), quantity.String(), "is more than maxResources has: "+maximum.String()))
		}
	}
	return errs
}

func validateCluster(at *field.Path, cluster v1alpha1.PulsarCluster) field.ErrorList {
	var errs field.ErrorList
	if !clusterName.MatchString(cluster.Name) {
		errs = append(errs, field.Invalid(at.Child("name"), cluster.Name,
			"must be of letters, digits, '.', '_' and '-', and begin and end with a letter or digit"))
	}
	errs = append(errs, validateURL(at.Child("serviceUrl"), cluster.ServiceURL, "pulsar", "pulsar+ssl")...)
	errs = append(errs, validateURL(at.Child("webServiceUrl"), cluster.WebServiceURL, "http", "https")...)
	if cluster.AdminURL != "" {
		errs = append(errs, validateURL(at.Child("adminUrl"), cluster.AdminURL, "http", "https")...)
	}
	if cluster.TrustCertsFile != "" && !strings.HasPrefix(cluster.ServiceURL, "pulsar+ssl://") {
		errs = append(errs, field.Forbidden(at.Child("trustCertsFile"), "is for a serviceUrl of pulsar+ssl"))
	}
	if cluster.StateStorageURL != "" {
		if _, err := statestore.Address(cluster.StateStorageURL); err != nil {
			errs = append(errs, field.Invalid(at.Child("stateStorageUrl"), field.OmitValueType{}, err.Error()))
		}
	}
	for name, file := range map[string]string{"adminTokenFile": cluster.AdminTokenFile, "adminCaFile": cluster.AdminCAFile} {
		if file != "" && cluster.AdminURL == "" {
			errs = append(errs, field.Forbidden(at.Child(name), "is for adminUrl, which is not set"))
		}
	}
	return errs
}

// TrustCertsFiles returns the files with the certificates by which brokers are verified,
// by the name of the Pulsar cluster.
func TrustCertsFiles(config *v1alpha1.FunctionMeshAPIServerConfiguration) map[string]string {
	files := map[string]string{}
	for _, cluster := range config.PulsarClusters {
		if cluster.TrustCertsFile != "" {
			files[cluster.Name] = cluster.TrustCertsFile
		}
	}
	return files
}

// validateConfigMapNames checks the names that clusters' ConfigMaps really get: two
// clusters with one of them would share its URLs.
func validateConfigMapNames(config *v1alpha1.FunctionMeshAPIServerConfiguration) field.ErrorList {
	var errs field.ErrorList
	nameOf := translation.NewFunctionTranslator(config, nil).ConfigMapName
	clusterOf := map[string]string{}
	for i, cluster := range config.PulsarClusters {
		at, name := field.NewPath("pulsarClusters").Index(i).Child("configMapName"), nameOf(cluster.Name)
		for _, problem := range utilvalidation.IsDNS1123Subdomain(name) {
			errs = append(errs, field.Invalid(at, name, problem))
		}
		if other, taken := clusterOf[name]; taken && other != cluster.Name {
			errs = append(errs, field.Invalid(at, name, fmt.Sprintf("is the ConfigMap of cluster %q too: set another", other)))
		}
		clusterOf[name] = cluster.Name
	}
	return errs
}

func validateURL(at *field.Path, value string, schemes ...string) field.ErrorList {
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" {
		// The value may hold credentials.
		return field.ErrorList{field.Invalid(at, field.OmitValueType{}, "must be a URL with a host")}
	}
	if parsed.User != nil {
		// The value goes into a ConfigMap that everybody in the namespace may read.
		return field.ErrorList{field.Forbidden(at, "must not hold credentials")}
	}
	for _, scheme := range schemes {
		if parsed.Scheme == scheme {
			return nil
		}
	}
	return field.ErrorList{field.NotSupported(at, parsed.Scheme, schemes)}
}

// ClusterNames returns the names of the configured Pulsar clusters, the default first.
func ClusterNames(config *v1alpha1.FunctionMeshAPIServerConfiguration) []string {
	names := make([]string, len(config.PulsarClusters))
	for i, cluster := range config.PulsarClusters {
		names[i] = cluster.Name
	}
	return names
}

// DisabledKinds returns the kinds of which nothing may be created or changed.
func DisabledKinds(config *v1alpha1.FunctionMeshAPIServerConfiguration) []adminv1alpha1.ComponentKind {
	var disabled []adminv1alpha1.ComponentKind
	for _, kind := range []struct {
		kind    adminv1alpha1.ComponentKind
		enabled *bool
	}{
		{adminv1alpha1.FunctionKind, config.FunctionEnabled},
		{adminv1alpha1.SourceKind, config.SourceEnabled},
		{adminv1alpha1.SinkKind, config.SinkEnabled},
	} {
		if !ptr.Deref(kind.enabled, true) {
			disabled = append(disabled, kind.kind)
		}
	}
	return disabled
}

// PackageURLPatterns returns the patterns of allowed package URLs, each anchored so
// that it matches whole URLs only.
func PackageURLPatterns(config *v1alpha1.FunctionMeshAPIServerConfiguration) ([]*regexp.Regexp, error) {
	patterns := make([]*regexp.Regexp, len(config.AdditionalPackageURLPatterns))
	for i, pattern := range config.AdditionalPackageURLPatterns {
		compiled, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return nil, fmt.Errorf("could not compile additionalPackageUrlPatterns[%d]: %w", i, err)
		}
		patterns[i] = compiled
	}
	return patterns, nil
}
