package oauth2

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// findOwn returns the account of the caller's role, and by which rule it was found, or
// nil if there is none. A Secret that two rules find counts once; two Secrets are
// refused, since nobody could say which of them counts.
func (r *request) findOwn(ctx context.Context, path *field.Path) (*candidate, v1alpha1.CredentialRule, error) {
	annotated := ""
	if r.uses(v1alpha1.CredentialByAnnotation) {
		names, err := r.finder.Annotated(ctx, r.attributes.GetNamespace(), r.config.SecretAnnotationKey, r.caller.Role)
		switch {
		case err != nil:
			return nil, "", r.unreadable(path, "", err)
		case len(names) > 1:
			return nil, "", r.invalid(path, fmt.Sprintf("role %q has more than one account in namespace %q: annotation %s of Secrets %q and %q has it",
				r.caller.Role, r.attributes.GetNamespace(), r.config.SecretAnnotationKey, names[0], names[1]))
		case len(names) == 1:
			annotated = names[0]
		}
	}
	named, err := r.findNamed(ctx, path, annotated != "")
	switch {
	case err != nil:
		return nil, "", err
	case annotated == "":
		return named, v1alpha1.CredentialByName, nil
	case named != nil && named.secret.Name != annotated:
		return nil, "", r.invalid(path, fmt.Sprintf("role %q has more than one account in namespace %q: Secret %q has it in annotation %s, and Secret %q is called like it",
			r.caller.Role, r.attributes.GetNamespace(), annotated, r.config.SecretAnnotationKey, named.secret.Name))
	}
	found, err := r.read(ctx, path, annotated)
	return found, v1alpha1.CredentialByAnnotation, err
}

// findNamed returns the account in the Secret that is called like the caller's role, or
// nil. What is wrong with that Secret is told, unless the role has another one: a Secret
// may be called so by chance.
func (r *request) findNamed(ctx context.Context, path *field.Path, hasOther bool) (*candidate, error) {
	role := r.caller.Role
	name := credential.Strip(role)
	if !r.uses(v1alpha1.CredentialByName) || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return nil, nil
	}
	secret, err := r.finder.Get(ctx, r.attributes.GetNamespace(), name)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, r.unreadable(path, name, err)
	}
	refused := func(text string) (*candidate, error) {
		if hasOther {
			return nil, nil
		}
		return nil, r.invalid(path, text)
	}
	if owner, annotated := secret.Annotations[r.config.SecretAnnotationKey]; annotated && owner != role {
		return refused(fmt.Sprintf("Secret %q is called like role %q, and its annotation %s says that it is another's", name, role, r.config.SecretAnnotationKey))
	}
	for _, key := range []string{credential.KeyFile, credential.ParametersKey} {
		if _, has := secret.Data[key]; !has {
			return refused(fmt.Sprintf("Secret %q is called like role %q, and has no key %s", name, role, key))
		}
	}
	account, err := r.issuers.Parse(secret)
	var problem *credential.Problem
	switch {
	case errors.As(err, &problem):
		return refused(problem.Error())
	case err != nil:
		return nil, r.internal(ctx, err)
	case !account.IsOf(role):
		return refused(fmt.Sprintf("Secret %q is called like role %q, and its account is another's: client_id of key %s is neither the role nor %q",
			name, role, credential.KeyFile, name))
	case !account.IsOfExactly(role):
		other, err := r.finder.OtherRole(ctx, r.attributes.GetNamespace(), name, role)
		if err != nil {
			return nil, r.internal(ctx, err)
		}
		if other {
			return refused(fmt.Sprintf("Secret %q may be the account of more than one role: %q and another one are both called %q there. Say whose it is by its annotation %s",
				name, role, name, r.config.SecretAnnotationKey))
		}
	}
	return &candidate{secret, account}, nil
}
