package credential

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	// verifyTimeout bounds the two requests together.
	verifyTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an issuer's answer.
	maxAnswer = 1 << 20
	// wellKnown is where an issuer says what it has where, as Pulsar's clients look.
	wellKnown = "/.well-known/openid-configuration"
)

// Verify asks the account's issuer for a token, as Pulsar's clients do. An error of type
// *Problem means that the issuer doesn't take the account; any other one that nobody
// knows. Neither quotes what was sent or answered: an issuer's answer may repeat it.
func (i Issuers) Verify(ctx context.Context, account *Account) error {
	issuer := i.find(account.IssuerURL)
	if issuer == nil {
		return errors.New("could not verify an account of an issuer that is not configured")
	}
	client, err := newClient(issuer.CAFile)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	endpoint, err := tokenEndpoint(ctx, client, issuer.IssuerURL)
	if err != nil {
		return err
	}
	config := clientcredentials.Config{
		ClientID: account.clientID, ClientSecret: account.clientSecret, TokenURL: endpoint,
		EndpointParams: url.Values{"audience": {account.Audience}},
		// Where Pulsar's Java client puts them.
		AuthStyle: oauth2.AuthStyleInParams,
	}
	if account.Scope != "" {
		config.Scopes = []string{account.Scope}
	}
	_, err = config.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	var refused *oauth2.RetrieveError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode >= 400 && refused.Response.StatusCode < 500 &&
		refused.Response.StatusCode != http.StatusTooManyRequests:
		return problemf("issuer %s does not give a token for the account (status %d)", issuer.IssuerURL, refused.Response.StatusCode)
	}
	return errors.New("could not get a token of the issuer")
}

// tokenEndpoint returns where an issuer gives tokens. Only a URL that is as safe as the
// issuer's own counts: https, or the very same host.
func tokenEndpoint(ctx context.Context, client *http.Client, issuerURL string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuerURL, "/")+wellKnown, nil)
	if err != nil {
		return "", errors.New("could not ask the issuer where it gives tokens")
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", errors.New("could not ask the issuer where it gives tokens")
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("could not find out where the issuer gives tokens: it answers %d", response.StatusCode)
	}
	var metadata struct {
		Issuer        string `json:"issuer"`
		TokenEndpoint string `json:"token_endpoint"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&metadata); err != nil {
		return "", errors.New("could not find out where the issuer gives tokens: its answer can't be read")
	}
	issuer, err := url.Parse(issuerURL)
	if err != nil {
		return "", errors.New("could not read the issuer's URL")
	}
	endpoint, err := url.Parse(metadata.TokenEndpoint)
	if err != nil || endpoint.Host == "" || endpoint.User != nil || endpoint.Scheme != "https" && (endpoint.Scheme != issuer.Scheme || endpoint.Host != issuer.Host) {
		return "", errors.New("could not use the place where the issuer says it gives tokens: it must be https, or at the issuer's own host")
	}
	if !sameIssuer(metadata.Issuer, issuerURL) {
		return "", errors.New("could not use what the issuer says about itself: it is about another one")
	}
	return endpoint.String(), nil
}

// newClient returns a client that follows no redirect, which could lead anywhere.
func newClient(caFile string) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		data, err := os.ReadFile(caFile)
		if err != nil {
			return nil, errors.New("could not read the file with the issuer's certificates")
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(data) {
			return nil, errors.New("could not find a certificate in the file with the issuer's")
		}
	}
	return &http.Client{
		Transport: boundedTransport{&http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}, nil
}

// boundedTransport bounds what can be read of an answer.
type boundedTransport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = boundedBody{io.LimitReader(response.Body, maxAnswer), response.Body}
	return response, nil
}

type boundedBody struct {
	io.Reader
	io.Closer
}
