package pulsaradmin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Tenants returns the names of all tenants, which Pulsar tells super-users only.
func (c *Client) Tenants(ctx context.Context) ([]string, error) { return c.names(ctx, "tenants") }

// Namespaces returns the namespaces of a tenant, without the tenant. There are none of one
// that doesn't exist.
func (c *Client) Namespaces(ctx context.Context, tenant string) ([]string, error) {
	names, err := c.names(ctx, "namespaces", tenant)
	if err != nil {
		return nil, err
	}
	var namespaces []string
	for _, name := range names {
		if namespace, found := strings.CutPrefix(name, tenant+"/"); found && isSegment(namespace) {
			namespaces = append(namespaces, namespace)
		}
	}
	return namespaces, nil
}

// names returns a list of names. What doesn't exist has none.
func (c *Client) names(ctx context.Context, segments ...string) ([]string, error) {
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	code, body, err := c.get(bounded, segments...)
	switch {
	case err != nil:
		return nil, err
	case code == http.StatusNotFound:
		return nil, nil
	case code != http.StatusOK:
		return nil, fmt.Errorf("could not list %s in Pulsar: it answered %d", segments[0], code)
	}
	var names []string
	if err := json.Unmarshal(body, &names); err != nil {
		return nil, fmt.Errorf("could not read a list of %s: %w", segments[0], err)
	}
	return names, nil
}
