package subscriptions

import (
	"fmt"
	"strings"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// ClustersOf returns the topics of the clusters where the server has an account.
func ClustersOf(clusters []configv1alpha1.PulsarCluster) (map[string]Topics, error) {
	found := map[string]Topics{}
	for _, cluster := range clusters {
		if cluster.AdminURL == "" {
			continue
		}
		transport, err := pulsaradmin.Account{TokenFile: cluster.AdminTokenFile, CAFile: cluster.AdminCAFile}.NewTransport()
		if err != nil {
			return nil, fmt.Errorf("could not use the account for cluster %s: %w", cluster.Name, err)
		}
		if found[cluster.Name], err = pulsaradmin.NewTopics(cluster.AdminURL, transport); err != nil {
			return nil, fmt.Errorf("could not use the admin URL of cluster %s: %w", cluster.Name, err)
		}
	}
	return found, nil
}

// namespaceOf returns the Pulsar namespace of a topic's full name.
func namespaceOf(topic string) tenancy.PulsarNamespace {
	_, path, _ := strings.Cut(topic, "://")
	tenant, rest, _ := strings.Cut(path, "/")
	namespace, _, _ := strings.Cut(rest, "/")
	return tenancy.PulsarNamespace{Tenant: tenant, Namespace: namespace}
}
