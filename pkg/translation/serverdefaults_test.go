package translation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// configWithDefaults has a default of each sort, some of which differ by kind.
func configWithDefaults() *configv1alpha1.FunctionMeshAPIServerConfiguration {
	config := testConfig()
	config.Defaults = configv1alpha1.ComponentDefaults{
		Labels: map[string]string{"team": "all", "site": "a"}, Annotations: map[string]string{"scrape": "true"},
		Env:                []corev1.EnvVar{{Name: "A", Value: "1"}, {Name: "SECRET", Value: "none"}},
		ServiceAccountName: "runner", ImagePullPolicy: corev1.PullAlways, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}},
		Volumes:      []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}},
		JavaOpts:     []string{"-Xmx1g"}, ExtraDependenciesDir: "/pulsar/lib",
		TLS: &adminv1alpha1.TLS{Enabled: true, CertSecretName: "brokers", CertSecretKey: "ca.crt"},
	}
	config.FunctionDefaults = configv1alpha1.ComponentDefaults{
		Labels: map[string]string{"team": "functions"}, Env: []corev1.EnvVar{{Name: "A", Value: "2"}, {Name: "B", Value: "3"}},
		InitContainers: []corev1.Container{{Name: "prepare", Image: "busybox"}},
	}
	return config
}

func bareFunction() *adminv1alpha1.PulsarFunction {
	view := &adminv1alpha1.PulsarFunction{}
	view.Spec.Java = &adminv1alpha1.JavaRuntime{}
	return view
}

func TestServerDefaults(t *testing.T) {
	translator := NewFunctionTranslator(configWithDefaults(), nil)
	view := bareFunction()
	view.Labels = map[string]string{"site": "b"}
	view.Spec.Secrets = map[string]adminv1alpha1.SecretRef{"SECRET": {Path: "s", Key: "k"}}
	view.Spec.Pod = &adminv1alpha1.Pod{
		Env: []corev1.EnvVar{{Name: "B", Value: "own"}}, VolumeMounts: []corev1.VolumeMount{{Name: "own", MountPath: "/data"}},
		ImagePullPolicy: corev1.PullNever,
	}
	translator.Default(view)
	want := &adminv1alpha1.Pod{
		Labels: map[string]string{"team": "functions", "site": "a"}, Annotations: map[string]string{"scrape": "true"},
		Env:                []corev1.EnvVar{{Name: "B", Value: "own"}, {Name: "A", Value: "2"}},
		ServiceAccountName: "runner", ImagePullPolicy: corev1.PullNever, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}},
		Volumes:        []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		VolumeMounts:   []corev1.VolumeMount{{Name: "own", MountPath: "/data"}},
		InitContainers: []corev1.Container{{Name: "prepare", Image: "busybox"}},
	}
	if diff := cmp.Diff(want, view.Spec.Pod); diff != "" {
		t.Errorf("the pod (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"team": "functions", "site": "b"}, view.Labels); diff != "" {
		t.Errorf("the labels (-want +got):\n%s", diff)
	}
	if java := view.Spec.Java; len(java.JavaOpts) != 1 || java.ExtraDependenciesDir != "/pulsar/lib" {
		t.Errorf("java is %+v", java)
	}

	sink := &adminv1alpha1.PulsarSink{}
	NewSinkTranslator(configWithDefaults(), nil).Default(sink)
	if pod := sink.Spec.Pod; pod.Labels["team"] != "all" || pod.Env[0].Value != "1" || pod.InitContainers != nil {
		t.Errorf("the pod of a sink is %+v", pod)
	}
	none := bareFunction()
	NewFunctionTranslator(testConfig(), nil).Default(none)
	if none.Spec.Pod != nil || none.Labels != nil {
		t.Errorf("without defaults the pod is %+v, the labels %v", none.Spec.Pod, none.Labels)
	}
}

// An update neither takes defaults away by leaving them out, nor brings what the
// component hasn't had.
func TestServerDefaultsOnUpdate(t *testing.T) {
	translator := NewFunctionTranslator(configWithDefaults(), nil)
	before := bareFunction()
	translator.Default(before)
	after := bareFunction()
	translator.DefaultUpdate(after, before)
	if diff := cmp.Diff(before.Spec.Pod, after.Spec.Pod); diff != "" {
		t.Errorf("an update that leaves the pod out (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before.Spec.Java, after.Spec.Java); diff != "" {
		t.Errorf("an update that leaves java's options out (-want +got):\n%s", diff)
	}
	if after.Labels != nil {
		t.Errorf("an update that removes labels brings %v", after.Labels)
	}

	own := before.DeepCopy()
	own.Spec.Pod.Env[0].Value, own.Spec.Pod.ServiceAccountName = "own", "own"
	after = bareFunction()
	translator.DefaultUpdate(after, own)
	if diff := cmp.Diff(before.Spec.Pod, after.Spec.Pod); diff != "" {
		t.Errorf("an update that takes back what its author had set (-want +got):\n%s", diff)
	}

	older, labelled := bareFunction(), bareFunction()
	labelled.Labels = map[string]string{"a": "b"}
	translator.DefaultUpdate(labelled, older)
	if labelled.Spec.Pod != nil || labelled.Spec.Java.JavaOpts != nil {
		t.Errorf("a label on an older function changes its pod to %+v", labelled.Spec.Pod)
	}
}

// How brokers are reached is a default as a whole, and none for what can't use it.
func TestServerDefaultOfTLS(t *testing.T) {
	translator := NewFunctionTranslator(configWithDefaults(), nil)
	defaulted, own, golang := bareFunction(), bareFunction(), bareFunction()
	own.Spec.TLS = &adminv1alpha1.TLS{}
	golang.Spec.Java, golang.Spec.Go = nil, &adminv1alpha1.Runtime{}
	for _, view := range []*adminv1alpha1.PulsarFunction{defaulted, own, golang} {
		translator.Default(view)
	}
	if diff := cmp.Diff(configWithDefaults().Defaults.TLS, defaulted.Spec.TLS); diff != "" {
		t.Errorf("whose author says nothing (-want +got):\n%s", diff)
	}
	if own.Spec.TLS == nil || *own.Spec.TLS != (adminv1alpha1.TLS{}) || golang.Spec.TLS != nil {
		t.Errorf("an author's own is %+v, a Go function's %+v", own.Spec.TLS, golang.Spec.TLS)
	}
	after, older := bareFunction(), bareFunction()
	translator.DefaultUpdate(after, defaulted)
	translator.DefaultUpdate(older, bareFunction())
	if after.Spec.TLS == nil || older.Spec.TLS != nil {
		t.Errorf("an update that leaves it out makes it %+v, of one that had none %+v", after.Spec.TLS, older.Spec.TLS)
	}
}

func TestServerDefaultsAreNotShared(t *testing.T) {
	config := configWithDefaults()
	translator := NewFunctionTranslator(config, nil)
	view := translator.ServerDefaults(bareFunction())
	view.Spec.Pod.Volumes[0].EmptyDir.Medium = corev1.StorageMediumMemory
	view.Spec.Java.JavaOpts[0] = "-Xmx2g"
	view.Spec.TLS.AllowInsecure = true
	if diff := cmp.Diff(configWithDefaults(), config); diff != "" {
		t.Errorf("changing a function changes the configuration (-want +got):\n%s", diff)
	}
}

// TestDefaultState proves that what can keep state gets a place for it when it is made,
// that of its cluster, and keeps what it has.
func TestDefaultState(t *testing.T) {
	config := testConfig()
	const store, own = "bk://tables:4181", "bk://other:4181"
	config.PulsarClusters = append(config.PulsarClusters, configv1alpha1.PulsarCluster{Name: "with-state", StateStorageURL: store})
	translator := NewFunctionTranslator(config, nil)
	made := func(set func(*adminv1alpha1.PulsarFunction)) *adminv1alpha1.PulsarFunction {
		view := bareFunction()
		view.Spec.Cluster = "with-state"
		set(view)
		translator.Default(view)
		return view
	}
	urlOf := func(view *adminv1alpha1.PulsarFunction) string {
		if view.Spec.StateConfig == nil {
			return ""
		}
		return view.Spec.StateConfig.ServiceURL
	}
	keep := func(view *adminv1alpha1.PulsarFunction) {}
	for what, test := range map[string]struct {
		set  func(*adminv1alpha1.PulsarFunction)
		want string
	}{
		"Java": {keep, store},
		"Go": {func(view *adminv1alpha1.PulsarFunction) {
			view.Spec.Java, view.Spec.Go = nil, &adminv1alpha1.Runtime{}
		}, ""},
		"a cluster without": {func(view *adminv1alpha1.PulsarFunction) { view.Spec.Cluster = "" }, ""},
		"its own": {func(view *adminv1alpha1.PulsarFunction) {
			view.Spec.StateConfig = &adminv1alpha1.StateConfig{ServiceURL: own}
		}, own},
	} {
		if got := urlOf(made(test.set)); got != test.want {
			t.Errorf("%s: %q", what, got)
		}
	}
	if bare := translator.ServerDefaults(made(keep)); urlOf(bare) != store || bare.Spec.Cluster != "" {
		t.Errorf("the server gives %+v", bare.Spec)
	}
	// An update brings none to what has none, and takes none away.
	before, after := bareFunction(), bareFunction()
	before.Spec.Cluster, after.Spec.Cluster = "with-state", "with-state"
	translator.DefaultUpdate(after, before)
	if got := urlOf(after); got != "" {
		t.Errorf("an update brings %q", got)
	}
	after = bareFunction()
	after.Spec.Cluster = "with-state"
	translator.DefaultUpdate(after, made(keep))
	if got := urlOf(after); got != store {
		t.Errorf("an update leaves %q", got)
	}
}
