package apiserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/pflag"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericfilters "k8s.io/apiserver/pkg/server/filters"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
	"github.com/function-mesh/functionmesh-apiserver/pkg/controller"
	generatedopenapi "github.com/function-mesh/functionmesh-apiserver/pkg/generated/openapi"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shimauth"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

const (
	pinFlag         = "pin-packages"
	podNetworksFlag = "pod-networks"
)

// watchGracePeriod is how long open watches may go on after the server was told to
// stop. Without a bound they would be served, with an old projection, until their
// clients leave.
const watchGracePeriod = 5 * time.Second

// Options are the command line of functionmesh-apiserver.
type Options struct {
	Server      *genericoptions.ServerRunOptions
	Recommended *genericoptions.RecommendedOptions

	// ConfigFile is the configuration file: kind FunctionMeshAPIServerConfiguration.
	ConfigFile string
	// WorkerConfigFile is a functions_worker.yml of the Java worker, instead of
	// ConfigFile.
	WorkerConfigFile string
	// ConnectorsFile overrides the configuration's connectorsFile.
	ConnectorsFile string
	// DefaultNamespace overrides the configuration's defaultNamespace.
	DefaultNamespace string
	// ShimClientCAFile has the CA of the certificates with which the shim may say
	// on whose behalf it calls. Without it the shim can't.
	ShimClientCAFile string
	// ShimAllowedNames are the common names of those certificates.
	ShimAllowedNames []string
	// OAuth2SecretRules overrides the configuration's oauth2.secretRules.
	OAuth2SecretRules []string
	// VerifyOAuth2 overrides the configuration's oauth2.verify, if it was set.
	VerifyOAuth2 bool
	// RevisionHistoryLimit and PackageGracePeriod override the configuration's, if they were
	// set.
	RevisionHistoryLimit int32
	PackageGracePeriod   time.Duration
	// PinPackages overrides the configuration's pinPackages, if it was set.
	PinPackages bool
	// PodNetworks are the networks that pods have their addresses in, none for any.
	PodNetworks []string
	// Controllers says which background loops run.
	Controllers *controller.Options

	flags *pflag.FlagSet
	// file is what ConfigFile says, once the options are complete.
	file *configv1alpha1.FunctionMeshAPIServerConfiguration
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	server := genericoptions.NewServerRunOptions()
	server.ShutdownWatchTerminationGracePeriod = watchGracePeriod

	recommended := genericoptions.NewRecommendedOptions("", Codecs.LegacyCodec())
	// The state is kube-apiserver's: there is no etcd.
	recommended.Etcd = nil
	installAdmission(recommended.Admission)
	return &Options{Server: server, Recommended: recommended, ShimAllowedNames: []string{"pulsar-admin-shim"}, Controllers: controller.NewOptions()}
}

// AddFlags adds the options to a command line.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	o.flags = flags
	o.Server.AddUniversalFlags(flags)
	o.Recommended.AddFlags(flags)
	flags.StringVar(&o.ConfigFile, "config", o.ConfigFile,
		"The configuration file: apiVersion config.functionmesh.io/v1alpha1, kind FunctionMeshAPIServerConfiguration. Required, unless --worker-config is given.")
	flags.StringVar(&o.WorkerConfigFile, "worker-config", o.WorkerConfigFile,
		"The functions_worker.yml of a Function Mesh Worker Service, to be read instead of --config. What in it has no effect here is logged.")
	flags.StringVar(&o.ConnectorsFile, "connectors-file", o.ConnectorsFile,
		"The file with the built-in connectors, in the format of the Function Mesh Worker Service. Overrides connectorsFile of the configuration.")
	flags.StringVar(&o.DefaultNamespace, "default-namespace", o.DefaultNamespace,
		"The Kubernetes namespace that serves the Pulsar namespaces which no Namespace claims by annotation "+tenancy.Annotation+". Overrides defaultNamespace of the configuration. * lets those be in every namespace. Without either nothing can be created in them.")
	flags.StringVar(&o.ShimClientCAFile, "shim-client-ca-file", o.ShimClientCAFile,
		"The CA certificates of the client certificates with which pulsar-admin-shim may assert identities that begin with \"pulsar:\". Without it the shim can't assert any.")
	flags.StringSliceVar(&o.ShimAllowedNames, "shim-allowed-names", o.ShimAllowedNames,
		"The common names of those client certificates.")
	flags.StringSliceVar(&o.OAuth2SecretRules, rulesFlag, o.OAuth2SecretRules,
		"The ways in which the Secret of a caller's OAuth2 account is found: annotation, name. Overrides oauth2.secretRules of the configuration, whose default is both.")
	flags.BoolVar(&o.VerifyOAuth2, verifyFlag, o.VerifyOAuth2,
		"Ask the issuer for a token before an OAuth2 account is taken. Overrides oauth2.verify of the configuration.")
	flags.Int32Var(&o.RevisionHistoryLimit, historyFlag, o.RevisionHistoryLimit,
		"How many revisions are kept of each object, the present one among them. Overrides revisionHistoryLimit of the configuration, whose default is 10.")
	flags.DurationVar(&o.PackageGracePeriod, graceFlag, o.PackageGracePeriod,
		"For how long uploaded packages are kept that no object and no revision names. Overrides packageGracePeriod of the configuration, whose default is 24h.")
	flags.BoolVar(&o.PinPackages, pinFlag, o.PinPackages,
		"Store a package that a component names by a tag once more under its digest, and have the component name that. Overrides pinPackages of the configuration.")
	flags.StringSliceVar(&o.PodNetworks, podNetworksFlag, o.PodNetworks,
		"The networks that pods have their addresses in, such as 10.244.0.0/16. Instances are asked for their status only there. Without it they are asked at any address but those of this machine and of its link.")
	o.Controllers.AddFlags(flags)
}

// Complete reads the configuration file and makes up a certificate where none is
// given.
func (o *Options) Complete() error {
	if err := o.readConfig(); err != nil {
		return err
	}
	if err := o.Server.Complete(); err != nil {
		return fmt.Errorf("could not complete the options: %w", err)
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1)}
	if err := o.Recommended.SecureServing.MaybeDefaultWithSelfSignedCerts("localhost", nil, loopback); err != nil {
		return fmt.Errorf("could not make a certificate: %w", err)
	}
	return nil
}

func (o *Options) readConfig() error {
	var err error
	switch {
	case (o.ConfigFile == "") == (o.WorkerConfigFile == ""):
		return errors.New("could not start without a configuration: give --config or --worker-config")
	case o.ConfigFile != "":
		o.file, err = config.Load(o.ConfigFile)
	default:
		var ignored []string
		if o.file, ignored, err = config.LoadWorker(o.WorkerConfigFile); len(ignored) > 0 {
			klog.InfoS("Members of the worker's configuration that have no effect here", "file", o.WorkerConfigFile, "members", ignored)
		}
	}
	if err == nil && o.ConnectorsFile != "" {
		o.file.ConnectorsFile = o.ConnectorsFile
	}
	if err == nil && o.DefaultNamespace != "" {
		o.file.DefaultNamespace = o.DefaultNamespace
	}
	if err != nil {
		return err
	}
	if err := o.overrideHistory(); err != nil {
		return err
	}
	if o.flags != nil && o.flags.Changed(pinFlag) {
		o.file.PinPackages = o.PinPackages
		if err := config.ValidatePinning(o.file); err != nil {
			return err
		}
	}
	return o.overrideOAuth2()
}

// Validate checks completed options, and returns all that is wrong with them.
func (o *Options) Validate() error {
	errs := slices.Concat(o.Server.Validate(), o.Recommended.Validate(), o.Controllers.Validate())
	if o.DefaultNamespace != "" && o.DefaultNamespace != tenancy.Anywhere && len(validation.IsDNS1123Label(o.DefaultNamespace)) > 0 {
		errs = append(errs, fmt.Errorf("--default-namespace %q is not the name of a namespace", o.DefaultNamespace))
	}
	if o.ShimClientCAFile != "" && len(o.ShimAllowedNames) == 0 {
		errs = append(errs, errors.New("--shim-allowed-names must name at least one certificate: an empty list would allow them all"))
	}
	if _, err := o.podNetworks(); err != nil {
		errs = append(errs, err)
	}
	return utilerrors.NewAggregate(errs)
}

// podNetworks are PodNetworks, read.
func (o *Options) podNetworks() ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, text := range o.PodNetworks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--%s: could not read a network: %w", podNetworksFlag, err)
		}
		networks = append(networks, network)
	}
	return networks, nil
}

// Config makes a configuration of completed, valid options.
func (o *Options) Config() (*Config, error) {
	generic := genericapiserver.NewRecommendedConfig(Codecs.CodecFactory)
	generic.Serializer = Codecs
	generic.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	generic.FeatureGate = utilfeature.DefaultFeatureGate
	// As in kube-apiserver: who follows a log stays for as long as there is one.
	generic.LongRunningFunc = genericfilters.BasicLongRunningRequestCheck(sets.NewString("watch"), sets.NewString("log"))

	definitions := openapi.NewDefinitionNamer(publishedScheme)
	generic.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(generatedopenapi.GetOpenAPIDefinitions, definitions)
	generic.OpenAPIConfig.Info.Title = "Function Mesh API server"
	generic.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(generatedopenapi.GetOpenAPIDefinitions, definitions)
	generic.OpenAPIV3Config.Info.Title = "Function Mesh API server"

	if err := o.Server.ApplyTo(&generic.Config); err != nil {
		return nil, fmt.Errorf("could not apply the server's options: %w", err)
	}
	o.Recommended.ExtraAdmissionInitializers = o.accountInitializers
	if err := o.Recommended.ApplyTo(generic); err != nil {
		return nil, fmt.Errorf("could not apply the recommended options: %w", err)
	}
	if o.ShimClientCAFile != "" {
		shim := shimauth.Config{CAFile: o.ShimClientCAFile, AllowedNames: o.ShimAllowedNames}
		if err := shimauth.Install(shim, &generic.Authentication, generic.SecureServing); err != nil {
			return nil, err
		}
	}
	networks, err := o.podNetworks()
	if err != nil {
		return nil, err
	}
	return &Config{Generic: generic, File: o.file, PodNetworks: networks, Controllers: o.Controllers}, nil
}
