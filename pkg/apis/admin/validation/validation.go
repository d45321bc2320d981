// Package validation decides whether an object of group admin.functionmesh.io can
// become a Function Mesh resource that runs. It is the only place that does: both
// doors, kubectl and Pulsar's REST interface, give its answers.
//
// The rules come from three places: Pulsar's functions worker, in its order and
// with its texts; the Function Mesh operator, whose webhook skips updates and whose
// shell commands hold strings of the object; and Kubernetes.
package validation

import (
	"fmt"
	"regexp"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Options is what validation takes from the server's configuration.
type Options struct {
	// AllowedPackageURLs are patterns of http(s) URLs that packages may be fetched
	// from. A pattern has to match the whole URL.
	AllowedPackageURLs []*regexp.Regexp
	// Clusters are the names of the Pulsar clusters that functions can run against.
	Clusters []string
}

// Result is what validation found.
type Result struct {
	// Errors are all errors, each with the path of its field. Where Pulsar has the
	// same rule, the detail is exactly Pulsar's text.
	Errors field.ErrorList
	// Reason is what Pulsar's REST interface answers: the text of the first failed
	// check in Pulsar's order. Rules that Pulsar doesn't have count as part of the
	// admission by the runtime, its last step: if they alone failed, Reason is the
	// first of their errors with its field. It is empty without errors.
	Reason string
}

// ValidatePulsarFunction checks a new function after defaulting.
func ValidatePulsarFunction(function *v1alpha1.PulsarFunction, options Options) Result {
	return newChecks(function, nil, options).run()
}

// ValidatePulsarFunctionUpdate checks a changed function after defaulting. The
// rules are those for new functions, and what identifies a function can't change.
// What a Function made by other means has always violated is no error of the update:
// it can still be scaled, labelled and mended bit by bit.
func ValidatePulsarFunctionUpdate(function, old *v1alpha1.PulsarFunction, options Options) Result {
	known := map[violation]bool{}
	before := newChecks(old, old, options)
	before.run()
	for _, found := range before.violations {
		known[found] = true
	}
	after := newChecks(function, old, options)
	after.known = known
	return after.run()
}

// violation is what an error is about, value included: a text that always was
// dangerous must not be replaced by another.
type violation struct{ kind, field, detail, value string }

func newChecks(function, old *v1alpha1.PulsarFunction, options Options) *checks {
	return &checks{
		metadata: field.NewPath("metadata"),
		path:     field.NewPath("spec"),
		function: function,
		spec:     &function.Spec,
		old:      old,
		options:  options,
	}
}

func (c *checks) run() Result {
	// The other checks take as long and say as much as the object is large.
	c.checkSize()
	if len(c.errors) == 0 {
		c.checkAsPulsar()
		c.checkObject()
		c.checkIdentity()
		c.checkCode()
		c.checkValues()
		c.checkTexts()
		c.checkOperatorRules()
		c.checkGoRunner()
	}
	reason := c.pulsarReason
	if reason == "" {
		reason = c.ownReason
	}
	return Result{Errors: c.errors, Reason: reason}
}

// checks collects what is wrong with one function.
type checks struct {
	metadata, path *field.Path
	function       *v1alpha1.PulsarFunction
	spec           *functionSpec
	old            *v1alpha1.PulsarFunction // nil for a new function
	options        Options
	known          map[violation]bool // those that are no errors of this update
	violations     []violation

	errors                  field.ErrorList
	pulsarReason, ownReason string
}

// pulsar adds an error that has Pulsar's text. The calls are in Pulsar's order.
func (c *checks) pulsar(err *field.Error) {
	if c.add(err, fmt.Sprint(err.BadValue)) && c.pulsarReason == "" {
		c.pulsarReason = err.Detail
	}
}

// own adds an error that Pulsar doesn't have.
func (c *checks) own(err *field.Error) {
	c.ownOf(err, fmt.Sprint(err.BadValue))
}

// ownOf is own for an error that doesn't repeat the value that it is about.
func (c *checks) ownOf(err *field.Error, value string) {
	if c.add(err, value) && c.ownReason == "" {
		c.ownReason = err.Error()
	}
}

// add adds an error unless it is known.
func (c *checks) add(err *field.Error, value string) bool {
	found := violation{string(err.Type), err.Field, err.Detail, value}
	c.violations = append(c.violations, found)
	if c.known[found] {
		return false
	}
	c.errors = append(c.errors, err)
	return true
}

// child returns the path of a field of the spec.
func (c *checks) child(name string, more ...string) *field.Path {
	return c.path.Child(name, more...)
}

type functionSpec = v1alpha1.PulsarFunctionSpec

// kept tells whether an update leaves a part of the spec as it was.
func (c *checks) kept(part func(*functionSpec) any) bool {
	return c.old != nil && equality.Semantic.DeepEqual(part(c.spec), part(&c.old.Spec))
}

// omitted stands for a value that an error must not repeat: it may be long, or a
// credential that somebody put where none belongs.
var omitted = field.OmitValueType{}

// A language runtime: the name of its field in the spec.
const (
	runtimeJava   = "java"
	runtimePython = "python"
	runtimeGo     = "go"
)

// runtimesOf returns the runtimes that are set.
func runtimesOf(spec *functionSpec) []string {
	var set []string
	if spec.Java != nil {
		set = append(set, runtimeJava)
	}
	if spec.Python != nil {
		set = append(set, runtimePython)
	}
	if spec.Go != nil {
		set = append(set, runtimeGo)
	}
	return set
}

// runtimeOf returns the runtime, or "" if it is not exactly one.
func runtimeOf(spec *functionSpec) string {
	if set := runtimesOf(spec); len(set) == 1 {
		return set[0]
	}
	return ""
}

// locationOf returns where the package is fetched from, or "".
func locationOf(spec *functionSpec) string {
	if spec.Package == nil {
		return ""
	}
	return spec.Package.Location
}

// javaRuntime returns what Java has in common with the other runtimes, or nil.
func javaRuntime(spec *functionSpec) *v1alpha1.Runtime {
	if spec.Java == nil {
		return nil
	}
	return &spec.Java.Runtime
}
