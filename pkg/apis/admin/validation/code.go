package validation

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

var (
	javaClass   = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*)*$`)
	pythonClass = regexp.MustCompile(`^[\pL_][-\pL\pN_]*(\.[\pL_][-\pL\pN_]*)*$`)

	plainFileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

	// packageComponent and urlPath leave out whatever means something to a shell.
	packageComponent = regexp.MustCompile(`^[-+=:.,\w]+$`)
	urlHost          = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)
	urlPath          = regexp.MustCompile(`^/[-+=:.,@%~/\w]*$`)
)

// reservedEnvironment are the variables by which the operator tells an instance how
// to reach and trust Pulsar, and those that its shell command needs. An instance
// that lets a Secret of the author's choice override them could be made to hand the
// server's credentials to another broker.
var reservedEnvironment = sets.New(
	"POD_NAME", "SHARD_ID", "PATH", "GO_FUNCTION_CONF", "goFunctionConfigs", "LOGGING_LEVEL",
	"brokerServiceURL", "webServiceURL", "clientAuthenticationPlugin", "clientAuthenticationParameters",
	"useTls", "tlsAllowInsecureConnection", "tlsHostnameVerificationEnable", "tlsTrustCertsFilePath",
	"PACKAGE_brokerServiceURL", "PACKAGE_webServiceURL", "PACKAGE_clientAuthenticationPlugin",
	"PACKAGE_clientAuthenticationParameters", "PACKAGE_useTls", "PACKAGE_tlsAllowInsecureConnection",
	"PACKAGE_tlsHostnameVerificationEnable", "PACKAGE_tlsTrustCertsFilePath",
)

// checkCode checks what is run, and how it gets there.
func (c *checks) checkCode() {
	c.checkLocation()
	c.checkFileName()
	if name := c.spec.ClassName; runtimeOf(c.spec) == runtimeGo {
		// A Go function has no class; what its author writes there is not used.
		c.checkText(c.child("className"), name)
	} else if !isBlank(name) {
		c.checkClassName(c.child("className"), name, runtimeOf(c.spec) == runtimePython)
	}
	for _, runtime := range []struct {
		name string
		log  string
	}{
		{runtimeJava, logLevelOf(javaRuntime(c.spec))},
		{runtimePython, logLevelOf(c.spec.Python)},
		{runtimeGo, logLevelOf(c.spec.Go)},
	} {
		checkEnum(c, c.child(runtime.name, "log", "level"), runtime.log, logLevels)
	}
	for _, name := range sortedKeys(c.spec.Secrets) {
		c.checkSecret(name)
	}
	c.checkResources()
}

// checkLocation keeps what means something to a shell, and credentials, out of a
// location that Pulsar would take: the operator puts it into a shell command.
func (c *checks) checkLocation() {
	path, location := c.child("package", "location"), locationOf(c.spec)
	switch {
	case c.old != nil && location == locationOf(&c.old.Spec):
	case len(location) > maxTextBytes:
		c.own(field.TooLong(path, location, maxTextBytes))
	case identity.IsPackageURL(location):
		parsed, err := identity.ParsePackageURL(location)
		if err != nil {
			return
		}
		for _, component := range []string{parsed.Tenant, parsed.Namespace, parsed.Name, parsed.Version} {
			if !packageComponent.MatchString(component) {
				c.own(field.Invalid(path, location,
					"may hold only letters of a to z in either case, digits and - + = : . , _ between its separators"))
				return
			}
		}
	case c.allowedURL(location):
		parsed, err := url.Parse(location)
		if err != nil || parsed.User != nil || parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "" ||
			!urlHost.MatchString(parsed.Host) || !urlPath.MatchString(parsed.EscapedPath()) ||
			!urlPath.MatchString(location[len(parsed.Scheme)+len("://")+len(parsed.Host):]) {
			c.own(field.Invalid(path, omitted, "an http(s) URL must have a host and a path of letters of a to z"+
				" in either case, digits and - + = : . , @ % ~ _ and nothing more: no user, query or fragment"))
		}
	}
}

// checkFileName checks the name of the code's file in a container. It reaches a
// shell command. An absolute path is kept where it was, and can't be set.
func (c *checks) checkFileName() {
	if c.spec.Package == nil || c.spec.Package.FileName == "" {
		return
	}
	path, name := c.child("package", "fileName"), c.spec.Package.FileName
	switch {
	case c.old != nil && c.old.Spec.Package != nil && c.old.Spec.Package.FileName == name:
	case len(name) > maxNameBytes:
		c.own(field.TooLong(path, name, maxNameBytes))
	case !plainFileName.MatchString(name):
		c.own(field.Invalid(path, name,
			"must be a plain file name of letters of a to z in either case, digits and . _ - that begins with a letter or digit"))
	}
}

func (c *checks) checkClassName(path *field.Path, name string, python bool) {
	switch {
	case len(name) > maxTextBytes:
		c.own(field.TooLong(path, name, maxTextBytes))
	case python && !pythonClass.MatchString(name):
		c.own(field.Invalid(path, shortened(name), "must be a dotted Python name, such as module.Class"))
	case !python && !javaClass.MatchString(name):
		c.own(field.Invalid(path, shortened(name), "must be the binary name of a class, such as org.example.Outer$Inner"))
	}
}

// checkSecret checks a secret, which an instance gets as an environment variable.
func (c *checks) checkSecret(name string) {
	path, ref := c.child("secrets").Key(name), c.spec.Secrets[name]
	if c.old != nil {
		if old, found := c.old.Spec.Secrets[name]; found && old == ref {
			return
		}
	}
	for _, message := range validation.IsEnvVarName(name) {
		c.own(field.Invalid(path, shortened(name), message))
	}
	if reservedEnvironment.Has(name) {
		c.own(field.Forbidden(path, "Function Mesh uses this environment variable"))
	}
	for _, part := range []struct {
		member, value string
		check         func(string) []string
	}{
		{"path", ref.Path, validation.IsDNS1123Subdomain},
		{"key", ref.Key, validation.IsConfigMapKey},
	} {
		if part.value == "" {
			c.own(field.Required(path.Child(part.member), "both path and key are needed: the name of a Secret and a key in it"))
			continue
		}
		for _, message := range part.check(part.value) {
			c.own(field.Invalid(path.Child(part.member), shortened(part.value), message))
		}
	}
}

// checkResources checks what the operator's webhook and Kubernetes want: both
// memory amounts, no request above its limit, and names that a container can have.
func (c *checks) checkResources() {
	resources := c.spec.Resources
	if resources == nil || len(resources.Requests) == 0 && len(resources.Limits) == 0 {
		return // the server's defaults apply
	}
	if c.kept(func(spec *functionSpec) any { return spec.Resources }) {
		return
	}
	path := c.child("resources")
	for _, list := range []struct {
		path  *field.Path
		value corev1.ResourceList
	}{
		{path.Child("requests"), resources.Requests},
		{path.Child("limits"), resources.Limits},
	} {
		if _, found := list.value[corev1.ResourceMemory]; !found {
			c.own(field.Required(list.path.Key("memory"),
				"the Function Mesh operator needs both a request and a limit for memory"))
		}
		for _, name := range sortedKeys(list.value) {
			if !containerResource(name) {
				c.own(field.NotSupported(list.path.Key(shortened(string(name))), shortened(string(name)), containerResources))
			}
			if quantity := list.value[name]; quantity.Sign() < 0 && name != corev1.ResourceCPU && name != corev1.ResourceMemory {
				c.own(field.Invalid(list.path.Key(string(name)), quantity.String(), "may not be negative"))
			}
		}
	}
	for _, name := range sortedKeys(resources.Requests) {
		request, limit := resources.Requests[name], resources.Limits[name]
		if _, found := resources.Limits[name]; found && request.Cmp(limit) > 0 {
			c.own(field.Invalid(path.Child("requests").Key(string(name)), request.String(),
				fmt.Sprintf("may not be more than the limit of %s", limit.String())))
		}
	}
}

// containerResources are the resources of a container, besides those with a prefix.
var containerResources = []corev1.ResourceName{
	corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage,
}

func containerResource(name corev1.ResourceName) bool {
	device := strings.Contains(string(name), "/")
	hugePages := strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
	return slices.Contains(containerResources, name) ||
		(device || hugePages) && len(content.IsLabelKey(string(name))) == 0
}
