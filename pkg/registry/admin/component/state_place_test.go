package component

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/pkg/statestore"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// TestSharesTables proves that no Pulsar namespace is taken for another one whose tables it
// has, and that others don't stand in each other's way.
func TestSharesTables(t *testing.T) {
	for _, test := range []struct {
		tenant, namespace, claimant, claim string
		want                               bool
	}{
		{"acme", "eu-orders", "acme-eu", "orders", true},
		{"acme", "eu_orders", "acme", "eu-orders", true},
		{"acme-eu", "orders", "acme", "*", true},
		{"acme_eu", "orders", "acme-eu", "*", true},
		{"acme", "eu-orders", "acme", "*", false},
		{"acme", "orders", "acme-eu", "*", false},
		{"acme", "orders", "acme", "orders-eu", false},
		{"acme", "orders", "ac", "*", false},
	} {
		pulsar := tenancy.PulsarNamespace{Tenant: test.tenant, Namespace: test.namespace}
		claim := tenancy.PulsarNamespace{Tenant: test.claimant, Namespace: test.claim}
		if got := sharesTables(statestore.TableOf(test.tenant, test.namespace, "f"), pulsar, claim); got != test.want {
			t.Errorf("%s, where %s is claimed: %t", pulsar, claim, got)
		}
	}
}
