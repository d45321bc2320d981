// Package connection gives each namespace the ConfigMap that tells functions in it
// how to reach their Pulsar cluster. A custom resource can only name such a
// ConfigMap; the operator waits in silence for one that isn't there.
package connection

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
)

// The keys that the operator reads, in exactly this case.
const (
	webServiceURLKey = "webServiceURL"
	serviceURLKey    = "brokerServiceURL"
)

// retryAfterSeconds is what a caller is told to wait when kube-apiserver is away.
const retryAfterSeconds = 1

// ConfigMaps creates the ConfigMaps of Pulsar clusters.
type ConfigMaps struct {
	client   kubernetes.Interface
	clusters map[string]configv1alpha1.PulsarCluster
	nameOf   func(cluster string) string
}

// NewConfigMaps returns what creates the ConfigMaps of clusters through client.
// nameOf says how the ConfigMap of a cluster is called in custom resources.
func NewConfigMaps(client kubernetes.Interface, clusters []configv1alpha1.PulsarCluster, nameOf func(cluster string) string) *ConfigMaps {
	byName := make(map[string]configv1alpha1.PulsarCluster, len(clusters))
	for _, cluster := range clusters {
		byName[cluster.Name] = cluster
	}
	return &ConfigMaps{client: client, clusters: byName, nameOf: nameOf}
}

// Ensure creates the ConfigMap of a cluster in a namespace unless there is one of
// its name. That one is left as it is: it may say something else on purpose. The
// name of a cluster that isn't configured is refused before this is called.
func (c *ConfigMaps) Ensure(ctx context.Context, namespace, clusterName string) error {
	cluster, ok := c.clusters[clusterName]
	if !ok {
		return fmt.Errorf("could not find Pulsar cluster %q in the configuration", clusterName)
	}
	name := c.nameOf(clusterName)
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Data:       map[string]string{webServiceURLKey: cluster.WebServiceURL, serviceURLKey: cluster.ServiceURL},
	}
	// Creating it at once needs no right to read everybody's ConfigMaps. It isn't
	// tried again when the answer asks for that: the caller hears it, and decides.
	err := c.client.CoreV1().RESTClient().Post().MaxRetries(0).
		Namespace(namespace).Resource("configmaps").Body(configMap).Do(ctx).Error()
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return c.explain(err, namespace, name)
}

// explain says which ConfigMap an error is about. A namespace that isn't there, or
// is on its way out, and a quota are the caller's business and told as they are, and
// so is what may pass when the caller tries again.
func (c *ConfigMaps) explain(err error, namespace, name string) error {
	var status apierrors.APIStatus
	switch {
	case err == nil, apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return err
	case apierrors.IsUnauthorized(err), // of this server: told as it is, the caller would doubt its own credential
		apierrors.IsForbidden(err) && strings.Contains(err.Error(), `cannot create resource "configmaps"`):
		return apierrors.NewInternalError(fmt.Errorf("could not create ConfigMap %s/%s, which functions need to reach Pulsar: %w", namespace, name, err))
	case errors.Is(err, context.DeadlineExceeded):
		return apierrors.NewTimeoutError("the Kubernetes API server did not answer in time", retryAfterSeconds)
	case !errors.As(err, &status):
		// The text of such an error has the address of kube-apiserver.
		unavailable := apierrors.NewServiceUnavailable("the Kubernetes API server can't be reached")
		unavailable.ErrStatus.Details = &metav1.StatusDetails{RetryAfterSeconds: retryAfterSeconds}
		return unavailable
	}
	return err
}
