package shim

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/tokens"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// Options are what the command line says.
type Options struct {
	// BindAddress is the IP address of both listeners.
	BindAddress string
	// Port is that of the plain listener, SecurePort that of the TLS listener; 0
	// leaves the listener out.
	Port, SecurePort int
	// AllowInsecureRemote lets the plain listener be on an address that other
	// machines reach.
	AllowInsecureRemote bool
	// TLSCertFile and TLSPrivateKeyFile are the serving certificate.
	TLSCertFile, TLSPrivateKeyFile string

	// APIServer is the https URL of functionmesh-apiserver, APIServerCAFile the
	// certificates to verify it with.
	APIServer, APIServerCAFile string
	// FrontProxyClientCertFile and FrontProxyClientKeyFile are the certificate with
	// which the shim vouches for users.
	FrontProxyClientCertFile, FrontProxyClientKeyFile string
	// TokenFile has the token of the shim's own account, which fills the index of
	// components. Without one there is no index.
	TokenFile string

	// APIServerService is the NAMESPACE/NAME of functionmesh-apiserver's Service, from
	// which its replicas are read. Without one they are as many as APIServer names: one.
	APIServerService string
	// Kubeconfig says how to reach kube-apiserver, which tells what each namespace serves
	// and which replicas APIServerService has. Without one it is that of the cluster in
	// which the shim runs.
	Kubeconfig string

	// PassthroughURL is the broker to which is forwarded what isn't served here, empty
	// for none, PassthroughCAFile the certificates to verify it with.
	PassthroughURL, PassthroughCAFile string
	// AllowInsecurePassthrough lets tokens go to such a broker over plain HTTP.
	AllowInsecurePassthrough bool

	// DefaultNamespace is the Kubernetes namespace that serves what none claims; empty for
	// no such namespace.
	DefaultNamespace string
	// Authentication says whom the shim knows by itself.
	Authentication AuthenticationOptions

	// PackageServiceURL is the broker whose package service takes the files that creates and
	// updates bring, empty where they are refused, PackageServiceCAFile the certificates to
	// verify it with.
	PackageServiceURL, PackageServiceCAFile string
	// PackageServiceTokenFile has the token of the shim's own account at the package service,
	// for callers who have none of Pulsar's; empty for no such account.
	PackageServiceTokenFile string
	// PulsarCAFile has the certificates to verify the brokers with that triggers go to, empty
	// for the system's. Where these are, functionmesh-apiserver says.
	PulsarCAFile string
	// MaxPackageBytes bounds such a file.
	MaxPackageBytes int64

	// MaxConfigBytes bounds a component's config in a request.
	MaxConfigBytes int64
	// MaxFormParts bounds the parts of a request's form.
	MaxFormParts int
	// MaxListed bounds the objects in a list.
	MaxListed int
	// MaxRequestsInFlight bounds the requests that are answered at once.
	MaxRequestsInFlight int
	// RequestTimeout bounds each request, from its first byte to the last of its
	// answer.
	RequestTimeout time.Duration
	// ReadHeaderTimeout bounds how long a connection may take to say what it wants, and
	// IdleTimeout how long it may wait for its next request.
	ReadHeaderTimeout, IdleTimeout time.Duration
	// ShutdownDelay is for how long the shim goes on serving, not ready, after it was
	// told to stop.
	ShutdownDelay time.Duration
}

// NewOptions returns the defaults.
func NewOptions() *Options {
	return &Options{
		BindAddress:         "127.0.0.1",
		Authentication:      AuthenticationOptions{Tokens: tokens.ProviderConfig{RoleClaim: "sub", AudienceClaim: "aud"}},
		Port:                6750,
		MaxPackageBytes:     512 << 20,
		MaxConfigBytes:      256 << 10,
		MaxFormParts:        16,
		MaxListed:           defaultMaxListed,
		MaxRequestsInFlight: 200,
		RequestTimeout:      30 * time.Second,
		ReadHeaderTimeout:   10 * time.Second,
		IdleTimeout:         90 * time.Second,
	}
}

// AddFlags adds a flag for each option.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.BindAddress, "bind-address", o.BindAddress, "IP address to listen on.")
	flags.IntVar(&o.Port, "port", o.Port, "Port for plain HTTP; 0 for none.")
	flags.BoolVar(&o.AllowInsecureRemote, "insecure-allow-remote", o.AllowInsecureRemote,
		"Serve plain HTTP on an address that other machines can reach. Credentials then cross the network in clear text. Requests without one have to use an IP address or localhost as the host.")
	flags.IntVar(&o.SecurePort, "secure-port", o.SecurePort, "Port for HTTPS; 0 for none.")
	flags.StringVar(&o.TLSCertFile, "tls-cert-file", o.TLSCertFile, "Serving certificate with intermediates, PEM. Read again when it changes.")
	flags.StringVar(&o.TLSPrivateKeyFile, "tls-private-key-file", o.TLSPrivateKeyFile, "Private key of --tls-cert-file, PEM.")

	flags.StringVar(&o.APIServer, "apiserver", o.APIServer, "URL of functionmesh-apiserver: https://host[:port].")
	flags.StringVar(&o.APIServerCAFile, "apiserver-ca-file", o.APIServerCAFile, "Certificates to verify functionmesh-apiserver with, PEM. Read again when it changes.")
	flags.StringVar(&o.FrontProxyClientCertFile, "front-proxy-client-cert-file", o.FrontProxyClientCertFile,
		"Client certificate by which functionmesh-apiserver believes the shim who calls, PEM. Read again when it changes.")
	flags.StringVar(&o.FrontProxyClientKeyFile, "front-proxy-client-key-file", o.FrontProxyClientKeyFile, "Private key of --front-proxy-client-cert-file, PEM.")
	flags.StringVar(&o.TokenFile, "token-file", o.TokenFile,
		"Token of the shim's own account, for the index of functions, sinks and sources. Without it they are found by name and label only. Read again when it changes.")

	flags.StringVar(&o.APIServerService, "apiserver-service", o.APIServerService,
		"NAMESPACE/NAME of functionmesh-apiserver's Service. Its endpoints, and the Lease of the same name, are what Pulsar's clients see as functions workers.")
	flags.StringVar(&o.Kubeconfig, "kubeconfig", o.Kubeconfig, "How to reach kube-apiserver, where that isn't the cluster's own. Namespaces are watched there, and --apiserver-service is read.")

	flags.StringVar(&o.PassthroughURL, "passthrough-url", o.PassthroughURL,
		"URL of a broker or a Pulsar proxy, http(s)://host[:port], that answers every other path of Pulsar's admin API. Of credentials it gets those tokens only that are Pulsar's.")
	flags.StringVar(&o.PassthroughCAFile, "passthrough-ca-file", o.PassthroughCAFile, "Certificates to verify --passthrough-url with, PEM, instead of the system's.")

	flags.BoolVar(&o.AllowInsecurePassthrough, "insecure-passthrough", o.AllowInsecurePassthrough,
		"Send the tokens that are Pulsar's to a --passthrough-url or --package-service-url of plain HTTP on another machine, or with a trigger to a Pulsar cluster without TLS. They then cross the network in clear text.")

	flags.StringVar(&o.DefaultNamespace, "default-namespace", o.DefaultNamespace,
		"Kubernetes namespace that serves the Pulsar namespaces which no Namespace claims by annotation "+tenancy.Annotation+", as in the configuration of functionmesh-apiserver. Without it nothing can be created in those.")
	o.Authentication.AddFlags(flags)

	flags.StringVar(&o.PackageServiceURL, "package-service-url", o.PackageServiceURL,
		"URL of a broker, http(s)://host[:port], whose package service takes the files that are uploaded with functions, sinks and sources. Of credentials it gets those tokens only that are Pulsar's. Without it such files are refused.")
	flags.StringVar(&o.PackageServiceCAFile, "package-service-ca-file", o.PackageServiceCAFile, "Certificates to verify --package-service-url with, PEM, instead of the system's.")
	flags.StringVar(&o.PackageServiceTokenFile, "package-service-token-file", o.PackageServiceTokenFile,
		"Token of the shim's own account at --package-service-url, for callers who have no token of Pulsar's: they reach with it the packages of those namespaces whose code functionmesh-apiserver lets them read or bring. Without it none is shown for them. Read again when it changes.")
	flags.StringVar(&o.PulsarCAFile, "pulsar-ca-file", o.PulsarCAFile, "Certificates to verify the Pulsar clusters of functions with, PEM, instead of the system's. Triggers go there.")
	flags.Int64Var(&o.MaxPackageBytes, "max-package-bytes", o.MaxPackageBytes, "Largest file that is taken; a larger one gets 413. Up to twenty at once, ten of one tenant, are kept in the system's folder for temporary files.")

	flags.Int64Var(&o.MaxConfigBytes, "max-config-bytes", o.MaxConfigBytes, "Largest config in a request. The API server takes no spec of more than 96 KiB.")
	flags.IntVar(&o.MaxFormParts, "max-form-parts", o.MaxFormParts, "Parts that a form may have, those without a meaning among them; more get 413.")
	flags.IntVar(&o.MaxListed, "max-list-objects", o.MaxListed, "Functions, sinks or sources of a Kubernetes namespace that are read for a list; where there are more the list gets 413.")
	flags.IntVar(&o.MaxRequestsInFlight, "max-requests-inflight", o.MaxRequestsInFlight, "Requests that are answered at once; more get 429.")
	flags.DurationVar(&o.RequestTimeout, "request-timeout", o.RequestTimeout, "Time that a request may take in all.")
	flags.DurationVar(&o.ReadHeaderTimeout, "read-header-timeout", o.ReadHeaderTimeout, "Time that the headers of a request may take.")
	flags.DurationVar(&o.IdleTimeout, "idle-timeout", o.IdleTimeout, "Time that a connection may wait for its next request.")
	flags.DurationVar(&o.ShutdownDelay, "shutdown-delay-duration", o.ShutdownDelay,
		"Time to go on serving after a signal to stop, while /readyz fails and load balancers move on.")
}

// Validate returns everything that is wrong with the options.
func (o *Options) Validate() []error {
	var failures []error
	fail := func(format string, args ...any) { failures = append(failures, fmt.Errorf(format, args...)) }

	address := net.ParseIP(o.BindAddress)
	if address == nil {
		fail("--bind-address %q is not an IP address", o.BindAddress)
	}
	for _, port := range []struct {
		flag   string
		number int
	}{{"--port", o.Port}, {"--secure-port", o.SecurePort}} {
		if port.number < 0 || port.number > 65535 {
			fail("%s %d is not between 0 and 65535", port.flag, port.number)
		}
	}
	if o.Port == 0 && o.SecurePort == 0 {
		fail("one of --port and --secure-port is needed")
	}
	if o.Port != 0 && o.Port == o.SecurePort {
		fail("--port and --secure-port are the same")
	}
	if o.Port != 0 && address != nil && !address.IsLoopback() && !o.AllowInsecureRemote {
		fail("plain HTTP on %s would send credentials over the network in clear text: "+
			"use --secure-port with --port=0, or say --insecure-allow-remote", o.BindAddress)
	}
	if (o.TLSCertFile == "") != (o.TLSPrivateKeyFile == "") {
		fail("--tls-cert-file and --tls-private-key-file go together")
	}
	if o.SecurePort != 0 && o.TLSCertFile == "" {
		fail("--secure-port needs --tls-cert-file and --tls-private-key-file")
	}
	if err := validateURL(o.APIServer, "https"); err != nil {
		fail("--apiserver: %w", err)
	}
	for _, failure := range o.validateOthers() {
		fail("%w", failure)
	}
	if o.APIServerCAFile == "" {
		fail("--apiserver-ca-file is needed")
	}
	if (o.FrontProxyClientCertFile == "") != (o.FrontProxyClientKeyFile == "") {
		fail("--front-proxy-client-cert-file and --front-proxy-client-key-file go together")
	}
	if flag, vouches := o.Authentication.vouches(); vouches && o.FrontProxyClientCertFile == "" {
		fail("%s needs --front-proxy-client-cert-file: functionmesh-apiserver takes user names from nobody else", flag)
	}
	if o.Authentication.ClientCAFile != "" && o.SecurePort == 0 {
		fail("--client-ca-file needs --secure-port: there are no certificates on plain HTTP")
	}
	failures = append(failures, o.Authentication.Validate()...)
	if o.DefaultNamespace != "" && len(validation.IsDNS1123Label(o.DefaultNamespace)) > 0 {
		fail("--default-namespace %q is not the name of a namespace", o.DefaultNamespace)
	}
	return append(failures, o.validateLimits()...)
}

// validateOthers checks what names other servers than functionmesh-apiserver.
func (o *Options) validateOthers() []error {
	var failures []error
	namespace, name, _ := strings.Cut(o.APIServerService, "/")
	if o.APIServerService != "" && (len(validation.IsDNS1123Label(namespace)) > 0 || len(validation.IsDNS1035Label(name)) > 0) {
		failures = append(failures, fmt.Errorf("--apiserver-service %q is not NAMESPACE/NAME", o.APIServerService))
	}
	if o.PassthroughURL != "" {
		if err := validateURL(o.PassthroughURL, "http", "https"); err != nil {
			failures = append(failures, fmt.Errorf("--passthrough-url: %w", err))
		}
	}
	if broker, err := url.Parse(o.PassthroughURL); err == nil && broker.Scheme == "http" && o.Authentication.knowsTokens() &&
		!isLoopback(broker.Hostname()) && !o.AllowInsecurePassthrough {
		failures = append(failures, errors.New("--passthrough-url with http:// would send tokens over the network in clear text: use https://, or say --insecure-passthrough"))
	}
	if o.PackageServiceURL != "" {
		if err := validateURL(o.PackageServiceURL, "http", "https"); err != nil {
			failures = append(failures, fmt.Errorf("--package-service-url: %w", err))
		}
	}
	if service, err := url.Parse(o.PackageServiceURL); err == nil && service.Scheme == "http" && (o.Authentication.knowsTokens() || o.PackageServiceTokenFile != "") &&
		!isLoopback(service.Hostname()) && !o.AllowInsecurePassthrough {
		failures = append(failures, errors.New("--package-service-url with http:// would send tokens over the network in clear text: use https://, or say --insecure-passthrough"))
	}
	if o.PackageServiceCAFile != "" && o.PackageServiceURL == "" {
		failures = append(failures, errors.New("--package-service-ca-file is for --package-service-url only"))
	}
	if o.PackageServiceTokenFile != "" && o.PackageServiceURL == "" {
		failures = append(failures, errors.New("--package-service-token-file is for --package-service-url only"))
	}
	if o.PassthroughCAFile != "" && o.PassthroughURL == "" {
		failures = append(failures, errors.New("--passthrough-ca-file is for --passthrough-url only"))
	}
	return failures
}

// validateLimits checks what bounds requests.
func (o *Options) validateLimits() []error {
	var failures []error
	for _, limit := range []struct {
		flag  string
		value int64
	}{
		{"--max-package-bytes", o.MaxPackageBytes}, {"--max-config-bytes", o.MaxConfigBytes}, {"--max-form-parts", int64(o.MaxFormParts)}, {"--max-list-objects", int64(o.MaxListed)},
		{"--max-requests-inflight", int64(o.MaxRequestsInFlight)},
	} {
		if limit.value <= 0 {
			failures = append(failures, fmt.Errorf("%s must be positive", limit.flag))
		}
	}
	for _, limit := range []struct {
		flag  string
		value time.Duration
	}{
		{"--request-timeout", o.RequestTimeout}, {"--read-header-timeout", o.ReadHeaderTimeout}, {"--idle-timeout", o.IdleTimeout},
	} {
		if limit.value < time.Second {
			failures = append(failures, fmt.Errorf("%s must be at least 1s", limit.flag))
		}
	}
	if o.ShutdownDelay < 0 {
		failures = append(failures, errors.New("--shutdown-delay-duration must not be negative"))
	}
	return failures
}

// validateURL checks a URL of a server. The text isn't repeated: it may hold a
// credential.
func validateURL(text string, schemes ...string) error {
	parsed, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("a URL is needed")
	case err != nil:
		return errors.New("not a URL")
	case !slices.Contains(schemes, parsed.Scheme) || parsed.Host == "" || parsed.User != nil:
		return fmt.Errorf("must be %s://host[:port]", strings.Join(schemes, " or "))
	case parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != "" || parsed.Fragment != "":
		return errors.New("must end after the port")
	}
	return nil
}

// isLoopback tells whether a host is this machine, by a name that needs no look-up.
func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
