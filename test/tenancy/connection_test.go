package tenancy

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// TestConnections has somebody who may do everything in a namespace say how functions
// there reach Pulsar, before the server does and afterwards.
func TestConnections(t *testing.T) {
	const ofOurs, ofAnother = "dev-function-mesh-config", "other-function-mesh-config"
	home := newNamespace(t, "connections", "connections/*")
	newClient := func(c *caller) typedcorev1.ConfigMapInterface {
		return must[*kubernetes.Clientset](t)(kubernetes.NewForConfig(c.config)).CoreV1().ConfigMaps(home)
	}
	all := clusterRole(t, rbacv1.PolicyRule{APIGroups: []string{"*"}, Resources: []string{"*"}, Verbs: []string{"*"}})
	owner := newClient(newCaller(t, home, "owner").bind(t, all))
	platform := newClient(newCaller(t, home, "platform").bind(t, all).bindEverywhere(t, clusterRole(t, rbacv1.PolicyRule{
		APIGroups: []string{"admin.functionmesh.io"}, Resources: []string{"pulsarclusters"}, ResourceNames: []string{"dev"}, Verbs: []string{"connect"},
	})))
	configMap := func(name string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"brokerServiceURL": "pulsar://mallory:6650"}}
	}
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	for who, client := range map[string]typedcorev1.ConfigMapInterface{"owner": owner, "platform": platform} {
		eventually(t, "the rights of the "+who, func() error {
			_, err := client.Create(t.Context(), configMap("anything"), dryRun)
			return err
		})
	}
	refused := func(what string, err error) {
		t.Helper()
		if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "needs the verb connect on pulsarclusters.admin.functionmesh.io") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	eventually(t, "the policy to be in force", func() error {
		if _, err := owner.Create(t.Context(), configMap(ofOurs), dryRun); err == nil {
			return errNotYet
		}
		return nil
	})
	_, err := owner.Create(t.Context(), configMap(ofOurs), metav1.CreateOptions{})
	refused("before there is one", err)
	_, err = platform.Create(t.Context(), configMap(ofAnother), dryRun)
	refused("another cluster's", err)
	eventually(t, "the platform's right to connect", func() error {
		_, err := platform.Create(t.Context(), configMap(ofOurs), dryRun)
		return err
	})

	// The server makes its own, as the one that runs with nothing but its own rights.
	must[*unstructured.Unstructured](t)(env.Dynamic().Resource(views).Namespace(home).Create(t.Context(),
		function(t, "echo", "tenant: connections, namespace: x,"), metav1.CreateOptions{}))
	made := must[*corev1.ConfigMap](t)(owner.Get(t.Context(), ofOurs, metav1.GetOptions{}))
	for what, patch := range map[string]string{
		"its data":        `{"data":{"brokerServiceURL":"pulsar://mallory:6650"}}`,
		"no data":         `{"data":null}`,
		"its binary data": `{"binaryData":{"x":"eA=="}}`,
	} {
		_, err := owner.Patch(t.Context(), ofOurs, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		refused(what, err)
	}
	if _, err := owner.Patch(t.Context(), ofOurs, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}); err != nil {
		t.Errorf("its labels are nobody's business: %v", err)
	}
	if _, err := platform.Patch(t.Context(), ofOurs, types.MergePatchType, []byte(`{"data":{"webServiceURL":"http://elsewhere:8080"}}`), metav1.PatchOptions{}); err != nil {
		t.Errorf("who may connect: %v", err)
	}
	if made.Data["brokerServiceURL"] == "" {
		t.Errorf("the server's ConfigMap has %v", made.Data)
	}
	if err := owner.Delete(t.Context(), ofOurs, metav1.DeleteOptions{}); err != nil {
		t.Errorf("it can't be deleted: %v", err)
	}
}
