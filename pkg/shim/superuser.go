package shim

import (
	"context"
	"errors"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// workersResource is the resource whose verbs stand for what Pulsar keeps for
// super-users: get, and update for what changes something. It is virtual: nobody
// serves it, there are only rights on it.
const workersResource = "pulsarworkers"

// superuser asks whether a caller may do what Pulsar keeps for super-users.
//
// It asks the API server for the virtual resource as the caller. The API server
// authorizes before it looks for what is asked, so "not found" is the answer for those
// who may, and "forbidden" for those who may not. So the shim needs no right of its own
// to ask about others, and the question is in the audit log like any other.
type superuser struct {
	client rest.Interface
}

// mayRead returns nil, or the refusal with the reason.
func (s superuser) mayRead(ctx context.Context, reason string) error {
	return s.check(caller.Aside(ctx), http.MethodGet, reason)
}

// mayChange is mayRead for what changes something.
func (s superuser) mayChange(ctx context.Context, reason string) error {
	return s.check(caller.Aside(ctx), http.MethodPut, reason)
}

func (s superuser) check(ctx context.Context, method, reason string) error {
	err := s.client.Verb(method).Resource(workersResource).Name("workers").
		Param("dryRun", "All").MaxRetries(0).Do(ctx).Error()
	var status apierrors.APIStatus
	if err != nil && errors.As(err, &status) {
		switch status.Status().Code {
		case http.StatusNotFound, http.StatusMethodNotAllowed:
			return nil
		case http.StatusUnauthorized, http.StatusForbidden:
			return errorf(http.StatusUnauthorized, "%s", reason)
		}
	}
	if err != nil {
		return component{}.translate(err)
	}
	return nil
}
