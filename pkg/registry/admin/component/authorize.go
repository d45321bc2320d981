package component

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
	"github.com/function-mesh/functionmesh-apiserver/pkg/privilege"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// authorize refuses what gives the pods of a component more than its author has. old is
// nil for a new component.
func (c *checks) authorize(ctx context.Context, component, old v1alpha1.Component) error {
	namespace := genericapirequest.NamespaceValue(ctx)
	caller, ok := genericapirequest.UserFrom(ctx)
	if !ok {
		return apierrors.NewInternalError(errors.New("could not tell who the request is from"))
	}
	rights := privilege.RequiredBeyond(c.given(component, old), component, old, credential.CallerOf(caller, c.config.KubernetesUserPrefix))
	missing, err := firstMissing(ctx, c.config.Authorizer, component.GetName(), rights)
	if err != nil || missing == nil {
		return err
	}
	lack := lackOf(missing, namespace)
	at := missing.Field
	if missing.Changed != "" {
		// The change uses what the object holds, which isn't the caller's.
		at = missing.Changed
		lack = "uses " + missing.Field + ", which isn't bound to the caller: it " + lack
	}
	refused := apierrors.NewForbidden(v1alpha1.Resource(component.ComponentKind().Resource), component.GetName(),
		fmt.Errorf("%s %s", at, lack))
	refused.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: view.CauseTypeMissingRight, Field: at, Message: lack}}
	return view.WithPulsarReason(refused, view.NotAuthorized)
}

// firstMissing returns the first of the rights that a request for the component of a name
// needs and the caller lacks, or nil.
func firstMissing(ctx context.Context, authorize authorizer.Authorizer, name string, rights []privilege.Right) (*privilege.Right, error) {
	namespace := genericapirequest.NamespaceValue(ctx)
	missing, err := privilege.Check(ctx, authorize, namespace, rights)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Could not authorize what a component uses", "namespace", namespace, "name", name)
		return nil, apierrors.NewInternalError(errors.New("could not find out whether the caller has the rights that the request needs"))
	}
	return missing, nil
}

// lackOf says that the caller lacks a right.
func lackOf(missing *privilege.Right, namespace string) string {
	resource := missing.Resource
	if missing.Group != "" {
		resource += "." + missing.Group
	}
	return fmt.Sprintf("needs the right to %s %s %q in namespace %q, which the caller lacks", missing.Verb, resource, missing.Name, namespace)
}
