package oauth2

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// SecretsRole is the ClusterRole that lets this server read accounts in a namespace
// where it is bound.
const SecretsRole = "functionmesh-apiserver-oauth2"

// refuse returns a 422 about one field, with the same text for Pulsar's clients.
func (r *request) refuse(err *field.Error) error {
	invalid := apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(r.component.ComponentKind().Kind).GroupKind(),
		r.component.GetName(), field.ErrorList{err})
	return view.WithPulsarReason(invalid, err.Error())
}

// invalid refuses with a text. The value, if it has one, is the name of a Secret, which
// the text has.
func (r *request) invalid(path *field.Path, text string) error {
	return r.refuse(field.Invalid(path, field.OmitValueType{}, text))
}

func (r *request) required(path *field.Path, text string) error {
	return r.refuse(field.Required(path, text))
}

func (r *request) forbiddenField(path *field.Path, text string) error {
	return r.refuse(field.Forbidden(path, text))
}

// forbidden returns a 403: the caller lacks a right.
func (r *request) forbidden(path *field.Path, lack string) error {
	refused := apierrors.NewForbidden(v1alpha1.Resource(r.component.ComponentKind().Resource), r.component.GetName(), fmt.Errorf("%s %s", path, lack))
	refused.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: view.CauseTypeMissingRight, Field: path.String(), Message: lack}}
	return view.WithPulsarReason(refused, view.NotAuthorized)
}

// unreadable says why a Secret can't be read, or, without a name, Secrets can't be
// listed. That the server may not is for an administrator to change.
func (r *request) unreadable(path *field.Path, name string, err error) error {
	namespace := r.attributes.GetNamespace()
	switch {
	case apierrors.IsNotFound(err):
		return r.invalid(path, fmt.Sprintf("there is no Secret %q in namespace %q", name, namespace))
	case apierrors.IsForbidden(err):
		return r.invalid(path, fmt.Sprintf("the server may not read Secrets in namespace %q to find an account: it needs a RoleBinding there of ClusterRole %s to its service account",
			namespace, SecretsRole))
	case errors.Is(err, errTooMany):
		return r.invalid(path, fmt.Sprintf("namespace %q has too many Secrets to look through for an account: name one", namespace))
	}
	klog.Background().Error(err, "Could not read a Secret", "namespace", namespace, "secret", name)
	return apierrors.NewServiceUnavailable("could not read Secrets to find an account: please try again")
}

func (r *request) internal(ctx context.Context, err error) error {
	klog.FromContext(ctx).Error(err, "Could not resolve an account", "namespace", r.attributes.GetNamespace(), "name", r.component.GetName())
	return apierrors.NewInternalError(errors.New("could not resolve the account of the object"))
}
