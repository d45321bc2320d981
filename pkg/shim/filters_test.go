package shim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func aMinute(*http.Request) time.Duration { return time.Minute }

func TestRequestID(t *testing.T) {
	handler := withRequestInfo(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if writer.Header().Get(requestIDHeader) != requestInfoFrom(request.Context()).id {
			t.Error("the answer has another identifier")
		}
	}), aMinute)
	tests := []struct {
		given string
		kept  bool
	}{{"abc-1.2_3", true}, {"", false}, {"a b", false}, {"a\"b", false}, {"../x", false}, {string(make([]byte, 65)), false}}
	for _, test := range tests {
		answer := serve(handler, http.MethodGet, "/", http.Header{"X-Request-Id": {test.given}})
		got := answer.Header().Get(requestIDHeader)
		if got == "" || (got == test.given) != test.kept {
			t.Errorf("%q became %q", test.given, got)
		}
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	handler := withRequestInfo(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("inside") }), aMinute)
	answer := serve(handler, http.MethodGet, "/", nil)
	if reason := reasonIn(t, answer); answer.Code != http.StatusInternalServerError || reason != reasonInternal {
		t.Errorf("got %d %q", answer.Code, reason)
	}
}

func TestRequestsHaveADeadline(t *testing.T) {
	handler := withRequestInfo(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		if _, bounded := request.Context().Deadline(); !bounded {
			t.Error("no deadline")
		}
	}), aMinute)
	serve(handler, http.MethodGet, "/", nil)
}

func TestMaxInFlight(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	handler := withMaxInFlight(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside <- struct{}{}
		<-leave
	}), 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		serve(handler, http.MethodGet, "/", nil)
	}()
	<-inside
	answer := serve(handler, http.MethodGet, "/", nil)
	reasonIn(t, answer)
	if answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") == "" {
		t.Errorf("got %d", answer.Code)
	}
	close(leave)
	<-done
	go func() { <-inside }()
	if answer := serve(handler, http.MethodGet, "/", nil); answer.Code != http.StatusOK {
		t.Errorf("got %d when there was room again", answer.Code)
	}
}

func TestReadinessAsksSeldom(t *testing.T) {
	asked := 0
	ready := &readiness{places: fixedPlaces{}, period: time.Hour, ping: func(context.Context) error {
		asked++
		return errors.New("the API server can't be reached")
	}}
	for range 3 {
		answer := serve(ready, http.MethodGet, "/readyz", nil)
		if answer.Code != http.StatusServiceUnavailable || answer.Body.String() != "not ready: the API server can't be reached\n" {
			t.Errorf("got %d %q", answer.Code, answer.Body)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestPing(t *testing.T) {
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(code) }))
	ping := pingAPIServer(server.Client(), server.URL)
	for _, test := range []struct {
		code  int
		ready bool
	}{{200, true}, {401, true}, {403, true}, {500, false}, {503, false}} {
		code = test.code
		if err := ping(t.Context()); (err == nil) != test.ready {
			t.Errorf("%d: %v", test.code, err)
		}
	}
	server.Close()
	if err := ping(t.Context()); err == nil {
		t.Error("a server that is gone counts as ready")
	}
}

func TestLocalHost(t *testing.T) {
	handler := withLocalHost(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { writer.WriteHeader(http.StatusNoContent) }))
	for host, local := range map[string]bool{
		"localhost": true, "LOCALHOST:6750": true, "127.0.0.1": true, "127.0.0.1:6750": true, "[::1]": true, "[::1]:6750": true,
		"10.1.2.3:6750": true, "0.0.0.0": true, "": true,
		"evil.example": false, "evil.example:6750": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"localhost.": false, "127.1": false, "[evil.example]": false,
	} {
		for _, header := range []http.Header{{}, {"Authorization": {"Bearer x"}}} {
			request := httptest.NewRequest(http.MethodPost, "/", nil)
			request.Host, request.Header = host, header
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			want := http.StatusNoContent
			if !local && len(header) == 0 {
				want = http.StatusForbidden
				reasonIn(t, answer)
			}
			if answer.Code != want {
				t.Errorf("%q with %v: got %d", host, header, answer.Code)
			}
		}
	}
}
