package shim

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

const (
	// passthroughTimeout bounds a forwarded request, which may carry a package.
	passthroughTimeout = 15 * time.Minute
	// brokerTimeout bounds how long the broker may take to begin its answer, from the
	// end of the request.
	brokerTimeout       = 2 * time.Minute
	maxBrokerConns      = 256
	operationForwarding = "passthrough"
)

// forwardedHeaders are the headers of a request that the broker gets to see. What says
// who a request is from is not among them, since a Kubernetes token is nothing that a
// broker may have. Tokens that are Pulsar's are added.
var forwardedHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Unmodified-Since", "Range", "User-Agent",
}

// forwardedRoots are what paths begin with that are Pulsar's admin API.
var forwardedRoots = []string{"/admin", "/lookup"}

// passthrough forwards to a broker what is Pulsar's admin API but not served here, so
// that one address serves everything.
type passthrough struct {
	authenticator caller.Authenticator
	// prove returns an error when the API server doesn't take the credential of the
	// caller in the context.
	prove func(context.Context) error
	proxy http.Handler
}

// newPassthrough returns a passthrough to a broker at a URL without a path.
func newPassthrough(broker *url.URL, transport http.RoundTripper, authenticator caller.Authenticator, prove func(context.Context) error) *passthrough {
	return &passthrough{authenticator: authenticator, prove: prove, proxy: &httputil.ReverseProxy{
		Rewrite: func(forwarded *httputil.ProxyRequest) {
			forwarded.SetURL(broker)
			header := http.Header{}
			for _, name := range forwardedHeaders {
				if values, given := forwarded.Out.Header[name]; given {
					header[name] = values
				}
			}
			if info := requestInfoFrom(forwarded.In.Context()); info != nil {
				header.Set(requestIDHeader, info.id)
			}
			addPulsarToken(forwarded.In.Context(), header)
			forwarded.Out.Header = header
		},
		Transport: transport,
		// What comes is passed on at once: an answer may be a stream.
		FlushInterval: -1,
		ErrorHandler:  writeForwardingError,
		ErrorLog:      log.New(connectionErrors{klog.Background()}, "", 0),
	}}
}

// addPulsarToken adds the token of a caller whom the shim knows by a token of Pulsar's. The
// broker judges it anew. What a proxy says about for whom it calls goes along: without
// it the broker would answer to the proxy.
func addPulsarToken(ctx context.Context, header http.Header) {
	origin := caller.FromContext(ctx)
	if origin == nil {
		return
	}
	token, originalPrincipal := origin.PulsarToken()
	if token == "" {
		return
	}
	header.Set("Authorization", "Bearer "+token)
	if originalPrincipal != "" {
		header.Set("X-Original-Principal", originalPrincipal)
	}
}

// newBrokerTransport returns a transport that takes as much of a broker as is good.
func newBrokerTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  brokerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxConnsPerHost:        maxBrokerConns,
		MaxIdleConnsPerHost:    maxBrokerConns / 8,
		MaxResponseHeaderBytes: maxHeaderBytes,
		// Whatever the client and the broker agree on is for them.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
	}
}

func writeForwardingError(writer http.ResponseWriter, request *http.Request, err error) {
	answer := errorf(http.StatusBadGateway, "The broker could not be reached. Please try again in a little while.")
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		answer = errorf(http.StatusGatewayTimeout, "The broker did not answer in time. Please try again in a little while.")
	}
	answer.cause = err
	writeError(writer, request, answer)
}

func (p *passthrough) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	info := requestInfoFrom(request.Context())
	info.operation, info.route = operationForwarding, "/…"
	credential, err := p.authenticator.Authenticate(request)
	if err != nil {
		writeError(writer, request, credentialError(request.Context(), err))
		return
	}
	ctx := caller.NewContext(request.Context(), info.id, credential)
	if !credential.Proven() {
		if err := p.prove(ctx); err != nil {
			writeError(writer, request, component{}.translate(err))
			return
		}
	}
	// The server's limits are for short requests, and it would hold an answer back until
	// all of the request has come. Where that can't be changed, it stays so.
	connection := http.NewResponseController(writer)
	if err := errors.Join(
		connection.SetReadDeadline(time.Now().Add(passthroughTimeout)),
		connection.SetWriteDeadline(time.Now().Add(passthroughTimeout+answerTime)),
		connection.EnableFullDuplex(),
	); err != nil {
		klog.FromContext(ctx).V(4).Info("Could not make a request a long one", "err", err)
	}
	p.proxy.ServeHTTP(writer, request.WithContext(ctx))
}

// proveCaller returns a function that asks the API server whether it knows the caller
// in a context. One that it knows may do nothing at all and is known all the same.
func proveCaller(superuser superuser) func(context.Context) error {
	return func(ctx context.Context) error {
		err := superuser.client.Get().MaxRetries(0).Do(caller.Aside(ctx)).Error()
		if err == nil || apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			return nil
		}
		return err
	}
}

// isForwarded tells whether a path, as it was sent, is the broker's to answer: part of
// Pulsar's admin API, and nothing that is served here. A path that a server might read
// as another one is never the broker's.
func isForwarded(escaped string) bool {
	decoded, err := url.PathUnescape(escaped)
	if err != nil || strings.ContainsAny(decoded, "\\\x00\r\n") {
		return false
	}
	segments := strings.Split(decoded, "/")
	for i, segment := range segments {
		// Some servers cut parameters off before they look at a segment.
		segments[i], _, _ = strings.Cut(segment, ";")
		if segments[i] == "." || segments[i] == ".." {
			return false
		}
	}
	clean := strings.ToLower(path.Clean("/" + strings.Join(segments, "/")))
	within := func(root string) bool { return clean == root || strings.HasPrefix(clean, root+"/") }
	return slices.ContainsFunc(forwardedRoots, within) && !slices.ContainsFunc(ownRoots(), within)
}

// ownRoots are what the paths of requests begin with that are never the broker's.
func ownRoots() []string {
	roots := append([]string{functionsV2Path}, workerPaths...)
	roots = append(roots, workerStatsPaths...)
	for _, name := range []string{"function", "sink", "source"} {
		roots = append(roots, "/admin/v3/"+name, "/admin/v3/"+name+"s", "/admin/v2/"+name, "/admin/v2/"+name+"s")
	}
	return roots
}

// withPassthrough lets a passthrough answer what is the broker's.
func withPassthrough(own, passthrough http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if isForwarded(request.URL.EscapedPath()) {
			passthrough.ServeHTTP(writer, request)
			return
		}
		own.ServeHTTP(writer, request)
	})
}
