package v1alpha1

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// +kubebuilder:pruning:PreserveUnknownFields

// PodPolicy says how pods are made. Fields of Kubernetes' own types are left to
// kube-apiserver's checks of the pods.
type PodPolicy struct {
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// +optional
	DisableDefaultAffinity bool `json:"disableDefaultAffinity,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	SecurityContext *corev1.PodSecurityContext `json:"securityContext,omitempty"`
	// +optional
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Volumes []corev1.Volume `json:"volumes,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	InitContainers []corev1.Container `json:"initContainers,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Sidecars []corev1.Container `json:"sidecars,omitempty"`
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Env []corev1.EnvVar `json:"env,omitempty"`
	// +optional
	Liveness *Liveness `json:"liveness,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	StartupProbe *corev1.Probe `json:"startupProbe,omitempty"`

	// BuiltinAutoscaler are names of rules.
	// +optional
	BuiltinAutoscaler []string `json:"builtinAutoscaler,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	AutoScalingMetrics []autoscalingv2.MetricSpec `json:"autoScalingMetrics,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	AutoScalingBehavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"autoScalingBehavior,omitempty"`
	// +optional
	VPA *VPASpec `json:"vpa,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// Liveness says when an instance that doesn't answer is restarted.
type Liveness struct {
	// +optional
	PeriodSeconds int32 `json:"periodSeconds,omitempty"`
	// +optional
	InitialDelaySeconds int32 `json:"initialDelaySeconds,omitempty"`
	// +optional
	SuccessThreshold int32 `json:"successThreshold,omitempty"`
	// +optional
	FailureThreshold int32 `json:"failureThreshold,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VPASpec is the part of a VerticalPodAutoscaler's spec that is not its target.
type VPASpec struct {
	// +optional
	UpdatePolicy *VPAUpdatePolicy `json:"updatePolicy,omitempty"`
	// +optional
	ResourcePolicy *VPAResourcePolicy `json:"resourcePolicy,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VPAUpdatePolicy says when it acts.
type VPAUpdatePolicy struct {
	// +optional
	UpdateMode *string `json:"updateMode,omitempty"`
	// +optional
	MinReplicas *int32 `json:"minReplicas,omitempty"`
	// +optional
	EvictionRequirements []VPAEvictionRequirement `json:"evictionRequirements,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VPAEvictionRequirement is a condition for an eviction.
type VPAEvictionRequirement struct {
	// +optional
	Resources []corev1.ResourceName `json:"resources,omitempty"`
	// +optional
	ChangeRequirement string `json:"changeRequirement,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VPAResourcePolicy says what it may change.
type VPAResourcePolicy struct {
	// +optional
	ContainerPolicies []VPAContainerPolicy `json:"containerPolicies,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VPAContainerPolicy says what it may change in a container.
type VPAContainerPolicy struct {
	// +optional
	ContainerName string `json:"containerName,omitempty"`
	// +optional
	Mode *string `json:"mode,omitempty"`
	// +optional
	MinAllowed corev1.ResourceList `json:"minAllowed,omitempty"`
	// +optional
	MaxAllowed corev1.ResourceList `json:"maxAllowed,omitempty"`
	// +optional
	ControlledResources []corev1.ResourceName `json:"controlledResources,omitempty"`
	// +optional
	ControlledValues *string `json:"controlledValues,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VolumeClaimTemplate is the part of a PersistentVolumeClaim that a template has.
type VolumeClaimTemplate struct {
	// +optional
	Metadata VolumeClaimMetadata `json:"metadata,omitempty"`
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec corev1.PersistentVolumeClaimSpec `json:"spec,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VolumeClaimMetadata is the metadata of such a template.
type VolumeClaimMetadata struct {
	// +optional
	Name string `json:"name,omitempty"`
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// +kubebuilder:pruning:PreserveUnknownFields

// VolumeClaimRetentionPolicy says what becomes of claims.
type VolumeClaimRetentionPolicy struct {
	// +optional
	WhenDeleted string `json:"whenDeleted,omitempty"`
	// +optional
	WhenScaled string `json:"whenScaled,omitempty"`
}
