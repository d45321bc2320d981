package pulsaradmin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const (
	// maxRedirects is how many brokers may send a request on.
	maxRedirects = 3
	maxReason    = 4 << 10
)

// ErrInUse says that somebody consumes by a subscription.
var ErrInUse = errors.New("somebody consumes by the subscription")

// Topics are what the server does with the topics of a Pulsar cluster. It can be used
// concurrently.
type Topics struct {
	base *url.URL
	http *http.Client
}

// NewTopics returns the topics of the cluster with a web service URL. The transport shows
// the server's own credential, where Pulsar needs one; see Account.
func NewTopics(webServiceURL string, transport http.RoundTripper) (*Topics, error) {
	base, client, err := Connect(webServiceURL, transport)
	if err != nil {
		return nil, err
	}
	return &Topics{base: base, http: client}, nil
}

// RemoveSubscription removes a subscription of a topic, which has its full name, and of
// all its partitions. One that isn't there is gone. Errors are ErrInUse, and others, whose
// texts are for everybody.
func (t *Topics) RemoveSubscription(ctx context.Context, topic, subscription string) error {
	domain, segments := segmentsOf(topic)
	target, err := At(t.base, "/admin/v2/"+domain, append(segments, "subscription")...)
	if err != nil || subscription == "" || subscription == "." || subscription == ".." {
		return errors.New("it has a name that can't be a part of a path")
	}
	// Names of subscriptions have slashes, which stay within one part of the path.
	target.RawPath = target.EscapedPath() + "/" + url.PathEscape(subscription)
	target.Path += "/" + subscription
	code, body, err := t.send(ctx, http.MethodDelete, target)
	switch {
	case err != nil:
		return err
	case code == http.StatusPreconditionFailed:
		return ErrInUse
	case code == http.StatusNotFound, code/100 == 2:
		return nil
	}
	return refused(code, body)
}

// Matching returns the full names of the topics that a pattern takes, by their first
// names where they have partitions. Errors have texts for everybody.
func (t *Topics) Matching(ctx context.Context, pattern string) ([]string, error) {
	domain, segments := segmentsOf(pattern)
	target, err := At(t.base, "/admin/v2/"+domain, segments[:min(2, len(segments))]...)
	if err != nil {
		return nil, errors.New("its pattern has no namespace")
	}
	code, body, err := t.send(ctx, http.MethodGet, target)
	switch {
	case err != nil:
		return nil, err
	case code == http.StatusNotFound:
		// The namespace is gone, and its topics with it.
		return nil, nil
	case code != http.StatusOK:
		return nil, refused(code, body)
	}
	var names, found []string
	if err := json.Unmarshal(body, &names); err != nil {
		return nil, &UnknownError{reason: "Pulsar's list of topics can't be read", cause: err}
	}
	seen := map[string]bool{}
	for _, name := range names {
		name = partition.ReplaceAllString(name, "")
		if !seen[name] && Takes(pattern, name) {
			found = append(found, name)
		}
		seen[name] = true
	}
	return found, nil
}

// partition ends the name of one partition of a topic.
var partition = regexp.MustCompile(`-partition-\d+$`)

// Takes tells whether a pattern takes a topic: one in its own namespace, whose name it
// matches from the beginning to the end. Both are full names. A pattern that only Java
// understands takes none.
func Takes(pattern, topic string) bool {
	_, pattern, _ = strings.Cut(pattern, "://")
	_, topic, _ = strings.Cut(topic, "://")
	if namespaceOf(pattern) != namespaceOf(topic) {
		return false
	}
	compiled, err := compile(pattern)
	return err == nil && compiled.MatchString(topic)
}

// Readable tells whether a pattern, a full name, can be read here: some only Java
// understands.
func Readable(pattern string) bool {
	_, pattern, _ = strings.Cut(pattern, "://")
	_, err := compile(pattern)
	return err == nil
}

func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// namespaceOf returns the tenant and the namespace of a full name without its domain.
func namespaceOf(path string) string {
	tenant, rest, _ := strings.Cut(path, "/")
	namespace, _, _ := strings.Cut(rest, "/")
	return tenant + "/" + namespace
}

// segmentsOf returns the domain of a full name, and tenant, namespace and what is left.
func segmentsOf(topic string) (domain string, segments []string) {
	domain, path, _ := strings.Cut(topic, "://")
	return domain, strings.SplitN(path, "/", 3)
}

// send sends a request. Brokers send on what another one owns: a broker of the same port,
// asked for the same. It sees the credential, as the one before did.
func (t *Topics) send(ctx context.Context, method string, target *url.URL) (int, []byte, error) {
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for range maxRedirects {
		code, location, body, err := t.once(bounded, method, target)
		if err != nil || code != http.StatusTemporaryRedirect {
			return code, body, err
		}
		next, err := url.Parse(location)
		if err != nil || next.Scheme != target.Scheme || next.Port() != target.Port() || next.EscapedPath() != target.EscapedPath() || next.User != nil {
			return 0, nil, &UnknownError{reason: "Pulsar sends the request to where it must not go", cause: err}
		}
		sent := *target
		sent.Host = next.Host
		sent.RawQuery = next.RawQuery
		target = &sent
	}
	return 0, nil, &UnknownError{reason: "Pulsar's brokers send the request from one to another"}
}

func (t *Topics) once(ctx context.Context, method string, target *url.URL) (code int, location string, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return 0, "", nil, fmt.Errorf("could not make a request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := t.http.Do(request)
	if err != nil {
		// The cause may name what is nobody's business.
		return 0, "", nil, &UnknownError{reason: "Pulsar could not be reached", cause: err}
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return 0, "", nil, &UnknownError{reason: "Pulsar's answer could not be read", cause: err}
	}
	return response.StatusCode, response.Header.Get("Location"), body, nil
}

// refused is an answer that isn't what was asked for.
func refused(code int, body []byte) error {
	var answer struct{ Reason string }
	if code >= http.StatusInternalServerError {
		// It may have a stack trace, and another text each time.
		return &UnknownError{reason: fmt.Sprintf("Pulsar answers %d %s", code, http.StatusText(code)), cause: fmt.Errorf("%.*s", maxReason, body)}
	}
	if json.Unmarshal(body, &answer) != nil || answer.Reason == "" || len(answer.Reason) > maxReason {
		answer.Reason = http.StatusText(code)
	}
	return &UnknownError{reason: fmt.Sprintf("Pulsar answers %d %s", code, answer.Reason)}
}
