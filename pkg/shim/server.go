package shim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/component-base/metrics/legacyregistry"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/slots"
)

const (
	// idleTimeout is for how long the shim keeps an idle connection to another server.
	idleTimeout    = 90 * time.Second
	maxHeaderBytes = 64 << 10
	// answerTime is what an answer has to get out, also to a request that took all of
	// its own time.
	answerTime = 10 * time.Second
	// shutdownTimeout is how long requests may go on when the listeners are closed.
	shutdownTimeout = 15 * time.Second
	readinessPeriod = 2 * time.Second
)

// Server is the shim.
type Server struct {
	config    CompletedConfig
	index     *index
	readiness *readiness
	handler   http.Handler
}

// New returns a server that doesn't run yet.
func (c CompletedConfig) New() (*Server, error) {
	registerMetrics()
	server := &Server{config: c}
	if c.OwnClient != nil {
		index, err := newIndex(c.OwnClient)
		if err != nil {
			return nil, err
		}
		server.index = index
	}
	server.readiness = &readiness{
		index:  server.index,
		places: c.Places,
		ping:   pingAPIServer(c.ProbeClient, c.APIServer),
		period: readinessPeriod,
	}
	server.handler = withProbes(withRequestInfo(server.api(), c.timeOf), server.readiness)
	return server, nil
}

// api returns what serves Pulsar's admin API.
func (s *Server) api() http.Handler {
	client := s.config.Client.AdminV1alpha1()
	superuser := superuser{client: client.RESTClient()}
	lookup := &lookup{kinds: newKinds(client), places: s.config.Places, prove: proveCaller(superuser), index: s.index, maxListed: s.config.MaxListed}
	budget := newBudget(s.config.MaxConfigBytes)
	states := slots.New(maxStates)
	var kinds []*components
	for _, kind := range lookup.kinds {
		kinds = append(kinds, &components{
			kind:         kind,
			lookup:       lookup,
			limits:       formLimits{config: s.config.MaxConfigBytes, parts: s.config.MaxFormParts},
			replicas:     s.config.Replicas,
			budget:       budget,
			deletionWait: defaultDeletionWait,
			uploads:      s.config.Uploads,
			downloads:    s.config.Downloads,
			triggers:     s.config.Triggers,
			states:       states,
		})
	}
	connectors := &connectors{client: client.PulsarConnectors(), superuser: superuser}
	workers := &workers{replicas: s.config.Replicas, lookup: lookup, connectors: connectors, superuser: superuser}
	router := withEscapedPath(newRouter(s.config.Authenticator, kinds, connectors, workers))
	api := withMaxInFlight(router, s.config.MaxRequestsInFlight)
	if broker := s.config.Broker; broker != nil {
		forward := newPassthrough(broker, s.config.BrokerTransport, s.config.Authenticator, proveCaller(superuser))
		// They have slots of their own, since they may last.
		api = withPassthrough(api, withMaxInFlight(forward, s.config.MaxRequestsInFlight))
	}
	return withSameOrigin(api)
}

// timeOf returns how long a request may take.
func (c CompletedConfig) timeOf(request *http.Request) time.Duration {
	if c.Broker != nil && isForwarded(request.URL.EscapedPath()) {
		return passthroughTimeout
	}
	if c.Uploads != nil && mayBringFile(request, c.MaxConfigBytes) {
		return uploadTimeout
	}
	if c.Downloads != nil && isDownload(request) {
		return downloadTimeout
	}
	return c.RequestTimeout
}

// Handler returns what the listeners serve.
func (s *Server) Handler() http.Handler {
	return s.handler
}

// maxMetricsInFlight bounds the requests for metrics, which need no credential but cost
// more than the probes do.
const maxMetricsInFlight = 2

// withProbes serves what isn't Pulsar's API, and that without log or credential.
func withProbes(next http.Handler, readiness http.Handler) http.Handler {
	metrics := withMaxInFlight(legacyregistry.Handler(), maxMetricsInFlight)
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/healthz":
			fmt.Fprintln(writer, "ok")
		case "/readyz":
			readiness.ServeHTTP(writer, request)
		case "/metrics":
			metrics.ServeHTTP(writer, request)
		default:
			next.ServeHTTP(writer, request)
		}
	})
}

// Run serves until the context ends and then for as long as open requests need, but
// not without end. It returns nil after an orderly stop.
func (s *Server) Run(ctx context.Context) error {
	// What runs beside the listeners outlives the context: open requests need it.
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stopBackground()

	servers, err := s.listen(background)
	if err != nil {
		return err
	}
	if s.index != nil {
		running.Go(func() { s.index.run(background) })
	}
	if s.config.RunPlaces != nil {
		running.Go(func() { s.config.RunPlaces(background) })
	}
	for _, run := range s.config.Background {
		running.Go(func() { run(background) })
	}
	failed := make(chan error, len(servers))
	for _, server := range servers {
		running.Go(func() { failed <- server.serve() })
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		klog.FromContext(ctx).Info("Shutting down", "delay", s.config.ShutdownDelay)
		s.readiness.stopping.Store(true)
		select {
		case err = <-failed:
		case <-time.After(s.config.ShutdownDelay):
		}
	}
	return errors.Join(err, shutDown(servers))
}

// listener is an open port and what serves on it.
type listener struct {
	http *http.Server
	net  net.Listener
}

func (l *listener) serve() error {
	if err := l.http.Serve(l.net); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("could not serve on %s: %w", l.net.Addr(), err)
	}
	return nil
}

// listen opens the ports. What reloads the certificate runs until the context ends.
func (s *Server) listen(ctx context.Context) ([]*listener, error) {
	var listeners []*listener
	open := func(address, what string, tlsConfig *tls.Config) error {
		port, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("could not listen: %w", err)
		}
		klog.FromContext(ctx).Info("Serving", "address", port.Addr().String(), "protocol", what)
		server := s.newHTTPServer(ctx, tlsConfig)
		if tlsConfig != nil {
			port = tls.NewListener(port, tlsConfig)
		} else {
			server.Handler = withLocalHost(server.Handler)
		}
		listeners = append(listeners, &listener{http: server, net: port})
		return nil
	}
	var err error
	if s.config.PlainAddress != "" {
		err = open(s.config.PlainAddress, "http", nil)
	}
	if err == nil && s.config.SecureAddress != "" {
		var tlsConfig *tls.Config
		if tlsConfig, err = s.servingTLS(ctx); err == nil {
			err = open(s.config.SecureAddress, "https", tlsConfig)
		}
	}
	if err != nil {
		for _, opened := range listeners {
			opened.net.Close()
		}
		return nil, err
	}
	return listeners, nil
}

// servingTLS returns a configuration whose certificate follows its files until the
// context ends.
func (s *Server) servingTLS(ctx context.Context) (*tls.Config, error) {
	base := s.config.baseTLS.Clone()
	var clientCA dynamiccertificates.CAContentProvider
	if s.config.ClientCA != nil {
		// One that isn't good is no reason to end the connection: a token may come with it,
		// and a reason is for the answer. The authenticator verifies it for each request.
		base.ClientAuth = tls.RequestClientCert
		clientCA = s.config.ClientCA
	}
	controller := dynamiccertificates.NewDynamicServingCertificateController(base, clientCA, s.config.ServingCert, nil, nil)
	s.config.ServingCert.AddListener(controller)
	if s.config.ClientCA != nil {
		s.config.ClientCA.AddListener(controller)
	}
	if err := controller.RunOnce(); err != nil {
		return nil, fmt.Errorf("could not use the serving certificate: %w", err)
	}
	go s.config.ServingCert.Run(ctx, 1)
	go controller.Run(1, ctx.Done())
	config := base.Clone()
	config.GetConfigForClient = controller.GetConfigForClient
	return config, nil
}

func (s *Server) newHTTPServer(ctx context.Context, tlsConfig *tls.Config) *http.Server {
	return &http.Server{
		Handler:           s.handler,
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: s.config.ReadHeaderTimeout,
		ReadTimeout:       s.config.RequestTimeout,
		WriteTimeout:      s.config.RequestTimeout + answerTime,
		IdleTimeout:       s.config.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(connectionErrors{klog.FromContext(ctx)}, "", 0),
	}
}

// connectionErrors logs what http.Server says about connections: anybody can cause
// it at will, so it isn't logged unless asked for.
type connectionErrors struct{ logger klog.Logger }

func (c connectionErrors) Write(line []byte) (int, error) {
	c.logger.V(4).Info("Connection", "message", string(line))
	return len(line), nil
}

// shutDown lets open requests end, and cuts those off that take too long.
func shutDown(listeners []*listener) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	var failures []error
	for _, listener := range listeners {
		if err := listener.http.Shutdown(ctx); err != nil {
			failures = append(failures, fmt.Errorf("could not let requests on %s end: %w", listener.net.Addr(), err))
			listener.http.Close()
		}
	}
	return errors.Join(failures...)
}
