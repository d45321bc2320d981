package componentconfig

import (
	"strings"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The runtimes as Pulsar spells them.
const (
	runtimeJava   = "JAVA"
	runtimePython = "PYTHON"
	runtimeGo     = "GO"
)

const builtinPrefix = "builtin://"

// locationPrefixes are the beginnings by which Pulsar tells where code is from what
// it is called. Which of them are allowed is for validation.
var locationPrefixes = []string{builtinPrefix, "function://", "sink://", "source://", "http://", "https://", "file://"}

func isLocation(code string) bool {
	for _, prefix := range locationPrefixes {
		if strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

// inferRuntime takes the runtime from the member that names the code. Without one
// the runtime stays as it was sent.
func (c *FunctionConfig) inferRuntime() {
	switch {
	case c.Jar != "":
		c.Runtime = runtimeJava
	case c.Py != "":
		c.Runtime = runtimePython
	case c.Go != "":
		c.Runtime = runtimeGo
	case c.FunctionType != "" && c.Runtime == "":
		c.Runtime = runtimeJava
	}
}

// location returns where the code is if the configuration says that.
func (c *FunctionConfig) location() string {
	for _, code := range []string{c.Jar, c.Py, c.Go} {
		if code != "" {
			return locationOf(code, "")
		}
	}
	return locationOf("", c.FunctionType)
}

// locationOf returns where the code is if what names it says that: a built-in entry,
// by its location or by its type, or a URL. Any other text is the name of a file on
// the client's machine, which must never become a path in a container.
func locationOf(code, builtinType string) string {
	switch {
	case isLocation(code):
		return code
	case code == "" && builtinType != "":
		return builtinPrefix + strings.TrimPrefix(builtinType, builtinPrefix)
	}
	return ""
}

// builtinOf returns a location if it is that of a built-in entry, which is the only
// one that Pulsar shows.
func builtinOf(location string) string {
	if strings.HasPrefix(location, builtinPrefix) {
		return location
	}
	return ""
}

// setLocation changes where the code is fetched from. The file's name stays: the
// view has one only where it was set apart, and derives it from the location
// otherwise.
func setLocation(spec *v1alpha1.ComponentSpec, location string) {
	if location == "" {
		return
	}
	if spec.Package == nil {
		spec.Package = &v1alpha1.Package{}
	}
	spec.Package.Location = location
}

// applyLocation changes where a connector's code is fetched from, if an update says so:
// apart from the configuration, or by the archive.
func applyLocation(spec *v1alpha1.ComponentSpec, existing, merged, packageURL string) {
	if packageURL == "" && merged != existing {
		packageURL = locationOf(merged, "")
	}
	setLocation(spec, packageURL)
}

func runtimeOf(spec *v1alpha1.PulsarFunctionSpec) string {
	switch {
	case spec.Java != nil:
		return runtimeJava
	case spec.Python != nil:
		return runtimePython
	case spec.Go != nil:
		return runtimeGo
	}
	return ""
}
