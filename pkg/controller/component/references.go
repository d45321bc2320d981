package component

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	computev1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/compute/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/status"
)

// collector collects references, each object once.
type collector struct {
	found []status.Reference
}

func (c *collector) secret(name, field string)    { c.add(status.SecretKind, name, field) }
func (c *collector) configMap(name, field string) { c.add(status.ConfigMapKind, name, field) }

func (c *collector) add(kind, name, field string) {
	known := slices.ContainsFunc(c.found, func(r status.Reference) bool { return r.Kind == kind && r.Name == name })
	if name != "" && !known {
		c.found = append(c.found, status.Reference{Kind: kind, Name: name, Field: field})
	}
}

// references returns the Secrets and ConfigMaps that pods can't start without, in a
// fixed order. The fields are the view's.
func references(spec *crSpec) []status.Reference {
	c := &collector{}
	c.messaging(spec.Pulsar, "spec.cluster", "spec")
	c.messaging(spec.PulsarPackageService, "spec.packageService.configMapName", "spec.packageService")
	for _, name := range slices.Sorted(maps.Keys(spec.SecretsMap)) {
		c.secret(spec.SecretsMap[name].Path, "spec.secrets["+name+"]")
	}
	for _, topic := range slices.Sorted(maps.Keys(spec.Input.SourceSpecs)) {
		c.crypto(spec.Input.SourceSpecs[topic].CryptoConfig, "spec.inputSpecs["+topic+"].cryptoConfig")
	}
	if producer := spec.Output.ProducerConf; producer != nil {
		c.crypto(producer.CryptoConfig, "spec.producerConfig.cryptoConfig")
	}
	c.logs(spec)
	if pod := spec.Pod; pod != nil {
		c.env(pod.Env, "spec.pod.env")
		c.containers(pod.InitContainers, "spec.pod.initContainers")
		c.containers(pod.Sidecars, "spec.pod.sidecars")
		for i := range pod.Volumes {
			c.volume(&pod.Volumes[i], "spec.pod.volumes["+pod.Volumes[i].Name+"]")
		}
		for _, secret := range pod.ImagePullSecrets {
			c.secret(secret.Name, "spec.pod.imagePullSecrets")
		}
	}
	return c.found
}

// messaging leaves out what counts for less than something else that is there.
func (c *collector) messaging(pulsar *computev1alpha1.PulsarMessaging, configMapField, field string) {
	if pulsar == nil {
		return
	}
	c.configMap(pulsar.PulsarConfig, configMapField)
	if pulsar.AuthConfig == nil {
		c.secret(pulsar.AuthSecret, field+".auth.secretName")
	} else if account := pulsar.AuthConfig.OAuth2Config; account != nil {
		c.secret(account.KeySecretName, field+".auth.oauth2.secretName")
	}
	if pulsar.TLSConfig == nil {
		c.secret(pulsar.TLSSecret, field+".tls.secretName")
	} else if pulsar.TLSConfig.Enabled {
		c.secret(pulsar.TLSConfig.CertSecretName, field+".tls.certSecretName")
	}
}

func (c *collector) crypto(crypto *computev1alpha1.CryptoConfig, field string) {
	if crypto == nil {
		return
	}
	for _, secret := range crypto.CryptoSecrets {
		c.secret(secret.SecretName, field)
	}
}

func (c *collector) logs(spec *crSpec) {
	log := func(config *computev1alpha1.RuntimeLogConfig, field string) {
		if config != nil && config.LogConfig != nil {
			c.configMap(config.LogConfig.Name, field)
		}
	}
	if spec.Java != nil {
		log(spec.Java.Log, "spec.java.log.logConfig")
	}
	if spec.Python != nil {
		log(spec.Python.Log, "spec.python.log.logConfig")
	}
	if spec.Golang != nil {
		log(spec.Golang.Log, "spec.go.log.logConfig")
	}
}

func (c *collector) containers(containers []corev1.Container, field string) {
	for i := range containers {
		container := &containers[i]
		at := field + "[" + container.Name + "]"
		c.env(container.Env, at+".env")
		for _, source := range container.EnvFrom {
			if from := source.SecretRef; from != nil && !ptr.Deref(from.Optional, false) {
				c.secret(from.Name, at+".envFrom")
			}
			if from := source.ConfigMapRef; from != nil && !ptr.Deref(from.Optional, false) {
				c.configMap(from.Name, at+".envFrom")
			}
		}
	}
}

func (c *collector) env(env []corev1.EnvVar, field string) {
	for _, variable := range env {
		if variable.ValueFrom == nil {
			continue
		}
		if from := variable.ValueFrom.SecretKeyRef; from != nil && !ptr.Deref(from.Optional, false) {
			c.secret(from.Name, field+"["+variable.Name+"]")
		}
		if from := variable.ValueFrom.ConfigMapKeyRef; from != nil && !ptr.Deref(from.Optional, false) {
			c.configMap(from.Name, field+"["+variable.Name+"]")
		}
	}
}

func (c *collector) volume(volume *corev1.Volume, field string) {
	if source := volume.Secret; source != nil && !ptr.Deref(source.Optional, false) {
		c.secret(source.SecretName, field)
	}
	if source := volume.ConfigMap; source != nil && !ptr.Deref(source.Optional, false) {
		c.configMap(source.Name, field)
	}
	if volume.Projected == nil {
		return
	}
	for _, source := range volume.Projected.Sources {
		if secret := source.Secret; secret != nil && !ptr.Deref(secret.Optional, false) {
			c.secret(secret.Name, field)
		}
		if configMap := source.ConfigMap; configMap != nil && !ptr.Deref(configMap.Optional, false) {
			c.configMap(configMap.Name, field)
		}
	}
}
