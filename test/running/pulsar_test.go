package running

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
	"github.com/function-mesh/functionmesh-apiserver/test/pulsarstandalone"
)

// statePort is where Pulsar's table service will listen, which functionmesh-apiserver has
// to know before.
var statePort int

// started is the Pulsar that the tests share, which takes a while to start: with its own
// functions worker that runs what it is given, a table service, and the tests' code as a
// package.
var started struct {
	once   sync.Once
	pulsar *pulsarstandalone.Pulsar
	err    error
}

// realPulsar starts Pulsar for the first who asks.
func realPulsar(t *testing.T) *pulsarstandalone.Pulsar {
	t.Helper()
	started.once.Do(func() {
		// Not the test's context: others go on with it.
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		started.pulsar, started.err = pulsarstandalone.Start(ctx, pulsarstandalone.Options{
			Repository: root, Dir: filepath.Join(env.ControlPlane.Dir(), "pulsar"), RunInstances: true, StatePort: statePort, Logf: t.Logf,
		})
		if started.err == nil {
			started.err = started.pulsar.Upload(ctx, code, started.pulsar.Code.Jar)
		}
	})
	if started.err != nil {
		t.Fatal(started.err)
	}
	return started.pulsar
}

func stopPulsar() {
	if started.pulsar != nil {
		started.pulsar.Stop()
	}
}

// startInstance starts what the pod of a component will lead to: an instance with details
// as Function Mesh's operator gives them.
func startInstance(ctx context.Context, t *testing.T, name, details string) *controlplane.Server {
	t.Helper()
	instance, err := realPulsar(t).StartInstance(ctx, "instance-of-"+name, details, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(instance.Stop)
	standIn.SetPort(objectName(name), instance.Port())
	return instance
}

// createAt creates the same component at an admin URL.
func createAt(t *testing.T, url string, args ...string) {
	t.Helper()
	if got := pulsarAdmin(t, url, args...); got.Exit != 0 {
		t.Fatalf("%v at %s: %+v", args, url, got)
	}
}

// counted waits until a member of an answer of both sides has a value.
func counted(t *testing.T, path, member string, value float64) {
	t.Helper()
	for _, url := range []string{realPulsar(t).URL(), env.ShimURL()} {
		eventually(t, fmt.Sprintf("%s to be %v at %s%s", member, value, url, path), func(ctx context.Context) error {
			_, answer, err := get(ctx, url, path)
			if err == nil && answer[member] != value {
				err = fmt.Errorf("it says %v", answer)
			}
			return err
		})
	}
}
