package validation

import (
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation/field"

	corev1 "k8s.io/api/core/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// builtinPrefix begins locations of functions that come with Pulsar's worker. Here
// none do. Pulsar looks at the word alone.
const builtinPrefix = "builtin"

// locationHelp is what a person can do about a location that is refused.
const locationHelp = "must be a package URL such as function://tenant/namespace/name@version," +
	" or an http(s) URL that the server's configuration allows"

// checkPackage checks where the code comes from, as far as Pulsar looks at it
// before anything else.
func (c *checks) checkPackage() {
	path, location := c.child("package", "location"), locationOf(c.spec)
	isJava := runtimeOf(c.spec) == runtimeJava
	switch {
	case c.old != nil && location == locationOf(&c.old.Spec):
	case location == "":
		if isJava {
			c.pulsar(field.Required(path, "Function package is not provided"))
		}
	case strings.HasPrefix(location, builtinPrefix):
		if isJava {
			c.pulsar(field.Invalid(path, location,
				fmt.Sprintf("No Function %s found", strings.TrimPrefix(location, "builtin://"))))
		}
	case identity.IsPackageURL(location):
		if _, err := identity.ParsePackageURL(location); err != nil {
			c.pulsar(field.Invalid(path, location, err.Error()))
		}
	case !c.allowedURL(location):
		c.pulsar(field.Invalid(path, omitted, "Function Package url is not valid.supported url (http/https/file)"))
		c.own(field.Invalid(path, omitted, locationHelp))
	}
}

// allowedURL tells whether a pattern of the configuration matches the whole URL.
func (c *checks) allowedURL(location string) bool {
	if !strings.HasPrefix(location, "http://") && !strings.HasPrefix(location, "https://") {
		return false
	}
	for _, allowed := range c.options.AllowedPackageURLs {
		whole, err := regexp.Compile(`\A(?:` + allowed.String() + `)\z`)
		if err == nil && whole.MatchString(location) {
			return true
		}
	}
	return false
}

// checkPackageFile checks what Pulsar takes for a file of its own.
func (c *checks) checkPackageFile() {
	path, location := c.child("package", "location"), locationOf(c.spec)
	runtime := runtimeOf(c.spec)
	switch {
	case c.old != nil && location == locationOf(&c.old.Spec):
	case !strings.HasPrefix(location, builtinPrefix) || runtime == runtimeJava:
	case runtime == "":
		c.own(field.Invalid(path, location, locationHelp))
	case strings.Contains(location, ".."):
		c.pulsar(field.Invalid(path, location, "Invalid filename: "+location))
	default:
		c.pulsar(field.Invalid(path, location, fmt.Sprintf("The supplied %s file does not exist", runtime)))
	}
}

// checkPackageProvided checks what Pulsar finds last: that there is code. A Java
// function without code was refused before.
func (c *checks) checkPackageProvided() {
	if c.old != nil && locationOf(&c.old.Spec) == "" {
		return
	}
	if locationOf(c.spec) == "" && runtimeOf(c.spec) != runtimeJava {
		c.pulsar(field.Required(c.child("package", "location"), "Function Package is not provided"))
	}
}

// checkAmounts checks resources and the timeout.
func (c *checks) checkAmounts() {
	if resources := c.spec.Resources; resources != nil {
		path := c.child("resources")
		for _, amount := range []struct {
			name corev1.ResourceName
			text string
		}{
			{corev1.ResourceCPU, "The cpu allocation for the function must be positive"},
			{corev1.ResourceMemory, "The ram allocation for the function must be positive"},
		} {
			c.checkPositive(path.Child("requests"), resources.Requests, amount.name, amount.text)
			c.checkPositive(path.Child("limits"), resources.Limits, amount.name, amount.text)
		}
		if resources.Disk != nil && resources.Disk.Sign() <= 0 {
			c.pulsar(field.Invalid(path.Child("disk"), resources.Disk.String(),
				"The disk allocation for the function must be positive"))
		}
	}
	if c.spec.TimeoutMs != nil && *c.spec.TimeoutMs <= 0 {
		c.pulsar(field.Invalid(c.child("timeoutMs"), *c.spec.TimeoutMs, "Function timeout must be a positive number"))
	}
}

func (c *checks) checkPositive(path *field.Path, list corev1.ResourceList, name corev1.ResourceName, text string) {
	if quantity, found := list[name]; found && quantity.Cmp(resource.Quantity{}) <= 0 {
		c.pulsar(field.Invalid(path.Key(string(name)), quantity.String(), text))
	}
}

func (c *checks) checkJava() {
	if isBlank(c.spec.ClassName) {
		c.pulsar(field.Required(c.child("className"), "Function class name is not provided."))
	}
	c.checkCustomSchemas("customSchemaInputs", schemaInputsOf, "Topic %s has an incorrect schema Info")
	for _, name := range sortedKeys(c.spec.InputSpecs) {
		if consumer := c.spec.InputSpecs[name]; consumer.SchemaType != "" && consumer.SerdeClassName != "" {
			c.pulsar(field.Invalid(c.child("inputSpecs").Key(name), omitted,
				"Only one of schemaType or serdeClassName should be set in inputSpec"))
		}
	}
	if c.spec.OutputSchemaType != "" && c.spec.OutputSerdeClassName != "" &&
		c.spec.OutputTypeClassName != "java.lang.Void" {
		c.pulsar(field.Invalid(c.child("outputSerdeClassName"), c.spec.OutputSerdeClassName,
			"Only one of outputSchemaType or outputSerdeClassName should be set"))
	}
}

func (c *checks) checkPython() {
	c.checkUnsupported("Effectively-once processing guarantees not yet supported in Python",
		"There is currently no support windowing in python",
		"Message retries not yet supported in python")
}

func (c *checks) checkGo() {
	c.checkUnsupported("Effectively-once processing guarantees not yet supported in Go function",
		"Windowing is not supported in Go function yet",
		"Message retries not yet supported in Go function")
	if c.spec.RetainKeyOrdering {
		c.pulsar(field.Invalid(c.child("retainKeyOrdering"), true,
			"Retain Key Orderering not yet supported in Go function"))
	}
}

// checkUnsupported checks what only Java functions can have.
func (c *checks) checkUnsupported(effectivelyOnce, window, retries string) {
	if c.spec.ProcessingGuarantees == v1alpha1.EffectivelyOnce {
		c.pulsar(field.Invalid(c.child("processingGuarantees"), c.spec.ProcessingGuarantees, effectivelyOnce))
	}
	if c.spec.WindowConfig != nil {
		c.pulsar(field.Forbidden(c.child("windowConfig"), window))
	}
	if c.spec.MaxMessageRetries != nil && *c.spec.MaxMessageRetries >= 0 {
		c.pulsar(field.Invalid(c.child("maxMessageRetries"), *c.spec.MaxMessageRetries, retries))
	}
}

// checkNoRuntime says that there is no runtime, or more than one: Pulsar would take
// one of them without saying which.
func (c *checks) checkNoRuntime() {
	const text = "Function language runtime is either not set or cannot be determined"
	set := runtimesOf(c.spec)
	if len(set) == 0 {
		c.pulsar(field.Required(c.path, text))
		c.own(field.Required(c.path, "exactly one of java, python and go must be set"))
		return
	}
	for _, runtime := range set[1:] {
		c.pulsar(field.Invalid(c.child(runtime), omitted, text))
		c.own(field.Forbidden(c.child(runtime), fmt.Sprintf("may not be set together with %s", set[0])))
	}
}
