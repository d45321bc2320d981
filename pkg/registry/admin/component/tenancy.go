package component

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// Tenancy says in which Kubernetes namespace what belongs.
type Tenancy interface {
	// Default returns the one Pulsar namespace that a Kubernetes namespace serves, and
	// false where that isn't one.
	Default(ctx context.Context, kubernetes string) (tenancy.PulsarNamespace, bool)
	// Check returns nil where something of a Pulsar namespace may be created. An error
	// is a *tenancy.RefusedError, or one of finding that out.
	Check(ctx context.Context, kubernetes string, pulsar tenancy.PulsarNamespace) error
	// Serves tells whether what there is of a Pulsar namespace belongs there.
	Serves(ctx context.Context, kubernetes string, pulsar tenancy.PulsarNamespace) (bool, error)
	// ClaimedElsewhere tells whether another Kubernetes namespace has a claim of which is
	// true what is asked.
	ClaimedElsewhere(kubernetes string, is func(claim tenancy.PulsarNamespace) bool) bool
}

var _ Tenancy = (*tenancy.Enforcer)(nil)

// tenancyUnknown is the answer while it can't be known what a namespace serves.
const tenancyUnknown = "It can't be found out at the moment which Pulsar namespaces this Kubernetes namespace serves. Please try again in a little while."

// checkTenancy refuses a new component of a Pulsar namespace that its Kubernetes
// namespace doesn't serve. Else whoever may write functions in one namespace could run
// code as any tenant.
func (c *checks) checkTenancy(ctx context.Context, component v1alpha1.Component) error {
	err := c.config.Tenancy.Check(ctx, genericapirequest.NamespaceValue(ctx), pulsarNamespaceOf(component))
	var refused *tenancy.RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refusedPlace(component, refused.Error())
	}
	return unknownPlace(ctx, component, err)
}

// checkStillServed refuses to change what a component of a Pulsar namespace does that
// its Kubernetes namespace doesn't serve any more. How many of its instances run may
// change, and all that isn't its spec.
func (c *checks) checkStillServed(ctx context.Context, component, before v1alpha1.Component) error {
	scaled := before.DeepCopyObject().(v1alpha1.Component)
	scaled.Common().Parallelism, scaled.Common().Suspend = component.Common().Parallelism, component.Common().Suspend
	if untranslated(before) || sameSpec(component, scaled) {
		return nil
	}
	kubernetes := genericapirequest.NamespaceValue(ctx)
	served, err := c.config.Tenancy.Serves(ctx, kubernetes, pulsarNamespaceOf(before))
	switch {
	case err != nil:
		return unknownPlace(ctx, component, err)
	case !served:
		return refusedPlace(component, "Kubernetes namespace "+kubernetes+" does not serve Pulsar namespace "+pulsarNamespaceOf(before).String()+
			" any more: what is in it can only be scaled, suspended, resumed and deleted.")
	}
	return nil
}

func pulsarNamespaceOf(component v1alpha1.Component) tenancy.PulsarNamespace {
	spec := component.Common()
	return tenancy.PulsarNamespace{Tenant: spec.Tenant, Namespace: spec.Namespace}
}

// refusedPlace is the refusal of a component in the wrong namespace.
func refusedPlace(component v1alpha1.Component, reason string) error {
	invalid := apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(component.ComponentKind().Kind).GroupKind(), component.GetName(),
		field.ErrorList{field.Forbidden(field.NewPath("spec", "namespace"), reason)})
	return view.WithPulsarReason(invalid, reason)
}

func unknownPlace(ctx context.Context, component v1alpha1.Component, err error) error {
	klog.FromContext(ctx).Error(err, "Could not find out whether a namespace serves a component",
		"namespace", genericapirequest.NamespaceValue(ctx), "name", component.GetName())
	unavailable := apierrors.NewServiceUnavailable(tenancyUnknown)
	unavailable.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterSeconds}
	return view.WithPulsarReason(unavailable, tenancyUnknown)
}
