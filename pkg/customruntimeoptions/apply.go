package customruntimeoptions

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Apply sets the typed fields that the options are about, and leaves all others
// alone. defaultImage is the image that runs the component when nobody names one.
func (o *Options) Apply(component adminv1alpha1.Component, defaultImage string) {
	spec := component.Common()
	setText(&spec.Cluster, o.ClusterName)
	if input := component.Input(); input != nil {
		setText(&input.InputTypeClassName, o.InputTypeClassName)
	}
	if output := component.Output(); output != nil {
		setText(&output.OutputTypeClassName, o.OutputTypeClassName)
	}
	if o.MaxReplicas > ptr.Deref(spec.Parallelism, adminv1alpha1.DefaultParallelism) {
		spec.MaxReplicas = ptr.To(o.MaxReplicas)
	}
	o.applyToPod(spec, defaultImage)
	for _, runtime := range runtimesOf(component) {
		o.applyToLog(runtime)
	}
	if o.Managed == nil {
		return
	}
	annotations := component.GetAnnotations()
	if *o.Managed {
		delete(annotations, ManagedAnnotation)
	} else {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[ManagedAnnotation] = "false"
	}
	component.SetAnnotations(annotations)
}

func (o *Options) applyToPod(spec *adminv1alpha1.ComponentSpec, defaultImage string) {
	pod := &adminv1alpha1.Pod{}
	if spec.Pod != nil {
		pod = spec.Pod
	}
	setText(&pod.ServiceAccountName, o.ServiceAccountName)
	if o.RunnerImage != "" {
		pod.Image = o.RunnerImage
	} else if o.RunnerImageTag != "" {
		if image := withTag(orDefault(pod.Image, defaultImage), o.RunnerImageTag); image != orDefault(pod.Image, defaultImage) {
			pod.Image = image
		}
	}
	for _, name := range sortedKeys(o.Env) {
		setEnv(pod, name, o.Env[name])
	}
	if o.HPASpec != nil && ptr.Deref(spec.MaxReplicas, 0) > 1 {
		pod.HPA = o.HPASpec.typed()
	}
	if o.VPASpec != nil {
		pod.VPA = o.VPASpec.typed()
	}
	if spec.Pod != nil || !equality.Semantic.DeepEqual(pod, &adminv1alpha1.Pod{}) {
		spec.Pod = pod
	}
}

// ApplyImageTag gives a component the image that runs it by default, with the tag that
// its text names, unless the component or its text names an image. Only the server
// knows that image, so this is not for Apply, whose other callers don't.
func ApplyImageTag(component adminv1alpha1.Component, defaultImage string) {
	spec := component.Common()
	options, err := Parse(spec.CustomRuntimeOptions)
	if err != nil || options.RunnerImageTag == "" || options.RunnerImage != "" || spec.Pod != nil && spec.Pod.Image != "" {
		return
	}
	image := withTag(defaultImage, options.RunnerImageTag)
	if image == defaultImage {
		return
	}
	if spec.Pod == nil {
		spec.Pod = &adminv1alpha1.Pod{}
	}
	spec.Pod.Image = image
}

func (o *Options) applyToLog(runtime *adminv1alpha1.Runtime) {
	if o.LogLevel == "" && o.LogRotationPolicy == "" {
		return
	}
	if runtime.Log == nil {
		runtime.Log = &adminv1alpha1.RuntimeLog{}
	}
	setText(&runtime.Log.Level, strings.ToLower(o.LogLevel))
	setText(&runtime.Log.RotatePolicy, rotationPolicy(o.LogRotationPolicy))
}

// Withdraw takes back what Apply did, as far as it is still there: so that a text
// which replaces another doesn't leave anything of that one behind.
func (o *Options) Withdraw(component adminv1alpha1.Component) {
	spec := component.Common()
	if ptr.Deref(spec.MaxReplicas, 0) == o.MaxReplicas {
		spec.MaxReplicas = nil
	}
	if o.Managed != nil && !*o.Managed {
		annotations := component.GetAnnotations()
		delete(annotations, ManagedAnnotation)
		component.SetAnnotations(annotations)
	}
	for _, runtime := range runtimesOf(component) {
		if runtime.Log != nil {
			unsetText(&runtime.Log.Level, strings.ToLower(o.LogLevel))
			unsetText(&runtime.Log.RotatePolicy, rotationPolicy(o.LogRotationPolicy))
		}
	}
	pod := spec.Pod
	if pod == nil {
		return
	}
	unsetText(&pod.ServiceAccountName, o.ServiceAccountName)
	unsetText(&pod.Image, o.RunnerImage)
	if o.RunnerImageTag != "" && tagOf(pod.Image) == o.RunnerImageTag {
		pod.Image = ""
	}
	pod.Env = slices.DeleteFunc(pod.Env, func(env corev1.EnvVar) bool {
		value, ok := o.Env[env.Name]
		return ok && env.ValueFrom == nil && env.Value == value
	})
	if o.HPASpec != nil && equality.Semantic.DeepEqual(pod.HPA, o.HPASpec.typed()) {
		pod.HPA = nil
	}
	if o.VPASpec != nil && equality.Semantic.DeepEqual(pod.VPA, o.VPASpec.typed()) {
		pod.VPA = nil
	}
}

// runtimesOf returns what the runtimes of a component can be told.
func runtimesOf(component adminv1alpha1.Component) []*adminv1alpha1.Runtime {
	var runtimes []*adminv1alpha1.Runtime
	if java := component.Common().Java; java != nil {
		runtimes = append(runtimes, &java.Runtime)
	}
	if function, ok := component.(*adminv1alpha1.PulsarFunction); ok {
		for _, runtime := range []*adminv1alpha1.Runtime{function.Spec.Python, function.Spec.Go} {
			if runtime != nil {
				runtimes = append(runtimes, runtime)
			}
		}
	}
	return runtimes
}

func (h *HPASpec) typed() *adminv1alpha1.HorizontalPodAutoscaling {
	typed := &adminv1alpha1.HorizontalPodAutoscaling{}
	for _, rule := range []string{h.BuiltinCPURule, h.BuiltinMemoryRule} {
		if rule != "" {
			typed.BuiltinRules = append(typed.BuiltinRules, rule)
		}
	}
	if len(typed.BuiltinRules) == 0 {
		typed.Metrics, typed.Behavior = h.AutoScalingMetrics, h.AutoScalingBehavior
	}
	return typed
}

func (v *VPASpec) typed() *adminv1alpha1.VerticalPodAutoscaling {
	typed := &adminv1alpha1.VerticalPodAutoscaling{}
	if v.UpdatePolicy != nil {
		typed.UpdatePolicy = &adminv1alpha1.VPAUpdatePolicy{UpdateMode: v.UpdatePolicy.UpdateMode, MinReplicas: v.UpdatePolicy.MinReplicas}
	}
	if len(v.ResourcePolicy) > 0 {
		typed.ResourcePolicy = &adminv1alpha1.VPAResourcePolicy{}
		for _, policy := range v.ResourcePolicy {
			typed.ResourcePolicy.ContainerPolicies = append(typed.ResourcePolicy.ContainerPolicies, adminv1alpha1.VPAContainerPolicy(policy))
		}
	}
	return typed
}

func setEnv(pod *adminv1alpha1.Pod, name, value string) {
	for i := range pod.Env {
		if pod.Env[i].Name == name {
			pod.Env[i] = corev1.EnvVar{Name: name, Value: value}
			return
		}
	}
	pod.Env = append(pod.Env, corev1.EnvVar{Name: name, Value: value})
}

// rotationPolicies are the values of the typed field.
var rotationPolicies = []string{
	"TimedPolicyWithDaily", "TimedPolicyWithWeekly", "TimedPolicyWithMonthly",
	"SizedPolicyWith10MB", "SizedPolicyWith50MB", "SizedPolicyWith100MB",
}

// rotationPolicy spells a policy as the typed field does. One that isn't known stays
// as it is, so that validation can name it.
func rotationPolicy(text string) string {
	plain := strings.ReplaceAll(text, "_", "")
	for _, policy := range rotationPolicies {
		if strings.EqualFold(policy, plain) {
			return policy
		}
	}
	return text
}

// withTag replaces the tag of an image, and its digest.
func withTag(image, tag string) string {
	name, _, _ := strings.Cut(image, "@")
	name = strings.TrimSuffix(name, ":"+tagOf(name))
	if name == "" {
		return ""
	}
	return name + ":" + tag
}

// tagOf returns the tag of an image, if it has one. It is in the last element of the
// path, since a registry can have a port.
func tagOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	_, tag, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
	return tag
}

func setText(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func unsetText(field *string, value string) {
	if value != "" && *field == value {
		*field = ""
	}
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
