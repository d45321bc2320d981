package validation

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// checkConnection checks how instances reach Pulsar, the package and the state.
func (c *checks) checkConnection() {
	var oldAuth, oldPackageAuth *v1alpha1.Auth
	if c.old != nil {
		oldAuth = c.old.spec.Auth
		if service := c.old.spec.PackageService; service != nil {
			oldPackageAuth = service.Auth
		}
	}
	c.checkAuth(c.child("auth"), c.spec.Auth, oldAuth)
	c.checkTLS(c.child("tls"), c.spec.TLS)
	if service, path := c.spec.PackageService, c.child("packageService"); service != nil {
		c.checkObjectName(path.Child("configMapName"), service.ConfigMapName,
			"the ConfigMap with the URLs of the other Pulsar is needed")
		c.checkAuth(path.Child("auth"), service.Auth, oldPackageAuth)
		c.checkTLS(path.Child("tls"), service.TLS)
	}
	c.checkState()
}

// checkAuth checks how somebody proves to Pulsar who they are. An OAuth2 account
// can't come from the author alone: its issuer, audience and scope are the server's
// to decide, and they reach a shell command. A request that changes the account has
// therefore been through admission, which resolves it.
func (c *checks) checkAuth(path *field.Path, auth, old *v1alpha1.Auth) {
	if auth == nil {
		return
	}
	if auth.SecretName != "" {
		c.checkWith(path.Child("secretName"), auth.SecretName, validation.IsDNS1123Subdomain)
	}
	unchanged := old != nil && equality.Semantic.DeepEqual(auth.OAuth2, old.OAuth2) &&
		(auth.SecretName == "" || auth.SecretName == old.SecretName)
	if auth.OAuth2 == nil || unchanged {
		return
	}
	switch {
	case auth.SecretName != "":
		c.own(field.Forbidden(path.Child("oauth2"), "may not be set together with secretName"))
	case auth.Resolved == nil || auth.Resolved.Key == "":
		c.own(field.Forbidden(path.Child("oauth2"), "can't be set or changed: the account has to be resolved by the server,"+
			" which isn't set up to do it; one that exists is kept"))
	}
}

// checkTLS checks how somebody uses TLS towards Pulsar. The key becomes the name of
// a file in a shell command.
func (c *checks) checkTLS(path *field.Path, tls *v1alpha1.TLS) {
	if tls == nil {
		return
	}
	if tls.CertSecretName != "" || tls.CertSecretKey != "" {
		const help = "both certSecretName and certSecretKey are needed: the name of a Secret and a key in it"
		c.checkObjectName(path.Child("certSecretName"), tls.CertSecretName, help)
		c.checkKey(path.Child("certSecretKey"), tls.CertSecretKey, help)
	}
	if tls.SecretName != "" {
		c.checkWith(path.Child("secretName"), tls.SecretName, validation.IsDNS1123Subdomain)
	}
}

// checkState checks where state is kept.
func (c *checks) checkState() {
	state := c.spec.StateConfig
	if state == nil {
		return
	}
	path := c.child("stateConfig")
	if state.ServiceURL == "" {
		c.own(field.Required(path.Child("serviceUrl"), "the URL of the state store is needed"))
	}
	c.checkShell(path.Child("serviceUrl"), state.ServiceURL, serviceURL,
		"must be a URL such as bk://host:4181, of letters of a to z in either case, digits and - . _ :")
	if state.JavaProvider != nil {
		path := path.Child("javaProvider", "className")
		if state.JavaProvider.ClassName == "" {
			c.own(field.Required(path, "the class is needed"))
		}
		c.checkShellClass(path, state.JavaProvider.ClassName)
	}
}
