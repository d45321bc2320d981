package shim

import (
	"context"
	"errors"
	"net/http"

	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// maxRefusalLog bounds how much of why a credential isn't taken is logged: some of it is
// what the caller sent.
const maxRefusalLog = 256

// credentialError says why a credential isn't taken. The caller learns no more than
// Pulsar tells, since what is wrong with a credential helps most those who guess one.
// The log has the rest.
func credentialError(ctx context.Context, err error) *restError {
	answer := errorf(http.StatusUnauthorized, reasonUnauthorized)
	switch {
	case errors.Is(err, caller.ErrOriginalPrincipal):
		return errorf(http.StatusBadRequest, "%v", caller.ErrOriginalPrincipal)
	case errors.Is(err, caller.ErrUnavailable):
		answer = errorf(http.StatusServiceUnavailable, reasonNoIssuer)
	}
	text := err.Error()
	klog.FromContext(ctx).Info("Credential refused", "code", answer.code, "reason", text[:min(len(text), maxRefusalLog)])
	return answer
}
