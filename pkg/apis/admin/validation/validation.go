// Package validation decides whether an object of group admin.functionmesh.io can
// become a Function Mesh resource that runs. It is the only place that does: both
// doors, kubectl and Pulsar's REST interface, give its answers.
//
// The rules come from three places: Pulsar's functions worker, in its order and
// with its texts; the Function Mesh operator, whose webhook skips updates and whose
// shell commands hold strings of the object; and Kubernetes, which would refuse the
// pods when nobody looks any more.
//
// What the kinds have in common is checked once. The files function.go, source.go
// and sink.go hold Pulsar's order for each, and what only that kind has.
package validation

import (
	"fmt"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/connectors"
)

// Options is what validation takes from the server's configuration.
type Options struct {
	// AllowedPackageURLs are patterns of http(s) URLs that packages may be fetched
	// from. A pattern has to match the whole URL.
	AllowedPackageURLs []*regexp.Regexp
	// Clusters are the names of the Pulsar clusters that components can run against.
	Clusters []string
	// Catalogue holds what builtin://name can stand for.
	Catalogue *connectors.Catalogue
	// DisabledKinds are the kinds of which nothing is created or changed.
	DisabledKinds []v1alpha1.ComponentKind
	// MinResources and MaxResources bound what an instance may ask for: cpu and
	// memory. What is absent is not bounded.
	MinResources, MaxResources corev1.ResourceList
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

// Validate checks a new component after defaulting.
func Validate(component v1alpha1.Component, options Options) Result {
	return newChecks(component, nil, options).run()
}

// ValidateUpdate checks a changed component after defaulting. The rules are those
// for new ones, and what identifies a component can't change. What a resource made
// by other means has always violated is no error of the update: it can still be
// scaled, labelled and mended bit by bit.
func ValidateUpdate(component, old v1alpha1.Component, options Options) Result {
	known := map[violation]bool{}
	before := newChecks(old, old, options)
	before.run()
	for _, found := range before.violations {
		known[found] = true
	}
	after := newChecks(component, old, options)
	after.known = known
	return after.run()
}

// violation is what an error is about, value included: a text that always was
// dangerous must not be replaced by another.
type violation struct{ kind, field, detail, value string }

// newChecks returns the checks of a component. Old is nil for a new one.
func newChecks(component, old v1alpha1.Component, options Options) *checks {
	c := &checks{
		metadata: field.NewPath("metadata"),
		path:     field.NewPath("spec"),
		subject:  takeApart(component),
		options:  options,
	}
	if old != nil {
		c.old = takeApart(old)
	}
	return c
}

func (c *checks) run() Result {
	c.checkEnabled()
	// The other checks take as long and say as much as the object is large.
	if len(c.errors) == 0 {
		c.checkSize()
	}
	if len(c.errors) == 0 {
		c.checkAsPulsar()
		c.checkObject()
		c.checkIdentity()
		c.checkCode()
		c.checkValues()
		c.checkTexts()
		c.checkConnection()
		c.checkOperatorRules()
		c.checkGoRunner()
		c.checkPod()
		c.checkVolumes()
		c.checkAutoscaling()
	}
	reason := c.pulsarReason
	if reason == "" {
		reason = c.ownReason
	}
	return Result{Errors: c.errors, Reason: reason}
}

// checkAsPulsar runs the checks of Pulsar's functions worker in its order. Those
// that need the content of the package are missing.
func (c *checks) checkAsPulsar() {
	switch c.kind {
	case v1alpha1.SourceKind:
		c.checkSourceAsPulsar()
	case v1alpha1.SinkKind:
		c.checkSinkAsPulsar()
	default:
		c.checkFunctionAsPulsar()
	}
	c.checkAdmission()
}

// checks collects what is wrong with one component.
type checks struct {
	*subject
	metadata, path *field.Path
	old            *subject // nil for a new one
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

// ownAll is own for what a library found.
func (c *checks) ownAll(errors field.ErrorList) {
	for _, err := range errors {
		c.own(err)
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

// kept tells whether an update leaves a part of the spec as it was.
func (c *checks) kept(part func(*subject) any) bool {
	return c.old != nil && equality.Semantic.DeepEqual(part(c.subject), part(c.old))
}

// checkEnabled refuses what is of a kind that is switched off. The metadata of what
// exists can still change, so that it can be deleted.
func (c *checks) checkEnabled() {
	for _, disabled := range c.options.DisabledKinds {
		if disabled == c.kind && !c.kept((*subject).wholeSpec) {
			c.pulsar(field.Forbidden(c.path, c.kind.Title+" API is disabled"))
		}
	}
}

// omitted stands for a value that an error must not repeat: it may be long, or a
// credential that somebody put where none belongs.
var omitted = field.OmitValueType{}
