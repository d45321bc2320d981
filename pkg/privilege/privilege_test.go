package privilege

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// function returns a function with a pod section.
func function(pod v1alpha1.Pod) *v1alpha1.PulsarFunction {
	f := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: "echo"}}
	f.Spec.Pod = &pod
	return f
}

// texts returns rights as "verb resource name (field)".
func texts(rights []Right) []string {
	var all []string
	for _, right := range rights {
		all = append(all, fmt.Sprintf("%s %s %s (%s)", right.Verb, right.Resource, right.Name, right.Field))
	}
	return all
}

func TestReferences(t *testing.T) {
	local := &corev1.LocalObjectReference{Name: "s"}
	fromSecret := corev1.EnvVar{Name: "A", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: *local, Key: "k"}}}
	fromConfigMap := corev1.EnvVar{Name: "B", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: *local, Key: "k"}}}
	fromField := corev1.EnvVar{Name: "C", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}
	volume := func(source corev1.VolumeSource) v1alpha1.Pod {
		return v1alpha1.Pod{Volumes: []corev1.Volume{{Name: "v", VolumeSource: source}}}
	}
	const custom, viaDriver = "customize pulsarfunctions echo (spec.pod.volumes[v])", "get secrets s (spec.pod.volumes[v])"
	for name, test := range map[string]struct {
		pod  v1alpha1.Pod
		want []string
	}{
		"env": {v1alpha1.Pod{Env: []corev1.EnvVar{fromSecret, fromConfigMap, fromField}}, []string{
			"get secrets s (spec.pod.env[A].valueFrom.secretKeyRef)", "get configmaps s (spec.pod.env[B].valueFrom.configMapKeyRef)",
		}},
		"containers": {v1alpha1.Pod{Sidecars: []corev1.Container{{Name: "c", Env: []corev1.EnvVar{fromSecret}, EnvFrom: []corev1.EnvFromSource{
			{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: *local}},
			{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: *local}},
		}}}}, []string{
			"customize pulsarfunctions echo (spec.pod.sidecars[c])", "get secrets s (spec.pod.sidecars[c].env[A].valueFrom.secretKeyRef)",
			"get secrets s (spec.pod.sidecars[c].envFrom[0].secretRef)", "get configmaps s (spec.pod.sidecars[c].envFrom[1].configMapRef)",
		}},
		"secret volume":     {volume(corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}), []string{"get secrets s (spec.pod.volumes[v].secret)"}},
		"config map volume": {volume(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: *local}}), []string{"get configmaps s (spec.pod.volumes[v].configMap)"}},
		"projected volume": {volume(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{Secret: &corev1.SecretProjection{LocalObjectReference: *local}}, {ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: *local}},
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "p"}},
		}}}), []string{"get secrets s (spec.pod.volumes[v].projected.sources[0].secret)", "get configmaps s (spec.pod.volumes[v].projected.sources[1].configMap)",
			"customize pulsarfunctions echo (spec.pod.volumes[v].projected.sources[2])"}},
		"host path": {volume(corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}), []string{custom}},
		"claim":     {volume(corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}), []string{custom}},
		"csi":       {volume(corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{NodePublishSecretRef: local}}), []string{custom, viaDriver}},
		"flex":      {volume(corev1.VolumeSource{FlexVolume: &corev1.FlexVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"iscsi":     {volume(corev1.VolumeSource{ISCSI: &corev1.ISCSIVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"rbd":       {volume(corev1.VolumeSource{RBD: &corev1.RBDVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"cephfs":    {volume(corev1.VolumeSource{CephFS: &corev1.CephFSVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"scaleio":   {volume(corev1.VolumeSource{ScaleIO: &corev1.ScaleIOVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"storageos": {volume(corev1.VolumeSource{StorageOS: &corev1.StorageOSVolumeSource{SecretRef: local}}), []string{custom, viaDriver}},
		"azure":     {volume(corev1.VolumeSource{AzureFile: &corev1.AzureFileVolumeSource{SecretName: "s"}}), []string{custom, viaDriver}},
		"probe": {v1alpha1.Pod{StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Host: "10.0.0.1"}}}},
			[]string{"customize pulsarfunctions echo (spec.pod.startupProbe)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(Required(function(test.pod), nil, nobody)); !slices.Equal(got, test.want) {
				t.Errorf("it needs %q", got)
			}
			if got := Required(function(test.pod), function(test.pod), nobody); len(got) != 0 {
				t.Errorf("unchanged it needs %q", texts(got))
			}
		})
	}
}

// TestEverySecretOfAVolume names a Secret in each kind of volume that can have one.
func TestEverySecretOfAVolume(t *testing.T) {
	named := 0
	sources := reflect.TypeFor[corev1.VolumeSource]()
	for i := range sources.NumField() {
		of := sources.Field(i).Type.Elem()
		for j := range of.NumField() {
			source := reflect.New(of)
			switch field := source.Elem().Field(j); {
			case of.Field(j).Type == reflect.TypeFor[*corev1.LocalObjectReference]():
				field.Set(reflect.ValueOf(&corev1.LocalObjectReference{Name: "s"}))
			case of.Field(j).Name == "SecretName":
				field.SetString("s")
			default:
				continue
			}
			named++
			volume := corev1.Volume{Name: "v"}
			reflect.ValueOf(&volume.VolumeSource).Elem().Field(i).Set(source)
			rights := Required(function(v1alpha1.Pod{Volumes: []corev1.Volume{volume}}), nil, nobody)
			if !slices.ContainsFunc(rights, func(right Right) bool { return right.isSecret("s") }) {
				t.Errorf("%s.%s needs %q", sources.Field(i).Name, of.Field(j).Name, texts(rights))
			}
		}
	}
	if named < 9 {
		t.Errorf("only %d volumes have a Secret", named)
	}
}

// TestForeignTypes fails when Kubernetes gets a way to refer to something that
// nobody has looked at.
func TestForeignTypes(t *testing.T) {
	for _, test := range []struct {
		of    any
		known string
	}{
		{corev1.EnvVarSource{}, "FieldRef ResourceFieldRef ConfigMapKeyRef SecretKeyRef FileKeyRef"},
		{corev1.EnvFromSource{}, "Prefix ConfigMapRef SecretRef"},
		{corev1.VolumeProjection{}, "Secret DownwardAPI ConfigMap ServiceAccountToken ClusterTrustBundle PodCertificate"},
		{corev1.ProbeHandler{}, "Exec HTTPGet TCPSocket GRPC"},
		{corev1.VolumeSource{}, "HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS ISCSI Glusterfs PersistentVolumeClaim " +
			"RBD FlexVolume Cinder CephFS Flocker DownwardAPI FC AzureFile ConfigMap VsphereVolume Quobyte AzureDisk PhotonPersistentDisk " +
			"Projected PortworxVolume ScaleIO StorageOS CSI Ephemeral Image"},
	} {
		of := reflect.TypeOf(test.of)
		var names []string
		for i := range of.NumField() {
			names = append(names, of.Field(i).Name)
		}
		if got := strings.Join(names, " "); got != test.known {
			t.Errorf("%s has %s", of, got)
		}
	}
}

func TestChanges(t *testing.T) {
	env := func(name, secret, key string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key}}}
	}
	runAsUser := int64(1000)
	for name, test := range map[string]struct {
		before, after v1alpha1.Pod
		want          []string
	}{
		"another order":      {v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "k"), env("B", "s", "l")}}, v1alpha1.Pod{Env: []corev1.EnvVar{env("B", "s", "l"), env("A", "s", "k")}}, []string{"get secrets s (spec.pod.env[B].valueFrom.secretKeyRef)", "get secrets s (spec.pod.env[A].valueFrom.secretKeyRef)"}},
		"another key":        {v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "k")}}, v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "l")}}, []string{"get secrets s (spec.pod.env[A].valueFrom.secretKeyRef)"}},
		"one more":           {v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "k")}}, v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "k"), env("B", "s", "k")}}, []string{"get secrets s (spec.pod.env[A].valueFrom.secretKeyRef)", "get secrets s (spec.pod.env[B].valueFrom.secretKeyRef)"}},
		"one less":           {v1alpha1.Pod{Env: []corev1.EnvVar{env("A", "s", "k")}}, v1alpha1.Pod{}, nil},
		"the default image":  {v1alpha1.Pod{Image: "i"}, v1alpha1.Pod{}, nil},
		"another image":      {v1alpha1.Pod{Image: "i"}, v1alpha1.Pod{Image: "j"}, []string{"customize pulsarfunctions echo (spec.pod.image)"}},
		"no tolerations":     {v1alpha1.Pod{Tolerations: []corev1.Toleration{{Key: "a"}}}, v1alpha1.Pod{}, nil},
		"no labels":          {v1alpha1.Pod{Labels: map[string]string{"a": "b"}}, v1alpha1.Pod{}, []string{"customize pulsarfunctions echo (spec.pod.labels)"}},
		"no annotations":     {v1alpha1.Pod{Annotations: map[string]string{"a": "b"}}, v1alpha1.Pod{}, []string{"customize pulsarfunctions echo (spec.pod.annotations)"}},
		"no context":         {v1alpha1.Pod{SecurityContext: &corev1.PodSecurityContext{RunAsUser: &runAsUser}}, v1alpha1.Pod{}, []string{"customize pulsarfunctions echo (spec.pod.securityContext)"}},
		"where it may run":   {v1alpha1.Pod{}, v1alpha1.Pod{NodeSelector: map[string]string{"a": "b"}, Affinity: &corev1.Affinity{}}, nil},
		"the account's name": {v1alpha1.Pod{ServiceAccountName: "a"}, v1alpha1.Pod{ServiceAccountName: "b"}, []string{"use serviceaccounts b (spec.pod.serviceAccountName)"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := texts(Required(function(test.after), function(test.before), nobody)); !slices.Equal(got, test.want) {
				t.Errorf("it needs %q", got)
			}
		})
	}
	// What hangs together counts as a whole.
	before, after := function(v1alpha1.Pod{}), function(v1alpha1.Pod{})
	before.Spec.TLS = &v1alpha1.TLS{CertSecretName: "s", CertSecretKey: "k"}
	after.Spec.TLS = &v1alpha1.TLS{CertSecretName: "s", CertSecretKey: "l", Enabled: true}
	before.Spec.Secrets = map[string]v1alpha1.SecretRef{"A": {Path: "s", Key: "k"}}
	after.Spec.Secrets = map[string]v1alpha1.SecretRef{"A": {Path: "s", Key: "l"}}
	if got := texts(Required(after, before, nobody)); !slices.Equal(got, []string{"get secrets s (spec.secrets[A])", "get secrets s (spec.tls.certSecretName)"}) {
		t.Errorf("other keys need %q", got)
	}
}

// What the server gives needs no right; going back to it from what restricts more does.
func TestBeyondWhatIsGiven(t *testing.T) {
	labels := func(extra ...string) map[string]string {
		all := map[string]string{"team": "all"}
		for _, key := range extra {
			all[key] = "x"
		}
		return all
	}
	given := v1alpha1.Pod{ServiceAccountName: "runner", Labels: labels(), Volumes: []corev1.Volume{{Name: "v"}}}
	with := func(change func(*v1alpha1.Pod)) *v1alpha1.PulsarFunction {
		pod := *given.DeepCopy()
		change(&pod)
		return function(pod)
	}
	same := with(func(*v1alpha1.Pod) {})
	for name, test := range map[string]struct {
		old, component *v1alpha1.PulsarFunction
		want           []string
	}{
		"nothing more":    {nil, same, nil},
		"another account": {nil, with(func(p *v1alpha1.Pod) { p.ServiceAccountName = "admin" }), []string{"use serviceaccounts admin (spec.pod.serviceAccountName)"}},
		"another volume": {nil, with(func(p *v1alpha1.Pod) { p.Volumes = append(p.Volumes, corev1.Volume{Name: "w"}) }),
			[]string{"customize pulsarfunctions echo (spec.pod.volumes[w])"}},
		"another label":          {nil, with(func(p *v1alpha1.Pod) { p.Labels = labels("a") }), []string{"customize pulsarfunctions echo (spec.pod.labels)"}},
		"back to the account":    {with(func(p *v1alpha1.Pod) { p.ServiceAccountName = "admin" }), same, nil},
		"back to fewer labels":   {with(func(p *v1alpha1.Pod) { p.Labels = labels("a") }), same, []string{"customize pulsarfunctions echo (spec.pod.labels)"}},
		"without any of it":      {function(v1alpha1.Pod{}), function(v1alpha1.Pod{}), nil},
		"an update that adds it": {function(v1alpha1.Pod{}), with(func(p *v1alpha1.Pod) { p.Labels = nil }), nil},
	} {
		var old v1alpha1.Component
		if test.old != nil {
			old = test.old
		}
		if got := texts(RequiredBeyond(function(given), test.component, old, nobody)); !slices.Equal(got, test.want) {
			t.Errorf("%s needs %q", name, got)
		}
	}
}
