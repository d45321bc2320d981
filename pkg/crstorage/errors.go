package crstorage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/klog/v2"
)

// retryAfterSeconds is what a caller is told to wait when the backend is away.
const retryAfterSeconds = 1

// errorMapper tells the backend's errors in the terms of the view.
type errorMapper struct {
	cr       schema.GroupVersionResource
	crKind   string
	view     schema.GroupResource
	viewKind string
	viewPath func(string) string
}

// missingDefinition says whether an error means that the backend doesn't serve the
// resource at all, as opposed to not having an object of it. For an unknown path
// kube-apiserver's answer isn't a Status that names an object, but a plain text.
func missingDefinition(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details == nil || details.Name == "" || apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse)
}

// missingDefinitionError is the answer to a write that has nowhere to go.
func (m *errorMapper) missingDefinitionError() error {
	missingDefinitions.WithLabelValues(m.cr.GroupResource().String()).Inc()
	return unavailable(fmt.Sprintf(
		"the custom resource definition %s is not installed: install Function Mesh, or its CRDs", m.cr.GroupResource()))
}

func unavailable(message string) error {
	err := apierrors.NewServiceUnavailable(message)
	err.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterSeconds}
	return err
}

// read maps an error that doesn't come from a write: of get, list or watch.
func (m *errorMapper) read(ctx context.Context, key string, err error) error {
	if apierrors.IsNotFound(err) && m.isOurs(err) {
		return storage.NewKeyNotFoundError(key, 0)
	}
	return m.status(ctx, err)
}

// create maps an error of creating the object at key.
func (m *errorMapper) create(ctx context.Context, key string, err error) error {
	if missingDefinition(err) {
		return m.missingDefinitionError()
	}
	if apierrors.IsAlreadyExists(err) && m.isOurs(err) {
		return storage.NewKeyExistsError(key, 0)
	}
	return m.status(ctx, err)
}

// isOurs says whether an error is about a custom resource, not about its namespace
// or something else that its request needed.
func (m *errorMapper) isOurs(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	details := status.Status().Details
	return details == nil || details.Kind == m.cr.Resource || details.Kind == m.crKind
}

// status maps any other error. It keeps code, reason and retry-after, and rewrites
// what names the custom resource. The result is never wrapped: a wrapped
// StatusError is a 500 to the caller.
func (m *errorMapper) status(ctx context.Context, err error) error {
	var apiStatus apierrors.APIStatus
	if !errors.As(err, &apiStatus) {
		return m.transport(ctx, err)
	}
	original := apiStatus.Status()
	status := *original.DeepCopy()
	if status.Reason == metav1.StatusReasonUnauthorized {
		// It is this server's credential that was refused, not its caller's.
		klog.FromContext(ctx).Error(err, "The Kubernetes API server refuses this server's credential")
		return apierrors.NewInternalError(errors.New("the Kubernetes API server refuses the credential of functionmesh-apiserver"))
	}
	if m.isOwnDenial(status) {
		klog.FromContext(ctx).Error(err, "This server's account lacks a right on the custom resources")
		return apierrors.NewInternalError(fmt.Errorf(
			"the account of functionmesh-apiserver may not do this with %s: see its ClusterRole", m.cr.GroupResource()))
	}
	if m.isOurs(err) && status.Details != nil {
		if status.Details.Group == m.cr.Group {
			status.Details.Group = m.view.Group
		}
		switch status.Details.Kind {
		case m.cr.Resource:
			status.Details.Kind = m.view.Resource
		case m.crKind:
			status.Details.Kind = m.viewKind
		}
		// The custom resource's UID is none of the view's.
		status.Details.UID = ""
	}
	if unknown, ok := unknownField(status); ok {
		return m.outdatedDefinition(status, unknown)
	}
	if status.Reason == metav1.StatusReasonInvalid && status.Details != nil {
		m.rewriteCauses(&status)
	}
	if status.Reason != metav1.StatusReasonForbidden || !strings.Contains(status.Message, " quota: ") {
		// A quota's text, such as "exceeded quota: ..." or "status unknown for quota: ...",
		// names the resource that an administrator put a quota on.
		status.Message = m.rename(status.Message)
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// isOwnDenial says whether the backend's RBAC refused this server, not its caller,
// whom the backend doesn't know.
func (m *errorMapper) isOwnDenial(status metav1.Status) bool {
	return status.Reason == metav1.StatusReasonForbidden && strings.Contains(status.Message, "cannot ") &&
		strings.Contains(status.Message, fmt.Sprintf("resource %q in API group %q", m.cr.Resource, m.cr.Group))
}

// transport maps an error that is no answer of the backend.
func (m *errorMapper) transport(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return apierrors.NewTimeoutError("the Kubernetes API server did not answer in time", retryAfterSeconds)
	case errors.Is(err, context.Canceled):
		return err
	}
	klog.FromContext(ctx).Error(err, "Could not reach the Kubernetes API server", "resource", m.cr.GroupResource())
	return unavailable("the Kubernetes API server can't be reached")
}

func (m *errorMapper) rename(text string) string {
	return strings.NewReplacer(
		m.cr.GroupResource().String(), m.view.String(),
		m.crKind+"."+m.cr.GroupVersion().Version+"."+m.cr.Group, m.viewKind+"."+m.view.Group,
		m.crKind+"."+m.cr.Group, m.viewKind+"."+m.view.Group,
	).Replace(text)
}

// rewriteCauses rewrites each cause's field, and the fields where the messages repeat
// them.
func (m *errorMapper) rewriteCauses(status *metav1.Status) {
	var fields []string
	for _, cause := range status.Details.Causes {
		if cause.Field != "" && !slices.Contains(fields, cause.Field) {
			fields = append(fields, cause.Field)
		}
	}
	// A path that begins with another one is looked for first.
	slices.SortFunc(fields, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, field := range fields {
		pairs = append(pairs, field, m.viewPath(field))
	}
	replacer := strings.NewReplacer(pairs...)
	status.Message = replacer.Replace(status.Message)
	for i := range status.Details.Causes {
		cause := &status.Details.Causes[i]
		cause.Message = replacer.Replace(cause.Message)
		if cause.Field != "" {
			cause.Field = m.viewPath(cause.Field)
		}
	}
}

// unknownField returns the field of a strict decoding error.
func unknownField(status metav1.Status) (string, bool) {
	const marker = `unknown field "`
	if status.Code != http.StatusBadRequest {
		return "", false
	}
	_, rest, found := strings.Cut(status.Message, marker)
	if !found {
		return "", false
	}
	field, _, found := strings.Cut(rest, `"`)
	return field, found
}

// outdatedDefinition is the answer when the installed CRD has no place for
// something that the view says.
func (m *errorMapper) outdatedDefinition(status metav1.Status, field string) error {
	path := m.viewPath(field)
	message := fmt.Sprintf("the installed custom resource definition %s has no field %s: it belongs to an older Function Mesh",
		m.cr.GroupResource(), field)
	status.Code = http.StatusUnprocessableEntity
	status.Reason = metav1.StatusReasonInvalid
	status.Message = fmt.Sprintf("%s: %s", path, message)
	status.Details = &metav1.StatusDetails{
		Group:  m.view.Group,
		Kind:   m.viewKind,
		Causes: []metav1.StatusCause{{Type: metav1.CauseTypeFieldValueNotSupported, Field: path, Message: message}},
	}
	return &apierrors.StatusError{ErrStatus: status}
}
