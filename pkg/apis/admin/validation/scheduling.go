package validation

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

var (
	tolerationOperators = []corev1.TolerationOperator{corev1.TolerationOpEqual, corev1.TolerationOpExists}
	taintEffects        = []corev1.TaintEffect{
		corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute,
	}
	nodeOperators = []corev1.NodeSelectorOperator{
		corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn, corev1.NodeSelectorOpExists,
		corev1.NodeSelectorOpDoesNotExist, corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt,
	}
)

// checkScheduling checks which nodes pods go to.
func (c *checks) checkScheduling(path *field.Path, pod *v1alpha1.Pod) {
	c.ownAll(metav1validation.ValidateLabels(pod.NodeSelector, path.Child("nodeSelector")))
	for i := range pod.Tolerations {
		c.checkToleration(path.Child("tolerations").Index(i), &pod.Tolerations[i])
	}
	affinity, path := pod.Affinity, path.Child("affinity")
	if affinity == nil {
		return
	}
	if nodes := affinity.NodeAffinity; nodes != nil {
		c.checkNodeAffinity(path.Child("nodeAffinity"), nodes)
	}
	if pods := affinity.PodAffinity; pods != nil {
		c.checkPodTerms(path.Child("podAffinity"), pods.RequiredDuringSchedulingIgnoredDuringExecution,
			pods.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if pods := affinity.PodAntiAffinity; pods != nil {
		c.checkPodTerms(path.Child("podAntiAffinity"), pods.RequiredDuringSchedulingIgnoredDuringExecution,
			pods.PreferredDuringSchedulingIgnoredDuringExecution)
	}
}

func (c *checks) checkToleration(path *field.Path, toleration *corev1.Toleration) {
	checkEnum(c, path.Child("operator"), toleration.Operator, tolerationOperators)
	checkEnum(c, path.Child("effect"), toleration.Effect, taintEffects)
	exists := toleration.Operator == corev1.TolerationOpExists
	switch {
	case toleration.Key != "":
		c.ownAll(metav1validation.ValidateLabelName(toleration.Key, path.Child("key")))
	case !exists:
		c.own(field.Invalid(path.Child("operator"), toleration.Operator, "must be Exists without a key"))
	}
	if exists && toleration.Value != "" {
		c.own(field.Invalid(path.Child("value"), shortened(toleration.Value), "must be empty for Exists"))
	} else {
		c.checkWith(path.Child("value"), toleration.Value, validation.IsValidLabelValue)
	}
	if toleration.TolerationSeconds != nil && toleration.Effect != corev1.TaintEffectNoExecute {
		c.own(field.Invalid(path.Child("effect"), toleration.Effect, "must be NoExecute with tolerationSeconds"))
	}
}

// The names of the lists of an affinity.
const (
	required  = "requiredDuringSchedulingIgnoredDuringExecution"
	preferred = "preferredDuringSchedulingIgnoredDuringExecution"
)

func (c *checks) checkNodeAffinity(path *field.Path, nodes *corev1.NodeAffinity) {
	if needed, path := nodes.RequiredDuringSchedulingIgnoredDuringExecution, path.Child(required, "nodeSelectorTerms"); needed != nil {
		if len(needed.NodeSelectorTerms) == 0 {
			c.own(field.Required(path, "at least one term is needed"))
		}
		for i := range needed.NodeSelectorTerms {
			c.checkNodeTerm(path.Index(i), &needed.NodeSelectorTerms[i])
		}
	}
	for i := range nodes.PreferredDuringSchedulingIgnoredDuringExecution {
		term, path := &nodes.PreferredDuringSchedulingIgnoredDuringExecution[i], path.Child(preferred).Index(i)
		c.checkWeight(path.Child("weight"), term.Weight)
		c.checkNodeTerm(path.Child("preference"), &term.Preference)
	}
}

func (c *checks) checkNodeTerm(path *field.Path, term *corev1.NodeSelectorTerm) {
	for i := range term.MatchExpressions {
		expression, path := &term.MatchExpressions[i], path.Child("matchExpressions").Index(i)
		c.ownAll(metav1validation.ValidateLabelName(expression.Key, path.Child("key")))
		c.checkNodeExpression(path, expression)
	}
	for i := range term.MatchFields {
		expression, path := &term.MatchFields[i], path.Child("matchFields").Index(i)
		if expression.Key != metav1.ObjectNameField {
			c.own(field.NotSupported(path.Child("key"), shortened(expression.Key), []string{metav1.ObjectNameField}))
		}
		if equality := expression.Operator == corev1.NodeSelectorOpIn || expression.Operator == corev1.NodeSelectorOpNotIn; !equality || len(expression.Values) != 1 {
			c.own(field.Invalid(path, omitted, "must be In or NotIn of one name"))
		}
	}
}

func (c *checks) checkNodeExpression(path *field.Path, expression *corev1.NodeSelectorRequirement) {
	operator, values, path := path.Child("operator"), expression.Values, path.Child("values")
	switch expression.Operator {
	case corev1.NodeSelectorOpIn, corev1.NodeSelectorOpNotIn:
		if len(values) == 0 {
			c.own(field.Required(path, "must hold values for In and NotIn"))
		}
	case corev1.NodeSelectorOpExists, corev1.NodeSelectorOpDoesNotExist:
		if len(values) > 0 {
			c.own(field.Forbidden(path, "may not be set for Exists and DoesNotExist"))
		}
	case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
		if len(values) != 1 {
			c.own(field.Required(path, "must hold one number for Gt and Lt"))
		} else if _, err := strconv.ParseInt(values[0], 10, 64); err != nil {
			c.own(field.Invalid(path.Index(0), shortened(values[0]), "must be a whole number for Gt and Lt"))
		}
	default:
		c.own(field.NotSupported(operator, expression.Operator, nodeOperators))
	}
}

func (c *checks) checkWeight(path *field.Path, weight int32) {
	if weight < 1 || weight > 100 {
		c.own(field.Invalid(path, weight, "must be between 1 and 100"))
	}
}

func (c *checks) checkPodTerms(path *field.Path, needed []corev1.PodAffinityTerm, wanted []corev1.WeightedPodAffinityTerm) {
	for i := range needed {
		c.checkPodTerm(path.Child(required).Index(i), &needed[i])
	}
	for i := range wanted {
		path := path.Child(preferred).Index(i)
		c.checkWeight(path.Child("weight"), wanted[i].Weight)
		c.checkPodTerm(path.Child("podAffinityTerm"), &wanted[i].PodAffinityTerm)
	}
}

func (c *checks) checkPodTerm(path *field.Path, term *corev1.PodAffinityTerm) {
	selectors := metav1validation.LabelSelectorValidationOptions{}
	c.ownAll(metav1validation.ValidateLabelSelector(term.LabelSelector, selectors, path.Child("labelSelector")))
	c.ownAll(metav1validation.ValidateLabelSelector(term.NamespaceSelector, selectors, path.Child("namespaceSelector")))
	for i, namespace := range term.Namespaces {
		c.checkWith(path.Child("namespaces").Index(i), namespace, validation.IsDNS1123Label)
	}
	if term.TopologyKey == "" {
		c.own(field.Required(path.Child("topologyKey"), "a label of nodes is needed"))
		return
	}
	c.ownAll(metav1validation.ValidateLabelName(term.TopologyKey, path.Child("topologyKey")))
}
