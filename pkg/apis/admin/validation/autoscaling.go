package validation

import (
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// The values that Function Mesh and autoscalers know.
var (
	builtinRules = []string{
		"AverageUtilizationCPUPercent80", "AverageUtilizationCPUPercent50", "AverageUtilizationCPUPercent20",
		"AverageUtilizationMemoryPercent80", "AverageUtilizationMemoryPercent50", "AverageUtilizationMemoryPercent20",
	}
	metricTypes = []autoscalingv2.MetricSourceType{
		autoscalingv2.ResourceMetricSourceType, autoscalingv2.ContainerResourceMetricSourceType,
		autoscalingv2.PodsMetricSourceType, autoscalingv2.ObjectMetricSourceType, autoscalingv2.ExternalMetricSourceType,
	}
	scalingPolicyTypes  = []autoscalingv2.HPAScalingPolicyType{autoscalingv2.PodsScalingPolicy, autoscalingv2.PercentScalingPolicy}
	scalingPolicies     = []autoscalingv2.ScalingPolicySelect{autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect, autoscalingv2.DisabledPolicySelect}
	updateModes         = []string{"Off", "Initial", "Recreate", "Auto"}
	scalingModes        = []string{"Auto", "Off"}
	controlledValues    = []string{"RequestsAndLimits", "RequestsOnly"}
	changeRequirements  = []string{"TargetHigherThanRequests", "TargetLowerThanRequests"}
	controlledResources = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}
)

const (
	metricSourceHelp = "must hold what its type is about, and nothing else"
	metricTargetHelp = "must have exactly one value, which is positive and of its type"
)

// checkAutoscaling checks how numbers and sizes of instances follow the load.
func (c *checks) checkAutoscaling() {
	path := c.child("pod")
	if hpa := c.pod().HPA; hpa != nil {
		c.checkHorizontal(path.Child("hpa"), hpa)
	}
	if vpa := c.pod().VPA; vpa != nil {
		if c.spec.MaxReplicas != nil {
			c.own(field.Forbidden(path.Child("vpa"), "the Function Mesh operator takes either maxReplicas or vpa"))
		}
		c.checkVertical(path.Child("vpa"), vpa)
	}
}

func (c *checks) checkHorizontal(path *field.Path, hpa *v1alpha1.HorizontalPodAutoscaling) {
	seen := map[bool]bool{}
	for i, rule := range hpa.BuiltinRules {
		path := path.Child("builtinRules").Index(i)
		checkEnumPointer(c, path, &rule, builtinRules)
		isCPU := strings.HasPrefix(rule, "AverageUtilizationCPU")
		if seen[isCPU] {
			c.own(field.Invalid(path, shortened(rule), "the Function Mesh operator takes one rule for CPU and one for memory"))
		}
		seen[isCPU] = true
	}
	for i := range hpa.Metrics {
		c.checkMetric(path.Child("metrics").Index(i), &hpa.Metrics[i])
	}
	if behavior := hpa.Behavior; behavior != nil {
		c.checkScalingRules(path.Child("behavior", "scaleUp"), behavior.ScaleUp)
		c.checkScalingRules(path.Child("behavior", "scaleDown"), behavior.ScaleDown)
	}
}

// checkMetric checks what is measured, as a HorizontalPodAutoscaler wants it.
func (c *checks) checkMetric(path *field.Path, metric *autoscalingv2.MetricSpec) {
	checkEnumPointer(c, path.Child("type"), &metric.Type, metricTypes)
	sources := 0
	check := func(kind autoscalingv2.MetricSourceType, member string, target *autoscalingv2.MetricTarget) {
		sources++
		if metric.Type != kind {
			c.own(field.Invalid(path.Child(member), omitted, metricSourceHelp))
		}
		c.checkTarget(path.Child(member, "target"), target)
	}
	checkName := func(member string, name *autoscalingv2.MetricIdentifier) {
		if name.Name == "" {
			c.own(field.Required(path.Child(member, "metric", "name"), "the name of a metric is needed"))
		}
		c.ownAll(metav1validation.ValidateLabelSelector(name.Selector,
			metav1validation.LabelSelectorValidationOptions{}, path.Child(member, "metric", "selector")))
	}
	if source := metric.Resource; source != nil {
		check(autoscalingv2.ResourceMetricSourceType, "resource", &source.Target)
		c.checkMeasuredResource(path.Child("resource", "name"), source.Name)
	}
	if source := metric.ContainerResource; source != nil {
		check(autoscalingv2.ContainerResourceMetricSourceType, "containerResource", &source.Target)
		c.checkMeasuredResource(path.Child("containerResource", "name"), source.Name)
		c.checkRequired(path.Child("containerResource", "container"), source.Container, "the name of a container is needed", validation.IsDNS1123Label)
	}
	if source := metric.Pods; source != nil {
		check(autoscalingv2.PodsMetricSourceType, "pods", &source.Target)
		checkName("pods", &source.Metric)
	}
	if source := metric.Object; source != nil {
		check(autoscalingv2.ObjectMetricSourceType, "object", &source.Target)
		checkName("object", &source.Metric)
		if source.DescribedObject.Kind == "" || source.DescribedObject.Name == "" {
			c.own(field.Required(path.Child("object", "describedObject"), "both kind and name are needed"))
		}
	}
	if source := metric.External; source != nil {
		check(autoscalingv2.ExternalMetricSourceType, "external", &source.Target)
		checkName("external", &source.Metric)
	}
	if sources != 1 {
		c.own(field.Invalid(path, omitted, metricSourceHelp))
	}
}

func (c *checks) checkMeasuredResource(path *field.Path, name corev1.ResourceName) {
	if name == "" {
		c.own(field.Required(path, "the name of a resource is needed"))
	} else if !containerResource(name) {
		c.own(field.NotSupported(path, shortened(string(name)), containerResources))
	}
}

// checkTarget checks the value to which a metric is held.
func (c *checks) checkTarget(path *field.Path, target *autoscalingv2.MetricTarget) {
	values := 0
	correct := false
	if target.Value != nil {
		values++
		correct = target.Type == autoscalingv2.ValueMetricType && target.Value.Sign() > 0
	}
	if target.AverageValue != nil {
		values++
		correct = target.Type == autoscalingv2.AverageValueMetricType && target.AverageValue.Sign() > 0
	}
	if target.AverageUtilization != nil {
		values++
		correct = target.Type == autoscalingv2.UtilizationMetricType && *target.AverageUtilization > 0
	}
	if values != 1 || !correct {
		c.own(field.Invalid(path, omitted, metricTargetHelp))
	}
}

func (c *checks) checkScalingRules(path *field.Path, rules *autoscalingv2.HPAScalingRules) {
	if rules == nil {
		return
	}
	if seconds := rules.StabilizationWindowSeconds; seconds != nil && (*seconds < 0 || *seconds > 3600) {
		c.own(field.Invalid(path.Child("stabilizationWindowSeconds"), *seconds, "must be between 0 and 3600"))
	}
	checkEnumPointer(c, path.Child("selectPolicy"), rules.SelectPolicy, scalingPolicies)
	if rules.Tolerance != nil && rules.Tolerance.Sign() < 0 {
		c.own(field.Invalid(path.Child("tolerance"), rules.Tolerance.String(), "may not be negative"))
	}
	for i, policy := range rules.Policies {
		path := path.Child("policies").Index(i)
		checkEnumPointer(c, path.Child("type"), &policy.Type, scalingPolicyTypes)
		if policy.Value <= 0 {
			c.own(field.Invalid(path.Child("value"), policy.Value, "must be positive"))
		}
		if policy.PeriodSeconds <= 0 || policy.PeriodSeconds > 1800 {
			c.own(field.Invalid(path.Child("periodSeconds"), policy.PeriodSeconds, "must be between 1 and 1800"))
		}
	}
}

// checkVertical checks what a vertical pod autoscaler may do.
func (c *checks) checkVertical(path *field.Path, vpa *v1alpha1.VerticalPodAutoscaling) {
	if policy, path := vpa.UpdatePolicy, path.Child("updatePolicy"); policy != nil {
		checkEnumPointer(c, path.Child("updateMode"), policy.UpdateMode, updateModes)
		if policy.MinReplicas != nil && *policy.MinReplicas <= 0 {
			c.own(field.Invalid(path.Child("minReplicas"), *policy.MinReplicas, "must be positive"))
		}
		for i, requirement := range policy.EvictionRequirements {
			path := path.Child("evictionRequirements").Index(i)
			c.checkControlled(path.Child("resources"), requirement.Resources)
			if len(requirement.Resources) == 0 {
				c.own(field.Required(path.Child("resources"), "at least one is needed"))
			}
			checkEnumPointer(c, path.Child("changeRequirement"), &requirement.ChangeRequirement, changeRequirements)
		}
	}
	if vpa.ResourcePolicy == nil {
		return
	}
	names := map[string]bool{}
	for i := range vpa.ResourcePolicy.ContainerPolicies {
		policy, path := &vpa.ResourcePolicy.ContainerPolicies[i], path.Child("resourcePolicy", "containerPolicies").Index(i)
		if policy.ContainerName != "*" {
			c.checkRequired(path.Child("containerName"), policy.ContainerName, "the Function Mesh operator needs the name of a container, or *", validation.IsDNS1123Label)
		}
		c.checkUnique(path.Child("containerName"), policy.ContainerName, names)
		checkEnumPointer(c, path.Child("mode"), policy.Mode, scalingModes)
		checkEnumPointer(c, path.Child("controlledValues"), policy.ControlledValues, controlledValues)
		c.checkControlled(path.Child("controlledResources"), policy.ControlledResources)
		c.checkAllowed(path, policy)
	}
}

func (c *checks) checkControlled(path *field.Path, resources []corev1.ResourceName) {
	for i, name := range resources {
		checkEnumPointer(c, path.Index(i), &name, controlledResources)
	}
}

// checkAllowed checks the bounds of what is recommended.
func (c *checks) checkAllowed(path *field.Path, policy *v1alpha1.VPAContainerPolicy) {
	for _, list := range []struct {
		member string
		value  corev1.ResourceList
	}{{"minAllowed", policy.MinAllowed}, {"maxAllowed", policy.MaxAllowed}} {
		for _, name := range sortedKeys(list.value) {
			path := path.Child(list.member).Key(shortened(string(name)))
			checkEnumPointer(c, path, &name, controlledResources)
			if quantity := list.value[name]; quantity.Sign() < 0 {
				c.own(field.Invalid(path, quantity.String(), "may not be negative"))
			}
		}
	}
	for _, name := range sortedKeys(policy.MinAllowed) {
		least, most := policy.MinAllowed[name], policy.MaxAllowed[name]
		if _, found := policy.MaxAllowed[name]; found && least.Cmp(most) > 0 {
			c.own(field.Invalid(path.Child("minAllowed").Key(shortened(string(name))), least.String(), "may not be more than maxAllowed, "+most.String()))
		}
	}
}
