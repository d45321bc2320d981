package tokens

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/apis/apiserver/validation"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	authenticationcel "k8s.io/apiserver/pkg/authentication/cel"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

const (
	// settleTime is how long changed issuers may take to be found before they replace
	// those that were there.
	settleTime = 10 * time.Second
	settleStep = 100 * time.Millisecond
	// retireTime is for requests that still use what was replaced.
	retireTime = time.Minute
	// serverName tells this process from API servers in the library's metrics.
	serverName = "pulsar-admin-shim"
)

// Issuers knows the tokens of the issuers in a file, which is a Kubernetes
// AuthenticationConfiguration. Until Run, and where an issuer can't be asked, its tokens
// are caller.ErrUnavailable.
type Issuers struct {
	path    string
	content []byte
	first   *apiserver.AuthenticationConfiguration
	current atomic.Pointer[issuerSet]
}

var _ authenticator.Token = &Issuers{}

// issuerSet are the issuers of one content of the file.
type issuerSet struct {
	issuers []oidc.AuthenticatorTokenWithHealthCheck
	stop    context.CancelFunc
}

// NewIssuers reads and checks the file. It asks no issuer anything.
func NewIssuers(path string) (*Issuers, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("could not read the authentication configuration: %w", err)
	}
	configuration, err := parseConfiguration(content)
	if err != nil {
		return nil, err
	}
	return &Issuers{path: path, content: content, first: configuration}, nil
}

// Run finds the issuers and follows the file until the context ends.
func (i *Issuers) Run(ctx context.Context) {
	set, err := newIssuerSet(ctx, i.first)
	if err != nil {
		// It was checked at the start. Tokens stay unavailable.
		klog.FromContext(ctx).Error(err, "Could not set up the issuers of tokens")
		return
	}
	i.current.Store(set)
	follow(ctx, i.path, followPeriod, i.content, func(content []byte) error {
		configuration, err := parseConfiguration(content)
		if err != nil {
			return err
		}
		return i.replace(ctx, configuration)
	})
}

// replace puts the issuers of a configuration in the place of those that are there. It
// gives them a moment, so that tokens of those that stay go on being taken.
func (i *Issuers) replace(ctx context.Context, configuration *apiserver.AuthenticationConfiguration) error {
	set, err := newIssuerSet(ctx, configuration)
	if err != nil {
		return err
	}
	_ = wait.PollUntilContextTimeout(ctx, settleStep, settleTime, true, func(context.Context) (bool, error) {
		return set.health() == nil, nil
	})
	replaced := i.current.Swap(set)
	time.AfterFunc(retireTime, replaced.stop)
	return nil
}

// AuthenticateToken tells whose token it is, when it is an issuer's. The issuer is the one
// that the token itself names; all that it says is then proven.
func (i *Issuers) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	set := i.current.Load()
	if set == nil {
		return nil, false, caller.ErrUnavailable
	}
	for _, issuer := range set.issuers {
		response, known, err := issuer.AuthenticateToken(ctx, token)
		switch {
		case err != nil && issuer.HealthCheck() != nil:
			return nil, false, fmt.Errorf("%w: %w", caller.ErrUnavailable, err)
		case err != nil || known:
			return response, known, err
		}
	}
	return nil, false, nil
}

func newIssuerSet(ctx context.Context, configuration *apiserver.AuthenticationConfiguration) (*issuerSet, error) {
	ctx, stop := context.WithCancel(ctx)
	set := &issuerSet{stop: stop}
	for _, issuer := range configuration.JWT {
		client, err := newIssuerClient([]byte(issuer.Issuer.CertificateAuthority))
		if err != nil {
			stop()
			return nil, fmt.Errorf("could not reach issuer %q: %w", issuer.Issuer.URL, err)
		}
		authenticator, err := oidc.New(ctx, oidc.Options{
			JWTAuthenticator:     issuer,
			Client:               client,
			SupportedSigningAlgs: oidc.AllValidSigningAlgorithms(),
			APIServerID:          serverName,
		})
		if err != nil {
			stop()
			return nil, fmt.Errorf("could not use issuer %q: %w", issuer.Issuer.URL, err)
		}
		set.issuers = append(set.issuers, authenticator)
	}
	return set, nil
}

// health returns why some issuer can't be asked, or nil.
func (s *issuerSet) health() error {
	var failures []error
	for _, issuer := range s.issuers {
		failures = append(failures, issuer.HealthCheck())
	}
	return errors.Join(failures...)
}

// configurations decodes what kube-apiserver reads from a file of the same kind.
var configurations = func() runtime.Decoder {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
}()

// parseConfiguration decodes and checks a configuration, and refuses what would silently
// have no effect here.
func parseConfiguration(content []byte) (*apiserver.AuthenticationConfiguration, error) {
	decoded, err := runtime.Decode(configurations, content)
	if err != nil {
		return nil, fmt.Errorf("could not decode the authentication configuration: %w", err)
	}
	configuration, isConfiguration := decoded.(*apiserver.AuthenticationConfiguration)
	if !isConfiguration {
		return nil, fmt.Errorf("could not use a %T: an AuthenticationConfiguration is needed", decoded)
	}
	if configuration.Anonymous != nil {
		return nil, errors.New("anonymous can't be set in the authentication configuration: there is --anonymous")
	}
	for i, issuer := range configuration.JWT {
		if issuer.Issuer.EgressSelectorType != "" {
			return nil, fmt.Errorf("jwt[%d].issuer.egressSelectorType can't be set: there are no egress selectors here", i)
		}
	}
	if err := validation.ValidateAuthenticationConfiguration(authenticationcel.NewDefaultCompiler(), configuration, nil).ToAggregate(); err != nil {
		return nil, fmt.Errorf("could not use the authentication configuration: %w", err)
	}
	return configuration, nil
}
