package topics

import (
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/devenv"
)

// TestSwitchedOff is how to uninstall: a server that has the loop switched off takes the
// finalizers away, also of what waits. It stops the server that all other tests are with,
// and is in the file that comes last.
func TestSwitchedOff(t *testing.T) {
	input := map[string]any{"topics": []any{"persistent://public/default/gone-in"}}
	stays := made{resource: "sinks", name: "stays", namespace: namespace, cluster: "dev", input: input}
	waits := made{resource: "functions", name: "waits", namespace: namespace, cluster: goneCluster, input: input}
	for _, m := range []made{stays, waits} {
		m.create(t)
		m.waitFinalizer(t, true)
	}
	waits.remove(t)
	before := env.APIServer
	without := must[*controlplane.Server](t)(env.StartAPIServer(t.Context(), devenv.APIServerOptions{
		Name: "without-cleanup", ExtraArgs: []string{"--controllers=*,-subscription-cleanup"},
	}))
	if err := env.Route(t.Context(), without); err != nil {
		t.Fatal(err)
	}
	before.Stop()
	stays.waitFinalizer(t, false)
	waits.waitGone(t)
}
