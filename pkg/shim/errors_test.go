package shim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func withCauses(err *apierrors.StatusError, causes ...metav1.StatusCause) error {
	if err.ErrStatus.Details == nil {
		err.ErrStatus.Details = &metav1.StatusDetails{}
	}
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, causes...)
	return err
}

func TestTranslate(t *testing.T) {
	resource := v1alpha1.Resource("pulsarfunctions")
	kind := schema.GroupKind{Group: v1alpha1.GroupName, Kind: "PulsarFunction"}
	reason := metav1.StatusCause{Type: v1alpha1.CauseTypePulsarReason, Message: "Pulsar's words"}
	terminating := metav1.StatusCause{Type: "NamespaceTerminating", Message: "namespace x is being terminated"}
	unexpected := func(code int) error {
		return apierrors.NewGenericServerResponse(code, "get", resource, "f-1", "inside 10.0.0.1", 0, true)
	}
	tests := []struct {
		name   string
		err    error
		code   int
		reason string
	}{
		{"unauthorized", apierrors.NewUnauthorized("token expired"), 401, reasonUnauthorized},
		{"forbidden", apierrors.NewForbidden(resource, "f-1", errors.New("User x cannot get")), 401, reasonUnauthorized},
		{"quota", apierrors.NewForbidden(resource, "f-1", errors.New("exceeded quota: q, requested: 1")), 400, `Function f cannot be admitted:- pulsarfunctions.admin.functionmesh.io "f-1" is forbidden: exceeded quota: q, requested: 1`},
		{"namespace going", withCauses(apierrors.NewForbidden(resource, "f-1", errors.New("going")), terminating), 400, `Function f cannot be admitted:- pulsarfunctions.admin.functionmesh.io "f-1" is forbidden: going`},
		{"webhook", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: `admission webhook "w" denied the request: no`}}, 400, `Function f cannot be admitted:- admission webhook "w" denied the request: no`},
		{"webhook without words", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Message: `admission webhook "w" denied the request without explanation`}}, 400, `Function f cannot be admitted:- admission webhook "w" denied the request without explanation`},
		{"webhook with another code", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 400, Message: `admission webhook "w" denied the request: no`}}, 400, `Function f cannot be admitted:- admission webhook "w" denied the request: no`},
		{"policy", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 422, Message: `ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`}}, 400, `Function f cannot be admitted:- ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`},
		{"not found", apierrors.NewNotFound(resource, "f-1"), 404, "Function f doesn't exist"},
		{"namespace not found", apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "pulsar"), 404, `Kubernetes namespace "pulsar" doesn't exist`},
		{"exists", apierrors.NewAlreadyExists(resource, "f-1"), 400, "Function f already exists"},
		{"exists, in Pulsar's words", withCauses(apierrors.NewAlreadyExists(resource, "f-1"), reason), 400, "Pulsar's words"},
		{"conflict", apierrors.NewConflict(resource, "f-1", errors.New("owned by FunctionMesh m")), 409, `Operation cannot be fulfilled on pulsarfunctions.admin.functionmesh.io "f-1": owned by FunctionMesh m`},
		{"invalid", withCauses(apierrors.NewInvalid(kind, "f-1", nil), metav1.StatusCause{Type: "FieldValueInvalid", Message: "other"}, reason), 400, "Pulsar's words"},
		{"invalid without Pulsar's words", &apierrors.StatusError{ErrStatus: metav1.Status{Code: 422, Message: "spec.x: no"}}, 400, "spec.x: no"},
		{"too large", apierrors.NewRequestEntityTooLargeError("limit is 3145728"), 413, "Request entity too large: limit is 3145728"},
		{"too many", apierrors.NewTooManyRequests("wait", 1), 429, "wait"},
		{"too many, in other words", unexpected(429), 429, reasonBusy},
		{"unavailable", apierrors.NewServiceUnavailable("CRD functions is missing"), 503, "CRD functions is missing"},
		{"unavailable, in other words", unexpected(503), 503, reasonUnavailable},
		{"timeout", apierrors.NewTimeoutError("slow", 1), 504, "Timeout: slow"},
		{"timeout, in other words", unexpected(504), 504, reasonTimeout},
		{"internal", apierrors.NewInternalError(errors.New("inside")), 500, reasonInternal},
		{"bad request", apierrors.NewBadRequest("inside"), 500, reasonInternal},
		{"bad gateway", unexpected(502), 500, reasonInternal},
		{"deadline", &url.Error{Op: "Get", URL: "https://inside", Err: context.DeadlineExceeded}, 504, reasonTimeout},
		{"refused", &url.Error{Op: "Get", URL: "https://inside", Err: syscall.ECONNREFUSED}, 503, reasonUnavailable},
		{"anything", errors.New("inside"), 500, reasonInternal},
		{"known", errorf(418, "known"), 418, "known"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := component{"Function", "f"}.translate(test.err)
			if got.code != test.code || got.reason != test.reason {
				t.Errorf("got %d %q, want %d %q", got.code, got.reason, test.code, test.reason)
			}
		})
	}
}

func TestErrorsThatNobodyTranslated(t *testing.T) {
	recorder := httptest.NewRecorder()
	writeError(recorder, mustRequest(t), errors.New("inside"))
	if reason := reasonIn(t, recorder); recorder.Code != http.StatusInternalServerError || reason != reasonInternal {
		t.Errorf("got %d %q", recorder.Code, reason)
	}
}
