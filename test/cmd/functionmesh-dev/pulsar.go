package main

import (
	"fmt"
	"net"
	"net/url"

	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// defaultBinaryPort is where brokers listen for clients that send and receive messages.
const defaultBinaryPort = "6650"

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

// configure has both servers use it.
func (p *pulsar) configure(options *devenv.Options) {
	if p.adminURL == "" {
		return
	}
	options.Config = devenv.ConfigFor(p.serviceURL, p.adminURL)
	options.ShimArgs = append(options.ShimArgs, "--package-service-url="+p.adminURL)
}
