package pulsaradmin

import (
	"crypto/tls"
	"fmt"
	"net/http"

	"k8s.io/client-go/transport"
	"k8s.io/client-go/util/cert"
)

// Account is the one that the server itself has in Pulsar.
type Account struct {
	// TokenFile has its token, empty for none. The file is read again as it changes.
	TokenFile string
	// CAFile has the certificates that Pulsar's is verified with, empty for the system's.
	CAFile string
}

// NewTransport returns a transport that shows the account's token with requests that have
// no credential of their own, and is bounded as NewTransport's is. What can't be read is
// an error here, not later.
func (a Account) NewTransport() (http.RoundTripper, error) {
	base := NewTransport()
	if a.CAFile != "" {
		pool, err := cert.NewPool(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("could not read Pulsar's certificates: %w", err)
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if a.TokenFile == "" {
		return base, nil
	}
	if _, err := transport.NewCachedFileTokenSource(a.TokenFile).Token(); err != nil {
		return nil, fmt.Errorf("could not read the server's token for Pulsar: %w", err)
	}
	authenticated, err := transport.NewBearerAuthWithRefreshRoundTripper("", a.TokenFile, base)
	if err != nil {
		return nil, fmt.Errorf("could not use the server's token for Pulsar: %w", err)
	}
	return authenticated, nil
}
