package packages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// gateway is a way to Pulsar that can be closed, and counts who asks for the metadata of
// packages.
type gateway struct {
	*httptest.Server

	closed atomic.Bool

	lock sync.Mutex
	// lookUps is how often each package was asked for, by the end of its path.
	lookUps map[string]int
}

// asked returns how often somebody asked for the metadata of a package.
func (g *gateway) asked(path string) int {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.lookUps[path]
}

func newGateway(to string) (*gateway, error) {
	target, err := url.Parse(to)
	if err != nil {
		return nil, fmt.Errorf("could not use Pulsar's URL: %w", err)
	}
	g := &gateway{lookUps: map[string]int{}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	g.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if g.closed.Load() {
			panic(http.ErrAbortHandler)
		}
		if name, isLookUp := strings.CutSuffix(strings.TrimPrefix(request.URL.Path, "/admin/v3/packages/"), "/metadata"); isLookUp {
			g.lock.Lock()
			g.lookUps[name]++
			g.lock.Unlock()
		}
		proxy.ServeHTTP(writer, request)
	}))
	return g, nil
}
