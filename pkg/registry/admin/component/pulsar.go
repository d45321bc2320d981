package component

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// retryAfterSeconds is when to ask again about a namespace that Pulsar said nothing
// about.
const retryAfterSeconds = 5

// checkNamespace refuses a new component whose tenant or namespace doesn't exist in
// Pulsar, and every one while Pulsar doesn't say: what can't be known must not pass for
// what exists.
func (c *checks) checkNamespace(ctx context.Context, component v1alpha1.Component) error {
	spec := component.Common()
	err := c.config.CheckNamespace(ctx, spec.Cluster, spec.Tenant, spec.Namespace)
	var missing *pulsaradmin.NotFoundError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		path, value := field.NewPath("spec", "namespace"), spec.Namespace
		if missing.Tenant() {
			path, value = field.NewPath("spec", "tenant"), spec.Tenant
		}
		invalid := apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(component.ComponentKind().Kind).GroupKind(), component.GetName(),
			field.ErrorList{field.Invalid(path, value, missing.Error())})
		return view.WithPulsarReason(invalid, missing.Error())
	}
	klog.FromContext(ctx).Error(errors.Unwrap(err), "Could not look a namespace up in Pulsar",
		"cluster", spec.Cluster, "tenant", spec.Tenant, "namespace", spec.Namespace)
	unavailable := apierrors.NewServiceUnavailable(err.Error())
	unavailable.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterSeconds}
	return view.WithPulsarReason(unavailable, err.Error())
}
