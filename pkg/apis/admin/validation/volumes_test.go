package validation

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

func claim(name string, changes ...func(*v1alpha1.VolumeClaimTemplate)) v1alpha1.VolumeClaimTemplate {
	claim := v1alpha1.VolumeClaimTemplate{
		Metadata: v1alpha1.VolumeClaimMetadata{Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
		},
	}
	for _, apply := range changes {
		apply(&claim)
	}
	return claim
}

func TestVolumeRules(t *testing.T) {
	volumes := func(volumes ...corev1.Volume) v1alpha1.Component { return withPod(v1alpha1.Pod{Volumes: volumes}) }
	of := func(source corev1.VolumeSource) v1alpha1.Component {
		return volumes(corev1.Volume{Name: "a", VolumeSource: source})
	}
	mount := func(mounts ...corev1.VolumeMount) v1alpha1.Component {
		return withPod(v1alpha1.Pod{Volumes: []corev1.Volume{{Name: "a"}}, VolumeMounts: mounts})
	}
	items := []corev1.KeyToPath{{Key: "a/b", Path: "../x"}}
	const volume, mounts = "spec.pod.volumes[0].", "spec.pod.volumeMounts[0]."
	checkRefusals(t, map[string]refusal{
		"no name":          {volumes(corev1.Volume{}), volume + "name", "needs a name"},
		"name":             {volumes(corev1.Volume{Name: "A"}), volume + "name", "RFC 1123"},
		"twice":            {volumes(corev1.Volume{Name: "a"}, corev1.Volume{Name: "a"}), "spec.pod.volumes[1].name", "Duplicate"},
		"downloader":       {volumes(corev1.Volume{Name: "downloader-volume"}), volume + "name", "has a volume of this name"},
		"filebeat":         {volumes(corev1.Volume{Name: "filebeat-logs"}), volume + "name", "has a volume of this name"},
		"two sources":      {of(corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}, HostPath: &corev1.HostPathVolumeSource{Path: "/x"}}), "spec.pod.volumes[0]", "only one source"},
		"no secret":        {of(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}), volume + "secret.secretName", "is needed"},
		"secret's key":     {of(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "a", Items: items}}), volume + "secret.items[0].key", "config key"},
		"secret's path":    {of(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "a", Items: items}}), volume + "secret.items[0].path", "relative path"},
		"no ConfigMap":     {of(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}), volume + "configMap.name", "is needed"},
		"ConfigMap's path": {of(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{Items: items}}), volume + "configMap.items[0].path", "relative path"},
		"no claim":         {of(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{}}), volume + "persistentVolumeClaim.claimName", "is needed"},
		"no folder":        {of(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{}}), volume + "hostPath.path", "without .."},
		"folder elsewhere": {of(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/a/../b"}}), volume + "hostPath.path", "without .."},

		"unknown volume":    {mount(corev1.VolumeMount{Name: "b", MountPath: "/x"}), mounts + "name", "Not found"},
		"no path":           {mount(corev1.VolumeMount{Name: "a"}), mounts + "mountPath", "is needed"},
		"path twice":        {mount(corev1.VolumeMount{Name: "a", MountPath: "/x"}, corev1.VolumeMount{Name: "a", MountPath: "/x"}), "spec.pod.volumeMounts[1].mountPath", "Duplicate"},
		"sub path":          {mount(corev1.VolumeMount{Name: "a", MountPath: "/x", SubPath: "../y"}), mounts + "subPath", "relative path"},
		"absolute sub path": {mount(corev1.VolumeMount{Name: "a", MountPath: "/x", SubPathExpr: "/y"}), mounts + "subPathExpr", "relative path"},
		"both sub paths":    {mount(corev1.VolumeMount{Name: "a", MountPath: "/x", SubPath: "y", SubPathExpr: "z"}), mounts + "subPathExpr", "together with subPath"},
		"path of the log":   {mount(corev1.VolumeMount{Name: "a", MountPath: "/pulsar/logs/functions/"}), mounts + "mountPath", "has a volume at /pulsar/logs/functions"},
		"path of the key":   {mount(corev1.VolumeMount{Name: "a", MountPath: "/etc/oauth2"}), mounts + "mountPath", "has a volume at /etc/oauth2"},
	})
}

func TestClaimRules(t *testing.T) {
	claims := func(claims ...v1alpha1.VolumeClaimTemplate) v1alpha1.Component {
		return withPod(v1alpha1.Pod{VolumeClaimTemplates: claims})
	}
	const path = "spec.pod.volumeClaimTemplates[0]."
	checkRefusals(t, map[string]refusal{
		"no name":     {claims(claim("")), path + "metadata.name", "needs a name"},
		"name":        {claims(claim("A")), path + "metadata.name", "RFC 1123"},
		"twice":       {claims(claim("a"), claim("a")), "spec.pod.volumeClaimTemplates[1].metadata.name", "Duplicate"},
		"of a volume": {withPod(v1alpha1.Pod{Volumes: []corev1.Volume{{Name: "a"}}, VolumeClaimTemplates: []v1alpha1.VolumeClaimTemplate{claim("a")}}), path + "metadata.name", "Duplicate"},
		"label":       {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Metadata.Labels = map[string]string{"a b": ""} })), path + "metadata.labels", "name part must consist"},
		"annotation":  {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Metadata.Annotations = map[string]string{"a b": ""} })), path + "metadata.annotations", "name part must consist"},
		"no access":   {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Spec.AccessModes = nil })), path + "spec.accessModes", "at least one"},
		"access":      {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Spec.AccessModes[0] = "" })), path + "spec.accessModes[0]", "supported values"},
		"no storage":  {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Spec.Resources.Requests = nil })), path + "spec.resources.requests[storage]", "must be positive"},
		"class":       {claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) { c.Spec.StorageClassName = ptr("A") })), path + "spec.storageClassName", "RFC 1123"},
		"deleted":     {withPod(v1alpha1.Pod{PersistentVolumeClaimRetentionPolicy: &v1alpha1.VolumeClaimRetentionPolicy{WhenDeleted: "x"}}), "spec.pod.persistentVolumeClaimRetentionPolicy.whenDeleted", `"Retain", "Delete"`},
		"scaled":      {withPod(v1alpha1.Pod{PersistentVolumeClaimRetentionPolicy: &v1alpha1.VolumeClaimRetentionPolicy{WhenScaled: "x"}}), "spec.pod.persistentVolumeClaimRetentionPolicy.whenScaled", `"Retain", "Delete"`},
	})
	for name, test := range map[string]struct{ before, after v1alpha1.Component }{
		"added":   {made(), claims(claim("a"))},
		"removed": {claims(claim("a")), made()},
		"renamed": {claims(claim("a")), claims(claim("b"))},
		"larger": {claims(claim("a")), claims(claim("a", func(c *v1alpha1.VolumeClaimTemplate) {
			c.Spec.Resources.Requests["storage"] = resource.MustParse("2Gi")
		}))},
	} {
		result := ValidateUpdate(test.after, test.before, testOptions)
		if len(result.Errors) != 1 || !found(result, "spec.pod.volumeClaimTemplates", "is immutable") {
			t.Errorf("%s: errors %v, want one: is immutable", name, result.Errors)
		}
	}
}

// The pod that removes the subscription has the mounts of the instance and the author's
// containers, and no claims.
func TestClaimsAtCleanUp(t *testing.T) {
	claims := []v1alpha1.VolumeClaimTemplate{claim("a"), claim("b")}
	mounts := []corev1.VolumeMount{{Name: "b", MountPath: "/b"}}
	container := []corev1.Container{{Name: "c", Image: "i", VolumeMounts: mounts}}
	cleaned := func(cleanUp *bool) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) { s.CleanupSubscription = cleanUp })
	}
	const help = "must be false where a volume of volumeClaimTemplates is mounted"
	pods := map[string]v1alpha1.Pod{
		"instance":       {VolumeClaimTemplates: claims, VolumeMounts: mounts},
		"sidecar":        {VolumeClaimTemplates: claims, Sidecars: container},
		"init container": {VolumeClaimTemplates: claims, InitContainers: container},
	}
	refusals := map[string]refusal{}
	for name, pod := range pods {
		refusals[name] = refusal{withPod(pod, cleaned(ptr(true))), "spec.cleanupSubscription", help}
		if result := Validate(withPod(pod, cleaned(ptr(false))), testOptions); len(result.Errors) > 0 {
			t.Errorf("%s, without: errors %v, want none", name, result.Errors)
		}
	}
	checkRefusals(t, refusals)
	if result := Validate(withPod(v1alpha1.Pod{VolumeClaimTemplates: claims}, cleaned(ptr(true))), testOptions); len(result.Errors) > 0 {
		t.Errorf("not mounted: errors %v, want none", result.Errors)
	}
}

// Function Mesh names volumes after what is in them, and doesn't look whether there
// is one.
func TestDerivedVolumes(t *testing.T) {
	encrypted := func(secrets ...v1alpha1.CryptoSecret) change {
		return func(f *v1alpha1.PulsarFunction) {
			inputSpec(f, "x", v1alpha1.ConsumerSpec{CryptoConfig: &v1alpha1.CryptoConfig{CryptoKeyReaderClassName: "a.B", CryptoSecrets: secrets}})
		}
	}
	produced := func(secrets ...v1alpha1.CryptoSecret) change {
		return spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.ProducerConfig = &v1alpha1.ProducerConfig{CryptoConfig: &v1alpha1.CryptoConfig{
				CryptoKeyReaderClassName: "a.B", EncryptionKeys: []string{"k"}, CryptoSecrets: secrets,
			}}
		})
	}
	key := v1alpha1.CryptoSecret{SecretName: "keys", SecretKey: "a.pem", AsVolume: "/key"}
	other := v1alpha1.CryptoSecret{SecretName: "keys", SecretKey: "a.pem", AsVolume: "/other"}
	at := func(path string) v1alpha1.CryptoSecret {
		return v1alpha1.CryptoSecret{SecretName: "keys", SecretKey: "b.pem", AsVolume: path}
	}
	const path, again = "spec.inputSpecs[x].cryptoConfig.cryptoSecrets[0].", "there is one already"
	checkRefusals(t, map[string]refusal{
		"no secret":          {made(encrypted(v1alpha1.CryptoSecret{SecretKey: "k", AsVolume: "/k"})), path + "secretName", "both secretName and secretKey"},
		"no key":             {made(encrypted(v1alpha1.CryptoSecret{SecretName: "k", AsVolume: "/k"})), path + "secretKey", "both secretName and secretKey"},
		"secret":             {made(encrypted(v1alpha1.CryptoSecret{SecretName: "K", SecretKey: "k", AsVolume: "/k"})), path + "secretName", "RFC 1123"},
		"key":                {made(encrypted(v1alpha1.CryptoSecret{SecretName: "k", SecretKey: "../k", AsVolume: "/k"})), path + "secretKey", "config key"},
		"no path":            {made(encrypted(at(""))), path + "asVolume", "gives the key to nobody"},
		"relative":           {made(encrypted(at("keys"))), path + "asVolume", "absolute path"},
		"elsewhere":          {made(encrypted(at("/keys/../etc"))), path + "asVolume", "without .."},
		"shell":              {made(encrypted(at("/keys;id"))), path + "asVolume", "absolute path"},
		"reserved":           {made(encrypted(at("/etc/oauth2/"))), path + "asVolume", "has a volume at /etc/oauth2"},
		"twice":              {made(encrypted(key, other)), "spec.inputSpecs[x].cryptoConfig.cryptoSecrets[1].secretName", again},
		"in and out":         {made(encrypted(key), produced(other)), path + "secretName", again},
		"volume of the name": {withPod(v1alpha1.Pod{Volumes: []corev1.Volume{{Name: "keys-a-pem"}}}, encrypted(key)), path + "secretName", again},
		"certificate": {made(encrypted(key), spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.TLS = &v1alpha1.TLS{Enabled: true, CertSecretName: "keys", CertSecretKey: "a.pem"}
		})), path + "secretName", again},
		"path twice": {made(encrypted(at("/keys")), produced(v1alpha1.CryptoSecret{SecretName: "o", SecretKey: "k", AsVolume: "/keys"})), path + "asVolume", "Duplicate"},
		"path of a volume": {withPod(v1alpha1.Pod{
			Volumes: []corev1.Volume{{Name: "a"}}, VolumeMounts: []corev1.VolumeMount{{Name: "a", MountPath: "/keys/"}},
		}, encrypted(at("/keys"))), path + "asVolume", "Duplicate"},
		"log configuration": {withPod(v1alpha1.Pod{Volumes: []corev1.Volume{{Name: "logging-java-log-conf"}}}, spec(func(s *v1alpha1.PulsarFunctionSpec) {
			s.Java.Log = &v1alpha1.RuntimeLog{LogConfig: &v1alpha1.LogConfig{Name: "logging", Key: "x"}}
		})), "spec.java.log.logConfig.name", again},
	})
	if result := Validate(made(encrypted(key), produced(at("/keys"))), testOptions); len(result.Errors) > 0 {
		t.Errorf("errors %v, want none", result.Errors)
	}
}
