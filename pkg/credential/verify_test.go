package credential

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// place is a web server that misbehaves as a test says.
type place struct {
	*httptest.Server
	asked atomic.Int64
}

func startPlace(t *testing.T, handle func(p *place, writer http.ResponseWriter, request *http.Request)) *place {
	t.Helper()
	p := &place{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		p.asked.Add(1)
		handle(p, writer, request)
	}))
	t.Cleanup(p.Close)
	return p
}

func verify(t *testing.T, issuer *place) error {
	t.Helper()
	issuers := Issuers{configv1alpha1.OAuth2Issuer{IssuerURL: issuer.URL, Audience: "pulsar"}}
	return issuers.Verify(t.Context(), &Account{IssuerURL: issuer.URL, Audience: "pulsar", Scope: "s", clientID: "alice", clientSecret: hidden})
}

func metadata(writer http.ResponseWriter, issuer, endpoint string) {
	_ = json.NewEncoder(writer).Encode(map[string]string{"issuer": issuer, "token_endpoint": endpoint})
}

func TestVerify(t *testing.T) {
	other := startPlace(t, func(_ *place, writer http.ResponseWriter, _ *http.Request) {
		_, _ = writer.Write([]byte(`{"access_token":"x","token_type":"bearer"}`))
	})
	answer := func(code int, body string) func(*place, http.ResponseWriter, *http.Request) {
		return func(p *place, writer http.ResponseWriter, request *http.Request) {
			if request.URL.Path == wellKnown {
				metadata(writer, p.URL, p.URL+"/token")
				return
			}
			writer.Header().Set("Content-Type", "application/json")
			writer.WriteHeader(code)
			_, _ = writer.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		handle  func(*place, http.ResponseWriter, *http.Request)
		problem bool
		want    string
	}{
		"taken": {handle: func(p *place, writer http.ResponseWriter, request *http.Request) {
			if request.URL.Path == wellKnown {
				metadata(writer, p.URL+"/", p.URL+"/token")
				return
			}
			if request.PostFormValue("client_secret") != hidden || request.PostFormValue("audience") != "pulsar" ||
				request.PostFormValue("scope") != "s" || request.PostFormValue("grant_type") != "client_credentials" {
				t.Errorf("asked with %v", request.PostForm)
			}
			writer.Header().Set("Content-Type", "application/json")
			_, _ = writer.Write([]byte(`{"access_token":"x","token_type":"bearer"}`))
		}},
		"refused":  {answer(http.StatusUnauthorized, `{"error":"invalid_client","error_description":"`+hidden+`"}`), true, "does not give a token for the account (status 401)"},
		"busy":     {answer(http.StatusTooManyRequests, hidden), false, "could not get a token"},
		"broken":   {answer(http.StatusInternalServerError, hidden), false, "could not get a token"},
		"no token": {answer(http.StatusOK, `{"`+hidden+`":1}`), false, "could not get a token"},
		"endless":  {answer(http.StatusOK, `{"a":"`+strings.Repeat("x", 2*maxAnswer)+`","access_token":"x"}`), false, "could not get a token"},
		"no metadata": {func(_ *place, writer http.ResponseWriter, _ *http.Request) {
			http.Error(writer, hidden, http.StatusNotFound)
		}, false, "answers 404"},
		"metadata is no JSON": {func(_ *place, writer http.ResponseWriter, _ *http.Request) {
			_, _ = writer.Write([]byte(hidden))
		}, false, "can't be read"},
		"metadata elsewhere": {func(_ *place, writer http.ResponseWriter, request *http.Request) {
			http.Redirect(writer, request, other.URL, http.StatusFound)
		}, false, "answers 302"},
		"token elsewhere": {func(p *place, writer http.ResponseWriter, _ *http.Request) {
			metadata(writer, p.URL, other.URL+"/token")
		}, false, "must be https, or at the issuer's own host"},
		"token in a file": {func(p *place, writer http.ResponseWriter, _ *http.Request) {
			metadata(writer, p.URL, "file:///etc/passwd")
		}, false, "must be https"},
		"of another issuer": {func(p *place, writer http.ResponseWriter, _ *http.Request) {
			metadata(writer, other.URL, p.URL+"/token")
		}, false, "about another one"},
		"token redirects": {func(p *place, writer http.ResponseWriter, request *http.Request) {
			if request.URL.Path == wellKnown {
				metadata(writer, p.URL, p.URL+"/token")
				return
			}
			http.Redirect(writer, request, other.URL+"/token", http.StatusTemporaryRedirect)
		}, false, "could not get a token"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verify(t, startPlace(t, test.handle))
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var problem *Problem
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &problem) != test.problem {
				t.Errorf("got %v, want one with %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), hidden) {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
	if asked := other.asked.Load(); asked != 0 {
		t.Errorf("somebody else was asked %d times", asked)
	}
	if err := (Issuers{}).Verify(t.Context(), &Account{IssuerURL: other.URL}); err == nil || other.asked.Load() != 0 {
		t.Errorf("an issuer that is not configured: %v", err)
	}
}
