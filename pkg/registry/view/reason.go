package view

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/crstorage"
)

const (
	// CauseTypeMissingRight is the type of the cause that names the field for which the
	// caller lacks a right.
	CauseTypeMissingRight metav1.CauseType = "MissingRight"
	// NotAuthorized is Pulsar's text for whatever a role may not do.
	NotAuthorized = "Client is not authorized to perform operation"
)

type reasonKey struct{}

// reason collects the text during one request.
type reason struct{ text string }

func withReason(ctx context.Context) (context.Context, *reason) {
	collected := &reason{}
	return context.WithValue(ctx, reasonKey{}, collected), collected
}

// SetReason says with which text Pulsar's worker would refuse the request that is
// being refused. Strategies call it while they validate; an empty text clears it.
func SetReason(ctx context.Context, text string) {
	if collected, ok := ctx.Value(reasonKey{}).(*reason); ok {
		collected.text = text
	}
}

// addTo adds the text to a refusal. Other errors, such as a conflict that a retry
// resolves, are returned as they are.
func (r *reason) addTo(err error) error {
	if apierrors.HasStatusCause(err, crstorage.CauseTypeOwned) {
		return WithPulsarReason(err, err.Error())
	}
	if r.text == "" || !apierrors.IsInvalid(err) && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return WithPulsarReason(err, r.text)
}

// reasonField stands where a cause names its field. kubectl prints every cause as
// "field: message", so it says whose words they are.
const reasonField = "pulsar-admin"

// WithPulsarReason returns err, an API status, with Pulsar's text as its last cause.
func WithPulsarReason(err error, text string) error {
	var apiStatus apierrors.APIStatus
	if !errors.As(err, &apiStatus) {
		return err
	}
	original := apiStatus.Status()
	status := original.DeepCopy()
	if status.Details == nil {
		status.Details = &metav1.StatusDetails{}
	}
	status.Details.Causes = append(status.Details.Causes, metav1.StatusCause{
		Type: v1alpha1.CauseTypePulsarReason, Message: text, Field: reasonField,
	})
	return &apierrors.StatusError{ErrStatus: *status}
}
