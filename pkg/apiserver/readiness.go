package apiserver

import (
	"errors"
	"net/http"

	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/server/healthz"
)

// aggregatorKnown makes a server ready only when it knows the CA of kube-apiserver's
// proxy certificate, which it reads in the background. Until then it believes nobody
// who a forwarded request is from: all are anonymous, and refused.
func aggregatorKnown(config *authenticatorfactory.RequestHeaderConfig) healthz.HealthChecker {
	return healthz.NamedCheck("aggregator-client-ca", func(*http.Request) error {
		if config == nil {
			// Nobody is to be believed who a request is from.
			return nil
		}
		if _, loaded := config.CAContentProvider.VerifyOptions(); !loaded {
			return errors.New("the CA of the aggregator's client certificate has not been read yet")
		}
		return nil
	})
}
