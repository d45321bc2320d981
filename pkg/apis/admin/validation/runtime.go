package validation

import (
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The values that Function Mesh knows for a runtime.
var (
	logLevels       = []string{"off", "trace", "debug", "info", "warn", "error", "fatal", "all", "panic"}
	logFormats      = []string{"json", "text"}
	log4jFileTypes  = []string{"yaml", "xml", "ini"}
	rotatePolicies  = []string{"TimedPolicyWithDaily", "TimedPolicyWithWeekly", "TimedPolicyWithMonthly", "SizedPolicyWith10MB", "SizedPolicyWith50MB", "SizedPolicyWith100MB"}
	genericRuntimes = []string{"nodejs", "python", "executable", "wasm"}
)

// checkRuntime checks what the language runtime is told.
func (c *checks) checkRuntime() {
	if c.kind != v1alpha1.FunctionKind && c.spec.Java == nil {
		c.own(field.Required(c.child(runtimeJava), "a "+c.kind.Type+" is always Java"))
	}
	if java := c.spec.Java; java != nil {
		c.checkJavaRuntime(c.child(runtimeJava), java)
	}
	if generic := c.function.Generic; generic != nil {
		path := c.child(runtimeGeneric, "language")
		if generic.Language == "" {
			c.own(field.Required(path, "the language decides about the runtime"))
		}
		checkEnum(c, path, generic.Language, genericRuntimes)
	}
	for _, of := range c.runtimeLogs() {
		c.checkLog(c.child(of.runtime, "log"), of.log)
	}
}

// checkJavaRuntime checks what Function Mesh writes into the command line of Java.
func (c *checks) checkJavaRuntime(path *field.Path, java *v1alpha1.JavaRuntime) {
	for i, option := range java.JavaOpts {
		path := path.Child("javaOpts").Index(i)
		if option == "" {
			c.own(field.Required(path, "an option is needed"))
		}
		c.checkShell(path, option, javaOption, "must be one option that begins with a hyphen,"+
			" of letters of a to z in either case, digits and - = : . , + @ % / _")
	}
	c.checkShellPath(path.Child("extraDependenciesDir"), java.ExtraDependenciesDir)
	c.checkShellPath(path.Child("instancePath"), java.InstancePath)
	c.checkShellClass(path.Child("entryClass"), java.EntryClass)
}

func (c *checks) checkLog(path *field.Path, log *v1alpha1.RuntimeLog) {
	checkEnum(c, path.Child("level"), log.Level, logLevels)
	checkEnum(c, path.Child("format"), log.Format, logFormats)
	checkEnum(c, path.Child("rotatePolicy"), log.RotatePolicy, rotatePolicies)
	checkEnum(c, path.Child("javaLog4JConfigFileType"), log.JavaLog4JConfigFileType, log4jFileTypes)
	if log.LogConfig != nil {
		const help = "both name and key are needed: the name of a ConfigMap and a key in it"
		c.checkObjectName(path.Child("logConfig", "name"), log.LogConfig.Name, help)
		c.checkKey(path.Child("logConfig", "key"), log.LogConfig.Key, help)
	}
}
