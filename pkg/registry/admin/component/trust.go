package component

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

// checkTrust refuses a component whose pods would wait for a Secret with certificates that
// the server may not make, and before, nil for a new one, doesn't. A background loop makes
// it, when there is an owner.
func (c *checks) checkTrust(ctx context.Context, component, before v1alpha1.Component) error {
	if !translation.HasTrustSecret(component) || before != nil && translation.HasTrustSecret(before) {
		return nil
	}
	namespace, name := genericapirequest.NamespaceValue(ctx), component.Common().TLS.CertSecretName
	_, err := c.config.Secrets.CoreV1().Secrets(namespace).Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Type: corev1.SecretTypeOpaque,
	}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	switch {
	case err == nil:
		return nil
	case apierrors.IsAlreadyExists(err):
		return c.checkFormerTrust(ctx, component, namespace, name)
	case apierrors.IsForbidden(err):
		problem := field.Forbidden(field.NewPath("spec", "tls", "certSecretName"), fmt.Sprintf(
			"the server may not keep the certificates of brokers in namespace %q: it needs a RoleBinding there of ClusterRole %s to its service account, and no quota or policy against it", namespace, TokensRole))
		return view.WithPulsarReason(apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(component.ComponentKind().Kind).GroupKind(),
			component.GetName(), field.ErrorList{problem}), problem.Error())
	case apierrors.IsNotFound(err):
		// The namespace isn't there, which the write will say.
		return nil
	}
	klog.FromContext(ctx).Error(err, "Could not find out whether certificates can be kept", "namespace", namespace, "name", component.GetName())
	return apierrors.NewServiceUnavailable("could not keep the certificates of brokers: please try again")
}

// given returns what the server gives a component. Certificates are of a new one, and of
// one that keeps them: whoever names them later uses a Secret that may be anybody's.
func (c *checks) given(component, before v1alpha1.Component) v1alpha1.Component {
	given := c.defaults.server(component)
	if before != nil && !translation.HasTrustSecret(before) && translation.HasTrustSecret(given) {
		given.Common().TLS = nil
	}
	return given
}

// checkFormerTrust refuses a component that would trust the certificates in a Secret
// that somebody else made. That of a former component of its name goes in a moment.
func (c *checks) checkFormerTrust(ctx context.Context, component v1alpha1.Component, namespace, name string) error {
	found, err := c.config.Secrets.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil && len(found.OwnerReferences) == 1 {
		owner := found.OwnerReferences[0]
		if owner.APIVersion == c.owner.GroupVersion().String() && owner.Kind == c.owner.Kind && owner.Name == component.GetName() {
			return nil
		}
	}
	return apierrors.NewConflict(v1alpha1.Resource(component.ComponentKind().Resource), component.GetName(),
		fmt.Errorf("the Secret %q where the server keeps the certificates of its brokers is there already: remove it, or name certificates in spec.tls", name))
}
