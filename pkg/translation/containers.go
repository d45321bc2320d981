package translation

import "github.com/function-mesh/functionmesh-apiserver/pkg/delta"

// commonContainers are those of every kind. Inner ones come first.
var commonContainers = []delta.Container{
	container("metadata", "labels"),
	container("metadata", "annotations"),
	container("spec", "output", "producerConf"),
	container("spec", "input"),
	container("spec", "output"),
	container("spec", "pulsar", "authConfig"),
	container("spec", "pulsar"),
	container("spec", "pulsarPackageService", "authConfig"),
	container("spec", "statefulConfig"),
	container("spec", "resources"),
	container("spec", "java", "log"),

	named("name", "spec", "pod", "env"),
	named("name", "spec", "pod", "volumes"),
	named("name", "spec", "pod", "imagePullSecrets"),
	named("name", "spec", "pod", "initContainers", "env"),
	named("mountPath", "spec", "pod", "initContainers", "volumeMounts"),
	named("name", "spec", "pod", "initContainers"),
	named("name", "spec", "pod", "sidecars", "env"),
	named("mountPath", "spec", "pod", "sidecars", "volumeMounts"),
	named("name", "spec", "pod", "sidecars"),
	named("containerName", "spec", "pod", "vpa", "resourcePolicy", "containerPolicies"),
	container("spec", "pod", "annotations"),
	container("spec", "pod"),
	named("mountPath", "spec", "volumeMounts"),
	named("name", "spec", "resources", "claims"),
}

// Containers returns the maps in a custom resource that only give structure, and the
// lists of named things: absent and empty mean the same. Inner ones come first.
func (t *Translator[CR, P, View]) Containers() []delta.Container {
	return append(commonContainers[:len(commonContainers):len(commonContainers)], t.kind.containers...)
}

func container(path ...string) delta.Container { return delta.Container{Path: path} }

// named is a list whose elements are told apart by the member key.
func named(key string, path ...string) delta.Container { return delta.Container{Path: path, Key: key} }
