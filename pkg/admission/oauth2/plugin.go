// Package oauth2 is the admission plugin that gives functions, sources and sinks the
// OAuth2 account of whoever made them, whichever door they came through.
//
// It runs as mutating admission, since a request to one door says no more than who makes
// it, and as the last of them, so that nothing else can change what it found. The
// validating half looks again at what was found, just before it is written.
//
// A request that nothing was resolved for can't set an account: validation refuses it.
// So a server without this plugin refuses accounts, and takes none on trust.
package oauth2

import (
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/initializer"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/credential"
)

// PluginName is the name under which the plugin can be switched off.
const PluginName = "PulsarOAuth2Account"

// Register makes the plugin known.
func Register(plugins *admission.Plugins) {
	plugins.Register(PluginName, func(io.Reader) (admission.Interface, error) { return New(), nil })
}

// Plugin resolves accounts.
type Plugin struct {
	*admission.Handler

	authorizer authorizer.Authorizer
	config     *configv1alpha1.OAuth2
	issuers    credential.Issuers
	finder     Finder
}

var (
	_ admission.MutationInterface       = (*Plugin)(nil)
	_ admission.ValidationInterface     = (*Plugin)(nil)
	_ admission.InitializationValidator = (*Plugin)(nil)
	_ initializer.WantsAuthorizer       = (*Plugin)(nil)
)

// New returns a plugin, which still needs an authorizer and what Initializer gives it.
func New() *Plugin {
	return &Plugin{Handler: admission.NewHandler(admission.Create, admission.Update)}
}

// SetAuthorizer implements initializer.WantsAuthorizer.
func (p *Plugin) SetAuthorizer(authorizer authorizer.Authorizer) { p.authorizer = authorizer }

// ValidateInitialization implements admission.InitializationValidator.
func (p *Plugin) ValidateInitialization() error {
	if p.authorizer == nil || p.config != nil && p.finder == nil {
		return errors.New("could not start admission plugin " + PluginName + ": it lacks an authorizer or a way to read Secrets")
	}
	return nil
}

// Initializer gives the plugin its configuration, nil where no account is resolved, and
// a way to read Secrets.
type Initializer struct {
	Config *configv1alpha1.OAuth2
	Finder Finder
}

// Initialize implements admission.PluginInitializer.
func (i Initializer) Initialize(plugin admission.Interface) {
	if p, ok := plugin.(*Plugin); ok {
		p.config, p.finder = i.Config, i.Finder
		if i.Config != nil {
			p.issuers = i.Config.Issuers
		}
	}
}

// componentOf returns the component that a request writes, nil for any other.
func componentOf(attributes admission.Attributes) v1alpha1.Component {
	if attributes.GetResource().Group != v1alpha1.GroupName || attributes.GetSubresource() != "" {
		return nil
	}
	component, _ := attributes.GetObject().(v1alpha1.Component)
	return component
}

// Admit implements admission.MutationInterface.
func (p *Plugin) Admit(ctx context.Context, attributes admission.Attributes, _ admission.ObjectInterfaces) error {
	component := componentOf(attributes)
	if component == nil {
		return nil
	}
	r := p.requestOf(attributes, component)
	r.takeBack()
	if service := component.Common().PackageService; service != nil {
		if err := r.resolvePackageService(ctx, service); err != nil {
			return err
		}
	}
	old, _ := attributes.GetOldObject().(v1alpha1.Component)
	if attributes.GetOperation() == admission.Update && old != nil {
		return r.update(ctx, old)
	}
	return r.create(ctx)
}

// Validate implements admission.ValidationInterface: the Secret is still the one that
// was looked at, and its issuer takes the account, where that is asked.
func (p *Plugin) Validate(ctx context.Context, attributes admission.Attributes, _ admission.ObjectInterfaces) error {
	component := componentOf(attributes)
	if component == nil || p.config == nil {
		return nil
	}
	r := p.requestOf(attributes, component)
	auths := []struct {
		path *field.Path
		auth *v1alpha1.Auth
	}{{authPath, component.Common().Auth}}
	if service := component.Common().PackageService; service != nil {
		auths = append(auths, struct {
			path *field.Path
			auth *v1alpha1.Auth
		}{packageAuthPath, service.Auth})
	}
	for _, of := range auths {
		if of.auth == nil || of.auth.OAuth2 == nil || of.auth.Resolved == nil {
			continue
		}
		if err := r.confirm(ctx, of.path, of.auth); err != nil {
			return err
		}
	}
	return nil
}

// request is one write of a component.
type request struct {
	*Plugin
	attributes admission.Attributes
	component  v1alpha1.Component
	caller     credential.Caller
}

func (p *Plugin) requestOf(attributes admission.Attributes, component v1alpha1.Component) *request {
	prefix := ""
	if p.config != nil {
		prefix = p.config.KubernetesUserPrefix
	}
	return &request{Plugin: p, attributes: attributes, component: component, caller: credential.CallerOf(attributes.GetUserInfo(), prefix)}
}

// confirm reads the Secret once more and asks the issuer, if that is to be asked.
func (r *request) confirm(ctx context.Context, path *field.Path, auth *v1alpha1.Auth) error {
	path = path.Child("oauth2", "secretName")
	secret, err := r.finder.Get(ctx, r.attributes.GetNamespace(), auth.OAuth2.SecretName)
	if err != nil {
		return r.unreadable(path, auth.OAuth2.SecretName, err)
	}
	if secret.ResourceVersion != auth.Resolved.SecretVersion {
		return apierrors.NewConflict(v1alpha1.Resource(r.component.ComponentKind().Resource), r.component.GetName(),
			fmt.Errorf("could not go on: Secret %q was changed while it was looked at, please try again", secret.Name))
	}
	if !r.config.Verify || r.attributes.IsDryRun() {
		return nil
	}
	account, err := r.issuers.Parse(secret)
	if err == nil {
		err = r.issuers.Verify(ctx, account)
	}
	var problem *credential.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &problem):
		return r.invalid(path, problem.Error())
	}
	klog.FromContext(ctx).Error(err, "Could not verify an account", "issuer", account.IssuerURL,
		"namespace", r.attributes.GetNamespace(), "secret", auth.OAuth2.SecretName)
	return apierrors.NewServiceUnavailable(fmt.Sprintf("could not verify the account in Secret %q: issuer %s gives no usable answer", secret.Name, account.IssuerURL))
}
