package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	kjson "sigs.k8s.io/json"

	adminv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// workerDefaults are what a Java worker gives every component. What has the form that
// Kubernetes has for it is read by Kubernetes' types.
type workerDefaults struct {
	Labels              map[string]string `yaml:"labels"`
	FunctionLabels      map[string]string `yaml:"functionLabels"`
	SourceLabels        map[string]string `yaml:"sourceLabels"`
	SinkLabels          map[string]string `yaml:"sinkLabels"`
	Annotations         map[string]string `yaml:"annotations"`
	FunctionAnnotations map[string]string `yaml:"functionAnnotations"`
	SourceAnnotations   map[string]string `yaml:"sourceAnnotations"`
	SinkAnnotations     map[string]string `yaml:"sinkAnnotations"`
	Env                 map[string]string `yaml:"env"`
	FunctionEnv         map[string]string `yaml:"functionEnv"`
	SourceEnv           map[string]string `yaml:"sourceEnv"`
	SinkEnv             map[string]string `yaml:"sinkEnv"`

	FunctionInitContainers any `yaml:"functionInitContainers"`
	SourceInitContainers   any `yaml:"sourceInitContainers"`
	SinkInitContainers     any `yaml:"sinkInitContainers"`
	Volumes                any `yaml:"volumes"`
	VolumeMounts           any `yaml:"volumeMounts"`
	ImagePullSecrets       any `yaml:"imagePullSecrets"`

	ImagePullPolicy      string `yaml:"imagePullPolicy"`
	ServiceAccountName   string `yaml:"defaultServiceAccountName"`
	JavaOpts             any    `yaml:"javaOPTs"`
	ExtraDependenciesDir string `yaml:"extraDependenciesDir"`
}

// setDefaults writes them into a configuration.
func (w *workerConfig) setDefaults(config *v1alpha1.FunctionMeshAPIServerConfiguration) error {
	d := &w.Custom.workerDefaults
	labels := maps.Clone(w.Factory.CustomLabels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, d.Labels)
	options, err := d.javaOpts()
	if err != nil {
		return err
	}
	config.Defaults = v1alpha1.ComponentDefaults{
		Labels: labels, Annotations: d.Annotations, Env: envOf(d.Env),
		ServiceAccountName: d.ServiceAccountName, ImagePullPolicy: corev1.PullPolicy(d.ImagePullPolicy),
		JavaOpts: options, ExtraDependenciesDir: dependenciesDir(w.Factory.ExtraDependenciesDir, d.ExtraDependenciesDir),
	}
	config.FunctionDefaults = v1alpha1.ComponentDefaults{Labels: d.FunctionLabels, Annotations: d.FunctionAnnotations, Env: envOf(d.FunctionEnv)}
	config.SourceDefaults = v1alpha1.ComponentDefaults{Labels: d.SourceLabels, Annotations: d.SourceAnnotations, Env: envOf(d.SourceEnv)}
	config.SinkDefaults = v1alpha1.ComponentDefaults{Labels: d.SinkLabels, Annotations: d.SinkAnnotations, Env: envOf(d.SinkEnv)}
	for _, member := range []struct {
		name  string
		value any
		into  any
	}{
		{"functionInitContainers", d.FunctionInitContainers, &config.FunctionDefaults.InitContainers},
		{"sourceInitContainers", d.SourceInitContainers, &config.SourceDefaults.InitContainers},
		{"sinkInitContainers", d.SinkInitContainers, &config.SinkDefaults.InitContainers},
		{"volumes", d.Volumes, &config.Defaults.Volumes},
		{"volumeMounts", d.VolumeMounts, &config.Defaults.VolumeMounts},
		{"imagePullSecrets", d.ImagePullSecrets, &config.Defaults.ImagePullSecrets},
	} {
		if err := asKubernetes(member.value, member.into); err != nil {
			return fmt.Errorf("could not read %s.%s: %w", workerCustom, member.name, err)
		}
	}
	if w.UseTLS {
		config.Defaults.TLS = &adminv1alpha1.TLS{Enabled: true, AllowInsecure: w.TLSAllowInsecure, HostnameVerification: w.TLSVerifyHostname}
	}
	return nil
}

// javaOpts returns the options, which are one text or a list.
func (d *workerDefaults) javaOpts() ([]string, error) {
	if text, ok := d.JavaOpts.(string); ok {
		return strings.Fields(text), nil
	}
	var options []string
	if err := asKubernetes(d.JavaOpts, &options); err != nil {
		return nil, fmt.Errorf("could not read %s.javaOPTs: it is neither a text nor a list of texts", workerCustom)
	}
	return options, nil
}

// asKubernetes reads a value into a type of Kubernetes. Members that this doesn't have
// are errors: they were meant to do something.
func asKubernetes(value, into any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	strict, err := kjson.UnmarshalStrict(text, into)
	if err != nil {
		return err
	}
	if len(strict) > 0 {
		return strict[0]
	}
	return nil
}

func envOf(values map[string]string) []corev1.EnvVar {
	var env []corev1.EnvVar
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, corev1.EnvVar{Name: name, Value: values[name]})
	}
	return env
}

// dependenciesDir returns the first of some directories that is set, within the one that
// images of Pulsar work in.
func dependenciesDir(directories ...string) string {
	for _, directory := range directories {
		if directory != "" && !path.IsAbs(directory) {
			directory = path.Join(defaultPackageDirectory, directory)
		}
		if directory != "" {
			return directory
		}
	}
	return ""
}
