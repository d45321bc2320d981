package shim

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/go-jose/go-jose.v2"
	"k8s.io/client-go/util/cert"
)

// selfSigned returns a certificate for 127.0.0.1 and its key, always the same:
// making one takes a second.
var selfSigned = sync.OnceValues(func() (certificate, key []byte) {
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	if err != nil {
		panic(err)
	}
	return certificate, key
})

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// reasonIn returns the reason in an answer, which must be its only member.
func reasonIn(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(answer.Body.Bytes(), &members); err != nil {
		t.Fatalf("body %q is not JSON: %v", answer.Body, err)
	}
	reason, ok := members["reason"].(string)
	if !ok || len(members) != 1 {
		t.Fatalf("body %q is not a reason alone", answer.Body)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
	return reason
}

// trusting returns a client configuration that trusts the certificates in a file.
func trusting(t *testing.T, file string) *tls.Config {
	t.Helper()
	certificates, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificates) {
		t.Fatalf("no certificate in %s", file)
	}
	return &tls.Config{RootCAs: pool}
}

func sortedList(text string) string {
	if text == "" {
		return ""
	}
	items := strings.Split(text, ", ")
	slices.Sort(items)
	return strings.Join(items, ", ")
}

func mustRequest(t *testing.T) *http.Request {
	t.Helper()
	return httptest.NewRequest(http.MethodGet, "/", nil)
}

// tokenSecret signs Pulsar's tokens.
var tokenSecret = []byte("0123456789abcdef0123456789abcdef")

// signedToken returns a token of Pulsar's with some claims.
func signedToken(t *testing.T, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: tokenSecret}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}
