package apiserver

import (
	"context"
	"fmt"
	"net/http"

	configv1alpha1 "github.com/function-mesh/functionmesh-apiserver/pkg/apis/config/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
)

// pulsarClients returns a client of each cluster that has an admin URL, by the cluster's
// name. They show the server's own account.
func pulsarClients[Client any](clusters []configv1alpha1.PulsarCluster, newClient func(adminURL string, transport http.RoundTripper) (Client, error)) (map[string]Client, error) {
	clients := map[string]Client{}
	for _, cluster := range clusters {
		if cluster.AdminURL == "" {
			continue
		}
		transport, err := pulsaradmin.Account{TokenFile: cluster.AdminTokenFile, CAFile: cluster.AdminCAFile}.NewTransport()
		if err != nil {
			return nil, fmt.Errorf("could not use the account for cluster %s: %w", cluster.Name, err)
		}
		if clients[cluster.Name], err = newClient(cluster.AdminURL, transport); err != nil {
			return nil, fmt.Errorf("could not use the admin URL of cluster %s: %w", cluster.Name, err)
		}
	}
	return clients, nil
}

// pulsarNamespaces returns a function that asks the cluster of a name whether a
// namespace exists. Clusters without an admin URL aren't asked.
func pulsarNamespaces(clusters []configv1alpha1.PulsarCluster) (func(ctx context.Context, cluster, tenant, namespace string) error, error) {
	clients, err := pulsarClients(clusters, pulsaradmin.NewClient)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, cluster, tenant, namespace string) error {
		if client, ok := clients[cluster]; ok {
			return client.Check(ctx, tenant, namespace)
		}
		return nil
	}, nil
}

// packageServices returns a client of each cluster's package service for the server's own
// account, by the cluster's name. There is none of clusters without an admin URL.
func packageServices(clusters []configv1alpha1.PulsarCluster) (map[string]*packageservice.Client, error) {
	return pulsarClients(clusters, packageservice.NewClient)
}
