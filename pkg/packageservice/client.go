// Package packageservice is a client of Pulsar's package management service: where the
// code of functions and connectors lies until a pod fetches it.
//
// It exists beside a general admin client because code is large and somebody's: it is
// streamed both ways, each request shows the credential of the one it is made for, and
// what was stored is told from what was meant to be by its digest.
package packageservice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

const (
	// maxAnswer bounds lists and metadata, maxReason the reason of a refusal.
	maxAnswer = 4 << 20
	maxReason = 4 << 10
)

// ErrNotFound says that there is no such package.
var ErrNotFound = errors.New("no such package")

// MissingReason is what Pulsar's worker answers to whoever creates a component of a package
// that doesn't exist.
const MissingReason = "HTTP 404 Not Found"

// ErrExists says that there is such a package already. The service replaces none.
var ErrExists = errors.New("there is such a package already")

// RefusedError is any other answer than that asked for.
type RefusedError struct {
	// Code is the answer's status code.
	Code int
	// Reason is what the service says, which may be nothing.
	Reason string
}

func (e *RefusedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("Pulsar's package service answered %d %s", e.Code, http.StatusText(e.Code))
	}
	return "Pulsar's package service: " + e.Reason
}

// Metadata describes a package. Times are in milliseconds since 1970.
type Metadata struct {
	Description      string            `json:"description,omitempty"`
	Contact          string            `json:"contact,omitempty"`
	CreateTime       int64             `json:"createTime,omitempty"`
	ModificationTime int64             `json:"modificationTime,omitempty"`
	Properties       map[string]string `json:"properties,omitempty"`
}

// Client asks the package service of one cluster. It can be used concurrently.
type Client struct {
	base *url.URL
	http *http.Client
	// stores are the names of packages that are being stored, each with a channel that is
	// closed afterwards.
	stores sync.Map
}

// NewClient returns a client of the cluster with a web service URL.
func NewClient(webServiceURL string, transport http.RoundTripper) (*Client, error) {
	base, client, err := pulsaradmin.Connect(webServiceURL, transport)
	if err != nil {
		return nil, err
	}
	return &Client{base: base, http: client}, nil
}

// Token is a bearer token of Pulsar's; empty for none.
type Token string

// Metadata returns what is said of a package. Errors are ErrNotFound, *RefusedError and
// those of the network.
func (c *Client) Metadata(ctx context.Context, token Token, name identity.PackageURL) (*Metadata, error) {
	metadata := &Metadata{}
	return metadata, c.getJSON(ctx, token, metadata, append(segments(name), "metadata"))
}

// Versions returns the versions of a package, in no particular order. There are none of
// a package that doesn't exist. Some storages list versions that were removed, too.
func (c *Client) Versions(ctx context.Context, token Token, name identity.PackageURL) ([]string, error) {
	var versions []string
	err := c.getJSON(ctx, token, &versions, segments(name)[:4])
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return versions, err
}

// Packages returns the names of the packages of a type in a namespace, in no particular
// order.
func (c *Client) Packages(ctx context.Context, token Token, packageType, tenant, namespace string) ([]string, error) {
	var names []string
	err := c.getJSON(ctx, token, &names, []string{packageType, tenant, namespace})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return names, err
}

// SetMetadata replaces what is said of a package. Errors are as those of Metadata.
func (c *Client) SetMetadata(ctx context.Context, token Token, name identity.PackageURL, metadata Metadata) error {
	metadata.ModificationTime = time.Now().UnixMilli()
	data, err := json.Marshal(metadata)
	if err != nil {
		return fmt.Errorf("could not encode metadata: %w", err)
	}
	response, err := c.send(ctx, token, http.MethodPut, append(segments(name), "metadata"), bytes.NewReader(data), "application/json")
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// Open returns the content of a package, to be closed. Errors are as those of Metadata.
func (c *Client) Open(ctx context.Context, token Token, name identity.PackageURL) (io.ReadCloser, error) {
	response, err := c.send(ctx, token, http.MethodGet, segments(name), nil, "")
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// Delete removes a package. One that doesn't exist is gone already, whatever the storage
// behind the service says to that.
func (c *Client) Delete(ctx context.Context, token Token, name identity.PackageURL) error {
	response, err := c.send(ctx, token, http.MethodDelete, segments(name), nil, "")
	if err == nil {
		return response.Body.Close()
	}
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Code >= http.StatusInternalServerError && c.gone(ctx, token, name) {
		return nil
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// gone tells whether there is neither content nor metadata of a package.
func (c *Client) gone(ctx context.Context, token Token, name identity.PackageURL) bool {
	if _, err := c.Metadata(ctx, token, name); !errors.Is(err, ErrNotFound) {
		return false
	}
	content, err := c.Open(ctx, token, name)
	if err == nil {
		content.Close()
	}
	return errors.Is(err, ErrNotFound)
}

func segments(name identity.PackageURL) []string {
	return []string{name.Type, name.Tenant, name.Namespace, name.Name, name.Version}
}

func (c *Client) getJSON(ctx context.Context, token Token, into any, path []string) error {
	response, err := c.send(ctx, token, http.MethodGet, path, nil, "")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("could not read an answer of Pulsar's package service: %w", err)
	}
	if len(content) > maxAnswer {
		return fmt.Errorf("an answer of Pulsar's package service has more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("could not read an answer of Pulsar's package service: %w", err)
	}
	return nil
}

// send makes a request and returns its answer, if that is a success. The body of the
// answer is to be closed.
func (c *Client) send(ctx context.Context, token Token, method string, path []string, body io.Reader, contentType string) (*http.Response, error) {
	target, err := pulsaradmin.At(c.base, "/admin/v3/packages", path...)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("could not make a request: %w", err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+string(token))
	}
	response, err := c.http.Do(request)
	if err != nil {
		// The error names the URL, which says nothing to whoever asked.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("could not reach Pulsar's package service: %w", err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, refusal(response)
}

// refusal reads the answer of a request that failed. The service says 404 to an upload
// of what exists.
func refusal(response *http.Response) error {
	said := struct {
		Reason string `json:"reason"`
	}{}
	content, err := io.ReadAll(io.LimitReader(response.Body, maxReason))
	if err == nil && json.Unmarshal(content, &said) != nil {
		said.Reason = ""
	}
	exists := strings.HasSuffix(said.Reason, "already exists")
	switch {
	case response.StatusCode == http.StatusConflict, exists && response.StatusCode == http.StatusNotFound:
		return ErrExists
	case response.StatusCode == http.StatusNotFound:
		return ErrNotFound
	}
	return &RefusedError{Code: response.StatusCode, Reason: said.Reason}
}
