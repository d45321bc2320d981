package validation

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// withPod returns a function whose pods are made like this.
func withPod(pod v1alpha1.Pod, changes ...change) v1alpha1.Component {
	return made(append(changes, spec(func(s *v1alpha1.PulsarFunctionSpec) { s.Pod = &pod }))...)
}

func sidecar(change func(*corev1.Container)) v1alpha1.Component {
	container := corev1.Container{Name: "proxy", Image: "example.com/proxy:1"}
	change(&container)
	return withPod(v1alpha1.Pod{Sidecars: []corev1.Container{container}})
}

func variable(variable corev1.EnvVar) v1alpha1.Component {
	return withPod(v1alpha1.Pod{Env: []corev1.EnvVar{variable}})
}

func from(source corev1.EnvVarSource) v1alpha1.Component {
	return variable(corev1.EnvVar{Name: "A", ValueFrom: &source})
}

func TestPodRules(t *testing.T) {
	secure := func(security corev1.PodSecurityContext) v1alpha1.Component {
		return withPod(v1alpha1.Pod{SecurityContext: &security})
	}
	labelled := func(key, value string) v1alpha1.Component {
		return withPod(v1alpha1.Pod{Labels: map[string]string{key: value}})
	}
	const path, byLabel = "spec.pod.", "selects pods by this label"
	checkRefusals(t, map[string]refusal{
		"image":             {withPod(v1alpha1.Pod{Image: "a b"}), path + "image", "name of an image"},
		"downloader image":  {withPod(v1alpha1.Pod{DownloaderImage: "$(id)"}), path + "downloaderImage", "name of an image"},
		"cleanup image":     {withPod(v1alpha1.Pod{CleanupImage: "-x"}), path + "cleanupImage", "name of an image"},
		"filebeat image":    {withPod(v1alpha1.Pod{FilebeatImage: "a\n"}), path + "filebeatImage", "name of an image"},
		"long image":        {withPod(v1alpha1.Pod{Image: strings.Repeat("a", maxTextBytes+1)}), path + "image", "name of an image"},
		"pull policy":       {withPod(v1alpha1.Pod{ImagePullPolicy: "Sometimes"}), path + "imagePullPolicy", `"Always", "IfNotPresent", "Never"`},
		"pull secret":       {withPod(v1alpha1.Pod{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "A"}}}), path + "imagePullSecrets[0].name", "RFC 1123"},
		"no pull secret":    {withPod(v1alpha1.Pod{ImagePullSecrets: []corev1.LocalObjectReference{{}}}), path + "imagePullSecrets[0].name", "is needed"},
		"pull secret twice": {withPod(v1alpha1.Pod{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "a"}, {Name: "a"}}}), path + "imagePullSecrets[1].name", "Duplicate"},

		"label key":               {labelled("a b", ""), path + "labels", "name part must consist"},
		"label value":             {labelled("a", "b c"), path + "labels", "a valid label"},
		"label app":               {labelled("app", "x"), path + "labels[app]", byLabel},
		"label component":         {labelled("component", "x"), path + "labels[component]", byLabel},
		"label name":              {labelled("name", "x"), path + "labels[name]", byLabel},
		"label namespace":         {labelled("namespace", "x"), path + "labels[namespace]", byLabel},
		"label of Kubernetes":     {labelled("app.kubernetes.io/name", "x"), path + "labels[app.kubernetes.io/name]", byLabel},
		"instance of Kubernetes":  {labelled("app.kubernetes.io/instance", "x"), path + "labels[app.kubernetes.io/instance]", byLabel},
		"label of Function Mesh":  {labelled("compute.functionmesh.io/x", "x"), path + "labels[compute.functionmesh.io/x]", byLabel},
		"label of the server":     {labelled("admin.functionmesh.io/x", "x"), path + "labels[admin.functionmesh.io/x]", byLabel},
		"annotation":              {withPod(v1alpha1.Pod{Annotations: map[string]string{"a b": ""}}), path + "annotations", "name part must consist"},
		"service account":         {withPod(v1alpha1.Pod{ServiceAccountName: "A"}), path + "serviceAccountName", "RFC 1123"},
		"grace period":            {withPod(v1alpha1.Pod{TerminationGracePeriodSeconds: ptr(int64(-1))}), path + "terminationGracePeriodSeconds", "negative"},
		"user":                    {secure(corev1.PodSecurityContext{RunAsUser: ptr(int64(-1))}), path + "securityContext.runAsUser", "between"},
		"group":                   {secure(corev1.PodSecurityContext{RunAsGroup: ptr(int64(-1))}), path + "securityContext.runAsGroup", "between"},
		"group of files":          {secure(corev1.PodSecurityContext{FSGroup: ptr(int64(-1))}), path + "securityContext.fsGroup", "between"},
		"more groups":             {secure(corev1.PodSecurityContext{SupplementalGroups: []int64{1, -1}}), path + "securityContext.supplementalGroups[1]", "between"},
		"change of groups":        {secure(corev1.PodSecurityContext{FSGroupChangePolicy: ptr(corev1.PodFSGroupChangePolicy("x"))}), path + "securityContext.fsGroupChangePolicy", "supported values"},
		"seccomp":                 {secure(corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: "x"}}), path + "securityContext.seccompProfile.type", "supported values"},
		"seccomp without profile": {secure(corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: "Localhost"}}), path + "securityContext.seccompProfile.localhostProfile", "must be set"},

		"no variable":           {variable(corev1.EnvVar{}), path + "env[0].name", "needs a name"},
		"variable":              {variable(corev1.EnvVar{Name: "a=b"}), path + "env[0].name", "environment variable"},
		"variable of Pulsar":    {variable(corev1.EnvVar{Name: "brokerServiceURL", Value: "pulsar://evil"}), path + "env[0].name", "Function Mesh uses this"},
		"variable of the shell": {variable(corev1.EnvVar{Name: "SHARD_ID", Value: "$(id)"}), path + "env[0].name", "Function Mesh uses this"},
		"variable twice":        {withPod(v1alpha1.Pod{Env: []corev1.EnvVar{{Name: "A"}, {Name: "A"}}}), path + "env[1].name", "Duplicate"},
		"variable of a secret":  {withPod(v1alpha1.Pod{Env: []corev1.EnvVar{{Name: "A"}}}, secret("A", "s", "k")), path + "env[0].name", "Duplicate"},
		"two values": {variable(corev1.EnvVar{Name: "A", Value: "x", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}), path + "env[0].valueFrom", "together with value"},
		"no source":    {from(corev1.EnvVarSource{}), path + "env[0].valueFrom", "exactly one source"},
		"secret":       {from(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "x"}}), path + "env[0].valueFrom.secretKeyRef.name", "both name and key"},
		"secret key":   {from(corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "a"}, Key: "a/b"}}), path + "env[0].valueFrom.secretKeyRef.key", "config key"},
		"ConfigMap":    {from(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{Key: "x"}}), path + "env[0].valueFrom.configMapKeyRef.name", "both name and key"},
		"ConfigMapKey": {from(corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "a"}}}), path + "env[0].valueFrom.configMapKeyRef.key", "both name and key"},
		"pod field":    {from(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.containers"}}), path + "env[0].valueFrom.fieldRef.fieldPath", "supported values"},
		"pod label":    {from(corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['a b']"}}), path + "env[0].valueFrom.fieldRef.fieldPath", "supported values"},
		"amount":       {from(corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "cpu"}}), path + "env[0].valueFrom.resourceFieldRef.resource", "limits.memory"},

		"liveness period":    {withPod(v1alpha1.Pod{Liveness: &v1alpha1.Liveness{PeriodSeconds: -1}}), path + "liveness.periodSeconds", "negative"},
		"liveness delay":     {withPod(v1alpha1.Pod{Liveness: &v1alpha1.Liveness{InitialDelaySeconds: -1}}), path + "liveness.initialDelaySeconds", "negative"},
		"liveness failures":  {withPod(v1alpha1.Pod{Liveness: &v1alpha1.Liveness{FailureThreshold: -1}}), path + "liveness.failureThreshold", "negative"},
		"liveness successes": {withPod(v1alpha1.Pod{Liveness: &v1alpha1.Liveness{SuccessThreshold: 2}}), path + "liveness.successThreshold", "must be 1"},
		"probe of nothing":   {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{}}), path + "startupProbe", "exactly one of"},
		"probe timeout":      {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{TimeoutSeconds: -1}}), path + "startupProbe.timeoutSeconds", "negative"},
		"probe command":      {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}}}), path + "startupProbe.exec.command", "is needed"},
		"probe port":         {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{}}}}), path + "startupProbe.httpGet.port", "between 1 and 65535"},
		"probe port name":    {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("A b")}}}}), path + "startupProbe.tcpSocket.port", "must contain only"},
		"probe grpc":         {withPod(v1alpha1.Pod{StartupProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 70000}}}}), path + "startupProbe.grpc.port", "between 1 and 65535"},
	})
}

func TestContainerRules(t *testing.T) {
	const path = "spec.pod.sidecars[0]."
	refusals := map[string]refusal{
		"no name":     {sidecar(func(c *corev1.Container) { c.Name = "" }), path + "name", "needs a name"},
		"name":        {sidecar(func(c *corev1.Container) { c.Name = "A" }), path + "name", "RFC 1123"},
		"no image":    {sidecar(func(c *corev1.Container) { c.Image = "" }), path + "image", "needs an image"},
		"image":       {sidecar(func(c *corev1.Container) { c.Image = "a b" }), path + "image", "name of an image"},
		"pull policy": {sidecar(func(c *corev1.Container) { c.ImagePullPolicy = "x" }), path + "imagePullPolicy", "supported values"},
		"variable":    {sidecar(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "a b"}} }), path + "env[0].name", "environment variable"},
		"source":      {sidecar(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{}}} }), path + "env[0].valueFrom", "exactly one source"},
		"no env":      {sidecar(func(c *corev1.Container) { c.EnvFrom = []corev1.EnvFromSource{{}} }), path + "envFrom[0]", "exactly one of"},
		"env secret":  {sidecar(func(c *corev1.Container) { c.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{}}} }), path + "envFrom[0].secretRef.name", "is needed"},
		"env map": {sidecar(func(c *corev1.Container) {
			c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{}}}
		}), path + "envFrom[0].configMapRef.name", "is needed"},
		"resource": {sidecar(func(c *corev1.Container) {
			c.Resources.Requests = corev1.ResourceList{"storage": resource.MustParse("1")}
		}), path + "resources.requests[storage]", "supported values"},
		"negative cpu": {sidecar(func(c *corev1.Container) { c.Resources.Limits = amounts("-1", "") }), path + "resources.limits[cpu]", "negative"},
		"above limit": {sidecar(func(c *corev1.Container) {
			c.Resources.Requests, c.Resources.Limits = amounts("2", ""), amounts("1", "")
		}), path + "resources.requests[cpu]", "may not be more than the limit"},
		"port":          {sidecar(func(c *corev1.Container) { c.Ports = []corev1.ContainerPort{{}} }), path + "ports[0].containerPort", "between 1 and 65535"},
		"port name":     {sidecar(func(c *corev1.Container) { c.Ports = []corev1.ContainerPort{{Name: "A", ContainerPort: 1}} }), path + "ports[0].name", "must contain only"},
		"port protocol": {sidecar(func(c *corev1.Container) { c.Ports = []corev1.ContainerPort{{Protocol: "ICMP", ContainerPort: 1}} }), path + "ports[0].protocol", "supported values"},
		"port twice": {sidecar(func(c *corev1.Container) {
			c.Ports = []corev1.ContainerPort{{Name: "a", ContainerPort: 1}, {Name: "a", ContainerPort: 2}}
		}), path + "ports[1].name", "Duplicate"},
		"liveness":      {sidecar(func(c *corev1.Container) { c.LivenessProbe = &corev1.Probe{} }), path + "livenessProbe", "exactly one of"},
		"startup":       {sidecar(func(c *corev1.Container) { c.StartupProbe = &corev1.Probe{} }), path + "startupProbe", "exactly one of"},
		"unknown mount": {sidecar(func(c *corev1.Container) { c.VolumeMounts = []corev1.VolumeMount{{Name: "x", MountPath: "/x"}} }), path + "volumeMounts[0].name", "Not found"},
		"twice": {withPod(v1alpha1.Pod{
			InitContainers: []corev1.Container{{Name: "x", Image: "y"}}, Sidecars: []corev1.Container{{Name: "x", Image: "y"}},
		}), path + "name", "Duplicate"},
		"init container": {withPod(v1alpha1.Pod{InitContainers: []corev1.Container{{Name: "x"}}}), "spec.pod.initContainers[0].image", "needs an image"},
	}
	for _, name := range []string{"pulsar-function", "pulsar-sink", "pulsar-source", "filebeat", "downloader", "cleanup"} {
		refusals["named "+name] = refusal{sidecar(func(c *corev1.Container) { c.Name = name }), path + "name", "has a container of this name"}
	}
	checkRefusals(t, refusals)
}

func affinity(labels map[string]string) *corev1.Affinity {
	return &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
		{TopologyKey: "zone", LabelSelector: &metav1.LabelSelector{MatchLabels: labels}},
	}}}
}

func TestSchedulingRules(t *testing.T) {
	tolerates := func(toleration corev1.Toleration) v1alpha1.Component {
		return withPod(v1alpha1.Pod{Tolerations: []corev1.Toleration{toleration}})
	}
	nodes := func(term corev1.NodeSelectorTerm) v1alpha1.Component {
		return withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}},
		}}})
	}
	node := func(key string, operator corev1.NodeSelectorOperator, values ...string) v1alpha1.Component {
		return nodes(corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: operator, Values: values}}})
	}
	pods := func(term corev1.PodAffinityTerm) v1alpha1.Component {
		return withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term},
		}}})
	}
	const (
		tolerations = "spec.pod.tolerations[0]."
		terms       = "spec.pod.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
		expression  = terms + "[0].matchExpressions[0]."
		anti        = "spec.pod.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]."
		bad         = "a b"
	)
	checkRefusals(t, map[string]refusal{
		"node selector":       {withPod(v1alpha1.Pod{NodeSelector: map[string]string{bad: ""}}), "spec.pod.nodeSelector", "name part must consist"},
		"toleration operator": {tolerates(corev1.Toleration{Key: "a", Operator: "In"}), tolerations + "operator", `"Equal", "Exists"`},
		"toleration effect":   {tolerates(corev1.Toleration{Key: "a", Effect: "No"}), tolerations + "effect", "supported values"},
		"toleration key":      {tolerates(corev1.Toleration{Key: bad}), tolerations + "key", "name part must consist"},
		"toleration of all":   {tolerates(corev1.Toleration{Operator: "Equal"}), tolerations + "operator", "must be Exists without a key"},
		"toleration exists":   {tolerates(corev1.Toleration{Key: "a", Operator: "Exists", Value: "b"}), tolerations + "value", "must be empty for Exists"},
		"toleration value":    {tolerates(corev1.Toleration{Key: "a", Value: bad}), tolerations + "value", "a valid label"},
		"toleration seconds":  {tolerates(corev1.Toleration{Key: "a", TolerationSeconds: ptr(int64(1))}), tolerations + "effect", "must be NoExecute"},

		"no term":       {withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{}}}}), terms, "at least one term"},
		"node key":      {node(bad, corev1.NodeSelectorOpExists), expression + "key", "name part must consist"},
		"node operator": {node("a", "Is"), expression + "operator", "supported values"},
		"node values":   {node("a", corev1.NodeSelectorOpIn), expression + "values", "must hold values"},
		"node exists":   {node("a", corev1.NodeSelectorOpExists, "b"), expression + "values", "may not be set"},
		"node numbers":  {node("a", corev1.NodeSelectorOpGt, "1", "2"), expression + "values", "one number"},
		"node number":   {node("a", corev1.NodeSelectorOpLt, "x"), expression + "values[0]", "whole number"},
		"node field":    {nodes(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "spec.x", Operator: "In", Values: []string{"a"}}}}), terms + "[0].matchFields[0].key", `"metadata.name"`},
		"node name":     {nodes(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: "In"}}}), terms + "[0].matchFields[0]", "In or NotIn of one name"},
		"node weight": {withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 101}},
		}}}), "spec.pod.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight", "between 1 and 100"},

		"no topology": {pods(corev1.PodAffinityTerm{}), anti + "topologyKey", "is needed"},
		"topology":    {pods(corev1.PodAffinityTerm{TopologyKey: bad}), anti + "topologyKey", "name part must consist"},
		"namespace":   {pods(corev1.PodAffinityTerm{TopologyKey: "a", Namespaces: []string{"A"}}), anti + "namespaces[0]", "RFC 1123"},
		"namespaces": {pods(corev1.PodAffinityTerm{TopologyKey: "a", NamespaceSelector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Is"}}}}), anti + "namespaceSelector.matchExpressions[0].operator", "not a valid selector operator"},
		"pod labels": {withPod(v1alpha1.Pod{Affinity: affinity(map[string]string{bad: ""})}),
			"spec.pod.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchLabels", "name part must consist"},
		"wanted pods": {withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 1}},
		}}}), "spec.pod.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey", "is needed"},
		"wanted node": {withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 1, Preference: corev1.NodeSelectorTerm{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "a", Operator: "Is"}}}}},
		}}}), "spec.pod.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].operator", "supported values"},
		"pod weight": {withPod(v1alpha1.Pod{Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{PodAffinityTerm: corev1.PodAffinityTerm{TopologyKey: "a"}}},
		}}}), "spec.pod.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight", "between 1 and 100"},
	})
}
