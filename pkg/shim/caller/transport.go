package caller

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/transport"
)

// auditIDHeader is the header by which the API server takes over a request's
// identifier into its audit log.
const auditIDHeader = "Audit-ID"

// forwardedForHeader is the header by which the API server learns where a request
// really comes from, for its audit log. What callers send of it is not passed on.
const forwardedForHeader = "X-Forwarded-For"

// errNoCaller is a programming error: a call that isn't made for a request.
var errNoCaller = errors.New("no caller in the context of a call to the API server")

// TransportConfig says how to reach and to convince the API server.
type TransportConfig struct {
	// CAFile holds the certificates that the API server's is verified with.
	CAFile string
	// CertFile and KeyFile are the shim's front proxy certificate, with which it
	// vouches for users. Both are empty where it vouches for nobody.
	CertFile, KeyFile string
}

// NewTransport returns a transport that makes each request as the caller in its
// context. client-go reads files again when they change.
func NewTransport(config TransportConfig) (http.RoundTripper, error) {
	// Tokens travel without the front proxy's certificate, so a token that the API
	// server doesn't take can't be mistaken for the shim's own word.
	forwarding, err := transport.New(&transport.Config{
		TLS: transport.TLSConfig{CAFile: config.CAFile},
	})
	if err != nil {
		return nil, fmt.Errorf("could not set up the transport for tokens: %w", err)
	}
	callers := &asCaller{forwarding: forwarding}
	if config.CertFile != "" {
		callers.vouching, err = transport.New(&transport.Config{
			TLS: transport.TLSConfig{CAFile: config.CAFile, CertFile: config.CertFile, KeyFile: config.KeyFile},
		})
		if err != nil {
			return nil, fmt.Errorf("could not set up the front proxy transport: %w", err)
		}
	}
	return callers, nil
}

type asCaller struct {
	forwarding, vouching http.RoundTripper
}

// RoundTrip makes the request as the caller in its context.
func (t *asCaller) RoundTrip(request *http.Request) (*http.Response, error) {
	origin := FromContext(request.Context())
	as := t.transportFor(origin)
	if as == nil {
		closeBody(request)
		return nil, errNoCaller
	}
	if origin.credential.proxy.name != "" {
		if refusal, err := t.askForProxy(request, origin); refusal != nil || err != nil {
			closeBody(request)
			return refusal, err
		}
	}
	return deliver(request.Clone(request.Context()), as, origin)
}

// deliver makes a request, which is the transport's own, with nothing of an identity but
// what the transport adds.
func deliver(request *http.Request, as http.RoundTripper, origin *Request) (*http.Response, error) {
	removeIdentity(request.Header)
	if origin.ID != "" {
		request.Header.Set(auditIDHeader, origin.ID)
	}
	if origin.Source != "" {
		request.Header.Set(forwardedForHeader, origin.Source)
	}
	response, err := as.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	origin.takeRetryAfter(response.Header)
	return response, nil
}

// transportFor returns a transport that shows the credential of a request, or nil
// when there is none to show.
func (t *asCaller) transportFor(origin *Request) http.RoundTripper {
	switch {
	case origin == nil:
		return nil
	case origin.credential.kubernetesToken != "":
		return transport.NewBearerAuthRoundTripper(origin.credential.kubernetesToken, t.forwarding)
	case origin.credential.user.name != "" && t.vouching != nil:
		return t.vouchFor(origin.credential.user)
	}
	return nil
}

func (t *asCaller) vouchFor(user User) http.RoundTripper {
	return transport.NewAuthProxyRoundTripper(user.name, "", user.groups, nil, t.vouching)
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		request.Body.Close()
	}
}

// removeIdentity drops every header that says who a request is from. None should
// be there: a caller's headers are never copied. This keeps it true if one ever is.
func removeIdentity(header http.Header) {
	for name := range header {
		lower := strings.ToLower(name)
		if lower == "authorization" || strings.HasPrefix(lower, "x-remote-") || strings.HasPrefix(lower, "impersonate-") {
			delete(header, name)
		}
	}
}
