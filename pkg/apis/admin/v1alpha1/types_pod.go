package v1alpha1

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// Pod says how the pods of instances are made. What gives a pod more than its
// author has is only for those who have it themselves.
type Pod struct {
	// The image that instances run in; without one the server's for the runtime, or
	// the built-in connector's.
	// +optional
	Image string `json:"image,omitempty"`
	// When the image is pulled. Function Mesh goes by its own configuration instead.
	// +optional
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`
	// The image has pulsarctl, by which packages are fetched.
	// +optional
	ImageHasPulsarctl bool `json:"imageHasPulsarctl,omitempty"`
	// The image has wget, by which packages are fetched from http(s) URLs.
	// +optional
	ImageHasWget bool `json:"imageHasWget,omitempty"`
	// The image of the container that fetches the package, where Function Mesh has
	// one for that.
	// +optional
	DownloaderImage string `json:"downloaderImage,omitempty"`
	// The image of the job that removes subscriptions.
	// +optional
	CleanupImage string `json:"cleanupImage,omitempty"`
	// The image of the sidecar that sends the log to the log topic.
	// +optional
	FilebeatImage string `json:"filebeatImage,omitempty"`
	// Secrets with which images are pulled.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// Labels of the pods, beside those by which Function Mesh selects them.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations of the pods.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
	// Environment variables of the instance's container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	Env []corev1.EnvVar `json:"env,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
	// The account that the pods run with.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// The security context of the pods.
	// +optional
	SecurityContext *corev1.PodSecurityContext `json:"securityContext,omitempty"`
	// Seconds that an instance has to end.
	// +optional
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`

	// Labels that a node must have.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Which nodes pods prefer or avoid.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// Which taints of nodes pods tolerate.
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// Leave out the affinity by which Function Mesh spreads pods over nodes.
	// +optional
	DisableDefaultAffinity bool `json:"disableDefaultAffinity,omitempty"`

	// Volumes of the pods.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge,retainKeys
	// +patchMergeKey=name
	Volumes []corev1.Volume `json:"volumes,omitempty" patchStrategy:"merge,retainKeys" patchMergeKey:"name"`
	// Where the instance's container has volumes.
	// +optional
	// +listType=map
	// +listMapKey=mountPath
	// +patchStrategy=merge
	// +patchMergeKey=mountPath
	VolumeMounts []corev1.VolumeMount `json:"volumeMounts,omitempty" patchStrategy:"merge" patchMergeKey:"mountPath"`
	// Claims that each instance of a function gets a volume of its own for.
	// Functions only; immutable.
	// +optional
	// +listType=atomic
	VolumeClaimTemplates []VolumeClaimTemplate `json:"volumeClaimTemplates,omitempty"`
	// What becomes of such claims. Functions only.
	// +optional
	PersistentVolumeClaimRetentionPolicy *VolumeClaimRetentionPolicy `json:"persistentVolumeClaimRetentionPolicy,omitempty"`
	// Containers that run before the instance.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	InitContainers []corev1.Container `json:"initContainers,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
	// Containers that run beside the instance.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +patchStrategy=merge
	// +patchMergeKey=name
	Sidecars []corev1.Container `json:"sidecars,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// When an instance that doesn't answer is restarted.
	// +optional
	Liveness *Liveness `json:"liveness,omitempty"`
	// How long an instance may take to start.
	// +optional
	StartupProbe *corev1.Probe `json:"startupProbe,omitempty"`

	// How autoscaling decides, where maxReplicas turns it on.
	// +optional
	HPA *HorizontalPodAutoscaling `json:"hpa,omitempty"`
	// What a vertical pod autoscaler may do.
	// +optional
	VPA *VerticalPodAutoscaling `json:"vpa,omitempty"`
}

// Liveness says when an instance that doesn't answer is restarted.
type Liveness struct {
	// Seconds between two checks. 0 means none are made.
	// +optional
	PeriodSeconds int32 `json:"periodSeconds,omitempty"`
	// Seconds before the first check.
	// +optional
	InitialDelaySeconds int32 `json:"initialDelaySeconds,omitempty"`
	// How many checks in a row must succeed after a failure.
	// +optional
	SuccessThreshold int32 `json:"successThreshold,omitempty"`
	// How many checks in a row must fail for a restart.
	// +optional
	FailureThreshold int32 `json:"failureThreshold,omitempty"`
}

// HorizontalPodAutoscaling says how autoscaling decides. Without rules and metrics
// it is by 80 % of the requested CPU.
type HorizontalPodAutoscaling struct {
	// Rules of Function Mesh, such as AverageUtilizationCPUPercent80: at most one
	// for CPU and one for memory.
	// +optional
	// +listType=atomic
	BuiltinRules []string `json:"builtinRules,omitempty"`
	// What is measured, as in a HorizontalPodAutoscaler.
	// +optional
	// +listType=atomic
	Metrics []autoscalingv2.MetricSpec `json:"metrics,omitempty"`
	// How fast it scales, as in a HorizontalPodAutoscaler.
	// +optional
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
}

// VerticalPodAutoscaling says what a vertical pod autoscaler may do. The fields are
// those of its own resource, VerticalPodAutoscaler.
type VerticalPodAutoscaling struct {
	// When it acts.
	// +optional
	UpdatePolicy *VPAUpdatePolicy `json:"updatePolicy,omitempty"`
	// What it may change.
	// +optional
	ResourcePolicy *VPAResourcePolicy `json:"resourcePolicy,omitempty"`
}

// VPAUpdatePolicy says when a vertical pod autoscaler acts.
type VPAUpdatePolicy struct {
	// Off, Initial, Recreate or Auto.
	// +optional
	UpdateMode *string `json:"updateMode,omitempty"`
	// The least number of replicas for which pods are evicted.
	// +optional
	MinReplicas *int32 `json:"minReplicas,omitempty"`
	// Conditions for an eviction, as VerticalPodAutoscaler has them.
	// +optional
	// +listType=atomic
	EvictionRequirements []VPAEvictionRequirement `json:"evictionRequirements,omitempty"`
}

// VPAEvictionRequirement is a condition for an eviction.
type VPAEvictionRequirement struct {
	// The resources that it is about.
	// +listType=atomic
	Resources []corev1.ResourceName `json:"resources"`
	// TargetHigherThanRequests or TargetLowerThanRequests.
	ChangeRequirement string `json:"changeRequirement"`
}

// VPAResourcePolicy says what a vertical pod autoscaler may change.
type VPAResourcePolicy struct {
	// The policies, by container.
	// +optional
	// +listType=map
	// +listMapKey=containerName
	// +patchStrategy=merge
	// +patchMergeKey=containerName
	ContainerPolicies []VPAContainerPolicy `json:"containerPolicies,omitempty" patchStrategy:"merge" patchMergeKey:"containerName"`
}

// VPAContainerPolicy says what a vertical pod autoscaler may change in a container.
type VPAContainerPolicy struct {
	// The container's name, or * for all others.
	// +optional
	ContainerName string `json:"containerName,omitempty"`
	// Auto or Off.
	// +optional
	Mode *string `json:"mode,omitempty"`
	// The least that it recommends.
	// +optional
	MinAllowed corev1.ResourceList `json:"minAllowed,omitempty"`
	// The most that it recommends.
	// +optional
	MaxAllowed corev1.ResourceList `json:"maxAllowed,omitempty"`
	// The resources that it changes.
	// +optional
	// +listType=atomic
	ControlledResources []corev1.ResourceName `json:"controlledResources,omitempty"`
	// RequestsAndLimits or RequestsOnly.
	// +optional
	ControlledValues *string `json:"controlledValues,omitempty"`
}

// VolumeClaimTemplate is a claim that each instance gets a volume of its own for.
type VolumeClaimTemplate struct {
	// The claim's name, which volumeMounts refer to, with its labels and annotations.
	// +optional
	Metadata VolumeClaimMetadata `json:"metadata,omitempty"`
	// What is claimed.
	// +optional
	Spec corev1.PersistentVolumeClaimSpec `json:"spec,omitempty"`
}

// VolumeClaimMetadata is what a claim can be called.
type VolumeClaimMetadata struct {
	// The name.
	// +optional
	Name string `json:"name,omitempty"`
	// Labels of the claim.
	// +optional
	Labels map[string]string `json:"labels,omitempty"`
	// Annotations of the claim.
	// +optional
	Annotations map[string]string `json:"annotations,omitempty"`
}

// VolumeClaimRetentionPolicy says what becomes of claims: Retain or Delete.
type VolumeClaimRetentionPolicy struct {
	// When the function is deleted.
	// +optional
	WhenDeleted string `json:"whenDeleted,omitempty"`
	// When it runs fewer instances.
	// +optional
	WhenScaled string `json:"whenScaled,omitempty"`
}
