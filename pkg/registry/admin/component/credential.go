package component

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/util/dryrun"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
	"github.com/function-mesh/functionmesh-apiserver/pkg/translation"
)

const (
	// TokensRole is the ClusterRole that lets this server keep tokens in a namespace
	// where it is bound.
	TokensRole = "functionmesh-apiserver-tokens"

	// tokenPlugin is how Pulsar's clients use a token.
	tokenPlugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken"
	// maxToken bounds a token, in bytes: a pod gets it on a command line.
	maxToken = 16 << 10
	// tokenOfLabel is on the Secret of a token, and says by its UID whose it is.
	tokenOfLabel = translation.ReservedPrefix + "token-of"
	// maxKept bounds how many Secrets of former tokens are removed at once.
	maxKept = 100
	// cleanUpTimeout bounds the removal of a Secret that nothing uses.
	cleanUpTimeout = 10 * time.Second
)

// jsonWebToken has nothing that means something to a shell: the operator writes the
// token into a command without quotes.
var jsonWebToken = regexp.MustCompile(`\A[-\w]+\.[-\w]+\.[-\w]*\z`)

// CredentialREST serves the subresource credential of a kind: who creates it hands the
// object a token, which the server keeps in a Secret that belongs to the custom resource.
// It can't be read. Each token gets a Secret of its own, so that the pods of the one
// before run until those of the new one do.
type CredentialREST struct {
	store *view.REST
	// crKind is the custom resource's kind.
	crKind     string
	kind       v1alpha1.ComponentKind
	secrets    kubernetes.Interface
	userPrefix string
}

var (
	_ rest.Storage                        = (*CredentialREST)(nil)
	_ rest.NamedCreater                   = (*CredentialREST)(nil)
	_ rest.SubresourceObjectMetaPreserver = (*CredentialREST)(nil)
)

// PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate implements
// rest.SubresourceObjectMetaPreserver: the UID says for which object the token is.
func (r *CredentialREST) PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate() bool { return true }

// New implements rest.Storage.
func (r *CredentialREST) New() runtime.Object { return &v1alpha1.PulsarCredential{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *CredentialREST) Destroy() {}

// Create implements rest.NamedCreater.
func (r *CredentialREST) Create(ctx context.Context, name string, obj runtime.Object, validate rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	given, ok := obj.(*v1alpha1.PulsarCredential)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("it must be a PulsarCredential, not a %T", obj))
	}
	if token := given.Spec.Token; len(token) > maxToken || !jsonWebToken.MatchString(token) {
		return nil, r.invalid(name, field.NewPath("spec", "token"), fmt.Sprintf("must be a JSON Web Token of at most %d bytes", maxToken))
	}
	if validate != nil {
		if err := validate(ctx, obj.DeepCopyObject()); err != nil {
			return nil, err
		}
	}
	found, err := r.store.Get(ctx, name, &metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	component := found.(v1alpha1.Component)
	// A token is for the code that its owner saw, and for no other.
	if given.UID != "" && given.UID != component.GetUID() || given.Generation != 0 && given.Generation != component.GetGeneration() {
		return nil, apierrors.NewConflict(v1alpha1.Resource(r.kind.Resource), name, errors.New("it is not as the token's owner saw it any more"))
	}
	if auth := component.Common().Auth; auth != nil && auth.OAuth2 != nil {
		return nil, r.invalid(name, field.NewPath("spec", "auth", "oauth2"), "the object has an OAuth2 account, which counts for more than a token: take it away first")
	}
	if dryrun.IsDryRun(options.DryRun) {
		_, err = r.keep(ctx, component, given.Spec.Token, options.DryRun)
	} else {
		err = r.replace(ctx, component, given.Spec.Token, options.FieldManager)
	}
	if err != nil {
		return nil, err
	}
	return &metav1.Status{Status: metav1.StatusSuccess}, nil
}

// replace gives a component a token and removes those that the server kept for it before.
//
// What is removed is looked up before the token is kept, and the component must still have
// the credential that it had then: a token that somebody else hands over at the same time
// is either one of those, and refused after this one, or is none and stays.
func (r *CredentialREST) replace(ctx context.Context, component v1alpha1.Component, token, fieldManager string) error {
	namespace, before := genericapirequest.NamespaceValue(ctx), component.Common().Auth.CredentialSecret()
	user, ok := genericapirequest.UserFrom(ctx)
	if !ok {
		return apierrors.NewInternalError(errors.New("could not tell who the request is from"))
	}
	unused := r.kept(ctx, namespace, component)
	secret, err := r.keep(ctx, component, token, nil)
	if err != nil {
		return err
	}
	caller := credential.CallerOf(user, r.userPrefix)
	auth := &v1alpha1.Auth{SecretName: secret.Name, Resolved: &v1alpha1.ResolvedCredential{Binding: v1alpha1.CredentialBinding{
		SecretName: secret.Name, User: caller.User, Role: caller.Role, Rule: v1alpha1.CredentialToken,
	}}}
	uid := component.GetUID()
	_, _, err = r.store.Update(ctx, component.GetName(), rest.DefaultUpdatedObjectInfo(nil,
		func(_ context.Context, _, old runtime.Object) (runtime.Object, error) {
			current := old.DeepCopyObject().(v1alpha1.Component)
			conflict := ""
			switch {
			case current.GetUID() != uid:
				conflict = "it was deleted and created again meanwhile"
			case current.GetGeneration() != component.GetGeneration():
				conflict = "it was changed meanwhile"
			case current.Common().Auth.CredentialSecret() != before:
				conflict = "it got another credential meanwhile"
			}
			if conflict != "" {
				return nil, apierrors.NewConflict(v1alpha1.Resource(r.kind.Resource), current.GetName(), errors.New(conflict))
			}
			current.Common().Auth = auth.DeepCopy()
			return current, nil
		}), rest.ValidateAllObjectFunc, rest.ValidateAllObjectUpdateFunc, false, &metav1.UpdateOptions{FieldManager: fieldManager})
	switch {
	case apierrors.IsConflict(err), apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		unused = []corev1.Secret{*secret}
	case err != nil:
		// It may have been stored all the same. The Secret goes with the component, or when
		// the next token comes.
		unused = nil
	}
	r.remove(ctx, unused)
	return err
}

// keep makes the Secret of a token, or tells in a dry run whether it could.
func (r *CredentialREST) keep(ctx context.Context, component v1alpha1.Component, token string, dryRun []string) (*corev1.Secret, error) {
	namespace := genericapirequest.NamespaceValue(ctx)
	secret, err := r.secrets.CoreV1().Secrets(namespace).Create(ctx, r.secretFor(component, token), metav1.CreateOptions{DryRun: dryRun})
	if err != nil {
		return nil, r.notKept(component, namespace, err)
	}
	return secret, nil
}

// secretFor returns the Secret of a token. It belongs to the custom resource: what views
// own is nobody's to collect.
func (r *CredentialREST) secretFor(component v1alpha1.Component, token string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: component.GetName() + "-" + r.kind.Type + "-token-",
			Labels:       map[string]string{tokenOfLabel: string(translation.CRUID(component.GetUID()))},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: computev1alpha1.SchemeGroupVersion.String(), Kind: r.crKind, Name: component.GetName(),
				UID: translation.CRUID(component.GetUID()),
			}},
		},
		Type: corev1.SecretTypeOpaque,
		Data: map[string][]byte{"clientAuthenticationPlugin": []byte(tokenPlugin), "clientAuthenticationParameters": []byte("token:" + token)},
	}
}

// kept returns the Secrets of tokens that were made for a component. Where they can't be
// told, they go with the component.
func (r *CredentialREST) kept(ctx context.Context, namespace string, component v1alpha1.Component) []corev1.Secret {
	uid := translation.CRUID(component.GetUID())
	list, err := r.secrets.CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: tokenOfLabel + "=" + string(uid), Limit: maxKept})
	if err != nil {
		klog.FromContext(ctx).Error(err, "Could not find the Secrets of a component's former tokens", "namespace", namespace, "name", component.GetName())
		return nil
	}
	// Others may write the label.
	return slices.DeleteFunc(list.Items, func(secret corev1.Secret) bool {
		return len(secret.OwnerReferences) != 1 || secret.OwnerReferences[0].UID != uid
	})
}

// remove removes Secrets that nothing uses. What can't be removed goes with the component.
func (r *CredentialREST) remove(ctx context.Context, unused []corev1.Secret) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	for _, secret := range unused {
		err := r.secrets.CoreV1().Secrets(secret.Namespace).Delete(ctx, secret.Name, metav1.DeleteOptions{Preconditions: metav1.NewUIDPreconditions(string(secret.UID))})
		if err != nil && !apierrors.IsNotFound(err) {
			klog.FromContext(ctx).Error(err, "Could not remove the Secret of a token", "namespace", secret.Namespace, "secret", secret.Name)
		}
	}
}

// notKept says why no Secret could be made.
func (r *CredentialREST) notKept(component v1alpha1.Component, namespace string, err error) error {
	if apierrors.IsForbidden(err) {
		return r.invalid(component.GetName(), field.NewPath("spec", "token"), fmt.Sprintf(
			"the server may not keep tokens in namespace %q: it needs a RoleBinding there of ClusterRole %s to its service account, and no quota or policy against it", namespace, TokensRole))
	}
	klog.Background().Error(err, "Could not make the Secret of a token", "namespace", namespace, "name", component.GetName())
	return apierrors.NewServiceUnavailable("could not keep the token: please try again")
}

// invalid refuses without repeating the value, which may be a credential.
func (r *CredentialREST) invalid(name string, path *field.Path, text string) error {
	problem := field.Invalid(path, field.OmitValueType{}, text)
	return view.WithPulsarReason(apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind(r.kind.Kind).GroupKind(), name, field.ErrorList{problem}), problem.Error())
}
