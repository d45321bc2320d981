package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// defaultBinaryPort is where brokers listen for clients that send and receive messages.
const defaultBinaryPort = "6650"

// pulsarTimeout is how long Pulsar may take to say that it is there.
const pulsarTimeout = 30 * time.Second

// pulsar is one that runs already, with which everything works that needs one: packages,
// and whether tenants are there. Without a URL there is none.
type pulsar struct {
	// adminURL is that of its admin API, serviceURL for clients of topics.
	adminURL, serviceURL string
}

// resolve checks the URL of the admin API, and makes up for a missing serviceURL.
func (p *pulsar) resolve() error {
	if p.adminURL == "" {
		return nil
	}
	parsed, err := url.Parse(p.adminURL)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" {
		return fmt.Errorf("%q is not the URL of Pulsar's admin API, which is like %s", p.adminURL, devenv.DefaultWebServiceURL)
	}
	if p.serviceURL == "" {
		p.serviceURL = (&url.URL{Scheme: "pulsar", Host: net.JoinHostPort(parsed.Hostname(), defaultBinaryPort)}).String()
	}
	return nil
}

// check asks it for packages: what is not there, or has none, is better told of before
// anything is started.
func (p *pulsar) check(ctx context.Context) error {
	if p.adminURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pulsarTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.adminURL, "/")+"/admin/v3/packages/function/public/default", nil)
	if err != nil {
		return fmt.Errorf("could not make a request: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("no Pulsar can be reached: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the Pulsar at %s has no packages: %s answers %s (it needs enablePackagesManagement=true, and no authentication)",
			p.adminURL, request.URL, response.Status)
	}
	return nil
}

// configure has both servers use it.
func (p *pulsar) configure(options *devenv.Options) {
	if p.adminURL == "" {
		return
	}
	options.Config = devenv.ConfigFor(p.serviceURL, p.adminURL)
	options.ShimArgs = append(options.ShimArgs, "--package-service-url="+p.adminURL)
}
