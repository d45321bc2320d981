package validation

import (
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// What Kubernetes refuses in a pod's template, the operator tries again for ever,
// and nobody hears of it. So the rules of Kubernetes for what an author can write
// are checked here, as far as they are simple.

// selectorLabels are the labels by which Function Mesh selects the pods of a
// component, apart from those of its own group. Other values for them would tear
// the pods from their StatefulSet.
var selectorLabels = sets.New("app", "component", "name", "namespace",
	"app.kubernetes.io/name", "app.kubernetes.io/instance")

// reservedLabelPrefixes begin labels of pods that Function Mesh and this server
// select by.
var reservedLabelPrefixes = []string{"compute.functionmesh.io/", reservedPrefix}

// imageName leaves out what no image's name has.
var imageName = regexp.MustCompile(`\A[A-Za-z0-9][-\w./:@]*\z`)

var pullPolicies = []corev1.PullPolicy{corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever}

// checkPod checks how the pods are made.
func (c *checks) checkPod() {
	pod, path := c.pod(), c.child("pod")
	for _, image := range []struct{ member, name string }{
		{"image", pod.Image},
		{"downloaderImage", pod.DownloaderImage},
		{"cleanupImage", pod.CleanupImage},
		{"filebeatImage", pod.FilebeatImage},
	} {
		c.checkImage(path.Child(image.member), image.name)
	}
	checkEnum(c, path.Child("imagePullPolicy"), pod.ImagePullPolicy, pullPolicies)
	names := map[string]bool{}
	for i, secret := range pod.ImagePullSecrets {
		path := path.Child("imagePullSecrets").Index(i).Child("name")
		c.checkObjectName(path, secret.Name, "the name of a Secret is needed")
		c.checkUnique(path, secret.Name, names)
	}
	c.ownAll(metav1validation.ValidateLabels(pod.Labels, path.Child("labels")))
	for _, key := range sortedKeys(pod.Labels) {
		hasPrefix := func(prefix string) bool { return strings.HasPrefix(key, prefix) }
		if selectorLabels.Has(key) || slices.ContainsFunc(reservedLabelPrefixes, hasPrefix) {
			c.ownOf(field.Forbidden(path.Child("labels").Key(key), "Function Mesh selects pods by this label"), pod.Labels[key])
		}
	}
	c.ownAll(apivalidation.ValidateAnnotations(pod.Annotations, path.Child("annotations")))
	if pod.ServiceAccountName != "" {
		c.checkWith(path.Child("serviceAccountName"), pod.ServiceAccountName, validation.IsDNS1123Subdomain)
	}
	checkNotNegative(c, path.Child("terminationGracePeriodSeconds"), pod.TerminationGracePeriodSeconds)
	c.checkSecurityContext(path.Child("securityContext"), pod.SecurityContext)
	c.checkEnvironment(path.Child("env"), pod.Env, c.spec.Secrets)
	c.checkContainers(path, pod)
	c.checkLiveness(path.Child("liveness"), pod.Liveness)
	c.checkProbe(path.Child("startupProbe"), pod.StartupProbe)
	c.checkScheduling(path, pod)
}

func (c *checks) checkImage(path *field.Path, name string) {
	if name != "" && (!imageName.MatchString(name) || len(name) > maxTextBytes) {
		c.ownOf(field.Invalid(path, shortened(name), "must be the name of an image"), name)
	}
}

// checkUnique checks that a name is not among those before it.
func (c *checks) checkUnique(path *field.Path, name string, names map[string]bool) {
	if name != "" && names[name] {
		c.own(field.Duplicate(path, shortened(name)))
	}
	names[name] = true
}

func (c *checks) checkSecurityContext(path *field.Path, security *corev1.PodSecurityContext) {
	if security == nil {
		return
	}
	checkID := func(path *field.Path, id int64, check func(int64) []string) {
		for _, message := range check(id) {
			c.own(field.Invalid(path, id, message))
		}
	}
	if security.RunAsUser != nil {
		checkID(path.Child("runAsUser"), *security.RunAsUser, validation.IsValidUserID)
	}
	if security.RunAsGroup != nil {
		checkID(path.Child("runAsGroup"), *security.RunAsGroup, validation.IsValidGroupID)
	}
	if security.FSGroup != nil {
		checkID(path.Child("fsGroup"), *security.FSGroup, validation.IsValidGroupID)
	}
	for i, group := range security.SupplementalGroups {
		checkID(path.Child("supplementalGroups").Index(i), group, validation.IsValidGroupID)
	}
	checkEnumPointer(c, path.Child("fsGroupChangePolicy"), security.FSGroupChangePolicy,
		[]corev1.PodFSGroupChangePolicy{corev1.FSGroupChangeAlways, corev1.FSGroupChangeOnRootMismatch})
	if profile, path := security.SeccompProfile, path.Child("seccompProfile"); profile != nil {
		checkEnumPointer(c, path.Child("type"), &profile.Type, []corev1.SeccompProfileType{
			corev1.SeccompProfileTypeLocalhost, corev1.SeccompProfileTypeRuntimeDefault, corev1.SeccompProfileTypeUnconfined,
		})
		if local := profile.Type == corev1.SeccompProfileTypeLocalhost; local != (profile.LocalhostProfile != nil) {
			c.own(field.Invalid(path.Child("localhostProfile"), omitted, "must be set for type Localhost, and for no other"))
		}
	}
}

// checkLiveness checks what becomes a probe. Function Mesh passes the numbers on.
func (c *checks) checkLiveness(path *field.Path, liveness *v1alpha1.Liveness) {
	if liveness == nil {
		return
	}
	c.checkProbeNumbers(path, map[string]int32{
		"periodSeconds":       liveness.PeriodSeconds,
		"initialDelaySeconds": liveness.InitialDelaySeconds,
		"failureThreshold":    liveness.FailureThreshold,
	}, liveness.SuccessThreshold)
}

// checkProbe checks a probe after whose failure a container is restarted.
func (c *checks) checkProbe(path *field.Path, probe *corev1.Probe) {
	if probe == nil {
		return
	}
	c.checkProbeNumbers(path, map[string]int32{
		"periodSeconds":       probe.PeriodSeconds,
		"initialDelaySeconds": probe.InitialDelaySeconds,
		"failureThreshold":    probe.FailureThreshold,
		"timeoutSeconds":      probe.TimeoutSeconds,
	}, probe.SuccessThreshold)
	handlers := 0
	for _, set := range []bool{probe.Exec != nil, probe.HTTPGet != nil, probe.TCPSocket != nil, probe.GRPC != nil} {
		if set {
			handlers++
		}
	}
	if handlers != 1 {
		c.own(field.Invalid(path, omitted, "must have exactly one of exec, httpGet, tcpSocket and grpc"))
	}
	if probe.Exec != nil && len(probe.Exec.Command) == 0 {
		c.own(field.Required(path.Child("exec", "command"), "a command is needed"))
	}
	if probe.HTTPGet != nil {
		c.checkPort(path.Child("httpGet", "port"), probe.HTTPGet.Port)
	}
	if probe.TCPSocket != nil {
		c.checkPort(path.Child("tcpSocket", "port"), probe.TCPSocket.Port)
	}
	if probe.GRPC != nil {
		c.checkPortNumber(path.Child("grpc", "port"), probe.GRPC.Port)
	}
}

func (c *checks) checkProbeNumbers(path *field.Path, numbers map[string]int32, successThreshold int32) {
	for _, member := range sortedKeys(numbers) {
		value := numbers[member]
		checkNotNegative(c, path.Child(member), &value)
	}
	if successThreshold != 0 && successThreshold != 1 {
		c.own(field.Invalid(path.Child("successThreshold"), successThreshold, "must be 1, for Kubernetes takes no other here"))
	}
}
