package pulsarclients

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// gauge returns a number among a shim's metrics.
func gauge(t *testing.T, shim *api, name string) float64 {
	t.Helper()
	got := shim.send(t, http.MethodGet, "/metrics", "", nil)
	for line := range strings.Lines(got.body) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			return must[float64](t)(strconv.ParseFloat(strings.TrimSpace(text), 64))
		}
	}
	t.Fatalf("there is no metric %s in %s", name, got)
	return 0
}

// TestSlowClients leaves connections in every state in which a client can: the shim
// closes each, and nothing of it stays behind.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{
		Name:      "patient-shim",
		ExtraArgs: []string{"--request-timeout=4s", "--read-header-timeout=2s", "--idle-timeout=2s", "--max-requests-inflight=1000"},
	}))
	t.Cleanup(shim.Stop)
	slow := &api{url: shimURL("http", shim.Port()), client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	name := identity.Name{Tenant: "slow", Namespace: "n", Name: "f"}
	expect(t, "before", slow.get(t, name), 404, "Function f doesn't exist")
	const each, greed, slack = 25, 10, 12.0
	goroutines, files := gauge(t, slow, "go_goroutines"), gauge(t, slow, "process_open_fds")

	get := "GET " + functionPath(name) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	upload := beginForm(name) + "Content-Disposition: form-data; name=\"data\"; filename=\"f.jar\"\r\n\r\nbegin"
	states := map[string]string{
		"nothing at all": "", "half a request line": "GET /admin", "half a header": "GET / HTTP/1.1\r\nHost: ",
		"half a body": beginForm(name), "half a file": upload, "an answer and no further request": get,
	}
	var open []net.Conn
	for _, text := range states {
		for range each {
			open = append(open, dial(t, slow.url, text))
		}
	}
	for range each {
		dial(t, slow.url, upload).Close()
	}
	// These ask without end for answers that they never read, each of which is long.
	long := "GET " + functionPath(identity.Name{Tenant: "slow", Namespace: "n", Name: strings.Repeat("x", 50<<10)}) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for range greed {
		greedy := dial(t, slow.url, long)
		open = append(open, greedy)
		go func() {
			for {
				if _, err := io.WriteString(greedy, long); err != nil {
					return
				}
			}
		}()
	}
	// The clients keep theirs open all the while.
	eventually(t, "the shim to be rid of them", func(context.Context) error {
		now, nowFiles := gauge(t, slow, "go_goroutines"), gauge(t, slow, "process_open_fds")
		if now > goroutines+slack || nowFiles > files+slack {
			return fmt.Errorf("there are %v goroutines and %v files, at first there were %v and %v", now, nowFiles, goroutines, files)
		}
		return nil
	})
	expect(t, "afterwards", slow.get(t, name), 404, "Function f doesn't exist")
	for _, conn := range open {
		conn.Close()
	}
}

// TestTooMuch sends more than there may be of everything.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{
		Name: "small-shim", ExtraArgs: []string{"--max-form-parts=2", "--max-config-bytes=1000"},
	}))
	t.Cleanup(shim.Stop)
	small := &api{url: shimURL("http", shim.Port()), client: http.DefaultClient}
	name := identity.Name{Tenant: "toomuch", Namespace: "n", Name: "f"}
	expect(t, "parts", small.create(t, name, config(javaConfig), part{name: "a"}, part{name: "b"}), 413, "The request has more than 2 parts")
	expect(t, "config", small.create(t, name, config(joined(javaConfig, `{"logTopic":"`+strings.Repeat("x", 1000)+`"}`))), 413,
		`Part "functionConfig" is larger than 1000 bytes`)
	expect(t, "unknown part", small.create(t, name, part{name: "a", content: strings.Repeat("x", 1<<20)}), 413, "The request's body is too large")
	expectOK(t, "create", small.create(t, name, config(javaConfig), part{name: "a"}))
	if got := small.with("X-Long", strings.Repeat("x", 200<<10)).get(t, name); got.code != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("long headers are answered with %d", got.code)
	}
	body, contentType := encodeForm(t, config(`{"parallelism":2}`))
	expect(t, "gzip", small.with("Content-Encoding", "gzip").send(t, http.MethodPut, functionPath(name), contentType, body), 415,
		"Content-Encoding is not supported: send the form as it is")
}
