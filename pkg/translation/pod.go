package translation

import (
	"reflect"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
)

// podToCR translates how pods are made, except the image that runs the package.
func podToCR(spec *adminv1alpha1.ComponentSpec, cr *computev1alpha1.CommonSpec) {
	pod := spec.Pod
	if pod == nil {
		return
	}
	cr.ImagePullPolicy = pod.ImagePullPolicy
	cr.ImageHasPulsarctl = pod.ImageHasPulsarctl
	cr.ImageHasGet = pod.ImageHasWget
	cr.DownloaderImage = pod.DownloaderImage
	cr.CleanupImage = pod.CleanupImage
	cr.FilebeatImage = pod.FilebeatImage
	cr.VolumeMounts = emptyListAsNil(pod.VolumeMounts)
	cr.Pod = &computev1alpha1.PodPolicy{
		Labels:                        emptyAsNil(pod.Labels),
		Annotations:                   unreserved(pod.Annotations),
		NodeSelector:                  emptyAsNil(pod.NodeSelector),
		Affinity:                      pod.Affinity,
		Tolerations:                   emptyListAsNil(pod.Tolerations),
		DisableDefaultAffinity:        pod.DisableDefaultAffinity,
		SecurityContext:               pod.SecurityContext,
		TerminationGracePeriodSeconds: pod.TerminationGracePeriodSeconds,
		Volumes:                       emptyListAsNil(pod.Volumes),
		ImagePullSecrets:              emptyListAsNil(pod.ImagePullSecrets),
		InitContainers:                emptyListAsNil(pod.InitContainers),
		Sidecars:                      emptyListAsNil(pod.Sidecars),
		ServiceAccountName:            pod.ServiceAccountName,
		Env:                           emptyListAsNil(pod.Env),
		Liveness:                      (*computev1alpha1.Liveness)(pod.Liveness),
		StartupProbe:                  pod.StartupProbe,
		VPA:                           vpaToCR(pod.VPA),
	}
	if hpa := pod.HPA; hpa != nil {
		cr.Pod.BuiltinAutoscaler = emptyListAsNil(hpa.BuiltinRules)
		cr.Pod.AutoScalingMetrics = emptyListAsNil(hpa.Metrics)
		cr.Pod.AutoScalingBehavior = hpa.Behavior
	}
	cr.Pod = emptyStructAsNil(cr.Pod)
}

// podFromCR is the inverse of podToCR.
func podFromCR(cr *computev1alpha1.CommonSpec, spec *adminv1alpha1.ComponentSpec) {
	policy := cr.Pod
	if policy == nil {
		policy = &computev1alpha1.PodPolicy{}
	}
	spec.Pod = emptyStructAsNil(&adminv1alpha1.Pod{
		ImagePullPolicy:   cr.ImagePullPolicy,
		ImageHasPulsarctl: cr.ImageHasPulsarctl,
		ImageHasWget:      cr.ImageHasGet,
		DownloaderImage:   cr.DownloaderImage,
		CleanupImage:      cr.CleanupImage,
		FilebeatImage:     cr.FilebeatImage,
		VolumeMounts:      emptyListAsNil(cr.VolumeMounts),

		Labels:                        emptyAsNil(policy.Labels),
		Annotations:                   unreserved(policy.Annotations),
		NodeSelector:                  emptyAsNil(policy.NodeSelector),
		Affinity:                      policy.Affinity,
		Tolerations:                   emptyListAsNil(policy.Tolerations),
		DisableDefaultAffinity:        policy.DisableDefaultAffinity,
		SecurityContext:               policy.SecurityContext,
		TerminationGracePeriodSeconds: policy.TerminationGracePeriodSeconds,
		Volumes:                       emptyListAsNil(policy.Volumes),
		ImagePullSecrets:              emptyListAsNil(policy.ImagePullSecrets),
		InitContainers:                emptyListAsNil(policy.InitContainers),
		Sidecars:                      emptyListAsNil(policy.Sidecars),
		ServiceAccountName:            policy.ServiceAccountName,
		Env:                           emptyListAsNil(policy.Env),
		Liveness:                      (*adminv1alpha1.Liveness)(policy.Liveness),
		StartupProbe:                  policy.StartupProbe,
		HPA: emptyStructAsNil(&adminv1alpha1.HorizontalPodAutoscaling{
			BuiltinRules: emptyListAsNil(policy.BuiltinAutoscaler),
			Metrics:      emptyListAsNil(policy.AutoScalingMetrics),
			Behavior:     policy.AutoScalingBehavior,
		}),
		VPA: vpaFromCR(policy.VPA),
	})
}

// claimsToCR translates what only the pods of functions have.
func claimsToCR(pod *adminv1alpha1.Pod, cr *computev1alpha1.FunctionSpec) {
	if pod == nil {
		return
	}
	for _, template := range pod.VolumeClaimTemplates {
		cr.VolumeClaimTemplates = append(cr.VolumeClaimTemplates, computev1alpha1.VolumeClaimTemplate{
			Metadata: computev1alpha1.VolumeClaimMetadata(template.Metadata),
			Spec:     template.Spec,
		})
	}
	cr.PersistentVolumeClaimRetentionPolicy = (*computev1alpha1.VolumeClaimRetentionPolicy)(pod.PersistentVolumeClaimRetentionPolicy)
}

// claimsFromCR is the inverse of claimsToCR.
func claimsFromCR(cr *computev1alpha1.FunctionSpec, spec *adminv1alpha1.ComponentSpec) {
	if len(cr.VolumeClaimTemplates) == 0 && cr.PersistentVolumeClaimRetentionPolicy == nil {
		return
	}
	pod := podOf(spec)
	for _, template := range cr.VolumeClaimTemplates {
		pod.VolumeClaimTemplates = append(pod.VolumeClaimTemplates, adminv1alpha1.VolumeClaimTemplate{
			Metadata: adminv1alpha1.VolumeClaimMetadata(template.Metadata),
			Spec:     template.Spec,
		})
	}
	pod.PersistentVolumeClaimRetentionPolicy = (*adminv1alpha1.VolumeClaimRetentionPolicy)(cr.PersistentVolumeClaimRetentionPolicy)
}

func vpaToCR(view *adminv1alpha1.VerticalPodAutoscaling) *computev1alpha1.VPASpec {
	if view == nil {
		return nil
	}
	cr := &computev1alpha1.VPASpec{}
	if policy := view.UpdatePolicy; policy != nil {
		cr.UpdatePolicy = &computev1alpha1.VPAUpdatePolicy{UpdateMode: policy.UpdateMode, MinReplicas: policy.MinReplicas}
		for _, requirement := range policy.EvictionRequirements {
			cr.UpdatePolicy.EvictionRequirements = append(cr.UpdatePolicy.EvictionRequirements, computev1alpha1.VPAEvictionRequirement(requirement))
		}
	}
	if policy := view.ResourcePolicy; policy != nil {
		cr.ResourcePolicy = &computev1alpha1.VPAResourcePolicy{}
		for _, container := range policy.ContainerPolicies {
			cr.ResourcePolicy.ContainerPolicies = append(cr.ResourcePolicy.ContainerPolicies, computev1alpha1.VPAContainerPolicy(container))
		}
	}
	return cr
}

func vpaFromCR(cr *computev1alpha1.VPASpec) *adminv1alpha1.VerticalPodAutoscaling {
	if cr == nil {
		return nil
	}
	view := &adminv1alpha1.VerticalPodAutoscaling{}
	if policy := cr.UpdatePolicy; policy != nil {
		view.UpdatePolicy = &adminv1alpha1.VPAUpdatePolicy{UpdateMode: policy.UpdateMode, MinReplicas: policy.MinReplicas}
		for _, requirement := range policy.EvictionRequirements {
			view.UpdatePolicy.EvictionRequirements = append(view.UpdatePolicy.EvictionRequirements, adminv1alpha1.VPAEvictionRequirement(requirement))
		}
	}
	if policy := cr.ResourcePolicy; policy != nil {
		view.ResourcePolicy = &adminv1alpha1.VPAResourcePolicy{}
		for _, container := range policy.ContainerPolicies {
			view.ResourcePolicy.ContainerPolicies = append(view.ResourcePolicy.ContainerPolicies, adminv1alpha1.VPAContainerPolicy(container))
		}
	}
	return view
}

// emptyStructAsNil drops a section that says nothing.
func emptyStructAsNil[T any](section *T) *T {
	if reflect.ValueOf(section).Elem().IsZero() {
		return nil
	}
	return section
}
