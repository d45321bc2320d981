package validation

import (
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func cpuMetric(change func(*autoscalingv2.MetricSpec)) autoscalingv2.MetricSpec {
	metric := autoscalingv2.MetricSpec{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name: "cpu", Target: autoscalingv2.MetricTarget{Type: "Utilization", AverageUtilization: ptr(int32(80))},
		},
	}
	change(&metric)
	return metric
}

func TestHorizontalAutoscaling(t *testing.T) {
	scaled := func(hpa v1alpha1.HorizontalPodAutoscaling) v1alpha1.Component {
		return withPod(v1alpha1.Pod{HPA: &hpa}, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.MaxReplicas = ptr(int32(5)) }))
	}
	measured := func(change func(*autoscalingv2.MetricSpec)) v1alpha1.Component {
		return scaled(v1alpha1.HorizontalPodAutoscaling{Metrics: []autoscalingv2.MetricSpec{cpuMetric(change)}})
	}
	by := func(kind autoscalingv2.MetricSourceType, change func(*autoscalingv2.MetricSpec)) v1alpha1.Component {
		return measured(func(m *autoscalingv2.MetricSpec) { m.Type, m.Resource = kind, nil; change(m) })
	}
	up := func(rules autoscalingv2.HPAScalingRules) v1alpha1.Component {
		return scaled(v1alpha1.HorizontalPodAutoscaling{Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &rules}})
	}
	rules := func(rules ...string) v1alpha1.Component {
		return scaled(v1alpha1.HorizontalPodAutoscaling{BuiltinRules: rules})
	}
	negative := resource.MustParse("-1")
	const hpa, metric, behavior = "spec.pod.hpa.", "spec.pod.hpa.metrics[0]", "spec.pod.hpa.behavior.scaleUp."
	checkRefusals(t, map[string]refusal{
		"rule":              {rules("AverageUtilizationCPUPercent81"), hpa + "builtinRules[0]", "supported values"},
		"two CPU rules":     {rules("AverageUtilizationCPUPercent80", "AverageUtilizationCPUPercent50"), hpa + "builtinRules[1]", "one rule for CPU"},
		"two memory rules":  {rules("AverageUtilizationMemoryPercent80", "AverageUtilizationMemoryPercent80"), hpa + "builtinRules[1]", "one for memory"},
		"type":              {measured(func(m *autoscalingv2.MetricSpec) { m.Type = "x" }), metric + ".type", "supported values"},
		"other type":        {measured(func(m *autoscalingv2.MetricSpec) { m.Type = "Pods" }), metric + ".resource", "and nothing else"},
		"nothing measured":  {measured(func(m *autoscalingv2.MetricSpec) { m.Resource = nil }), metric, "and nothing else"},
		"no resource":       {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Name = "" }), metric + ".resource.name", "is needed"},
		"resource":          {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Name = "x" }), metric + ".resource.name", "supported values"},
		"no target":         {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Target.AverageUtilization = nil }), metric + ".resource.target", "exactly one value"},
		"target of another": {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Target.Type = "Value" }), metric + ".resource.target", "of its type"},
		"no utilization":    {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Target.AverageUtilization = ptr(int32(0)) }), metric + ".resource.target", "positive"},
		"two targets":       {measured(func(m *autoscalingv2.MetricSpec) { m.Resource.Target.Value = ptr(resource.MustParse("1")) }), metric + ".resource.target", "exactly one value"},
		"container": {by("ContainerResource", func(m *autoscalingv2.MetricSpec) {
			m.ContainerResource = &autoscalingv2.ContainerResourceMetricSource{Name: "cpu"}
		}), metric + ".containerResource.container", "is needed"},
		"container's resource": {by("ContainerResource", func(m *autoscalingv2.MetricSpec) {
			m.ContainerResource = &autoscalingv2.ContainerResourceMetricSource{}
		}), metric + ".containerResource.name", "is needed"},
		"pods":            {by("Pods", func(m *autoscalingv2.MetricSpec) { m.Pods = &autoscalingv2.PodsMetricSource{} }), metric + ".pods.metric.name", "is needed"},
		"object":          {by("Object", func(m *autoscalingv2.MetricSpec) { m.Object = &autoscalingv2.ObjectMetricSource{} }), metric + ".object.describedObject", "both kind and name"},
		"object's metric": {by("Object", func(m *autoscalingv2.MetricSpec) { m.Object = &autoscalingv2.ObjectMetricSource{} }), metric + ".object.metric.name", "is needed"},
		"external":        {by("External", func(m *autoscalingv2.MetricSpec) { m.External = &autoscalingv2.ExternalMetricSource{} }), metric + ".external.target", "exactly one value"},
		"external with average": {by("External", func(m *autoscalingv2.MetricSpec) {
			m.External = &autoscalingv2.ExternalMetricSource{Target: autoscalingv2.MetricTarget{Type: "AverageValue", AverageValue: &negative}}
		}), metric + ".external.target", "positive"},
		"selector": {by("External", func(m *autoscalingv2.MetricSpec) {
			m.External = &autoscalingv2.ExternalMetricSource{Metric: autoscalingv2.MetricIdentifier{Name: "x", Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"a b": ""}}}}
		}), metric + ".external.metric.selector.matchLabels", "name part must consist"},
		"window":        {up(autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: ptr(int32(3601))}), behavior + "stabilizationWindowSeconds", "between 0 and 3600"},
		"select policy": {up(autoscalingv2.HPAScalingRules{SelectPolicy: ptr(autoscalingv2.ScalingPolicySelect("x"))}), behavior + "selectPolicy", "supported values"},
		"tolerance":     {up(autoscalingv2.HPAScalingRules{Tolerance: &negative}), behavior + "tolerance", "negative"},
		"policy type":   {up(autoscalingv2.HPAScalingRules{Policies: []autoscalingv2.HPAScalingPolicy{{Type: "x"}}}), behavior + "policies[0].type", "supported values"},
		"policy value":  {up(autoscalingv2.HPAScalingRules{Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Pods"}}}), behavior + "policies[0].value", "must be positive"},
		"policy period": {up(autoscalingv2.HPAScalingRules{Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Pods", PeriodSeconds: 1801}}}), behavior + "policies[0].periodSeconds", "between 1 and 1800"},
		"scale down": {scaled(v1alpha1.HorizontalPodAutoscaling{Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{
			StabilizationWindowSeconds: ptr(int32(-1))}}}), hpa + "behavior.scaleDown.stabilizationWindowSeconds", "between 0 and 3600"},
	})
}

func TestVerticalAutoscaling(t *testing.T) {
	updated := func(policy v1alpha1.VPAUpdatePolicy) v1alpha1.Component {
		return withPod(v1alpha1.Pod{VPA: &v1alpha1.VerticalPodAutoscaling{UpdatePolicy: &policy}})
	}
	contained := func(policies ...v1alpha1.VPAContainerPolicy) v1alpha1.Component {
		return withPod(v1alpha1.Pod{VPA: &v1alpha1.VerticalPodAutoscaling{ResourcePolicy: &v1alpha1.VPAResourcePolicy{ContainerPolicies: policies}}})
	}
	evicted := func(requirement v1alpha1.VPAEvictionRequirement) v1alpha1.Component {
		return updated(v1alpha1.VPAUpdatePolicy{EvictionRequirements: []v1alpha1.VPAEvictionRequirement{requirement}})
	}
	const update, policy = "spec.pod.vpa.updatePolicy.", "spec.pod.vpa.resourcePolicy.containerPolicies[0]."
	checkRefusals(t, map[string]refusal{
		"with HPA":             {withPod(v1alpha1.Pod{VPA: &v1alpha1.VerticalPodAutoscaling{}}, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.MaxReplicas = ptr(int32(2)) })), "spec.pod.vpa", "either maxReplicas or vpa"},
		"mode":                 {updated(v1alpha1.VPAUpdatePolicy{UpdateMode: ptr("")}), update + "updateMode", `"Off", "Initial", "Recreate", "Auto"`},
		"replicas":             {updated(v1alpha1.VPAUpdatePolicy{MinReplicas: ptr(int32(0))}), update + "minReplicas", "must be positive"},
		"requirement":          {evicted(v1alpha1.VPAEvictionRequirement{Resources: []corev1.ResourceName{"cpu"}}), update + "evictionRequirements[0].changeRequirement", "supported values"},
		"eviction":             {evicted(v1alpha1.VPAEvictionRequirement{Resources: []corev1.ResourceName{"x"}}), update + "evictionRequirements[0].resources[0]", `"cpu", "memory"`},
		"eviction for nothing": {evicted(v1alpha1.VPAEvictionRequirement{}), update + "evictionRequirements[0].resources", "at least one"},
		"no container":         {contained(v1alpha1.VPAContainerPolicy{}), policy + "containerName", "needs the name of a container"},
		"container":            {contained(v1alpha1.VPAContainerPolicy{ContainerName: "A"}), policy + "containerName", "RFC 1123"},
		"container twice":      {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*"}, v1alpha1.VPAContainerPolicy{ContainerName: "*"}), "spec.pod.vpa.resourcePolicy.containerPolicies[1].containerName", "Duplicate"},
		"container mode":       {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", Mode: ptr("Initial")}), policy + "mode", `"Auto", "Off"`},
		"values":               {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", ControlledValues: ptr("x")}), policy + "controlledValues", `"RequestsAndLimits", "RequestsOnly"`},
		"resources":            {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", ControlledResources: []corev1.ResourceName{"x"}}), policy + "controlledResources[0]", `"cpu", "memory"`},
		"least of what":        {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", MinAllowed: corev1.ResourceList{"x": resource.MustParse("1")}}), policy + "minAllowed[x]", `"cpu", "memory"`},
		"negative most":        {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", MaxAllowed: amounts("-1", "")}), policy + "maxAllowed[cpu]", "negative"},
		"least above most":     {contained(v1alpha1.VPAContainerPolicy{ContainerName: "*", MinAllowed: amounts("2", ""), MaxAllowed: amounts("1", "")}), policy + "minAllowed[cpu]", "may not be more than maxAllowed, 1"},
	})
}

// Everything that a pod can have, at once.
func TestValidPods(t *testing.T) {
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstr.FromInt32(9094)}}, SuccessThreshold: 1}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
	term := corev1.PodAffinityTerm{TopologyKey: "kubernetes.io/hostname", LabelSelector: selector, NamespaceSelector: selector, Namespaces: []string{"team"}}
	node := corev1.NodeSelectorTerm{
		MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "a", Operator: "In", Values: []string{"b"}}, {Key: "c", Operator: "Exists"}, {Key: "d", Operator: "Gt", Values: []string{"1"}}},
		MatchFields:      []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "NotIn", Values: []string{"n"}}},
	}
	pod := v1alpha1.Pod{
		Image: "registry.example.com:5000/team/runner:1@sha256:abc", ImagePullPolicy: corev1.PullAlways, DownloaderImage: "d", CleanupImage: "c", FilebeatImage: "f",
		ImagePullSecrets: []corev1.LocalObjectReference{{Name: "a"}, {Name: "b"}},
		Labels:           map[string]string{"team": "a", "example.com/x": ""}, Annotations: map[string]string{"example.com/y": "any thing"},
		Env: []corev1.EnvVar{
			{Name: "A", Value: "it's"},
			{Name: "B", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"}}},
			{Name: "C", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: "k"}}},
			{Name: "D", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['example.com/x']"}}},
			{Name: "E", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}}},
		},
		ServiceAccountName: "runner", TerminationGracePeriodSeconds: ptr(int64(30)),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsUser: ptr(int64(1)), RunAsGroup: ptr(int64(1)), FSGroup: ptr(int64(1)), SupplementalGroups: []int64{1},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		NodeSelector: map[string]string{"a": "b"},
		Tolerations: []corev1.Toleration{{Operator: "Exists"}, {Key: "a", Value: "b", Effect: "NoSchedule"},
			{Key: "a", Operator: "Exists", Effect: "NoExecute", TolerationSeconds: ptr(int64(5))}},
		Affinity: &corev1.Affinity{
			NodeAffinity: &corev1.NodeAffinity{
				RequiredDuringSchedulingIgnoredDuringExecution:  &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{node}},
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: node}},
			},
			PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term}},
			PodAntiAffinity: &corev1.PodAntiAffinity{
				PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term}}},
		},
		Volumes: []corev1.Volume{{Name: "a"}, {Name: "b", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: "s", Items: []corev1.KeyToPath{{Key: "k", Path: "x/y"}}}}}},
		VolumeMounts:                         []corev1.VolumeMount{{Name: "a", MountPath: "/x"}, {Name: "data", MountPath: "/data", SubPath: "y"}},
		VolumeClaimTemplates:                 []v1alpha1.VolumeClaimTemplate{claim("data")},
		PersistentVolumeClaimRetentionPolicy: &v1alpha1.VolumeClaimRetentionPolicy{WhenDeleted: "Delete", WhenScaled: "Retain"},
		InitContainers:                       []corev1.Container{{Name: "init", Image: "x", VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/x"}}}},
		Sidecars: []corev1.Container{{Name: "proxy", Image: "y", LivenessProbe: probe, Env: []corev1.EnvVar{{Name: "PATH", Value: "/bin"}},
			EnvFrom:   []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}}},
			Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 9094}},
			Resources: corev1.ResourceRequirements{Requests: amounts("0", "1Gi"), Limits: amounts("1", "1Gi")}}},
		Liveness: &v1alpha1.Liveness{PeriodSeconds: 10, FailureThreshold: 3, SuccessThreshold: 1}, StartupProbe: probe,
	}
	hpa := &v1alpha1.HorizontalPodAutoscaling{
		BuiltinRules: []string{"AverageUtilizationCPUPercent80", "AverageUtilizationMemoryPercent20"},
		Metrics: []autoscalingv2.MetricSpec{cpuMetric(func(*autoscalingv2.MetricSpec) {}), {Type: "Pods", Pods: &autoscalingv2.PodsMetricSource{
			Metric: autoscalingv2.MetricIdentifier{Name: "x", Selector: selector},
			Target: autoscalingv2.MetricTarget{Type: "AverageValue", AverageValue: ptr(resource.MustParse("5"))}}}},
		Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: &autoscalingv2.HPAScalingRules{
			Policies: []autoscalingv2.HPAScalingPolicy{{Type: "Percent", Value: 50, PeriodSeconds: 60}}}},
	}
	vpa := &v1alpha1.VerticalPodAutoscaling{
		UpdatePolicy: &v1alpha1.VPAUpdatePolicy{UpdateMode: ptr("Auto"), MinReplicas: ptr(int32(1)), EvictionRequirements: []v1alpha1.VPAEvictionRequirement{
			{Resources: []corev1.ResourceName{"cpu"}, ChangeRequirement: "TargetHigherThanRequests"}}},
		ResourcePolicy: &v1alpha1.VPAResourcePolicy{ContainerPolicies: []v1alpha1.VPAContainerPolicy{{ContainerName: "*", Mode: ptr("Off")}, {
			ContainerName: "pulsar-function", ControlledValues: ptr("RequestsOnly"), MinAllowed: amounts("1", "1Gi"), MaxAllowed: amounts("2", "1Gi")}}},
	}
	keepsSubscription := spec(func(s *v1alpha1.PulsarFunctionSpec) { s.CleanupSubscription = ptr(false) })
	scaled, sized := pod, pod
	scaled.HPA, sized.VPA = hpa, vpa
	for name, component := range map[string]v1alpha1.Component{
		"horizontal": withPod(scaled, spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.MinReplicas, s.Parallelism, s.MaxReplicas = ptr(int32(1)), ptr(int32(2)), ptr(int32(3))
		}), keepsSubscription),
		"vertical": withPod(sized, keepsSubscription),
	} {
		if result := Validate(component, testOptions); len(result.Errors) > 0 {
			t.Errorf("%s: errors %v, want none", name, result.Errors)
		}
	}
}
