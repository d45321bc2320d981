package shim

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

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
