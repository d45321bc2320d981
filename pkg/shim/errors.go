package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// Reasons that Pulsar gives word for word, or that have no counterpart there.
const (
	reasonUnauthorized = "Client is not authorized to perform operation"
	reasonOutOfDate    = "Delete request ignored because it is out of date. Please try again."
	reasonInternal     = "The request could not be processed. The log of pulsar-admin-shim has the details."
	reasonBusy         = "The API server has too many requests. Please try again in a little while."
	reasonUnavailable  = "The API server is not available. Please try again in a little while."
	reasonNoIssuer     = "The issuer of the token can't be asked whether it is good. Please try again in a little while."
	reasonTimeout      = "The API server did not answer in time. Please try again in a little while."
)

// restError is an answer that isn't a success: a status code and the reason that
// Pulsar's clients show.
type restError struct {
	code   int
	reason string
	// cause is for the log only.
	cause error
}

func (e *restError) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return e.reason
}

func errorf(code int, format string, args ...any) *restError {
	return &restError{code: code, reason: fmt.Sprintf(format, args...)}
}

// component names what a request is about in reasons: Pulsar's word for its kind,
// in title case, and its name.
type component struct {
	kind string
	name string
}

func (c component) missing(code int) *restError {
	return errorf(code, "%s %s doesn't exist", c.kind, c.name)
}

func (c component) exists() *restError {
	return errorf(http.StatusBadRequest, "%s %s already exists", c.kind, c.name)
}

// translate says an error of a call to the API server in Pulsar's words. The API
// server's own text is passed on only where it was written for the caller: anything
// else could tell about the inside of the cluster.
func (c component) translate(err error) *restError {
	var known *restError
	if errors.As(err, &known) {
		return known
	}
	answer := c.translateCall(err)
	answer.cause = err
	return answer
}

func (c component) translateCall(err error) *restError {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return translateTransport(err)
	}
	code := int(status.Status().Code)
	reason := pulsarReason(err)
	switch {
	case code == http.StatusUnauthorized:
		return errorf(http.StatusUnauthorized, reasonUnauthorized)
	case code < http.StatusInternalServerError && reason == "" && isAdmission(err):
		return errorf(http.StatusBadRequest, "%s %s cannot be admitted:- %s", c.kind, c.name, status.Status().Message)
	case code == http.StatusForbidden:
		return errorf(http.StatusUnauthorized, "%s", orElse(reason, reasonUnauthorized))
	case apierrors.IsNotFound(err) && reason != "":
		return errorf(http.StatusNotFound, "%s", reason)
	case code >= 400 && code < 500 && code != http.StatusTooManyRequests && reason != "":
		return errorf(http.StatusBadRequest, "%s", reason)
	case apierrors.IsAlreadyExists(err):
		return c.exists()
	case apierrors.IsNotFound(err) && isNamespace(status):
		return errorf(http.StatusNotFound, "Kubernetes namespace %q doesn't exist", status.Status().Details.Name)
	case apierrors.IsNotFound(err):
		return c.missing(http.StatusNotFound)
	case code == http.StatusConflict, code == http.StatusRequestEntityTooLarge:
		return errorf(code, "%s", status.Status().Message)
	case code == http.StatusUnprocessableEntity:
		return errorf(http.StatusBadRequest, "%s", status.Status().Message)
	case code == http.StatusTooManyRequests:
		return errorf(code, "%s", orElse(ownMessage(err), reasonBusy))
	case code == http.StatusServiceUnavailable:
		return errorf(code, "%s", orElse(orElse(reason, ownMessage(err)), reasonUnavailable))
	case code == http.StatusGatewayTimeout:
		return errorf(code, "%s", orElse(ownMessage(err), reasonTimeout))
	}
	return errorf(http.StatusInternalServerError, reasonInternal)
}

// translateTransport says what it means that the API server gave no answer.
func translateTransport(err error) *restError {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errorf(http.StatusGatewayTimeout, reasonTimeout)
	case errors.Is(err, context.Canceled):
		return errorf(http.StatusServiceUnavailable, "The request was cancelled")
	case utilnet.IsConnectionRefused(err), utilnet.IsConnectionReset(err), utilnet.IsProbableEOF(err):
		return errorf(http.StatusServiceUnavailable, reasonUnavailable)
	}
	return errorf(http.StatusInternalServerError, reasonInternal)
}

// pulsarReason returns the text that Pulsar has for an error, which the API server
// adds as the last cause, or an empty string.
func pulsarReason(err error) string {
	cause, _ := apierrors.StatusCause(err, v1alpha1.CauseTypePulsarReason)
	return cause.Message
}

// admissionTexts are in the messages of those who refuse an object by the cluster's
// rules: quotas, webhooks and admission policies.
var admissionTexts = []string{"exceeded quota: ", " denied the request", " denied request"}

// isAdmission tells a refusal that is about the object from one that is about the
// caller. Both may be 403, as with the webhook of Function Mesh's operator, and
// Kubernetes has no reason of its own for the former: its texts are the only sign.
func isAdmission(err error) bool {
	isIn := func(text string) bool { return strings.Contains(err.Error(), text) }
	return slices.ContainsFunc(admissionTexts, isIn) || apierrors.HasStatusCause(err, "NamespaceTerminating")
}

func isNamespace(status apierrors.APIStatus) bool {
	details := status.Status().Details
	return details != nil && details.Kind == "namespaces"
}

// ownMessage returns the message of an error that the API server itself reported,
// not one that the client made up of an answer that it could not read.
func ownMessage(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse) {
		return ""
	}
	return status.Status().Message
}

func orElse(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// writeError answers with an error as Pulsar's clients read it: {"reason": "…"}
// and no other member. (A member called code would overwrite the status code in
// the Go client.)
func writeError(writer http.ResponseWriter, request *http.Request, err error) {
	var answer *restError
	if !errors.As(err, &answer) {
		answer = errorf(http.StatusInternalServerError, reasonInternal)
	}
	if answer.code >= http.StatusInternalServerError && answer.code != http.StatusNotImplemented {
		klog.FromContext(request.Context()).Error(err, "Request failed", "code", answer.code)
	}
	if origin := caller.FromContext(request.Context()); origin != nil && repeatable(answer.code) {
		if after := origin.RetryAfter(); after != "" {
			writer.Header().Set("Retry-After", after)
		}
	}
	writeJSON(writer, request, answer.code, map[string]string{"reason": answer.reason})
}

func repeatable(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout
}

// writeJSON answers with a value as JSON.
func writeJSON(writer http.ResponseWriter, request *http.Request, code int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		klog.FromContext(request.Context()).Error(err, "Could not encode an answer")
		code, body = http.StatusInternalServerError, []byte(`{"reason":"`+reasonInternal+`"}`)
	}
	addWarnings(writer, request)
	header := writer.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	writer.WriteHeader(code)
	if _, err := writer.Write(body); err != nil {
		klog.FromContext(request.Context()).V(4).Info("Could not send an answer", "err", err)
	}
}

// writeNothing answers 204, Pulsar's answer to whatever returns no value.
func writeNothing(writer http.ResponseWriter, request *http.Request) {
	addWarnings(writer, request)
	writer.WriteHeader(http.StatusNoContent)
}

// addWarnings repeats the API server's warnings to the caller.
func addWarnings(writer http.ResponseWriter, request *http.Request) {
	origin := caller.FromContext(request.Context())
	if origin == nil {
		return
	}
	for _, text := range origin.Warnings() {
		if value, err := utilnet.NewWarningHeader(299, "", text); err == nil {
			writer.Header().Add("Warning", value)
		}
	}
}
