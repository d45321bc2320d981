package packages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
)

// gateway is a way to Pulsar that can be closed, and counts who asks for the metadata of
// packages.
type gateway struct {
	*httptest.Server

	closed atomic.Bool
	lookUp atomic.Int32
}

func newGateway(to string) (*gateway, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("could not use Pulsar's URL: %w", err)
	}
	g := &gateway{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	g.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if g.closed.Load() {
			panic(http.ErrAbortHandler)
		}
		if strings.HasSuffix(request.URL.Path, "/metadata") {
			g.lookUp.Add(1)
		}
		proxy.ServeHTTP(writer, request)
	}))
	return g, nil
}
