package validation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// reservedContainers are the names of the containers that Function Mesh adds.
var reservedContainers = sets.New("pulsar-function", "pulsar-sink", "pulsar-source", "filebeat", "downloader", "cleanup")

// checkContainers checks the containers that an author adds.
func (c *checks) checkContainers(path *field.Path, pod *v1alpha1.Pod) {
	names := map[string]bool{}
	for _, list := range []struct {
		member     string
		containers []corev1.Container
	}{{"initContainers", pod.InitContainers}, {"sidecars", pod.Sidecars}} {
		for i := range list.containers {
			container, path := &list.containers[i], path.Child(list.member).Index(i)
			c.checkUnique(path.Child("name"), container.Name, names)
			c.checkContainer(path, container)
		}
	}
}

func (c *checks) checkContainer(path *field.Path, container *corev1.Container) {
	c.checkRequired(path.Child("name"), container.Name, "a container needs a name", validation.IsDNS1123Label)
	if reservedContainers.Has(container.Name) {
		c.own(field.Forbidden(path.Child("name"), "Function Mesh has a container of this name"))
	}
	if container.Image == "" {
		c.own(field.Required(path.Child("image"), "a container needs an image"))
	}
	c.checkImage(path.Child("image"), container.Image)
	checkEnum(c, path.Child("imagePullPolicy"), container.ImagePullPolicy, pullPolicies)
	c.checkContainerEnvironment(path, container)
	c.checkContainerResources(path.Child("resources"), container.Resources.Requests, container.Resources.Limits, false)
	ports := map[string]bool{}
	for i, port := range container.Ports {
		path := path.Child("ports").Index(i)
		if port.Name != "" {
			c.checkWith(path.Child("name"), port.Name, validation.IsValidPortName)
			c.checkUnique(path.Child("name"), port.Name, ports)
		}
		c.checkPortNumber(path.Child("containerPort"), port.ContainerPort)
		checkEnum(c, path.Child("protocol"), port.Protocol, []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP})
	}
	c.checkProbe(path.Child("livenessProbe"), container.LivenessProbe)
	c.checkProbe(path.Child("startupProbe"), container.StartupProbe)
	c.checkVolumeMounts(path.Child("volumeMounts"), container.VolumeMounts)
}

// checkContainerEnvironment checks the variables of an author's container, where
// none are reserved.
func (c *checks) checkContainerEnvironment(path *field.Path, container *corev1.Container) {
	for i, variable := range container.Env {
		path := path.Child("env").Index(i)
		c.checkRequired(path.Child("name"), variable.Name, "a variable needs a name", validation.IsEnvVarName)
		c.checkVariableSource(path, variable)
	}
	for i, from := range container.EnvFrom {
		path := path.Child("envFrom").Index(i)
		if (from.SecretRef != nil) == (from.ConfigMapRef != nil) {
			c.own(field.Invalid(path, omitted, "must have exactly one of configMapRef and secretRef"))
		}
		if from.SecretRef != nil {
			c.checkObjectName(path.Child("secretRef", "name"), from.SecretRef.Name, "the name of a Secret is needed")
		}
		if from.ConfigMapRef != nil {
			c.checkObjectName(path.Child("configMapRef", "name"), from.ConfigMapRef.Name, "the name of a ConfigMap is needed")
		}
	}
}

// checkEnvironment checks the variables of the instance's container. Function Mesh
// makes others of the secrets.
func (c *checks) checkEnvironment(path *field.Path, variables []corev1.EnvVar, secrets map[string]v1alpha1.SecretRef) {
	names := map[string]bool{}
	for name := range secrets {
		names[name] = true
	}
	for i, variable := range variables {
		path := path.Index(i)
		if variable.Name == "" {
			c.own(field.Required(path.Child("name"), "a variable needs a name"))
		} else {
			c.checkVariable(path.Child("name"), variable.Name, variable)
		}
		c.checkUnique(path.Child("name"), variable.Name, names)
		c.checkVariableSource(path, variable)
	}
}

// checkVariableSource checks where the value of a variable comes from.
func (c *checks) checkVariableSource(path *field.Path, variable corev1.EnvVar) {
	from := variable.ValueFrom
	if from == nil {
		return
	}
	path = path.Child("valueFrom")
	if variable.Value != "" {
		c.own(field.Invalid(path, omitted, "may not be set together with value"))
	}
	sources := 0
	for _, set := range []bool{from.FieldRef != nil, from.ResourceFieldRef != nil, from.ConfigMapKeyRef != nil,
		from.SecretKeyRef != nil, from.FileKeyRef != nil} {
		if set {
			sources++
		}
	}
	if sources != 1 {
		c.own(field.Invalid(path, omitted, "must have exactly one source"))
	}
	const help = "both name and key are needed"
	if ref := from.ConfigMapKeyRef; ref != nil {
		c.checkObjectName(path.Child("configMapKeyRef", "name"), ref.Name, help)
		c.checkKey(path.Child("configMapKeyRef", "key"), ref.Key, help)
	}
	if ref := from.SecretKeyRef; ref != nil {
		c.checkObjectName(path.Child("secretKeyRef", "name"), ref.Name, help)
		c.checkKey(path.Child("secretKeyRef", "key"), ref.Key, help)
	}
	if ref := from.FieldRef; ref != nil && !podField(ref.FieldPath) {
		c.own(field.NotSupported(path.Child("fieldRef", "fieldPath"), shortened(ref.FieldPath), podFields))
	}
	if ref := from.ResourceFieldRef; ref != nil && !containerAmount(ref.Resource) {
		c.own(field.Invalid(path.Child("resourceFieldRef", "resource"), shortened(ref.Resource),
			"must be a request or limit of a container, such as limits.memory"))
	}
}

// podFields are the fields of a pod that a variable can have, apart from single
// labels and annotations.
var podFields = []string{"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
	"status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"}

func podField(path string) bool {
	for _, prefix := range []string{"metadata.labels['", "metadata.annotations['"} {
		if key, found := strings.CutPrefix(path, prefix); found {
			key, found = strings.CutSuffix(key, "']")
			return found && len(validation.IsQualifiedName(key)) == 0
		}
	}
	return sets.New(podFields...).Has(path)
}

func containerAmount(name string) bool {
	for _, prefix := range []string{"requests.", "limits."} {
		if resource, found := strings.CutPrefix(name, prefix); found {
			return containerResource(corev1.ResourceName(resource))
		}
	}
	return false
}

func (c *checks) checkPort(path *field.Path, port intstr.IntOrString) {
	if port.Type == intstr.Int {
		c.checkPortNumber(path, port.IntVal)
		return
	}
	c.checkWith(path, port.StrVal, validation.IsValidPortName)
}

func (c *checks) checkPortNumber(path *field.Path, port int32) {
	for _, message := range validation.IsValidPortNum(int(port)) {
		c.own(field.Invalid(path, port, fmt.Sprintf("a port %s", message)))
	}
}
