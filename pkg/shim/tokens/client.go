package tokens

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/util/cert"
)

const (
	issuerTimeout = 30 * time.Second
	// maxIssuerAnswer bounds what is read of an issuer's keys, its description of
	// itself, and the claims that it keeps elsewhere.
	maxIssuerAnswer = 1 << 20
)

// newIssuerClient returns a client that trusts certificates in PEM, or those of the
// system where there are none.
func newIssuerClient(certificates []byte) (*http.Client, error) {
	var roots *x509.CertPool
	if len(certificates) > 0 {
		var err error
		if roots, err = cert.NewPoolFromBytes(certificates); err != nil {
			return nil, fmt.Errorf("could not read its certificate authority: %w", err)
		}
	}
	transport := utilnet.SetTransportDefaults(&http.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: maxIssuerAnswer,
	})
	return &http.Client{Transport: bounded{transport}, Timeout: issuerTimeout}, nil
}

// bounded cuts off answers that are too long.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	// Without a writer there is no connection to close: only the reading ends.
	response.Body = http.MaxBytesReader(nil, response.Body, maxIssuerAnswer)
	return response, nil
}
