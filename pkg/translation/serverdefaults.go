package translation

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// ServerDefaults returns a component that has nothing but what the configuration gives
// a new component like view: what needs a right of its author is the difference.
func (t *Translator[CR, P, View]) ServerDefaults(view View) View {
	bare := t.kind.newView()
	bare.SetName(view.GetName())
	if view.Common().Java != nil {
		bare.Common().Java = &adminv1alpha1.JavaRuntime{}
	}
	bare.Common().Cluster = view.Common().Cluster
	bare.Common().Secrets = view.Common().Secrets
	t.setServerDefaults(bare, nil)
	bare.Common().Secrets, bare.Common().Cluster = nil, ""
	return bare
}

// setServerDefaults fills in what the configuration has for every component of the
// kind. To one that exists and is before, it gives them only in the place of what that
// has of the same name: neither does an update take defaults away by not mentioning
// them, nor does it bring new ones, which would restart what runs.
func (t *Translator[CR, P, View]) setServerDefaults(view, before adminv1alpha1.Component) {
	isNew := before == nil
	var old defaultable
	if isNew {
		setLabels(view, t.defaultLabels())
	} else {
		old = defaultableOf(before)
	}
	now := defaultableOf(view)
	for _, configured := range t.serverDefaults() {
		defaults := configured.DeepCopy()
		addKeys(now.labels, defaults.Labels, old.labels, isNew)
		addKeys(now.annotations, defaults.Annotations, old.annotations, isNew)
		addElements(now.env, withoutSecrets(defaults.Env, view), old.env, isNew, func(e corev1.EnvVar) string { return e.Name })
		addElements(now.pullSecrets, defaults.ImagePullSecrets, old.pullSecrets, isNew, func(r corev1.LocalObjectReference) string { return r.Name })
		addElements(now.volumes, defaults.Volumes, old.volumes, isNew, func(v corev1.Volume) string { return v.Name })
		addElements(now.mounts, defaults.VolumeMounts, old.mounts, isNew, func(m corev1.VolumeMount) string { return m.MountPath })
		addElements(now.initContainers, defaults.InitContainers, old.initContainers, isNew, func(c corev1.Container) string { return c.Name })
		addWhole(now.serviceAccount, defaults.ServiceAccountName, old.serviceAccount, isNew)
		addWhole(now.pullPolicy, defaults.ImagePullPolicy, old.pullPolicy, isNew)
		addWhole(now.javaOpts, defaults.JavaOpts, old.javaOpts, isNew)
		addWhole(now.tls, defaults.TLS, old.tls, isNew)
		addWhole(now.dependencies, defaults.ExtraDependenciesDir, old.dependencies, isNew)
	}
	t.setTrust(view, before)
	addWhole(now.state, t.defaultState(view.Common().Cluster), old.state, isNew)
	if spec := view.Common(); spec.Pod == nil {
		spec.Pod = emptyStructAsNil(now.pod)
	}
}

// defaultState says where components keep state that run against a cluster.
func (t *Translator[CR, P, View]) defaultState(cluster string) *adminv1alpha1.StateConfig {
	for _, configured := range t.config.PulsarClusters {
		if configured.Name == cluster && configured.StateStorageURL != "" {
			return &adminv1alpha1.StateConfig{ServiceURL: configured.StateStorageURL}
		}
	}
	return nil
}

// serverDefaults returns the defaults of the kind, those that count first.
func (t *Translator[CR, P, View]) serverDefaults() []*configv1alpha1.ComponentDefaults {
	own := map[adminv1alpha1.ComponentKind]*configv1alpha1.ComponentDefaults{
		adminv1alpha1.FunctionKind: &t.config.FunctionDefaults,
		adminv1alpha1.SourceKind:   &t.config.SourceDefaults,
		adminv1alpha1.SinkKind:     &t.config.SinkDefaults,
	}
	return []*configv1alpha1.ComponentDefaults{own[t.kind.names], &t.config.Defaults}
}

func (t *Translator[CR, P, View]) defaultLabels() map[string]string {
	labels := map[string]string{}
	for _, defaults := range t.serverDefaults() {
		addKeys(&labels, defaults.Labels, nil, true)
	}
	return labels
}

// setLabels gives an object labels, beside those that it has.
func setLabels(view adminv1alpha1.Component, labels map[string]string) {
	own := view.GetLabels()
	addKeys(&own, labels, nil, true)
	view.SetLabels(own)
}

// defaultable points to what there can be defaults for in a component.
type defaultable struct {
	// pod is that of the component, or one that isn't in it yet.
	pod *adminv1alpha1.Pod

	labels, annotations *map[string]string
	env                 *[]corev1.EnvVar
	pullSecrets         *[]corev1.LocalObjectReference
	volumes             *[]corev1.Volume
	mounts              *[]corev1.VolumeMount
	initContainers      *[]corev1.Container
	serviceAccount      *string
	pullPolicy          *corev1.PullPolicy
	// javaOpts and dependencies are nil where nothing runs in Java.
	javaOpts     *[]string
	dependencies *string
	// tls and state are nil for Go functions, which get none in Function Mesh.
	tls   **adminv1alpha1.TLS
	state **adminv1alpha1.StateConfig
}

func defaultableOf(component adminv1alpha1.Component) defaultable {
	spec := component.Common()
	pod := spec.Pod
	if pod == nil {
		pod = &adminv1alpha1.Pod{}
	}
	parts := defaultable{
		pod: pod, labels: &pod.Labels, annotations: &pod.Annotations, env: &pod.Env, pullSecrets: &pod.ImagePullSecrets,
		volumes: &pod.Volumes, mounts: &pod.VolumeMounts, initContainers: &pod.InitContainers,
		serviceAccount: &pod.ServiceAccountName, pullPolicy: &pod.ImagePullPolicy,
	}
	if java := spec.Java; java != nil {
		parts.javaOpts, parts.dependencies = &java.JavaOpts, &java.ExtraDependenciesDir
	}
	if function, ok := component.(*adminv1alpha1.PulsarFunction); !ok || function.Spec.Go == nil {
		parts.tls, parts.state = &spec.TLS, &spec.StateConfig
	}
	return parts
}

// addKeys adds defaults to a map: all, or those of keys that were there before.
func addKeys(to *map[string]string, defaults map[string]string, before *map[string]string, all bool) {
	for key, value := range defaults {
		_, isSet := (*to)[key]
		if !isSet && (all || hasKey(*before, key)) {
			setKey(to, key, value)
		}
	}
}

func hasKey(values map[string]string, key string) bool {
	_, ok := values[key]
	return ok
}

// addElements does the same to a list of what has names.
func addElements[T any](to *[]T, defaults []T, before *[]T, all bool, nameOf func(T) string) {
	for _, element := range defaults {
		same := func(other T) bool { return nameOf(other) == nameOf(element) }
		if !slices.ContainsFunc(*to, same) && (all || slices.ContainsFunc(*before, same)) {
			*to = append(*to, element)
		}
	}
}

// addWhole does the same to what there is one of; to is nil where there is no place for
// it.
func addWhole[T any](to *T, value T, before *T, all bool) {
	isSet := func(part *T) bool {
		var none T
		return part != nil && !equality.Semantic.DeepEqual(*part, none)
	}
	if to != nil && !isSet(to) && (all || isSet(before)) {
		*to = value
	}
}

// withoutSecrets leaves out the variables that a component sets by its secrets.
func withoutSecrets(env []corev1.EnvVar, view adminv1alpha1.Component) []corev1.EnvVar {
	var others []corev1.EnvVar
	for _, variable := range env {
		if _, ok := view.Common().Secrets[variable.Name]; !ok {
			others = append(others, variable)
		}
	}
	return others
}
