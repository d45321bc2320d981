package validation

import (
	"fmt"
	gopath "path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// reservedVolumes are the names of volumes that Function Mesh adds to a pod.
var reservedVolumes = sets.New("downloader-volume", "filebeat-logs")

// reservedMounts are where Function Mesh has volumes in the instance's container.
var reservedMounts = []string{
	"/pulsar/download", "/pulsar/logs/functions", "/pulsar/conf/java-log", "/pulsar/conf/python-log",
	"/etc/oauth2", "/etc/oauth2-package-service", "/etc/tls/pulsar-functions", "/etc/tls/pulsar-functions-package-service",
}

// checkVolumes checks the volumes of a pod, and where they are.
func (c *checks) checkVolumes() {
	pod, path := c.pod(), c.child("pod")
	names := map[string]bool{}
	for i := range pod.Volumes {
		path := path.Child("volumes").Index(i)
		c.checkVolumeName(path.Child("name"), pod.Volumes[i].Name, names)
		c.checkVolumeSource(path, &pod.Volumes[i].VolumeSource)
	}
	c.checkClaims(path, pod, names)
	for _, derived := range c.derivedVolumes() {
		if names[derived.name] {
			c.own(field.Invalid(derived.path, derived.name,
				"Function Mesh makes a volume of this name of it, and there is one already"))
		}
		names[derived.name] = true
	}
	c.checkVolumeMounts(path.Child("volumeMounts"), pod.VolumeMounts)
	c.checkInstanceMounts(path.Child("volumeMounts"), pod.VolumeMounts)
	c.checkCleanUp(pod)
}

func (c *checks) checkVolumeName(path *field.Path, name string, names map[string]bool) {
	c.checkRequired(path, name, "a volume needs a name", validation.IsDNS1123Label)
	if reservedVolumes.Has(name) {
		c.own(field.Forbidden(path, "Function Mesh has a volume of this name"))
	}
	c.checkUnique(path, name, names)
}

// checkVolumeSource checks what a volume is of.
func (c *checks) checkVolumeSource(path *field.Path, source *corev1.VolumeSource) {
	set := 0
	for value, i := reflect.ValueOf(*source), 0; i < value.NumField(); i++ {
		if !value.Field(i).IsNil() {
			set++
		}
	}
	if set > 1 {
		c.own(field.Forbidden(path, "a volume may have only one source"))
	}
	if secret := source.Secret; secret != nil {
		c.checkObjectName(path.Child("secret", "secretName"), secret.SecretName, "the name of a Secret is needed")
		c.checkItems(path.Child("secret", "items"), secret.Items)
	}
	if configMap := source.ConfigMap; configMap != nil {
		c.checkObjectName(path.Child("configMap", "name"), configMap.Name, "the name of a ConfigMap is needed")
		c.checkItems(path.Child("configMap", "items"), configMap.Items)
	}
	if claim := source.PersistentVolumeClaim; claim != nil {
		c.checkObjectName(path.Child("persistentVolumeClaim", "claimName"), claim.ClaimName, "the name of a claim is needed")
	}
	if host := source.HostPath; host != nil && (host.Path == "" || slices.Contains(strings.Split(host.Path, "/"), "..")) {
		c.own(field.Invalid(path.Child("hostPath", "path"), shortened(host.Path), "must be a path without .."))
	}
}

// checkItems checks the files that are made of single keys.
func (c *checks) checkItems(path *field.Path, items []corev1.KeyToPath) {
	for i, item := range items {
		c.checkKey(path.Index(i).Child("key"), item.Key, "a key is needed")
		if item.Path == "" || !relativePath(item.Path) {
			c.own(field.Invalid(path.Index(i).Child("path"), shortened(item.Path), "must be a relative path without .."))
		}
	}
}

func relativePath(path string) bool {
	return !strings.HasPrefix(path, "/") && !slices.Contains(strings.Split(path, "/"), "..")
}

var (
	accessModes = []corev1.PersistentVolumeAccessMode{
		corev1.ReadWriteOnce, corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOncePod,
	}
	retentionPolicies = []string{"Retain", "Delete"}
)

// checkClaims checks the volumes that each instance has of its own. A StatefulSet
// keeps its claims for ever.
func (c *checks) checkClaims(path *field.Path, pod *v1alpha1.Pod, names map[string]bool) {
	claims, retention := path.Child("volumeClaimTemplates"), path.Child("persistentVolumeClaimRetentionPolicy")
	same := c.kept(func(s *subject) any { return s.pod().VolumeClaimTemplates })
	if c.old != nil && !same {
		c.own(field.Invalid(claims, omitted, "is immutable: delete the function and create another"))
	}
	if c.kind != v1alpha1.FunctionKind {
		if len(pod.VolumeClaimTemplates) > 0 {
			c.own(field.Forbidden(claims, "only functions have claims of their own in Function Mesh"))
		}
		if pod.PersistentVolumeClaimRetentionPolicy != nil {
			c.own(field.Forbidden(retention, "only functions have claims of their own in Function Mesh"))
		}
	}
	for i := range pod.VolumeClaimTemplates {
		claim, path := &pod.VolumeClaimTemplates[i], claims.Index(i)
		c.checkVolumeName(path.Child("metadata", "name"), claim.Metadata.Name, names)
		c.ownAll(metav1validation.ValidateLabels(claim.Metadata.Labels, path.Child("metadata", "labels")))
		c.ownAll(apivalidation.ValidateAnnotations(claim.Metadata.Annotations, path.Child("metadata", "annotations")))
		c.checkClaim(path.Child("spec"), &claim.Spec)
	}
	if policy := pod.PersistentVolumeClaimRetentionPolicy; policy != nil {
		checkEnum(c, retention.Child("whenDeleted"), policy.WhenDeleted, retentionPolicies)
		checkEnum(c, retention.Child("whenScaled"), policy.WhenScaled, retentionPolicies)
	}
}

func (c *checks) checkClaim(path *field.Path, claim *corev1.PersistentVolumeClaimSpec) {
	if len(claim.AccessModes) == 0 {
		c.own(field.Required(path.Child("accessModes"), "at least one is needed"))
	}
	for i, mode := range claim.AccessModes {
		checkEnumPointer(c, path.Child("accessModes").Index(i), &mode, accessModes)
	}
	storage, path := claim.Resources.Requests[corev1.ResourceStorage], path
	if storage.Sign() <= 0 {
		c.own(field.Invalid(path.Child("resources", "requests").Key("storage"), storage.String(), "must be positive"))
	}
	if class := claim.StorageClassName; class != nil && *class != "" {
		c.checkWith(path.Child("storageClassName"), *class, validation.IsDNS1123Subdomain)
	}
}

// checkVolumeMounts checks where a container has volumes.
func (c *checks) checkVolumeMounts(path *field.Path, mounts []corev1.VolumeMount) {
	volumes, paths := c.volumeNames(), map[string]bool{}
	for i, mount := range mounts {
		path := path.Index(i)
		if !volumes.Has(mount.Name) {
			c.own(field.NotFound(path.Child("name"), shortened(mount.Name)))
		}
		if mount.MountPath == "" {
			c.own(field.Required(path.Child("mountPath"), "a path is needed"))
		}
		c.checkUnique(path.Child("mountPath"), mount.MountPath, paths)
		if !relativePath(mount.SubPath) {
			c.own(field.Invalid(path.Child("subPath"), shortened(mount.SubPath), "must be a relative path without .."))
		}
		if !relativePath(mount.SubPathExpr) {
			c.own(field.Invalid(path.Child("subPathExpr"), shortened(mount.SubPathExpr), "must be a relative path without .."))
		}
		if mount.SubPath != "" && mount.SubPathExpr != "" {
			c.own(field.Forbidden(path.Child("subPathExpr"), "may not be set together with subPath"))
		}
	}
}

// checkCleanUp checks that the operator can make the pod that removes the subscription
// in the end. That one has the instance's mounts and the author's containers, but none
// of the claims, so Kubernetes refuses it, and the operator then goes no further.
func (c *checks) checkCleanUp(pod *v1alpha1.Pod) {
	if cleanUp := c.input.CleanupSubscription; cleanUp == nil || !*cleanUp {
		return
	}
	mounts := slices.Clone(pod.VolumeMounts)
	for _, container := range slices.Concat(pod.InitContainers, pod.Sidecars) {
		mounts = append(mounts, container.VolumeMounts...)
	}
	for i := range pod.VolumeClaimTemplates {
		name := pod.VolumeClaimTemplates[i].Metadata.Name
		if slices.ContainsFunc(mounts, func(mount corev1.VolumeMount) bool { return mount.Name == name }) {
			c.own(field.Invalid(c.child("cleanupSubscription"), true,
				"must be false where a volume of volumeClaimTemplates is mounted: the Function Mesh operator fails otherwise"))
			return
		}
	}
}

// volumeNames returns the names of the volumes that an author can refer to.
func (s *subject) volumeNames() sets.Set[string] {
	names := sets.New[string]()
	for i := range s.pod().Volumes {
		names.Insert(s.pod().Volumes[i].Name)
	}
	for i := range s.pod().VolumeClaimTemplates {
		names.Insert(s.pod().VolumeClaimTemplates[i].Metadata.Name)
	}
	return names
}

// checkInstanceMounts checks that nothing else is where the instance's container
// has a volume: Kubernetes refuses two volumes at one path.
func (c *checks) checkInstanceMounts(path *field.Path, mounts []corev1.VolumeMount) {
	paths := map[string]bool{}
	for i, mount := range mounts {
		clean := gopath.Clean(mount.MountPath)
		if slices.Contains(reservedMounts, clean) {
			c.own(field.Forbidden(path.Index(i).Child("mountPath"), fmt.Sprintf("Function Mesh has a volume at %s", clean)))
		}
		paths[clean] = true
	}
	for _, derived := range c.derivedVolumes() {
		if derived.mountPath == nil || derived.mount == "" {
			continue
		}
		clean := gopath.Clean(derived.mount)
		if slices.Contains(reservedMounts, clean) {
			c.own(field.Forbidden(derived.mountPath, fmt.Sprintf("Function Mesh has a volume at %s", clean)))
		}
		c.checkUnique(derived.mountPath, clean, paths)
	}
}

// derivedVolume is a volume that Function Mesh makes of something else.
type derivedVolume struct {
	name string
	path *field.Path
	// mount is where an author wants it, and mountPath where that stands.
	mount     string
	mountPath *field.Path
}

// derivedVolumes returns the volumes whose names Function Mesh makes of the names of
// what is in them, without asking whether there is one already.
func (c *checks) derivedVolumes() []derivedVolume {
	var derived []derivedVolume
	if tls := c.spec.TLS; tls != nil && tls.CertSecretName != "" {
		derived = append(derived, derivedVolume{
			name: derivedName(tls.CertSecretName, tls.CertSecretKey), path: c.child("tls", "certSecretName"),
		})
	}
	add := func(path *field.Path, crypto *v1alpha1.CryptoConfig) {
		if crypto == nil {
			return
		}
		for i, secret := range crypto.CryptoSecrets {
			path := path.Child("cryptoConfig", "cryptoSecrets").Index(i)
			derived = append(derived, derivedVolume{
				name: derivedName(secret.SecretName, secret.SecretKey), path: path.Child("secretName"),
				mount: secret.AsVolume, mountPath: path.Child("asVolume"),
			})
		}
	}
	if c.output.ProducerConfig != nil {
		add(c.child("producerConfig"), c.output.ProducerConfig.CryptoConfig)
	}
	for _, name := range sortedKeys(c.input.InputSpecs) {
		add(c.child("inputSpecs").Key(name), c.input.InputSpecs[name].CryptoConfig)
	}
	for _, of := range c.runtimeLogs() {
		if of.log.LogConfig != nil && of.runtime != runtimeGo {
			derived = append(derived, derivedVolume{
				name: derivedName(of.log.LogConfig.Name, of.runtime+"-log-conf"), path: c.child(of.runtime, "log", "logConfig", "name"),
			})
		}
	}
	return derived
}

var noLabelCharacters = regexp.MustCompile("[^-a-z0-9]+")

// derivedName returns the name of the volume that Function Mesh makes of two others.
func derivedName(name, key string) string {
	joined := noLabelCharacters.ReplaceAllString(strings.ToLower(name+"-"+key), "-")
	return strings.Trim(joined[:min(len(joined), validation.DNS1123LabelMaxLength)], "-")
}

// checkContainerPath checks the path of a file or folder in a container.
func (c *checks) checkContainerPath(path *field.Path, name string) {
	const help = "must be an absolute path of letters of a to z in either case, digits and - + . , @ % = _ without .."
	if len(name) > maxTextBytes || !shellPath.MatchString(name) || slices.Contains(strings.Split(name, "/"), "..") {
		c.ownOf(field.Invalid(path, shortened(name), help), name)
	}
}
