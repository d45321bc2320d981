package validation

import (
	"encoding/json"
	"regexp"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var (
	javaClass   = regexp.MustCompile(`\A[\pL_$][\pL\pN_$]*(\.[\pL_$][\pL\pN_$]*)*\z`)
	pythonClass = regexp.MustCompile(`\A[\pL_][-\pL\pN_]*(\.[\pL_][-\pL\pN_]*)*\z`)
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
	c.checkClass()
	c.checkRuntime()
	for _, name := range sortedKeys(c.spec.Secrets) {
		c.checkSecret(name)
	}
	c.checkResources()
}

// checkClass checks the class that runs. That of a built-in one is known.
func (c *checks) checkClass() {
	path, name := c.child("className"), c.spec.ClassName
	switch runtime := c.runtime(); {
	case runtime == runtimeGo:
		// A Go function has no class; what its author writes there is not used.
		c.checkText(path, name)
	case name == "" || runtime == runtimeJava && isBlank(name):
		if c.kind != v1alpha1.FunctionKind && c.builtinClass() == "" {
			c.own(field.Required(path, "the class of the "+c.kind.Type+" is needed: the package is not looked into"))
		}
	case runtime == runtimePython:
		c.checkPythonName(path, name)
	case runtime == runtimeGeneric && pythonClass.MatchString(name) && len(name) <= maxTextBytes:
	default:
		c.checkClassName(path, name)
	}
}

// checkClassName checks the name of a Java class.
func (c *checks) checkClassName(path *field.Path, name string) {
	switch {
	case len(name) > maxTextBytes:
		c.own(field.TooLong(path, name, maxTextBytes))
	case !javaClass.MatchString(name):
		c.ownOf(field.Invalid(path, shortened(name), "must be the binary name of a class, such as org.example.Outer$Inner"), name)
	}
}

// checkOptionalClass is checkClassName for one that may be absent.
func (c *checks) checkOptionalClass(path *field.Path, name string) {
	if !isBlank(name) {
		c.checkClassName(path, name)
	}
}

func (c *checks) checkPythonName(path *field.Path, name string) {
	switch {
	case len(name) > maxTextBytes:
		c.own(field.TooLong(path, name, maxTextBytes))
	case !pythonClass.MatchString(name):
		c.ownOf(field.Invalid(path, shortened(name), "must be a dotted Python name, such as module.Class"), name)
	}
}

// checkSecret checks a secret, which an instance gets as an environment variable.
func (c *checks) checkSecret(name string) {
	path, ref := c.child("secrets").Key(name), c.spec.Secrets[name]
	if c.old != nil {
		if old, found := c.old.spec.Secrets[name]; found && old == ref {
			return
		}
	}
	c.checkVariable(path, name, ref)
	const help = "both path and key are needed: the name of a Secret and a key in it"
	c.checkObjectName(path.Child("path"), ref.Path, help)
	c.checkKey(path.Child("key"), ref.Key, help)
}

// checkVariable checks the name of an environment variable of an instance. A value
// under a reserved name must not be replaced by another either.
func (c *checks) checkVariable(path *field.Path, name string, value any) {
	c.checkWith(path, name, validation.IsEnvVarName)
	if reservedEnvironment.Has(name) {
		encoded, _ := json.Marshal(value) // of plain data, which can always be written
		c.ownOf(field.Forbidden(path, "Function Mesh uses this environment variable"), string(encoded))
	}
}

// checkObjectName checks the name of a Secret, ConfigMap or the like that must be
// given: required says why.
func (c *checks) checkObjectName(path *field.Path, name, required string) {
	c.checkRequired(path, name, required, validation.IsDNS1123Subdomain)
}

// checkKey checks the name of a key in one.
func (c *checks) checkKey(path *field.Path, name, required string) {
	c.checkRequired(path, name, required, validation.IsConfigMapKey)
}

func (c *checks) checkRequired(path *field.Path, value, required string, check func(string) []string) {
	if value == "" {
		c.own(field.Required(path, required))
		return
	}
	c.checkWith(path, value, check)
}

// checkWith checks a value with a function of Kubernetes.
func (c *checks) checkWith(path *field.Path, value string, check func(string) []string) {
	for _, message := range check(value) {
		c.ownOf(field.Invalid(path, shortened(value), message), value)
	}
}
