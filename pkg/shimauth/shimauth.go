// Package shimauth lets pulsar-admin-shim say on whose behalf it calls.
//
// It is a second front proxy beside the aggregator's, with a CA of its own. Whoever
// holds a certificate of that CA can claim identities of Pulsar only: a name and
// groups that begin with "pulsar:". So a shim that was broken into can't be a
// Kubernetes user, least of all an administrator.
package shimauth

import (
	"fmt"
	"net/http"
	"strings"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/request/headerrequest"
	"k8s.io/apiserver/pkg/authentication/request/union"
	"k8s.io/apiserver/pkg/authentication/request/x509"
	"k8s.io/apiserver/pkg/authentication/user"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// Prefix begins every name and group that the shim can claim.
const Prefix = "pulsar:"

// The headers in which the shim says who calls. They are those that any Kubernetes
// front proxy uses, so that client-go's transport can set them.
const (
	UserHeader  = "X-Remote-User"
	GroupHeader = "X-Remote-Group"
)

// Config says whom to trust.
type Config struct {
	// CAFile has the CA certificates of the shim's client certificates. It is read
	// again when it changes.
	CAFile string
	// AllowedNames are the common names of those certificates.
	AllowedNames []string
}

// Install adds the authenticator to a server's configuration, after its delegated
// authentication was set up.
func Install(config Config, authentication *genericapiserver.AuthenticationInfo, serving *genericapiserver.SecureServingInfo) error {
	ca, err := dynamiccertificates.NewDynamicCAContentFromFile("pulsar-admin-shim", config.CAFile)
	if err != nil {
		return fmt.Errorf("could not read the CA of the shim's certificates: %w", err)
	}
	if err := authentication.ApplyClientCert(ca, serving); err != nil {
		return fmt.Errorf("could not accept the shim's certificates: %w", err)
	}
	shim := New(ca.VerifyOptions, config.AllowedNames)
	// Ours is asked first, since the delegated one ends in anonymous. A union that
	// fails on the first error would refuse every certificate of another CA, the
	// aggregator's among them.
	authentication.Authenticator = union.New(shim, authentication.Authenticator)
	return nil
}

// New returns an authenticator of requests that come with a certificate which
// verifyOptions accept and whose common name is in allowedNames. Neither a UID nor
// extra information can be claimed.
func New(verifyOptions x509.VerifyOptionFunc, allowedNames []string) authenticator.Request {
	none := headerrequest.StaticStringSlice{}
	return onlyPulsar(headerrequest.NewDynamicVerifyOptionsSecure(verifyOptions,
		headerrequest.StaticStringSlice(allowedNames),
		headerrequest.StaticStringSlice{UserHeader}, none,
		headerrequest.StaticStringSlice{GroupHeader}, none))
}

// onlyPulsar refuses identities that aren't Pulsar's.
func onlyPulsar(next authenticator.Request) authenticator.Request {
	return authenticator.RequestFunc(func(request *http.Request) (*authenticator.Response, bool, error) {
		response, ok, err := next.AuthenticateRequest(request)
		if err != nil || !ok {
			return nil, false, err
		}
		if err := checkIdentity(response.User); err != nil {
			return nil, false, err
		}
		return response, true, nil
	})
}

func checkIdentity(claimed user.Info) error {
	for _, name := range append([]string{claimed.GetName()}, claimed.GetGroups()...) {
		if !strings.HasPrefix(name, Prefix) || name == Prefix {
			return fmt.Errorf("could not authenticate: the shim can't claim %q", name)
		}
	}
	return nil
}
