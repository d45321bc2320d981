package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// readiness tells whether the shim can answer requests. Each check is made at most
// once per period, however often it is asked: probing the shim must not become
// probing the API server.
type readiness struct {
	index  *index
	places places
	// ping returns an error when the API server can't be reached.
	ping   func(context.Context) error
	period time.Duration

	stopping atomic.Bool

	lock   sync.Mutex
	asked  time.Time
	answer error
}

// check returns why the shim isn't ready, or nil. The error tells nothing about the
// inside of the cluster.
func (r *readiness) check(ctx context.Context) error {
	if r.stopping.Load() {
		return errors.New("shutting down")
	}
	if r.index != nil && !r.index.synced() {
		return errors.New("the index of components has not been filled yet")
	}
	if !r.places.HasSynced() {
		return errors.New("it is not known yet which namespaces serve what")
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.asked.IsZero() || time.Since(r.asked) >= r.period {
		// The answer is for all who ask meanwhile, so it mustn't depend on whether
		// this one stays.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.period)
		defer cancel()
		r.answer, r.asked = r.ping(ctx), time.Now()
	}
	return r.answer
}

// pingAPIServer returns a function that asks an API server whether it is ready. One
// that refuses to say answers as well, which is what counts.
func pingAPIServer(client *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("could not make a request: %w", err)
		}
		response, err := client.Do(request)
		if err != nil {
			return errors.New("the API server can't be reached")
		}
		defer response.Body.Close()
		// Reading a short answer to its end lets the connection be used again.
		_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
		if response.StatusCode >= http.StatusInternalServerError {
			return errors.New("the API server is not ready")
		}
		return nil
	}
}

func (r *readiness) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err := r.check(request.Context()); err != nil {
		writer.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintf(writer, "not ready: %v\n", err)
		return
	}
	fmt.Fprintln(writer, "ok")
}
