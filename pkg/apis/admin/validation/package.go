package validation

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
)

// locationHelp is what a person can do about a location that is refused.
const locationHelp = "must be a package URL such as function://tenant/namespace/name@version," +
	" builtin://name for an entry of the catalogue," +
	" or an http(s) URL that the server's configuration allows"

// badURL is Pulsar's text for it, whatever the kind.
const badURL = "Function Package url is not valid.supported url (http/https/file)"

// The texts of Pulsar for what the catalogue doesn't have.
const (
	noBuiltinSource = "Built-in source is not available"
	noBuiltinSink   = "Built-in sink is not available"
)

// sameLocation tells whether an update leaves the package where it was.
func (c *checks) sameLocation() bool {
	return c.old != nil && c.location() == c.old.location()
}

// checkPackage checks where the code comes from, as far as Pulsar looks at it
// before anything else. Required says whether it asks for a package that early, and
// unknownBuiltin is its text for a built-in one that isn't there, if it looks.
func (c *checks) checkPackage(required bool, unknownBuiltin string) {
	path, location := c.child("package", "location"), c.location()
	switch {
	case c.sameLocation():
	case location == "":
		if required {
			c.pulsar(field.Required(path, c.kind.Title+" package is not provided"))
		}
	case strings.HasPrefix(location, builtinPrefix):
		if unknownBuiltin != "" && c.builtinClass() == "" {
			c.unknownBuiltin(path, location, unknownBuiltin, c.kind)
		}
	default:
		c.checkURL(path, location)
	}
}

// checkURL checks a location that is not built in.
func (c *checks) checkURL(path *field.Path, location string) {
	if identity.IsPackageURL(location) {
		if _, err := identity.ParsePackageURL(location); err != nil {
			c.pulsar(field.Invalid(path, location, err.Error()))
		}
		return
	}
	if !c.allowedURL(location) {
		c.pulsar(field.Invalid(path, omitted, badURL))
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

// checkPackageFile checks what Pulsar takes for a file of its own: a built-in
// function is a Java function.
func (c *checks) checkPackageFile() {
	path, location := c.child("package", "location"), c.location()
	runtime := c.runtime()
	switch {
	case c.sameLocation(), !strings.HasPrefix(location, builtinPrefix), runtime == runtimeJava:
	case runtime == "", runtime == runtimeGeneric:
		c.own(field.Invalid(path, location, "a built-in function is a Java function"))
	case strings.Contains(location, ".."):
		c.pulsar(field.Invalid(path, location, "Invalid filename: "+location))
	default:
		c.pulsar(field.Invalid(path, location, fmt.Sprintf("The supplied %s file does not exist", runtime)))
	}
}

// checkPackageProvided checks what Pulsar finds last: that there is code. A Java
// function without code was refused before.
func (c *checks) checkPackageProvided() {
	if c.old != nil && c.old.location() == "" {
		return
	}
	if c.location() == "" && c.runtime() != runtimeJava {
		c.pulsar(field.Required(c.child("package", "location"), "Function Package is not provided"))
	}
}

// checkLocation keeps what means something to a shell, and credentials, out of a
// location that Pulsar would take: the operator puts it into a shell command.
func (c *checks) checkLocation() {
	path, location := c.child("package", "location"), c.location()
	switch {
	case c.sameLocation():
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
	case c.old != nil && c.old.spec.Package != nil && c.old.spec.Package.FileName == name:
	case len(name) > maxNameBytes:
		c.own(field.TooLong(path, name, maxNameBytes))
	case !plainFileName.MatchString(name):
		c.own(field.Invalid(path, name,
			"must be a plain file name of letters of a to z in either case, digits and . _ - that begins with a letter or digit"))
	}
}
