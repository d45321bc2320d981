package component

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// checks is what a write has to pass after validation and admission.
type checks struct {
	config   Config
	defaults defaults
	// owner is the kind of custom resource that owns what the server makes for a component.
	owner schema.GroupVersionKind
}

// create checks that a new component is in the namespace that serves it, the rights of
// its author, and that its tenant and namespace exist in Pulsar, refuses a second one of its Pulsar identity in a namespace,
// and prepares the namespace. Components that race
// each other under different names are not caught here.
func (c *checks) create(ctx context.Context, obj runtime.Object, dryRun bool) error {
	component := obj.(v1alpha1.Component)
	if err := c.checkTenancy(ctx, component); err != nil {
		return err
	}
	if err := c.authorize(ctx, component, nil); err != nil {
		return err
	}
	if err := c.checkNamespace(ctx, component); err != nil {
		return err
	}
	existing, err := c.config.Identities.find(ctx, component)
	if err != nil {
		return err
	}
	switch {
	case existing == nil, sameObject(existing, component) && existing.GetDeletionTimestamp() != nil:
	case sameObject(existing, component):
		// The backend refuses it, unless the object goes meanwhile.
		view.SetReason(ctx, alreadyExistsReason(component))
	default:
		return c.alreadyExists(ctx, component, existing)
	}
	if err := c.checkTrust(ctx, component, nil); err != nil {
		return err
	}
	if dryRun {
		return nil
	}
	return c.config.EnsureConnection(ctx, genericapirequest.NamespaceValue(ctx), component.Common().Cluster)
}

// update checks that a component is still in the namespace that serves it, or that only
// its number of instances changes, and the rights of who changes it, and prepares the namespace for
// one that goes to another Pulsar cluster.
func (c *checks) update(ctx context.Context, obj, old runtime.Object, dryRun bool) error {
	component, before := obj.(v1alpha1.Component), old.(v1alpha1.Component)
	if err := c.checkStillServed(ctx, component, before); err != nil {
		return err
	}
	if err := c.authorize(ctx, component, before); err != nil {
		return err
	}
	if err := c.checkTrust(ctx, component, before); err != nil {
		return err
	}
	if component.Common().Cluster == before.Common().Cluster || dryRun {
		return nil
	}
	return c.config.EnsureConnection(ctx, genericapirequest.NamespaceValue(ctx), component.Common().Cluster)
}
