package trigger

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/schema"
)

// maxAnswer bounds an answer of Pulsar's web service.
const maxAnswer = 1 << 20

// look asks whether the topic of a message exists, and returns its schema, nil for none,
// after the value was checked against it. refused is true where Pulsar doesn't let the
// caller look: it may let them send all the same.
func (e *exchange) look(ctx context.Context, message Message) (producer pulsar.Schema, refused bool, err error) {
	base, client, err := pulsaradmin.Connect(message.WebServiceURL, e.web)
	if err != nil {
		return nil, false, err
	}
	client.CheckRedirect = toAnotherBroker
	ask := func(root string, segments ...string) (int, []byte, error) {
		target, err := pulsaradmin.At(base, root, segments...)
		if err != nil {
			return 0, nil, err
		}
		bounded, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		request, err := http.NewRequestWithContext(bounded, http.MethodGet, target.String(), nil)
		if err != nil {
			return 0, nil, fmt.Errorf("could not make a request: %w", err)
		}
		request.Header.Set("Accept", "application/json")
		if message.Token != "" {
			request.Header.Set("Authorization", "Bearer "+message.Token)
		}
		response, err := client.Do(request)
		if untrusted := (*tls.CertificateVerificationError)(nil); errors.As(err, &untrusted) {
			return 0, nil, fmt.Errorf("%w: %w", ErrUntrusted, err)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("could not ask Pulsar: %w", err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return 0, nil, fmt.Errorf("could not read an answer of Pulsar: %w", err)
		}
		return response.StatusCode, body, nil
	}
	domain, path, _ := strings.Cut(message.Topic, "://")
	name := strings.SplitN(path, "/", 3)
	code, _, err := ask("/admin/v2/"+domain, append(name, "subscriptions")...)
	switch {
	case err != nil:
		return nil, false, err
	case code == http.StatusNotFound:
		return nil, false, ErrNotReady
	}
	refused = code == http.StatusUnauthorized || code == http.StatusForbidden
	code, body, err := ask("/admin/v2/schemas", append(name, "schema")...)
	switch {
	case err != nil:
		return nil, refused, err
	case code == http.StatusNotFound, code == http.StatusUnauthorized, code == http.StatusForbidden:
		return nil, refused, nil
	case code != http.StatusOK:
		return nil, false, fmt.Errorf("could not ask for a schema: Pulsar answers %d", code)
	}
	var described schema.Schema
	if err := json.Unmarshal(body, &described); err != nil {
		return nil, false, fmt.Errorf("could not read a schema: %w", err)
	}
	if err := described.Check(message.Value); err != nil {
		return nil, false, err
	}
	return schemaFor(described), refused, nil
}

// maxRedirects bounds how often brokers send a request on.
const maxRedirects = 3

// toAnotherBroker lets a broker send a request on to the one that owns the topic: to the
// same port and path, with the caller's token, which the one before has seen.
func toAnotherBroker(next *http.Request, before []*http.Request) error {
	first := before[0]
	if len(before) > maxRedirects || next.URL.Scheme != first.URL.Scheme || next.URL.Port() != first.URL.Port() ||
		next.URL.EscapedPath() != first.URL.EscapedPath() || next.URL.User != nil {
		return http.ErrUseLastResponse
	}
	if token := first.Header.Get("Authorization"); token != "" {
		next.Header.Set("Authorization", token)
	}
	return nil
}
