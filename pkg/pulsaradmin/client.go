package pulsaradmin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	// requestTimeout bounds one look-up, which is two requests.
	requestTimeout = 10 * time.Second
	// existsTTL and missingTTL are for how long answers are kept. A namespace that was
	// just created should be found soon; one that was deleted does no harm for a while.
	existsTTL  = 30 * time.Second
	missingTTL = 2 * time.Second

	maxCached   = 10000
	maxConns    = 16
	maxAnswer   = 4 << 20
	maxRead     = 64 << 10
	idleTimeout = 90 * time.Second
)

// NotFoundError says that a tenant or a namespace doesn't exist. Its text is Pulsar's.
type NotFoundError struct{ reason string }

func (e *NotFoundError) Error() string { return e.reason }

// Tenant says whether it is the tenant that doesn't exist.
func (e *NotFoundError) Tenant() bool { return e == errNoTenant }

var (
	errNoTenant    = &NotFoundError{"Tenant does not exist"}
	errNoNamespace = &NotFoundError{"Namespace does not exist"}
)

// UnknownError says that Pulsar gave no answer. Its text is for whoever asked, and
// tells nothing about the inside; the cause is for the log.
type UnknownError struct {
	reason string
	cause  error
}

func (e *UnknownError) Error() string { return e.reason }

// Unwrap returns the cause.
func (e *UnknownError) Unwrap() error { return e.cause }

// Client asks one Pulsar cluster. It can be used concurrently.
type Client struct {
	base  *url.URL
	http  *http.Client
	known *cache.LRUExpireCache
	calls singleflight.Group
}

// NewClient returns a client of the cluster with a web service URL. The transport shows
// the server's own credential, where Pulsar needs one; see NewTransport.
func NewClient(webServiceURL string, transport http.RoundTripper) (*Client, error) {
	base, client, err := Connect(webServiceURL, transport)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, http: client, known: cache.NewLRUExpireCache(maxCached)}, nil
}

// Connect returns what requests to Pulsar's web service begin with, and what sends them.
func Connect(webServiceURL string, transport http.RoundTripper) (*url.URL, *http.Client, error) {
	base, err := url.Parse(webServiceURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		// The text may hold a credential.
		return nil, nil, errors.New("could not use Pulsar's web service URL: it must be http(s)://host[:port]")
	}
	return base, &http.Client{
		Transport: transport,
		// A redirect would carry the credential to where nobody meant it to go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// At returns the URL of a path of the web service. Segments stay segments, whatever they
// hold: one that can't be a part of a path and remain one is an error.
func At(base *url.URL, root string, segments ...string) (*url.URL, error) {
	escaped := root
	for _, segment := range segments {
		if !isSegment(segment) {
			return nil, errors.New("could not make a path: a part of a name is no segment of one")
		}
		escaped += "/" + url.PathEscape(segment)
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("could not make a path: %w", err)
	}
	target := *base
	target.Path, target.RawPath, target.RawQuery = path, escaped, ""
	return &target, nil
}

// NewTransport returns a transport that is bounded in what it takes from Pulsar.
func NewTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: requestTimeout}).DialContext,
		TLSHandshakeTimeout:    requestTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns,
		MaxResponseHeaderBytes: maxRead,
		ForceAttemptHTTP2:      true,
	}
}

// Check returns nil when a namespace exists in Pulsar, a *NotFoundError in Pulsar's
// words when it or its tenant doesn't, and an *UnknownError when Pulsar couldn't say.
func (c *Client) Check(ctx context.Context, tenant, namespace string) error {
	key := tenant + "/" + namespace
	if answer, found := c.known.Get(key); found {
		return asError(answer)
	}
	// The answer is for all who ask meanwhile, so it mustn't depend on whether this one
	// stays.
	asked := c.calls.DoChan(key, func() (any, error) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
		defer cancel()
		return c.ask(bounded, tenant, namespace)
	})
	select {
	case result := <-asked:
		if result.Err != nil {
			return result.Err
		}
		return asError(result.Val)
	case <-ctx.Done():
		return unknown(ctx.Err())
	}
}

// asError returns what an answer means: it is a *NotFoundError, or nil of that type.
func asError(answer any) error {
	if missing, ok := answer.(*NotFoundError); ok && missing != nil {
		return missing
	}
	return nil
}

// ask asks Pulsar and keeps what it says.
func (c *Client) ask(ctx context.Context, tenant, namespace string) (*NotFoundError, error) {
	answer, err := c.find(ctx, tenant, namespace)
	if err != nil {
		return nil, err
	}
	ttl := existsTTL
	if answer != nil {
		ttl = missingTTL
	}
	c.known.Add(tenant+"/"+namespace, answer, ttl)
	return answer, nil
}

func (c *Client) find(ctx context.Context, tenant, namespace string) (*NotFoundError, error) {
	if !isSegment(tenant) {
		return errNoTenant, nil
	}
	code, _, err := c.get(ctx, "tenants", tenant)
	switch {
	case err != nil:
		return nil, unknown(err)
	case code == http.StatusNotFound:
		return errNoTenant, nil
	case code != http.StatusOK:
		return nil, unexpected(code)
	}
	code, body, err := c.get(ctx, "namespaces", tenant)
	switch {
	case err != nil:
		return nil, unknown(err)
	case code == http.StatusNotFound:
		// It went just now.
		return errNoTenant, nil
	case code != http.StatusOK:
		return nil, unexpected(code)
	}
	var names []string
	if err := json.Unmarshal(body, &names); err != nil {
		return nil, unknown(fmt.Errorf("could not read the list of namespaces: %w", err))
	}
	// Older namespaces have the name of a cluster in the middle.
	isNamespace := func(name string) bool {
		return name == tenant+"/"+namespace || strings.Count(name, "/") == 2 && strings.HasPrefix(name, tenant+"/") && strings.HasSuffix(name, "/"+namespace)
	}
	if names == nil || slices.ContainsFunc(names, isNamespace) {
		return nil, nil
	}
	return errNoNamespace, nil
}

// isSegment tells whether a name can be a segment of a path and remain one.
func isSegment(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\\x00")
}

// get returns the code and the body of an answer.
func (c *Client) get(ctx context.Context, segments ...string) (int, []byte, error) {
	target, err := At(c.base, "/admin/v2", segments...)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return 0, nil, fmt.Errorf("could not make a request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, fmt.Errorf("could not ask Pulsar: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("could not read an answer of Pulsar: %w", err)
	}
	if len(body) > maxAnswer {
		return 0, nil, fmt.Errorf("an answer of Pulsar has more than %d bytes", maxAnswer)
	}
	return response.StatusCode, body, nil
}

func unknown(cause error) *UnknownError {
	return &UnknownError{
		reason: "Pulsar could not be asked whether the tenant and the namespace exist. Please try again in a little while.",
		cause:  cause,
	}
}

func unexpected(code int) *UnknownError {
	if code == http.StatusUnauthorized || code == http.StatusForbidden {
		return &UnknownError{
			reason: "Pulsar doesn't let the server's account look whether the tenant and the namespace exist",
			cause:  fmt.Errorf("code %d", code),
		}
	}
	return unknown(fmt.Errorf("code %d", code))
}
