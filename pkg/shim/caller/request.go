package caller

import (
	"context"
	"net/http"
	"sync"
)

// maxWarnings bounds what one answer repeats of the API server's warnings.
const maxWarnings = 32

// Request is what one REST request takes along to the API server, and what the
// API server says beside its answers. It is safe for concurrent use.
type Request struct {
	// ID is the request's identifier, which the API server writes to its audit log.
	ID string
	// Source is the address that the request came from, which the API server writes to
	// its audit log.
	Source string

	credential Credential

	lock       sync.Mutex
	retryAfter string
	warnings   []string
}

type requestKey struct{}

// NewContext returns a context for calls to the API server that are made for a
// request with the given identifier and credential.
func NewContext(ctx context.Context, id string, credential Credential) context.Context {
	return context.WithValue(ctx, requestKey{}, &Request{ID: id, credential: credential})
}

// FromContext returns what NewContext put into the context, or nil.
func FromContext(ctx context.Context) *Request {
	request, _ := ctx.Value(requestKey{}).(*Request)
	return request
}

// RetryAfter returns the Retry-After header of the API server's last answer, or
// an empty string.
func (r *Request) RetryAfter() string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.retryAfter
}

// Warnings returns the texts of the API server's warnings, each once, in the
// order in which they came.
func (r *Request) Warnings() []string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return append([]string(nil), r.warnings...)
}

// PulsarToken returns the token by which the shim knows the caller, and, where a proxy's
// it is, for whom the proxy calls. Both are empty for all other callers.
func (r *Request) PulsarToken() (token, originalPrincipal string) {
	if r.credential.proxy.name != "" && r.credential.pulsarToken != "" {
		originalPrincipal = r.credential.user.role()
	}
	return r.credential.pulsarToken, originalPrincipal
}

// Aside returns a context for calls by the same caller that are about whether an
// answer may be given, so that what the API server says beside them is no part of it.
func Aside(ctx context.Context) context.Context {
	origin := FromContext(ctx)
	if origin == nil {
		return ctx
	}
	aside := NewContext(ctx, origin.ID, origin.credential)
	FromContext(aside).Source = origin.Source
	return aside
}

// AddWarning adds a warning for the caller, unless there are too many already.
func (r *Request) AddWarning(text string) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if len(r.warnings) == maxWarnings {
		return
	}
	for _, known := range r.warnings {
		if known == text {
			return
		}
	}
	r.warnings = append(r.warnings, text)
}

// takeRetryAfter remembers an answer's Retry-After and removes it.
//
// client-go repeats whatever carries that header, up to ten times, and a typed
// client can't be told not to. The caller of the shim has retries of its own, and
// so do the servers behind: each hop that repeats multiplies the load on a server
// that has just said it has too much. So client-go never sees the header, and the
// shim's answer carries it to the one who decides.
func (r *Request) takeRetryAfter(header http.Header) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.retryAfter = header.Get("Retry-After")
	header.Del("Retry-After")
}

// WarningCollector keeps the API server's warnings with the request that they
// belong to. It is a rest.WarningHandlerWithContext.
type WarningCollector struct{}

// HandleWarningHeaderWithContext keeps a warning of the only code that means one.
func (WarningCollector) HandleWarningHeaderWithContext(ctx context.Context, code int, _ string, text string) {
	const miscellaneousPersistent = 299
	if request := FromContext(ctx); request != nil && code == miscellaneousPersistent && text != "" {
		request.AddWarning(text)
	}
}
