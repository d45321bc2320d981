// Package customruntimeoptions reads the text that users of Pulsar's tools put
// settings of Kubernetes into, as the Java worker (Function Mesh Worker Service) took
// it. Everything in it has a typed field; the text is only another way to set those.
package customruntimeoptions

import (
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	kjson "sigs.k8s.io/json"
)

// ManagedAnnotation tells the operator with "false" to leave a resource alone.
const ManagedAnnotation = "compute.functionmesh.io/managed"

// Options is what a text can say. What it doesn't say has no effect.
type Options struct {
	ClusterName         string            `json:"clusterName,omitempty"`
	InputTypeClassName  string            `json:"inputTypeClassName,omitempty"`
	OutputTypeClassName string            `json:"outputTypeClassName,omitempty"`
	MaxReplicas         int32             `json:"maxReplicas,omitempty"`
	Env                 map[string]string `json:"env,omitempty"`
	HPASpec             *HPASpec          `json:"hpaSpec,omitempty"`
	VPASpec             *VPASpec          `json:"vpaSpec,omitempty"`
	LogLevel            string            `json:"logLevel,omitempty"`
	LogRotationPolicy   string            `json:"logRotationPolicy,omitempty"`
	RunnerImageTag      string            `json:"runnerImageTag,omitempty"`
	Managed             *bool             `json:"managed,omitempty"`
	ServiceAccountName  string            `json:"serviceAccountName,omitempty"`
	RunnerImage         string            `json:"runnerImage,omitempty"`
}

// HPASpec says how autoscaling decides: by rules of Function Mesh or by metrics.
type HPASpec struct {
	BuiltinCPURule      string                                         `json:"builtinCPURule,omitempty"`
	BuiltinMemoryRule   string                                         `json:"builtinMemoryRule,omitempty"`
	AutoScalingMetrics  []autoscalingv2.MetricSpec                     `json:"autoScalingMetrics,omitempty"`
	AutoScalingBehavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"autoScalingBehavior,omitempty"`
}

// VPASpec says what a vertical pod autoscaler may do.
type VPASpec struct {
	UpdatePolicy   *VPAUpdatePolicy     `json:"updatePolicy,omitempty"`
	ResourcePolicy []VPAContainerPolicy `json:"resourcePolicy,omitempty"`
}

// VPAUpdatePolicy says when it acts.
type VPAUpdatePolicy struct {
	UpdateMode  *string `json:"updateMode,omitempty"`
	MinReplicas *int32  `json:"minReplicas,omitempty"`
}

// VPAContainerPolicy says what it may change in a container.
type VPAContainerPolicy struct {
	ContainerName       string                `json:"containerName,omitempty"`
	Mode                *string               `json:"mode,omitempty"`
	MinAllowed          corev1.ResourceList   `json:"minAllowed,omitempty"`
	MaxAllowed          corev1.ResourceList   `json:"maxAllowed,omitempty"`
	ControlledResources []corev1.ResourceName `json:"controlledResources,omitempty"`
	ControlledValues    *string               `json:"controlledValues,omitempty"`
}

// Parse reads a text. An empty one says nothing. Members that aren't known are
// ignored. The error says what can't be read and is fit for users.
func Parse(text string) (*Options, error) {
	options := &Options{}
	if strings.TrimSpace(text) == "" {
		return options, nil
	}
	if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(text), options); err != nil {
		return nil, fmt.Errorf("could not read the custom runtime options: %w", err)
	}
	return options, nil
}
