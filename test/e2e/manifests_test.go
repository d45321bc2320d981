package e2e

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/function-mesh/functionmesh-apiserver/pkg/config"
)

// TestManifests holds artifacts/ against a real kube-apiserver: dry-run first,
// then for real, in the order in which docs/install.md has it.
func TestManifests(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*manifestTimeout)
	defer cancel()
	c := startManifestCluster(ctx, t)
	base := c.render(ctx, t, "base")
	certManager := c.render(ctx, t, "cert-manager")

	t.Run("references", func(t *testing.T) { checkReferences(t, base) })
	t.Run("certificates", func(t *testing.T) { checkCertificates(t, base, certManager) })
	t.Run("configuration", func(t *testing.T) { checkConfiguration(t, base) })
	t.Run("flags", func(t *testing.T) { c.checkFlags(ctx, t, base) })
	t.Run("strict dry-run", func(t *testing.T) {
		c.installCertManagerCRDs(ctx, t)
		for _, namespace := range find(base, "Namespace") {
			if _, err := c.controlPlane.Client().CoreV1().Namespaces().Create(ctx, as[corev1.Namespace](t, namespace), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		mapper := c.restMapper(t)
		for _, objects := range [][]*unstructured.Unstructured{base, certManager} {
			for _, object := range objects {
				c.dryRun(ctx, t, mapper, object)
			}
		}
	})
	t.Run("script without the base", func(t *testing.T) { c.checkScriptNeedsBase(ctx, t) })
	c.kubectl(ctx, t, "apply", "-k", c.artifacts+"/base")
	t.Run("pods are admitted", func(t *testing.T) { c.checkPodsAdmitted(ctx, t, find(base, "Deployment")) })
	t.Run("rights", func(t *testing.T) { c.checkRights(ctx, t) })
	t.Run("script", func(t *testing.T) { c.checkScript(ctx, t) })
	t.Run("audit policy", func(t *testing.T) { c.checkAuditLog(t) })
}

// checkReferences checks what kube-apiserver doesn't: that names lead somewhere.
func checkReferences(t *testing.T, objects []*unstructured.Unstructured) {
	names := sets.New[string]()
	for _, object := range objects {
		names.Insert(object.GetKind() + "/" + object.GetName())
	}
	pods := map[string]corev1.PodTemplateSpec{}
	for _, object := range find(objects, "Deployment") {
		deployment := as[appsv1.Deployment](t, object)
		pods[deployment.Name] = deployment.Spec.Template
		if *deployment.Spec.Replicas < 2 {
			t.Errorf("Deployment %s has %d replicas", deployment.Name, *deployment.Spec.Replicas)
		}
		if account := "ServiceAccount/" + deployment.Spec.Template.Spec.ServiceAccountName; !names.Has(account) {
			t.Errorf("Deployment %s: there is no %s", deployment.Name, account)
		}
		for _, volume := range deployment.Spec.Template.Spec.Volumes {
			if volume.ConfigMap != nil && !names.Has("ConfigMap/"+volume.ConfigMap.Name) {
				t.Errorf("Deployment %s: there is no ConfigMap %s", deployment.Name, volume.ConfigMap.Name)
			}
		}
		checkContainers(t, deployment)
	}
	for _, object := range find(objects, "Service") {
		service := as[corev1.Service](t, object)
		pod, ok := pods[service.Name]
		if !ok || !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("Service %s doesn't select the pods of its Deployment", service.Name)
			continue
		}
		for _, port := range service.Spec.Ports {
			if !slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port.TargetPort.StrVal }) {
				t.Errorf("Service %s: no container has the port %s", service.Name, port.TargetPort.String())
			}
		}
	}
	for _, object := range find(objects, "PodDisruptionBudget") {
		budget := as[policyv1.PodDisruptionBudget](t, object)
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err != nil {
			t.Fatal(err)
		}
		if pod, ok := pods[budget.Name]; !ok || !selector.Matches(labels.Set(pod.Labels)) {
			t.Errorf("PodDisruptionBudget %s doesn't select the pods of its Deployment", budget.Name)
		}
	}
	for _, object := range find(objects, "ClusterRole") {
		for _, rule := range as[rbacv1.ClusterRole](t, object).Rules {
			if slices.Contains(slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs), "*") {
				t.Errorf("ClusterRole %s grants a wildcard", object.GetName())
			}
		}
	}
}

// uploads is the one folder that a container can write to.
const uploads = "/tmp"

// checkContainers checks that every file which a flag names lies in a volume, that
// the volume is mounted read-only, and that there are all probes.
func checkContainers(t *testing.T, deployment *appsv1.Deployment) {
	for _, container := range deployment.Spec.Template.Spec.Containers {
		if container.LivenessProbe == nil || container.ReadinessProbe == nil || container.StartupProbe == nil {
			t.Errorf("container %s lacks a probe", container.Name)
		}
		for _, mount := range container.VolumeMounts {
			if !mount.ReadOnly && mount.MountPath != uploads {
				t.Errorf("container %s can write to %s", container.Name, mount.MountPath)
			}
		}
		for _, arg := range container.Args {
			_, path, _ := strings.Cut(arg, "=")
			if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "/var/run/secrets/kubernetes.io/serviceaccount/") {
				continue
			}
			if !slices.ContainsFunc(container.VolumeMounts, func(mount corev1.VolumeMount) bool {
				return strings.HasPrefix(path, mount.MountPath+"/")
			}) {
				t.Errorf("container %s: no volume holds the file of %s", container.Name, arg)
			}
		}
	}
}

// mountedSecrets returns the Secrets that the Deployments mount.
func mountedSecrets(t *testing.T, objects []*unstructured.Unstructured) sets.Set[string] {
	secrets := sets.New[string]()
	for _, object := range find(objects, "Deployment") {
		for _, volume := range as[appsv1.Deployment](t, object).Spec.Template.Spec.Volumes {
			if volume.Secret != nil {
				secrets.Insert(volume.Secret.SecretName)
			}
		}
	}
	return secrets
}

// checkCertificates checks that cert-manager makes what the Deployments mount,
// from issuers that exist, and keeps the caBundle.
func checkCertificates(t *testing.T, base, certManager []*unstructured.Unstructured) {
	issuers := sets.New[string]()
	for _, issuer := range find(certManager, "Issuer") {
		issuers.Insert(issuer.GetName())
	}
	made := map[string]string{}
	for _, certificate := range find(certManager, "Certificate") {
		secret, _, _ := unstructured.NestedString(certificate.Object, "spec", "secretName")
		issuer, _, _ := unstructured.NestedString(certificate.Object, "spec", "issuerRef", "name")
		made[secret] = issuer
		if !issuers.Has(issuer) {
			t.Errorf("Certificate %s: there is no Issuer %q", certificate.GetName(), issuer)
		}
	}
	for secret := range mountedSecrets(t, base) {
		if _, ok := made[secret]; !ok {
			t.Errorf("no Certificate makes Secret %s", secret)
		}
	}
	if made["pulsar-admin-shim-front-proxy"] == made["functionmesh-apiserver-serving"] {
		t.Error("one authority signs serving certificates and those that may speak for others")
	}
	apiService := find(certManager, "APIService")[0]
	if from := apiService.GetAnnotations()["cert-manager.io/inject-ca-from"]; from != systemNamespace+"/functionmesh-apiserver-serving" {
		t.Errorf("the caBundle comes from %q", from)
	}
}

// checkConfiguration checks the configuration file as functionmesh-apiserver does.
func checkConfiguration(t *testing.T, objects []*unstructured.Unstructured) {
	for _, object := range find(objects, "ConfigMap") {
		if _, err := config.Parse([]byte(as[corev1.ConfigMap](t, object).Data["config.yaml"])); err != nil {
			t.Error(err)
		}
	}
}

// checkFlags checks that the programs know the flags which containers give them: a
// flag that is not known, or has a wrong value, wins over the help.
func (c *manifestCluster) checkFlags(ctx context.Context, t *testing.T, objects []*unstructured.Unstructured) {
	for _, object := range find(objects, "Deployment") {
		container := as[appsv1.Deployment](t, object).Spec.Template.Spec.Containers[0]
		program := filepath.Join(filepath.Dir(c.kubectlPath), container.Name)
		if output, err := c.command(ctx, program, append(container.Args, "--help")...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %.500s", container.Name, err, output)
		}
	}
}

// checkPodsAdmitted waits until ReplicaSets have created all pods: the namespace
// admits none that breaks the restricted pod security standard.
func (c *manifestCluster) checkPodsAdmitted(ctx context.Context, t *testing.T, deployments []*unstructured.Unstructured) {
	for _, deployment := range deployments {
		waitFor(ctx, t, "the pods of "+deployment.GetName(), func(ctx context.Context) (bool, error) {
			current, err := c.controlPlane.Client().AppsV1().Deployments(deployment.GetNamespace()).Get(ctx, deployment.GetName(), metav1.GetOptions{})
			return err == nil && current.Status.Replicas == *current.Spec.Replicas, err
		})
	}
}

const allVerbs = "get list watch create update patch delete deletecollection"

// checkRights asks the authorizer about every verb, so that a right too many is
// found as well as a missing one.
func (c *manifestCluster) checkRights(ctx context.Context, t *testing.T) {
	for role, user := range map[string]string{
		"functionmesh-pulsar-author": "author", "functionmesh-pulsar-viewer": "viewer", "view": "view", "edit": "edit", "admin": "admin",
	} {
		c.kubectl(ctx, t, "create", "rolebinding", user, "--namespace=default", "--clusterrole="+role, "--user="+user)
	}
	const server, shim = "system:serviceaccount:functionmesh-system:functionmesh-apiserver", "system:serviceaccount:functionmesh-system:pulsar-admin-shim"
	cases := []struct{ user, group, resource, verbs string }{
		{server, "compute.functionmesh.io", "functions", "get list watch create update patch delete"},
		{server, "compute.functionmesh.io", "sources", "get list watch create update patch delete"},
		{server, "compute.functionmesh.io", "sinks", "get list watch create update patch delete"},
		{server, "admin.functionmesh.io", "pulsarfunctions", ""},
		{server, "apiextensions.k8s.io", "customresourcedefinitions", ""},
		{server, "admin.functionmesh.io", "pulsarconnectors", ""},
		{server, "", "configmaps", "create"},
		{server, "", "namespaces", "get list watch"},
		{server, "", "secrets", ""},
		{server, "", "pods", "list watch delete"},
		{server, "apps", "statefulsets", "get list watch"},
		{server, "autoscaling", "horizontalpodautoscalers", "list watch delete"},
		{server, "", "events", "create patch"},
		{server, "coordination.k8s.io", "functionmesh-system/leases", "create"},
		{server, "coordination.k8s.io", "leases", ""},
		{server, "flowcontrol.apiserver.k8s.io", "flowschemas", "get list watch"},
		{server, "admissionregistration.k8s.io", "mutatingadmissionpolicybindings", "get list watch"},
		{server, "authorization.k8s.io", "subjectaccessreviews", "create"},
		{server, "authentication.k8s.io", "tokenreviews", "create"},
		{shim, "admin.functionmesh.io", "pulsarfunctions", "list watch"},
		{shim, "admin.functionmesh.io", "pulsarsinks", "list watch"},
		{shim, "admin.functionmesh.io", "pulsarsources", "list watch"},
		{shim, "admin.functionmesh.io", "pulsarworkers", ""},
		{shim, "discovery.k8s.io", "functionmesh-system/endpointslices", "list"},
		{shim, "discovery.k8s.io", "endpointslices", ""},
		{shim, "coordination.k8s.io", "functionmesh-system/leases", ""},
		{shim, "admin.functionmesh.io", "kube-system/pulsarfunctions", "list watch"},
		{shim, "", "namespaces", "list watch"},
		{shim, "compute.functionmesh.io", "functions", ""},
		{shim, "", "secrets", ""},
		{shim, "", "configmaps", ""},
		{"author", "admin.functionmesh.io", "pulsarfunctions", allVerbs},
		{"author", "compute.functionmesh.io", "functions", ""},
		{"author", "admin.functionmesh.io", "pulsarsinks", allVerbs},
		{"author", "admin.functionmesh.io", "pulsarsources", allVerbs},
		{"author", "admin.functionmesh.io", "pulsarworkers", ""},
		{"viewer", "admin.functionmesh.io", "pulsarfunctions", "get list watch"},
		{"viewer", "admin.functionmesh.io", "pulsarsinks", "get list watch"},
		{"viewer", "admin.functionmesh.io", "pulsarsources", "get list watch"},
		{"view", "admin.functionmesh.io", "pulsarfunctions", "get list watch"},
		{"edit", "admin.functionmesh.io", "pulsarfunctions", allVerbs},
		{"admin", "admin.functionmesh.io", "pulsarfunctions", allVerbs},
		{"stranger", "admin.functionmesh.io", "pulsarfunctions", ""},
	}
	for _, test := range cases {
		want := sets.New(strings.Fields(test.verbs)...)
		// Roles are aggregated, and the authorizer learns of them, a moment later.
		waitFor(ctx, t, test.user+" to have "+test.verbs+" on "+test.resource, func(ctx context.Context) (bool, error) {
			got, err := c.allowedVerbs(ctx, test.user, test.group, test.resource)
			return err == nil && got.IsSuperset(want), err
		})
		got, err := c.allowedVerbs(ctx, test.user, test.group, test.resource)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(want) {
			t.Errorf("%s may %v %s, not only %v", test.user, sets.List(got), test.resource, sets.List(want))
		}
	}
}

// allowedVerbs returns what a user may do with a resource in the namespace that is
// written before it, else in default.
func (c *manifestCluster) allowedVerbs(ctx context.Context, user, group, resource string) (sets.Set[string], error) {
	namespace, name, ok := strings.Cut(resource, "/")
	if !ok {
		namespace, name = metav1.NamespaceDefault, resource
	}
	allowed := sets.New[string]()
	for _, verb := range strings.Fields(allVerbs) {
		review, err := c.controlPlane.Client().AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{
				User:               user,
				ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: verb, Group: group, Resource: name},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return nil, err
		}
		if review.Status.Allowed {
			allowed.Insert(verb)
		}
	}
	return allowed, nil
}

// checkAuditLog reads what kube-apiserver recorded by the policy of artifacts/.
func (c *manifestCluster) checkAuditLog(t *testing.T) {
	data, err := os.ReadFile(c.controlPlane.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	log := string(data)
	for text, want := range maps.All(map[string]bool{
		`"resource":"subjectaccessreviews"`:           true,
		`"requestURI":"/readyz`:                       false,
		`"requestURI":"/apis"`:                        false,
		`"requestObject"`:                             false,
		`"stage":"RequestReceived"`:                   false,
		`"name":"functionmesh-apiserver-serving"`:     true,
		`"requestURI":"/apis/authorization.k8s.io/v1`: true,
	}) {
		if strings.Contains(log, text) != want {
			t.Errorf("that the audit log contains %s is %t", text, !want)
		}
	}
}
