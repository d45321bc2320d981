package validation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// checkAmounts checks resources as Pulsar does.
func (c *checks) checkAmounts() {
	resources := c.spec.Resources
	if resources == nil {
		return
	}
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

func (c *checks) checkPositive(path *field.Path, list corev1.ResourceList, name corev1.ResourceName, text string) {
	if quantity, found := list[name]; found && quantity.Sign() <= 0 {
		c.pulsar(field.Invalid(path.Key(string(name)), quantity.String(), text))
	}
}

// boundedResource is an amount that the configuration bounds, as Pulsar names and
// writes it.
type boundedResource struct {
	name  corev1.ResourceName
	title string
	write func(resource.Quantity) string
}

var boundedResources = []boundedResource{
	{corev1.ResourceCPU, "CPU", func(cpu resource.Quantity) string {
		text := strconv.FormatFloat(float64(cpu.MilliValue())/1000, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}},
	{corev1.ResourceMemory, "RAM", func(ram resource.Quantity) string { return strconv.FormatInt(ram.Value(), 10) }},
}

// checkAdmission checks what Pulsar's Kubernetes runtime checks, last of all: that
// the configuration allows the amounts. It looks at what is asked for, and a limit
// may not be larger either.
func (c *checks) checkAdmission() {
	var requests, limits corev1.ResourceList
	if c.spec.Resources != nil {
		requests, limits = c.spec.Resources.Requests, c.spec.Resources.Limits
	}
	path := c.child("resources")
	for _, bounded := range boundedResources {
		name := string(bounded.name)
		request, asked := requests[bounded.name]
		if minimum, found := c.options.MinResources[bounded.name]; found {
			switch {
			case !asked:
				c.notAdmitted(field.Required(path.Child("requests").Key(name), fmt.Sprintf(
					"Per instance %s requested is not specified. Must specify %[1]s requested for function to be at least %s",
					bounded.title, bounded.write(minimum))))
			case request.Cmp(minimum) < 0:
				c.notAdmitted(field.Invalid(path.Child("requests").Key(name), request.String(), fmt.Sprintf(
					"Per instance %s requested, %s, for function is less than the minimum required, %s",
					bounded.title, bounded.write(request), bounded.write(minimum))))
			}
		}
		maximum, found := c.options.MaxResources[bounded.name]
		if !found {
			continue
		}
		if asked && request.Cmp(maximum) > 0 {
			c.notAdmitted(field.Invalid(path.Child("requests").Key(name), request.String(), fmt.Sprintf(
				"Per instance %s requested, %s, for function is greater than the maximum required, %s",
				bounded.title, bounded.write(request), bounded.write(maximum))))
		}
		if limit, found := limits[bounded.name]; found && limit.Cmp(maximum) > 0 {
			c.own(field.Invalid(path.Child("limits").Key(name), limit.String(),
				fmt.Sprintf("the server allows no more than %s", maximum.String())))
		}
	}
}

// notAdmitted adds an error of Pulsar's admission.
func (c *checks) notAdmitted(err *field.Error) {
	err.Detail = fmt.Sprintf("%s %s cannot be admitted:- %s", c.kind.Title, c.spec.Name, err.Detail)
	c.pulsar(err)
}

// checkResources checks what the operator's webhook and Kubernetes want: both
// memory amounts, no request above its limit, and names that a container can have.
func (c *checks) checkResources() {
	resources := c.spec.Resources
	if resources == nil || len(resources.Requests) == 0 && len(resources.Limits) == 0 {
		return // the server's defaults apply
	}
	if c.kept(func(s *subject) any { return s.spec.Resources }) {
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
	}
	c.checkContainerResources(path, resources.Requests, resources.Limits, true)
}

// checkContainerResources checks the resources of a container. Pulsar says whether
// Pulsar has already refused what is not positive.
func (c *checks) checkContainerResources(path *field.Path, requests, limits corev1.ResourceList, pulsar bool) {
	for _, list := range []struct {
		path  *field.Path
		value corev1.ResourceList
	}{{path.Child("requests"), requests}, {path.Child("limits"), limits}} {
		for _, name := range sortedKeys(list.value) {
			if !containerResource(name) {
				c.own(field.NotSupported(list.path.Key(shortened(string(name))), shortened(string(name)), containerResources))
			}
			refused := pulsar && (name == corev1.ResourceCPU || name == corev1.ResourceMemory)
			if quantity := list.value[name]; quantity.Sign() < 0 && !refused {
				c.own(field.Invalid(list.path.Key(shortened(string(name))), quantity.String(), "may not be negative"))
			}
		}
	}
	for _, name := range sortedKeys(requests) {
		request, limit := requests[name], limits[name]
		if _, found := limits[name]; found && request.Cmp(limit) > 0 {
			c.own(field.Invalid(path.Child("requests").Key(shortened(string(name))), request.String(),
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
