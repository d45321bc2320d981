package privilege

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// ofPod notes what pods get. Free are where they run, how much of it, and for how
// long, except on nodes that a taint keeps for others.
func (u *uses) ofPod(path *field.Path, pod *v1alpha1.Pod) {
	for _, image := range []struct{ member, value string }{
		{"image", pod.Image},
		{"downloaderImage", pod.DownloaderImage},
		{"cleanupImage", pod.CleanupImage},
		{"filebeatImage", pod.FilebeatImage},
	} {
		u.custom(path.Child(image.member), image.value != "", image.value)
	}
	for _, secret := range pod.ImagePullSecrets {
		u.secret(path.Child("imagePullSecrets").Key(secret.Name), secret.Name, secret)
	}
	// Services, network policies and what injects into pods go by these. A pod without
	// a label may be out of reach of a policy.
	u.restriction(path.Child("labels"), len(pod.Labels) > 0, pod.Labels)
	u.restriction(path.Child("annotations"), len(pod.Annotations) > 0, pod.Annotations)
	u.ofEnv(path.Child("env"), pod.Env)
	u.serviceAccount(path.Child("serviceAccountName"), pod.ServiceAccountName)
	u.restriction(path.Child("securityContext"), pod.SecurityContext != nil, pod.SecurityContext)
	u.custom(path.Child("tolerations"), len(pod.Tolerations) > 0, pod.Tolerations)
	for i := range pod.Volumes {
		u.ofVolume(path.Child("volumes").Key(pod.Volumes[i].Name), &pod.Volumes[i])
	}
	for _, mount := range pod.VolumeMounts {
		u.custom(path.Child("volumeMounts").Key(mount.MountPath), true, mount)
	}
	for _, claim := range pod.VolumeClaimTemplates {
		u.custom(path.Child("volumeClaimTemplates").Key(claim.Metadata.Name), true, claim)
	}
	u.ofContainers(path.Child("initContainers"), pod.InitContainers)
	u.ofContainers(path.Child("sidecars"), pod.Sidecars)
	// The kubelet asks what a probe names from the node's network.
	u.custom(path.Child("startupProbe"), pod.StartupProbe != nil, pod.StartupProbe)
}

func (u *uses) ofContainers(path *field.Path, containers []corev1.Container) {
	for _, container := range containers {
		path := path.Key(container.Name)
		u.custom(path, true, container)
		u.ofEnv(path.Child("env"), container.Env)
		for i, from := range container.EnvFrom {
			path := path.Child("envFrom").Index(i)
			if from.SecretRef != nil {
				u.secret(path.Child("secretRef"), from.SecretRef.Name, from)
			}
			if from.ConfigMapRef != nil {
				u.configMap(path.Child("configMapRef"), from.ConfigMapRef.Name, from)
			}
		}
	}
}

func (u *uses) ofEnv(path *field.Path, env []corev1.EnvVar) {
	for _, variable := range env {
		from := variable.ValueFrom
		if from == nil {
			continue
		}
		path := path.Key(variable.Name).Child("valueFrom")
		if from.SecretKeyRef != nil {
			u.secret(path.Child("secretKeyRef"), from.SecretKeyRef.Name, variable)
		}
		if from.ConfigMapKeyRef != nil {
			u.configMap(path.Child("configMapKeyRef"), from.ConfigMapKeyRef.Name, variable)
		}
	}
}

// ofVolume notes a volume. One that holds nothing but Secrets and ConfigMaps needs no
// more than the rights to those.
func (u *uses) ofVolume(path *field.Path, volume *corev1.Volume) {
	source := &volume.VolumeSource
	switch {
	case source.Secret != nil:
		u.secret(path.Child("secret"), source.Secret.SecretName, volume)
	case source.ConfigMap != nil:
		u.configMap(path.Child("configMap"), source.ConfigMap.Name, volume)
	case source.Projected != nil:
		u.ofProjection(path, volume)
	default:
		u.custom(path, true, volume)
		u.secret(path, driverSecret(source), volume)
	}
}

func (u *uses) ofProjection(path *field.Path, volume *corev1.Volume) {
	sources := path.Child("projected", "sources")
	for i, source := range volume.Projected.Sources {
		path := sources.Index(i)
		switch {
		case source.Secret != nil:
			u.secret(path.Child("secret"), source.Secret.Name, volume)
		case source.ConfigMap != nil:
			u.configMap(path.Child("configMap"), source.ConfigMap.Name, volume)
		default:
			u.custom(path, true, volume)
		}
	}
}

// driverSecret returns the Secret with which a volume of another kind is mounted, or
// "".
func driverSecret(source *corev1.VolumeSource) string {
	var reference *corev1.LocalObjectReference
	switch {
	case source.AzureFile != nil:
		return source.AzureFile.SecretName
	case source.CSI != nil:
		reference = source.CSI.NodePublishSecretRef
	case source.FlexVolume != nil:
		reference = source.FlexVolume.SecretRef
	case source.ISCSI != nil:
		reference = source.ISCSI.SecretRef
	case source.RBD != nil:
		reference = source.RBD.SecretRef
	case source.CephFS != nil:
		reference = source.CephFS.SecretRef
	case source.Cinder != nil:
		reference = source.Cinder.SecretRef
	case source.ScaleIO != nil:
		reference = source.ScaleIO.SecretRef
	case source.StorageOS != nil:
		reference = source.StorageOS.SecretRef
	}
	if reference == nil {
		return ""
	}
	return reference.Name
}
