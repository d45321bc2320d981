package pulsarclients

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// shimURL returns where a server on loopback answers.
func shimURL(scheme string, port int) string {
	return scheme + "://" + net.JoinHostPort(controlplane.Loopback, strconv.Itoa(port))
}

// dial opens a connection and says so much of a request.
func dial(t *testing.T, url, text string) net.Conn {
	t.Helper()
	conn := must[net.Conn](t)(net.Dial("tcp", strings.TrimPrefix(url, "http://")))
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(waitTimeout)); err != nil {
		t.Fatal(err)
	}
	must[int](t)(io.WriteString(conn, text))
	return conn
}

// beginForm is a request for a creation whose body never comes.
func beginForm(name identity.Name) string {
	return "POST " + functionPath(name) + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n" +
		"Content-Length: 1000\r\n\r\n--x\r\n"
}

// TestLimits starts a shim with little of everything.
func TestLimits(t *testing.T) {
	t.Parallel()
	const slots, timeout = 3, 8 * time.Second
	shim := must[*controlplane.Server](t)(world.env.StartShim(t.Context(), devenv.ShimOptions{
		Name: "limited-shim",
		ExtraArgs: []string{
			"--request-timeout=" + timeout.String(), fmt.Sprintf("--max-requests-inflight=%d", slots), "--max-config-bytes=200",
		},
	}))
	limited := &api{url: shimURL("http", shim.Port()), client: http.DefaultClient}
	name := identity.Name{Tenant: "limits", Namespace: "n", Name: "f"}

	expect(t, "a long config", limited.create(t, name, config(joined(javaConfig, `{"logTopic":"`+strings.Repeat("x", 200)+`"}`))), 413,
		`Part "functionConfig" is larger than 200 bytes`)

	// Clients that don't go on occupy all slots until their time is over. Others hear
	// so at once, and probes are answered all the same.
	var slow []net.Conn
	began := time.Now()
	for range slots - 1 {
		slow = append(slow, dial(t, limited.url, beginForm(name)))
	}
	file := dial(t, limited.url, beginForm(name)+"Content-Disposition: form-data; name=\"data\"; filename=\"f.jar\"\r\n\r\nbegin")
	eventually(t, "all slots to be occupied", func(context.Context) error {
		want := fmt.Sprintf("\npulsar_admin_shim_requests_in_flight %d\n", slots)
		if got := limited.send(t, http.MethodGet, "/metrics", "", nil); !strings.Contains(got.body, want) {
			return errors.New("there are free ones")
		}
		return nil
	})
	busy := limited.get(t, name)
	expect(t, "one request too many", busy, 429, "Too many requests at once. Please try again in a little while.")
	if busy.header.Get("Retry-After") != "1" {
		t.Errorf("the headers are %v", busy.header)
	}
	if got := limited.send(t, http.MethodGet, "/readyz", "", nil); got.code != 200 {
		t.Errorf("a busy shim is not ready: %s", got)
	}
	for _, conn := range slow {
		response := must[*http.Response](t)(http.ReadResponse(bufio.NewReader(conn), nil))
		body := must[[]byte](t)(io.ReadAll(response.Body))
		if response.StatusCode != http.StatusRequestTimeout || string(body) != `{"reason":"The request's body did not arrive in time"}` {
			t.Errorf("a slow client gets %s %s", response.Status, body)
		}
	}
	// A file that doesn't end in time wasn't wanted anyway.
	response := must[*http.Response](t)(http.ReadResponse(bufio.NewReader(file), nil))
	if body := must[[]byte](t)(io.ReadAll(response.Body)); response.StatusCode != 400 || !strings.Contains(string(body), "packages upload") {
		t.Errorf("a slow upload gets %s %s", response.Status, body)
	}
	if waited := time.Since(began); waited < timeout/2 {
		t.Errorf("slow clients had %v only", waited)
	}
	expect(t, "after the slow clients", limited.get(t, name), 404, "Function f doesn't exist")

	// Nobody waits for ever for a header either.
	conn := dial(t, limited.url, "GET /admin/v3/functions/a/b HTTP/1.1\r\nHost: ")
	answer, err := io.ReadAll(conn)
	var deadline net.Error
	if errors.As(err, &deadline) && deadline.Timeout() {
		t.Errorf("a request without an end keeps its connection, which has %q", answer)
	}
	shim.Stop()
}
