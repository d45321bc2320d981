package caller

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/util/cert"
)

// peer is an HTTPS server that remembers what it was sent.
type peer struct {
	*httptest.Server
	answer http.Header
	got    *http.Request
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{answer: http.Header{}}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		p.got = request
		for name, values := range p.answer {
			writer.Header()[name] = values
		}
		writer.WriteHeader(http.StatusTooManyRequests)
	}))
	p.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newTestTransport(t *testing.T, p *peer, vouches bool) http.RoundTripper {
	t.Helper()
	config := TransportConfig{
		CAFile: writeFile(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})),
	}
	if vouches {
		certificate, key, err := cert.GenerateSelfSignedCertKey("shim", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		config.CertFile, config.KeyFile = writeFile(t, "tls.crt", certificate), writeFile(t, "tls.key", key)
	}
	result, err := NewTransport(config)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func send(t *testing.T, ctx context.Context, transport http.RoundTripper, url string, header http.Header) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := transport.RoundTrip(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return response, err
}

// forged is what must never reach the API server.
var forged = http.Header{
	"X-Remote-User": {"admin"}, "X-Remote-Group": {"system:masters"}, "X-Remote-Extra-Scopes": {"x"},
	"X-Remote-Uid": {"1"}, "Impersonate-User": {"admin"}, "Impersonate-Group": {"system:masters"},
	"impersonate-uid": {"1"}, "Authorization": {"Bearer forged"},
}

func TestTransportForwardsTokens(t *testing.T) {
	p := startPeer(t)
	transport := newTestTransport(t, p, true)
	ctx := NewContext(t.Context(), "request-1", Credential{kubernetesToken: "secret"})
	if _, err := send(t, ctx, transport, p.URL, forged); err != nil {
		t.Fatal(err)
	}
	if got := p.got.Header.Values("Authorization"); !slices.Equal(got, []string{"Bearer secret"}) {
		t.Errorf("Authorization = %q", got)
	}
	if len(p.got.TLS.PeerCertificates) != 0 {
		t.Error("a token was sent with the front proxy's certificate")
	}
	if got := p.got.Header.Get("Audit-Id"); got != "request-1" {
		t.Errorf("Audit-ID = %q", got)
	}
	for name := range p.got.Header {
		if strings.HasPrefix(name, "X-Remote") || strings.HasPrefix(name, "Impersonate") {
			t.Errorf("%s was sent with a token", name)
		}
	}
}

func TestTransportVouches(t *testing.T) {
	p := startPeer(t)
	transport := newTestTransport(t, p, true)
	credential := Credential{user: User{name: AnonymousUser, groups: []string{"pulsar:a", "pulsar:b"}}}
	if _, err := send(t, NewContext(t.Context(), "request-2", credential), transport, p.URL, forged); err != nil {
		t.Fatal(err)
	}
	if got := p.got.Header.Values("X-Remote-User"); !slices.Equal(got, []string{"pulsar:anonymous"}) {
		t.Errorf("X-Remote-User = %q", got)
	}
	if got := p.got.Header.Values("X-Remote-Group"); !slices.Equal(got, []string{"pulsar:a", "pulsar:b"}) {
		t.Errorf("X-Remote-Group = %q", got)
	}
	if len(p.got.TLS.PeerCertificates) == 0 {
		t.Error("the front proxy's certificate was not sent")
	}
	for name := range p.got.Header {
		if name == "Authorization" || strings.HasPrefix(name, "Impersonate") || strings.HasPrefix(name, "X-Remote") && name != "X-Remote-User" && name != "X-Remote-Group" {
			t.Errorf("%s was sent with an asserted user", name)
		}
	}
}

func TestTransportRefusesWithoutCaller(t *testing.T) {
	p := startPeer(t)
	tests := []struct {
		name      string
		ctx       context.Context
		transport http.RoundTripper
	}{
		{"no request", t.Context(), newTestTransport(t, p, true)},
		{"no credential", NewContext(t.Context(), "x", Credential{}), newTestTransport(t, p, true)},
		{"nothing to vouch with", NewContext(t.Context(), "x", Credential{user: User{name: AnonymousUser}}), newTestTransport(t, p, false)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := send(t, test.ctx, test.transport, p.URL, forged); !errors.Is(err, errNoCaller) {
				t.Errorf("got %v", err)
			}
			if p.got != nil {
				t.Errorf("a request was sent: %v", p.got.Header)
			}
		})
	}
}

func TestTransportTakesRetryAfter(t *testing.T) {
	p := startPeer(t)
	transport := newTestTransport(t, p, false)
	ctx := NewContext(t.Context(), "x", Credential{kubernetesToken: "secret"})
	p.answer.Set("Retry-After", "7")
	response, err := send(t, ctx, transport, p.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("Retry-After") != "" || FromContext(ctx).RetryAfter() != "7" {
		t.Errorf("header %q, remembered %q", response.Header.Get("Retry-After"), FromContext(ctx).RetryAfter())
	}
	p.answer.Del("Retry-After")
	if _, err := send(t, ctx, transport, p.URL, nil); err != nil {
		t.Fatal(err)
	}
	if got := FromContext(ctx).RetryAfter(); got != "" {
		t.Errorf("the Retry-After %q of an earlier answer was kept", got)
	}
}

func TestWarnings(t *testing.T) {
	ctx := NewContext(t.Context(), "x", Credential{kubernetesToken: "secret"})
	collector := WarningCollector{}
	collector.HandleWarningHeaderWithContext(ctx, 299, "-", "one")
	collector.HandleWarningHeaderWithContext(ctx, 299, "-", "two")
	collector.HandleWarningHeaderWithContext(ctx, 299, "-", "one")
	collector.HandleWarningHeaderWithContext(ctx, 199, "-", "other code")
	collector.HandleWarningHeaderWithContext(ctx, 299, "-", "")
	collector.HandleWarningHeaderWithContext(t.Context(), 299, "-", "nobody's")
	if got := FromContext(ctx).Warnings(); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("got %q", got)
	}
	for i := range 2 * maxWarnings {
		collector.HandleWarningHeaderWithContext(ctx, 299, "-", strings.Repeat("x", i+1))
	}
	if got := len(FromContext(ctx).Warnings()); got != maxWarnings {
		t.Errorf("%d warnings were kept", got)
	}
}
