package shim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/cert"
	"k8s.io/component-base/version"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
	"github.com/function-mesh/functionmesh-apiserver/pkg/trigger"
)

// fieldManager is who managedFields say wrote what comes through the shim.
const fieldManager = "pulsar-admin-shim"

// Config is everything that a server needs, with files opened, addresses checked
// and clients made.
type Config struct {
	// PlainAddress and SecureAddress are host:port to listen on, empty for none.
	PlainAddress, SecureAddress string
	// ServingCert is for the secure listener.
	ServingCert *dynamiccertificates.DynamicCertKeyPairContent

	// APIServer is the URL of functionmesh-apiserver, without a slash at the end.
	APIServer string
	// Client makes each call as the caller in the context.
	Client versioned.Interface
	// OwnClient calls as the shim's own account; nil where it has none.
	OwnClient versioned.Interface
	// ProbeClient asks whether functionmesh-apiserver is ready.
	ProbeClient *http.Client

	// Places tells which Kubernetes namespace serves which Pulsar namespace, and
	// RunPlaces, unless it is nil, keeps it up to date until the context ends.
	Places    places
	RunPlaces func(context.Context)
	// Replicas tells which replicas functionmesh-apiserver has.
	Replicas replicas
	// Broker is the URL of the broker to which is forwarded what isn't served here, nil
	// for none, and BrokerTransport the way to it.
	Broker          *url.URL
	BrokerTransport http.RoundTripper

	Authenticator caller.Authenticator
	// ClientCA verifies the certificates of clients; nil where they are not asked for any.
	ClientCA *dynamiccertificates.DynamicFileCAContent
	// Background runs for as long as the server.
	Background []func(context.Context)

	// Uploads takes files, and Downloads sends packages; both are nil without a package
	// service.
	Uploads   *uploads
	Downloads *downloads
	// Triggers send messages to functions.
	Triggers *triggers

	MaxConfigBytes      int64
	MaxFormParts        int
	MaxListed           int
	MaxRequestsInFlight int
	RequestTimeout      time.Duration
	ReadHeaderTimeout   time.Duration
	IdleTimeout         time.Duration
	ShutdownDelay       time.Duration
}

// Config turns options, which must be valid, into what a server needs.
func (o *Options) Config() (*Config, error) {
	config := &Config{
		APIServer:           strings.TrimSuffix(o.APIServer, "/"),
		MaxConfigBytes:      o.MaxConfigBytes,
		MaxFormParts:        o.MaxFormParts,
		MaxListed:           o.MaxListed,
		MaxRequestsInFlight: o.MaxRequestsInFlight,
		RequestTimeout:      o.RequestTimeout,
		ReadHeaderTimeout:   o.ReadHeaderTimeout,
		IdleTimeout:         o.IdleTimeout,
		ShutdownDelay:       o.ShutdownDelay,
	}
	if o.Port != 0 {
		config.PlainAddress = net.JoinHostPort(o.BindAddress, strconv.Itoa(o.Port))
	}
	if o.SecurePort != 0 {
		config.SecureAddress = net.JoinHostPort(o.BindAddress, strconv.Itoa(o.SecurePort))
		cert, err := dynamiccertificates.NewDynamicServingContentFromFiles("serving-cert", o.TLSCertFile, o.TLSPrivateKeyFile)
		if err != nil {
			return nil, fmt.Errorf("could not load the serving certificate: %w", err)
		}
		config.ServingCert = cert
	}
	if err := o.Authentication.apply(config); err != nil {
		return nil, err
	}
	if err := o.addClients(config); err != nil {
		return nil, err
	}
	if err := o.addKubernetes(config); err != nil {
		return nil, err
	}
	if err := o.addPackageService(config); err != nil {
		return nil, err
	}
	client, err := trigger.NewClient(o.PulsarCAFile)
	if err != nil {
		return nil, err
	}
	config.Triggers = newTriggers(client, o.AllowInsecurePassthrough)
	return config, o.addBroker(config)
}

func (o *Options) addPackageService(config *Config) error {
	if o.PackageServiceURL == "" {
		return nil
	}
	transport := newBrokerTransport()
	if o.PackageServiceCAFile != "" {
		pool, err := cert.NewPool(o.PackageServiceCAFile)
		if err != nil {
			return fmt.Errorf("could not load the certificates for the package service: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	service, err := packageservice.NewClient(o.PackageServiceURL, transport)
	if err != nil {
		return err
	}
	packages, err := newPackages(service, config.Places.Installation, o.PackageServiceTokenFile)
	if err != nil {
		return err
	}
	config.Uploads, config.Downloads = newUploads(packages, o.MaxPackageBytes), newDownloads(packages)
	return nil
}

// addKubernetes adds what is read from kube-apiserver.
func (o *Options) addKubernetes(config *Config) error {
	// Without a file this is the account of the pod that the shim runs in.
	kubeConfig, err := clientcmd.BuildConfigFromFlags("", o.Kubeconfig)
	if err != nil {
		return fmt.Errorf("could not find kube-apiserver: %w", err)
	}
	kubeConfig.UserAgent = userAgent()
	client, err := kubernetes.NewForConfig(kubeConfig)
	if err != nil {
		return fmt.Errorf("could not make a client for kube-apiserver: %w", err)
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(tenancy.Strip))
	if config.Places, err = tenancy.NewIndex(factory.Core().V1().Namespaces().Informer(), o.DefaultNamespace); err != nil {
		return err
	}
	config.RunPlaces = func(ctx context.Context) {
		factory.Start(ctx.Done())
		<-ctx.Done()
		factory.Shutdown()
	}
	if o.APIServerService == "" {
		config.Replicas = addressReplicas{url: config.APIServer}
		return nil
	}
	namespace, name, _ := strings.Cut(o.APIServerService, "/")
	config.Replicas = &serviceReplicas{client: client, namespace: namespace, name: name}
	return nil
}

func (o *Options) addBroker(config *Config) error {
	if o.PassthroughURL == "" {
		return nil
	}
	broker, err := url.Parse(strings.TrimSuffix(o.PassthroughURL, "/"))
	if err != nil {
		return errors.New("could not read --passthrough-url: not a URL")
	}
	transport := newBrokerTransport()
	if o.PassthroughCAFile != "" {
		pool, err := cert.NewPool(o.PassthroughCAFile)
		if err != nil {
			return fmt.Errorf("could not load the certificates for the broker: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	config.Broker, config.BrokerTransport = broker, transport
	return nil
}

func (o *Options) addClients(config *Config) error {
	asCaller, err := caller.NewTransport(caller.TransportConfig{
		CAFile:   o.APIServerCAFile,
		CertFile: o.FrontProxyClientCertFile,
		KeyFile:  o.FrontProxyClientKeyFile,
	})
	if err != nil {
		return err
	}
	clientConfig := &rest.Config{
		Host: config.APIServer,
		// The API server decides how much is too much: a limit here would make one
		// caller wait for another.
		QPS:                       -1,
		WarningHandlerWithContext: caller.WarningCollector{},
	}
	config.Client, err = versioned.NewForConfigAndClient(clientConfig, &http.Client{
		Transport: transport.NewUserAgentRoundTripper(userAgent(), asCaller),
		Timeout:   o.RequestTimeout,
		// A redirect would carry the caller's token to where nobody meant it to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	if err != nil {
		return fmt.Errorf("could not make a client for callers: %w", err)
	}

	own := &rest.Config{
		Host:            config.APIServer,
		UserAgent:       userAgent(),
		QPS:             -1,
		BearerTokenFile: o.TokenFile,
		TLSClientConfig: rest.TLSClientConfig{CAFile: o.APIServerCAFile},
	}
	ownTransport, err := rest.HTTPClientFor(own)
	if err != nil {
		return fmt.Errorf("could not make a client for the shim's own account: %w", err)
	}
	config.ProbeClient = ownTransport
	if o.TokenFile == "" {
		return nil
	}
	config.OwnClient, err = versioned.NewForConfigAndClient(own, ownTransport)
	if err != nil {
		return fmt.Errorf("could not make a client for the shim's own account: %w", err)
	}
	return nil
}

func userAgent() string {
	return fmt.Sprintf("%s/%s (%s/%s)", fieldManager, version.Get().GitVersion, runtime.GOOS, runtime.GOARCH)
}

// Complete fills in what follows from the rest.
func (c *Config) Complete() CompletedConfig {
	return CompletedConfig{&completedConfig{
		Config: c,
		baseTLS: &tls.Config{
			MinVersion: tls.VersionTLS12,
			NextProtos: []string{"h2", "http/1.1"},
		},
	}}
}

type completedConfig struct {
	*Config
	baseTLS *tls.Config
}

// CompletedConfig can only be had from Config.Complete.
type CompletedConfig struct {
	*completedConfig
}
