package shim

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/klog/v2"
)

const requestIDHeader = "X-Request-ID"

// validRequestID is what a caller may choose as a request's identifier: it goes to
// log lines and, as a header, to the API server.
var validRequestID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// requestInfo is what the filters around a request and its route tell each other.
type requestInfo struct {
	id string
	// operation and route are those of the route table. A request that has none
	// keeps operation "none".
	operation, route string
	// headersOnly says that the answer's body is not asked for.
	headersOnly bool
}

type requestInfoKey struct{}

func requestInfoFrom(ctx context.Context) *requestInfo {
	info, _ := ctx.Value(requestInfoKey{}).(*requestInfo)
	return info
}

// withRequestInfo names the request, bounds its time, logs and counts it, and turns
// a panic into an answer.
func withRequestInfo(next http.Handler, timeOf func(*http.Request) time.Duration) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		started := time.Now()
		info := &requestInfo{id: request.Header.Get(requestIDHeader), operation: "none", headersOnly: request.Method == http.MethodHead}
		if !validRequestID.MatchString(info.id) {
			info.id = string(uuid.NewUUID())
		}
		logger := klog.FromContext(request.Context()).WithValues("requestID", info.id)
		ctx, cancel := context.WithTimeout(klog.NewContext(request.Context(), logger), timeOf(request))
		defer cancel()
		request = request.WithContext(context.WithValue(ctx, requestInfoKey{}, info))
		recorder := &statusRecorder{ResponseWriter: writer}
		recorder.Header().Set(requestIDHeader, info.id)

		requestsInFlight.Inc()
		defer func() {
			requestsInFlight.Dec()
			crash := recover()
			if crash != nil && crash != http.ErrAbortHandler {
				logger.Error(nil, "Panic in a request", "panic", crash, "stack", string(debug.Stack()))
				crash = http.ErrAbortHandler
				if recorder.code == 0 {
					crash = nil
					writeError(recorder, request, errorf(http.StatusInternalServerError, reasonInternal))
				}
			}
			duration, aborted := time.Since(started), crash != nil
			observeRequest(info.operation, recorder.status(), aborted, duration)
			logger.Info("Request", "method", request.Method, "route", info.route,
				"code", recorder.status(), "aborted", aborted, "duration", duration)
			if crash != nil {
				panic(crash)
			}
		}()
		next.ServeHTTP(recorder, request)
	})
}

// withMaxInFlight refuses what comes while limit requests are being answered.
func withMaxInFlight(next http.Handler, limit int) http.Handler {
	slots := make(chan struct{}, limit)
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
			next.ServeHTTP(writer, request)
		default:
			writer.Header().Set("Retry-After", "1")
			writeError(writer, request, errorf(http.StatusTooManyRequests,
				"Too many requests at once. Please try again in a little while."))
		}
	})
}

// withSameOrigin refuses what a web page of another origin makes a browser send.
// Forms are multipart, which browsers send anywhere without asking, so any page
// could otherwise use a listener on a developer's machine.
func withSameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		writeError(writer, request, errorf(http.StatusForbidden, "Requests from web pages of another origin are refused"))
	}))
	return protection.Handler(next)
}

// withLocalHost refuses what a web page makes a browser send here by pointing a name of
// its own at this address (DNS rebinding): to the browser that is the page's own origin.
// A request with a credential is let through, since such a page has none to show.
func withLocalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if isLocalHost(request.Host) || request.Header.Get("Authorization") != "" {
			next.ServeHTTP(writer, request)
			return
		}
		writeError(writer, request, errorf(http.StatusForbidden,
			"Plain HTTP without a credential is served only at localhost or an IP address, not by another name"))
	})
}

// isLocalHost tells whether a Host header is localhost or an IP address, with or
// without a port, so that it needs no look-up that somebody could bend.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return host == "" || strings.EqualFold(host, "localhost") || net.ParseIP(host) != nil
}

// withEscapedPath lets routes match the path as it was sent. Matching the decoded
// path would take an escaped slash in a name for the end of the name. Handlers
// decode each segment.
func withEscapedPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		url := *request.URL
		url.Path, url.RawPath = request.URL.EscapedPath(), ""
		request = request.WithContext(request.Context())
		request.URL = &url
		if request.Method == http.MethodHead {
			// The server leaves the body out: it knows the method that was sent.
			request.Method = http.MethodGet
		}
		next.ServeHTTP(writer, request)
	})
}

// statusRecorder remembers the status code of an answer.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (r *statusRecorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *statusRecorder) Write(content []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(content)
}

// Unwrap lets http.ResponseController reach the server's writer.
func (r *statusRecorder) Unwrap() http.ResponseWriter {
	return r.ResponseWriter
}

func (r *statusRecorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}
