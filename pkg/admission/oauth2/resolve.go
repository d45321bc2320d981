package oauth2

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/warning"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
	"github.com/function-mesh/functionmesh-apiserver/pkg/privilege"
)

var (
	authPath        = field.NewPath("spec", "auth")
	packageAuthPath = field.NewPath("spec", "packageService", "auth")
)

// create gives a new component the account that it names, or the caller's own.
func (r *request) create(ctx context.Context) error {
	auth := r.component.Common().Auth
	switch {
	case auth != nil && auth.OAuth2 != nil:
		return r.resolve(ctx, auth)
	case auth != nil && auth.SecretName != "", r.config == nil:
		return nil
	}
	return r.resolveOwn(ctx, ptr.Deref(r.config.Required, true))
}

// update keeps the account of a component that exists, unless the update is about it.
// A writer that says nothing of an account which it never named leaves it as it is.
func (r *request) update(ctx context.Context, old v1alpha1.Component) error {
	spec, before := r.component.Common(), old.Common().Auth
	hadAccount := before != nil && before.OAuth2 != nil
	if hadAccount && before.Bound != nil && before.Bound.ByRole() && isEmpty(spec.Auth) {
		spec.Auth = &v1alpha1.Auth{OAuth2: before.OAuth2.DeepCopy()}
	}
	auth := spec.Auth
	if auth == nil || auth.OAuth2 == nil {
		v1alpha1.KeepBinding(r.component, old)
		return nil
	}
	if hadAccount && auth.OAuth2.SecretName == before.OAuth2.SecretName {
		auth.Resolved = nil
		v1alpha1.KeepBinding(r.component, old)
		return nil
	}
	return r.resolve(ctx, auth)
}

// isEmpty tells whether nothing is said. An account without a name says something: the
// caller's own.
func isEmpty(auth *v1alpha1.Auth) bool {
	return auth == nil || auth.SecretName == "" && auth.OAuth2 == nil
}

// resolve resolves an account that somebody asks for.
func (r *request) resolve(ctx context.Context, auth *v1alpha1.Auth) error {
	path := authPath.Child("oauth2")
	switch {
	case r.config == nil:
		return r.forbiddenField(path, "this server is not configured to give accounts: it takes those of no issuer")
	case auth.SecretName != "":
		// Validation refuses the two together.
		return nil
	case auth.OAuth2.SecretName == "":
		return r.resolveOwn(ctx, true)
	}
	if err := r.refuseGo(path); err != nil {
		return err
	}
	found, err := r.named(ctx, path.Child("secretName"), auth.OAuth2.SecretName)
	if err != nil {
		return err
	}
	auth.Resolved = r.resolved(found, v1alpha1.CredentialExplicit)
	return nil
}

// resolvePackageService does the same for the download of the package, whose account
// has to be named: it may be at another Pulsar.
func (r *request) resolvePackageService(ctx context.Context, service *v1alpha1.PackageService) error {
	auth, path := service.Auth, packageAuthPath.Child("oauth2")
	if auth == nil || auth.OAuth2 == nil || auth.SecretName != "" {
		return nil
	}
	if old, ok := r.attributes.GetOldObject().(v1alpha1.Component); ok && old != nil {
		if before := old.Common().PackageService; before != nil && before.Auth != nil && before.Auth.OAuth2 != nil &&
			before.Auth.OAuth2.SecretName == auth.OAuth2.SecretName {
			return nil
		}
	}
	switch {
	case r.config == nil:
		return r.forbiddenField(path, "this server is not configured to give accounts: it takes those of no issuer")
	case auth.OAuth2.SecretName == "":
		return r.required(path.Child("secretName"), "the Secret with the account is needed")
	}
	found, err := r.named(ctx, path.Child("secretName"), auth.OAuth2.SecretName)
	if err != nil {
		return err
	}
	auth.Resolved = r.resolved(found, v1alpha1.CredentialExplicit)
	return nil
}

// candidate is a Secret with an account.
type candidate struct {
	secret  *corev1.Secret
	account *credential.Account
}

// named returns the account in a Secret that the caller names. Whether the caller may
// read it is asked before anything of it is told.
func (r *request) named(ctx context.Context, path *field.Path, name string) (*candidate, error) {
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
		return nil, r.invalid(path, problems[0])
	}
	right := privilege.Right{Verb: "get", Resource: "secrets", Name: name, Field: path.String()}
	ctx = genericapirequest.WithUser(ctx, r.attributes.GetUserInfo())
	missing, err := privilege.Check(ctx, r.authorizer, r.attributes.GetNamespace(), []privilege.Right{right})
	if err != nil {
		return nil, r.internal(ctx, err)
	}
	if missing != nil {
		return nil, r.forbidden(path, fmt.Sprintf("needs the right to get secrets %q in namespace %q, which the caller lacks", name, r.attributes.GetNamespace()))
	}
	return r.read(ctx, path, name)
}

// read reads a Secret and the account in it.
func (r *request) read(ctx context.Context, path *field.Path, name string) (*candidate, error) {
	secret, err := r.finder.Get(ctx, r.attributes.GetNamespace(), name)
	if err != nil {
		return nil, r.unreadable(path, name, err)
	}
	account, err := r.issuers.Parse(secret)
	var problem *credential.Problem
	switch {
	case errors.As(err, &problem):
		return nil, r.invalid(path, problem.Error())
	case err != nil:
		return nil, r.internal(ctx, err)
	}
	return &candidate{secret, account}, nil
}

func (r *request) resolved(found *candidate, rule v1alpha1.CredentialRule) *v1alpha1.ResolvedCredential {
	return &v1alpha1.ResolvedCredential{
		Binding: v1alpha1.CredentialBinding{SecretName: found.secret.Name, User: r.caller.User, Role: r.caller.Role, Rule: rule},
		Key:     credential.KeyFile, IssuerURL: found.account.IssuerURL, Audience: found.account.Audience, Scope: found.account.Scope,
		SecretVersion: found.secret.ResourceVersion,
	}
}

// resolveOwn gives the component the caller's own account, by the rules. Without one it
// stays without where none is required, and is refused otherwise.
func (r *request) resolveOwn(ctx context.Context, required bool) error {
	path := authPath.Child("oauth2")
	without := func(err error) error {
		if required {
			return err
		}
		warning.AddWarning(ctx, "", path.String()+": no account was found for the caller, so instances prove in no way who they are")
		return nil
	}
	if err := r.refuseGo(path); err != nil {
		return without(err)
	}
	if r.caller.Role == "" {
		return without(r.required(path.Child("secretName"), fmt.Sprintf(
			"user %q has no role in Pulsar to find an account by, as no service account has: name a Secret that the user may read", r.caller.User)))
	}
	found, rule, err := r.findOwn(ctx, path)
	if err != nil {
		return err
	}
	if found == nil {
		return without(r.invalid(path, fmt.Sprintf("there is no account for role %q in namespace %q: %s",
			r.caller.Role, r.attributes.GetNamespace(), r.lookedFor())))
	}
	spec := r.component.Common()
	r.attributes.GetReinvocationContext().SetValue(PluginName, given{found.secret.Name, spec.Auth.DeepCopy()})
	spec.Auth = &v1alpha1.Auth{
		OAuth2:   &v1alpha1.OAuth2{SecretName: found.secret.Name},
		Resolved: r.resolved(found, rule),
	}
	return nil
}

// given is the account that was found for a caller, and what the caller had said.
type given struct {
	secretName string
	asked      *v1alpha1.Auth
}

// takeBack takes back the account that was found for the caller when admission asked
// before, as it does twice where a webhook or a policy has changed the object meanwhile.
// Left there it would pass for one that the caller names, who may not read it. One that
// was put in its place isn't taken back.
func (r *request) takeBack() {
	reinvocation, spec := r.attributes.GetReinvocationContext(), r.component.Common()
	given, wasGiven := reinvocation.Value(PluginName).(given)
	if reinvocation.IsReinvoke() && wasGiven && spec.Auth != nil && spec.Auth.SecretName == "" &&
		spec.Auth.OAuth2 != nil && spec.Auth.OAuth2.SecretName == given.secretName {
		spec.Auth = given.asked
	}
}

// lookedFor says by what an account is found.
func (r *request) lookedFor() string {
	var ways string
	if r.uses(v1alpha1.CredentialByAnnotation) {
		ways = fmt.Sprintf("no Secret has annotation %s with that value", r.config.SecretAnnotationKey)
	}
	if r.uses(v1alpha1.CredentialByName) {
		if ways != "" {
			ways += ", and "
		}
		ways += fmt.Sprintf("none is called %q", credential.Strip(r.caller.Role))
	}
	return ways
}

func (r *request) uses(rule v1alpha1.CredentialRule) bool {
	return slices.Contains(r.config.SecretRules, string(rule))
}

// refuseGo refuses an account for what can't use it.
func (r *request) refuseGo(path *field.Path) error {
	if function, ok := r.component.(*v1alpha1.PulsarFunction); ok && function.Spec.Go != nil {
		return r.forbiddenField(path, "a Go function gets none in Function Mesh, whose Go runner is told of no credential")
	}
	return nil
}
