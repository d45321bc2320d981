package privilege

import (
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// ofComponent notes what a spec uses.
func (u *uses) ofComponent(path *field.Path, component v1alpha1.Component) {
	spec := component.Common()
	if java := spec.Java; java != nil {
		u.ofJava(path.Child("java"), java)
	}
	if function, ok := component.(*v1alpha1.PulsarFunction); ok {
		u.ofRuntime(path.Child("python"), function.Spec.Python)
		u.ofRuntime(path.Child("go"), function.Spec.Go)
	}
	for _, name := range sortedKeys(spec.Secrets) {
		u.secret(path.Child("secrets").Key(name), spec.Secrets[name].Path, spec.Secrets[name])
	}
	if input := component.Input(); input != nil {
		for _, topic := range sortedKeys(input.InputSpecs) {
			u.ofCrypto(path.Child("inputSpecs").Key(topic).Child("cryptoConfig"), input.InputSpecs[topic].CryptoConfig)
		}
	}
	if output := component.Output(); output != nil && output.ProducerConfig != nil {
		u.ofCrypto(path.Child("producerConfig", "cryptoConfig"), output.ProducerConfig.CryptoConfig)
	}
	u.ofAuth(path.Child("auth"), spec.Auth)
	u.ofTLS(path.Child("tls"), spec.TLS)
	if service := spec.PackageService; service != nil {
		path := path.Child("packageService")
		u.configMap(path.Child("configMapName"), service.ConfigMapName, service.ConfigMapName)
		u.ofAuth(path.Child("auth"), service.Auth)
		u.ofTLS(path.Child("tls"), service.TLS)
	}
	if pod := spec.Pod; pod != nil {
		u.ofPod(path.Child("pod"), pod)
	}
}

// ofJava notes what decides which code of the image runs, and how.
func (u *uses) ofJava(path *field.Path, java *v1alpha1.JavaRuntime) {
	u.ofRuntime(path, &java.Runtime)
	u.custom(path.Child("javaOpts"), len(java.JavaOpts) > 0, java.JavaOpts)
	for _, text := range []struct{ member, value string }{
		{"extraDependenciesDir", java.ExtraDependenciesDir},
		{"instancePath", java.InstancePath},
		{"entryClass", java.EntryClass},
	} {
		u.custom(path.Child(text.member), text.value != "", text.value)
	}
}

func (u *uses) ofRuntime(path *field.Path, runtime *v1alpha1.Runtime) {
	if runtime != nil && runtime.Log != nil && runtime.Log.LogConfig != nil {
		config := runtime.Log.LogConfig
		u.configMap(path.Child("log", "logConfig"), config.Name, config)
	}
}

func (u *uses) ofCrypto(path *field.Path, crypto *v1alpha1.CryptoConfig) {
	if crypto == nil {
		return
	}
	for i, secret := range crypto.CryptoSecrets {
		u.secret(path.Child("cryptoSecrets").Index(i), secret.SecretName, secret)
	}
}

func (u *uses) ofAuth(path *field.Path, auth *v1alpha1.Auth) {
	if auth == nil {
		return
	}
	u.secret(path.Child("secretName"), auth.SecretName, auth.SecretName)
	if auth.OAuth2 != nil {
		u.secret(path.Child("oauth2", "secretName"), auth.OAuth2.SecretName, auth.OAuth2)
	}
}

func (u *uses) ofTLS(path *field.Path, tls *v1alpha1.TLS) {
	if tls == nil {
		return
	}
	u.secret(path.Child("certSecretName"), tls.CertSecretName, []string{tls.CertSecretName, tls.CertSecretKey})
	u.secret(path.Child("secretName"), tls.SecretName, tls.SecretName)
}

func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
