package customruntimeoptions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Current returns the text to show with a component that was given text: the same,
// as long as the typed fields still are what it says, else one with today's values.
// Otherwise whoever sends it back unread would undo what others changed since. A text
// that isn't a JSON object of options stays as it is: it never had an effect.
func Current(text string, component adminv1alpha1.Component, defaultImage string) (string, error) {
	options, err := Parse(text)
	if err != nil || text == "" || options.inEffect(component, defaultImage) {
		return text, nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		return "", fmt.Errorf("could not read the custom runtime options: %w", err)
	}
	today, err := encodedMembers(options.today(component, defaultImage))
	if err != nil {
		return "", err
	}
	known, err := encodedMembers(everything())
	if err != nil {
		return "", err
	}
	for name := range members {
		if _, ok := known[name]; !ok {
			continue
		}
		if value, ok := today[name]; ok {
			members[name] = value
		} else {
			delete(members, name)
		}
	}
	data, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("could not encode the custom runtime options: %w", err)
	}
	return string(data), nil
}

// InEffect tells whether the typed fields of a component are what its text says. Which
// image runs by default isn't known here, so an image's tag that the text names counts
// only where the component names an image.
func InEffect(component adminv1alpha1.Component) bool {
	options, err := Parse(component.Common().CustomRuntimeOptions)
	return err == nil && options.inEffect(component, "")
}

func (o *Options) inEffect(component adminv1alpha1.Component, defaultImage string) bool {
	applied := component.DeepCopyObject().(adminv1alpha1.Component)
	o.Apply(applied, defaultImage)
	return equality.Semantic.DeepEqual(applied, component)
}

// today returns what a component says of what the options are about.
func (o *Options) today(component adminv1alpha1.Component, defaultImage string) *Options {
	spec := component.Common()
	pod := ptr.Deref(spec.Pod, adminv1alpha1.Pod{})
	today := &Options{
		ClusterName:        spec.Cluster,
		MaxReplicas:        ptr.Deref(spec.MaxReplicas, 0),
		Env:                map[string]string{},
		RunnerImage:        pod.Image,
		RunnerImageTag:     tagOf(orDefault(pod.Image, defaultImage)),
		Managed:            ptr.To(component.GetAnnotations()[ManagedAnnotation] != "false"),
		ServiceAccountName: pod.ServiceAccountName,
	}
	if input := component.Input(); input != nil {
		today.InputTypeClassName = input.InputTypeClassName
	}
	if output := component.Output(); output != nil {
		today.OutputTypeClassName = output.OutputTypeClassName
	}
	for _, env := range pod.Env {
		if _, ok := o.Env[env.Name]; ok && env.ValueFrom == nil {
			today.Env[env.Name] = env.Value
		}
	}
	for _, runtime := range runtimesOf(component) {
		if runtime.Log != nil {
			today.LogLevel, today.LogRotationPolicy = runtime.Log.Level, runtime.Log.RotatePolicy
		}
	}
	today.HPASpec, today.VPASpec = hpaSpecOf(pod.HPA), vpaSpecOf(pod.VPA)
	return today
}

func hpaSpecOf(hpa *adminv1alpha1.HorizontalPodAutoscaling) *HPASpec {
	if hpa == nil {
		return nil
	}
	spec := &HPASpec{}
	for _, rule := range hpa.BuiltinRules {
		if strings.Contains(rule, "Memory") {
			spec.BuiltinMemoryRule = rule
		} else {
			spec.BuiltinCPURule = rule
		}
	}
	if len(hpa.BuiltinRules) == 0 {
		spec.AutoScalingMetrics, spec.AutoScalingBehavior = hpa.Metrics, hpa.Behavior
	}
	return spec
}

func vpaSpecOf(vpa *adminv1alpha1.VerticalPodAutoscaling) *VPASpec {
	if vpa == nil {
		return nil
	}
	spec := &VPASpec{}
	if policy := vpa.UpdatePolicy; policy != nil {
		spec.UpdatePolicy = &VPAUpdatePolicy{UpdateMode: policy.UpdateMode, MinReplicas: policy.MinReplicas}
	}
	if policy := vpa.ResourcePolicy; policy != nil {
		for _, container := range policy.ContainerPolicies {
			spec.ResourcePolicy = append(spec.ResourcePolicy, VPAContainerPolicy(container))
		}
	}
	return spec
}

// everything returns options of which no member is absent.
func everything() *Options {
	return &Options{
		ClusterName: "x", InputTypeClassName: "x", OutputTypeClassName: "x", MaxReplicas: 1, Env: map[string]string{"x": "x"},
		HPASpec: &HPASpec{}, VPASpec: &VPASpec{}, LogLevel: "x", LogRotationPolicy: "x", RunnerImageTag: "x",
		Managed: ptr.To(true), ServiceAccountName: "x", RunnerImage: "x",
	}
}

func encodedMembers(options *Options) (map[string]json.RawMessage, error) {
	data, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("could not encode the custom runtime options: %w", err)
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("could not read the custom runtime options: %w", err)
	}
	return members, nil
}

func sortedKeys(values map[string]string) []string {
	return slices.Sorted(maps.Keys(values))
}
