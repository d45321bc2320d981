package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// door stands between the clients and a server and writes down what is answered.
type door struct {
	// url is the base URL for clients.
	url string

	lock sync.Mutex
	seen []passage
	// failed is why the server could not be reached.
	failed error
}

// passage is what went through the door: an exchange, and the body of its request.
type passage struct {
	exchange
	contentType string
	sent        []byte
}

// sentKey is the key of a request's body in its context, which the answer is made with.
type sentKey struct{}

// openDoor opens a door to a server.
func openDoor(t *testing.T, server string) *door {
	t.Helper()
	target := must[*url.URL](t)(url.Parse(server))
	d := &door{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			// The path stays as it was sent, character by character.
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = target.Host
			// Bodies are written down, so they have to be readable.
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: d.writeDown,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			d.lock.Lock()
			defer d.lock.Unlock()
			d.failed = fmt.Errorf("%s %s: no answer: %w", r.Method, r.URL, err)
			w.WriteHeader(http.StatusBadGateway)
		},
		Transport: &http.Transport{DisableCompression: true},
	}
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
		proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sentKey{}, sent)))
	}))
	t.Cleanup(listening.Close)
	d.url = listening.URL
	return d
}

func (d *door) writeDown(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	d.lock.Lock()
	defer d.lock.Unlock()
	media := mediaType(response.Header.Get("Content-Type"))
	sent, _ := response.Request.Context().Value(sentKey{}).([]byte)
	d.seen = append(d.seen, passage{
		exchange: exchange{
			Request: response.Request.Method + " " + response.Request.URL.RequestURI(),
			Status:  response.StatusCode,
			Type:    media,
			Body:    normalBody(response.Request.URL.Path, media, string(body)),
		},
		contentType: response.Request.Header.Get("Content-Type"), sent: sent,
	})
	return nil
}

// take returns what was written down since the last time.
func (d *door) take() ([]passage, error) {
	d.lock.Lock()
	defer d.lock.Unlock()
	seen := d.seen
	d.seen = nil
	return seen, d.failed
}
