package collection

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/util/flowcontrol"

	"github.com/function-mesh/functionmesh-apiserver/pkg/packageservice"
	"github.com/function-mesh/functionmesh-apiserver/pkg/pulsaradmin"
	"github.com/function-mesh/functionmesh-apiserver/pkg/tenancy"
)

// newLook returns a pass over what a package service has: by tenant the versions of its one
// package, of which each has the same metadata.
func newLook(t *testing.T, versions map[string][]string, metadata packageservice.Metadata) (*look, *atomic.Int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked.Add(1)
		parts := strings.Split(strings.TrimPrefix(request.URL.Path, "/admin/v3/packages/"), "/")
		var answer any = metadata
		switch known := versions[parts[1]]; len(parts) {
		case 3:
			answer = []string{}
			if parts[0] == "function" && len(known) > 0 {
				answer = []string{"f"}
			}
		case 4:
			answer = known
		}
		_ = json.NewEncoder(writer).Encode(answer)
	}))
	t.Cleanup(server.Close)
	service, err := packageservice.NewClient(server.URL, pulsaradmin.NewTransport())
	if err != nil {
		t.Fatal(err)
	}
	return &look{
		Collector: &Collector{Config: Config{GracePeriod: time.Hour}, limiter: flowcontrol.NewFakeAlwaysRateLimiter()},
		service:   service, installation: "here", used: map[string]bool{}, asked: map[string]int{}, dues: map[string]int{},
	}, &asked
}

// TestEndlessPackages has a tenant with more packages than a pass looks at. All others'
// are looked at all the same, and the namespaces that have any are known afterwards.
func TestEndlessPackages(t *testing.T) {
	var endless []string
	for i := range 2 * requestsPerTenant {
		endless = append(endless, packageservice.VersionOf(fmt.Sprintf("%064x", i)))
	}
	unused := packageservice.Metadata{Properties: map[string]string{packageservice.PropertyManager: packageservice.Manager, "installation.here": "1"}}
	l, asked := newLook(t, map[string][]string{"endless": endless, "modest": endless[:1]}, unused)
	inhabited := l.all(t.Context(), map[tenancy.PulsarNamespace]bool{
		{Tenant: "endless", Namespace: "a"}: true, {Tenant: "endless", Namespace: "b"}: true,
		{Tenant: "modest", Namespace: "a"}: true, {Tenant: "invented", Namespace: "a"}: true,
	})
	due := map[string]int{}
	for _, name := range l.due {
		due[name.Tenant]++
	}
	if due["endless"] != duePerTenant || due["modest"] != 1 {
		t.Errorf("due are %v", due)
	}
	if got := asked.Load(); got > requestsPerTenant+20 {
		t.Errorf("it took %d requests", got)
	}
	if len(inhabited) != 3 {
		t.Errorf("packages are in %v", inhabited)
	}
}

// TestManyFailures tells of a few of what failed.
func TestManyFailures(t *testing.T) {
	var failed failures
	failed.add(nil)
	if err := failed.err(); err != nil {
		t.Errorf("nothing failed: %v", err)
	}
	for range 3 * maxFailures {
		failed.add(errors.New("it failed"))
	}
	if text := failed.err().Error(); strings.Count(text, "it failed") != maxFailures || !strings.HasSuffix(text, fmt.Sprintf("and %d more", 2*maxFailures)) {
		t.Errorf("it says %q", text)
	}
}
