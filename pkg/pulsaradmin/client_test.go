package pulsaradmin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// answer is what a server says to a path.
type answer struct {
	code int
	body string
}

// newTestClient returns a client of a server that answers by path, and how often it was
// asked. It stands for no Pulsar: it only answers.
func newTestClient(t *testing.T, by map[string]answer) (*Client, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		answer, known := by[request.URL.EscapedPath()]
		if !known {
			t.Errorf("unexpected %s", request.URL.EscapedPath())
		}
		writer.WriteHeader(answer.code)
		_, _ = io.WriteString(writer, answer.body)
	}))
	t.Cleanup(server.Close)
	client, err := NewClient(server.URL, NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	return client, &asked
}

func TestCheck(t *testing.T) {
	const tenant, list = "/admin/v2/tenants/t", "/admin/v2/namespaces/t"
	exists := answer{200, "{}"}
	for name, test := range map[string]struct {
		by      map[string]answer
		missing error
		unknown string
	}{
		"exists":                        {by: map[string]answer{tenant: exists, list: {200, `["t/other","t/n"]`}}},
		"exists with a cluster":         {by: map[string]answer{tenant: exists, list: {200, `["t/c/n"]`}}},
		"no list":                       {by: map[string]answer{tenant: exists, list: {200, `null`}}},
		"no tenant":                     {by: map[string]answer{tenant: {404, ""}}, missing: errNoTenant},
		"tenant that goes":              {by: map[string]answer{tenant: exists, list: {404, ""}}, missing: errNoTenant},
		"no namespace":                  {by: map[string]answer{tenant: exists, list: {200, `["t/nn","tt/n","t/c/d/n","u/c/n"]`}}, missing: errNoNamespace},
		"no namespaces":                 {by: map[string]answer{tenant: exists, list: {200, `[]`}}, missing: errNoNamespace},
		"account without rights":        {by: map[string]answer{tenant: {403, "inside"}}, unknown: "doesn't let"},
		"account without rights inside": {by: map[string]answer{tenant: exists, list: {401, "inside"}}, unknown: "doesn't let"},
		"failure":                       {by: map[string]answer{tenant: {500, "inside"}}, unknown: "could not be asked"},
		"redirect":                      {by: map[string]answer{tenant: {307, "inside"}}, unknown: "could not be asked"},
		"no JSON":                       {by: map[string]answer{tenant: exists, list: {200, `inside`}}, unknown: "could not be asked"},
		"too much":                      {by: map[string]answer{tenant: exists, list: {200, strings.Repeat(" ", maxAnswer+1)}}, unknown: "could not be asked"},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := newTestClient(t, test.by)
			err := client.Check(t.Context(), "t", "n")
			var unknown *UnknownError
			switch {
			case test.unknown == "" && !errors.Is(err, test.missing):
				t.Errorf("got %v, want %v", err, test.missing)
			case test.unknown != "" && (!errors.As(err, &unknown) || !strings.Contains(err.Error(), test.unknown) || strings.Contains(err.Error(), "inside")):
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNamesStaySegments(t *testing.T) {
	client, _ := newTestClient(t, map[string]answer{"/admin/v2/tenants/a%20b%3Fc": {404, ""}})
	for _, tenant := range []string{"a b?c", "", ".", "..", "a/b", `a\b`} {
		if err := client.Check(t.Context(), tenant, "n"); !errors.Is(err, errNoTenant) {
			t.Errorf("%q: got %v", tenant, err)
		}
	}
}

func TestAnswersAreKept(t *testing.T) {
	client, asked := newTestClient(t, map[string]answer{
		"/admin/v2/tenants/t": {200, "{}"}, "/admin/v2/namespaces/t": {200, `["t/n"]`}, "/admin/v2/tenants/u": {404, ""}, "/admin/v2/tenants/v": {500, ""},
	})
	for range 3 {
		if err := client.Check(t.Context(), "t", "n"); err != nil {
			t.Error(err)
		}
		if err := client.Check(t.Context(), "u", "n"); !errors.Is(err, errNoTenant) {
			t.Errorf("got %v", err)
		}
	}
	if got := asked.Load(); got != 3 {
		t.Errorf("Pulsar was asked %d times", got)
	}
	// What is unknown is asked again.
	for range 2 {
		_ = client.Check(t.Context(), "v", "n")
	}
	if got := asked.Load(); got != 5 {
		t.Errorf("Pulsar was asked %d times", got)
	}
}

func TestOneQuestionAtATime(t *testing.T) {
	var asked atomic.Int32
	goOn := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		<-goOn
		writer.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	client, err := NewClient(server.URL, NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	// One who leaves hears so at once, and takes nothing from those who stay.
	leaving, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- client.Check(leaving, "t", "n") }()
	var staying sync.WaitGroup
	for range 10 {
		staying.Go(func() {
			if err := client.Check(t.Context(), "t", "n"); !errors.Is(err, errNoTenant) {
				t.Errorf("got %v", err)
			}
		})
	}
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(goOn)
	staying.Wait()
	if got := asked.Load(); got != 1 {
		t.Errorf("Pulsar was asked %d times", got)
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	client, err := NewClient(server.URL, NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	var unknown *UnknownError
	if err := client.Check(t.Context(), "t", "n"); !errors.As(err, &unknown) {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{"", "pulsar://h", "http://", "http://user:hunter2@%zz"} {
		if _, err := NewClient(text, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
