package devenv

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// startTimeout is generous: tests share the machine with others.
const startTimeout = 5 * time.Minute

func repositoryPath(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvironment(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	began := time.Now()
	env, err := Start(ctx, Options{
		BinDir:       repositoryPath(t, "bin"),
		Dir:          t.TempDir(),
		ArtifactsDir: repositoryPath(t, "artifacts"),
		Logf: func(format string, args ...any) {
			t.Logf("%5.1f s: "+format, append([]any{time.Since(began).Seconds()}, args...)...)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer env.Stop()
	t.Logf("%5.1f s: ready", time.Since(began).Seconds())

	t.Run("kubectl knows the group at once", func(t *testing.T) {
		for _, args := range [][]string{{"get", "pulsarfunctions"}, {"explain", "pulsarfunctions.spec"}} {
			if out, err := env.Kubectl(ctx, args...).CombinedOutput(); err != nil {
				t.Errorf("kubectl %v: %v: %s", args, err, out)
			}
		}
	})
	t.Run("the API server has its own account", func(t *testing.T) { testAccount(t, env) })
	t.Run("rollout", func(t *testing.T) { testRollout(ctx, t, env) })
	t.Run("a bad configuration stops a replica with its words", func(t *testing.T) {
		_, err := env.StartAPIServer(ctx, APIServerOptions{Name: "misconfigured", Config: "no: configuration\n"})
		if err == nil || !strings.Contains(err.Error(), "misconfigured ended unexpectedly") {
			t.Errorf("the error is %v", err)
		}
	})
	select {
	case exit := <-env.Unexpected():
		t.Errorf("unexpected: %v", exit)
	default:
	}
}

// testAccount looks for functionmesh-apiserver's service account among those who
// asked kube-apiserver.
func testAccount(t *testing.T, env *Env) {
	log, err := os.ReadFile(env.ControlPlane.AuditLogPath())
	if err != nil {
		t.Fatal(err)
	}
	account := `"username":"system:serviceaccount:` + SystemNamespace + ":" + APIServerServiceAccount + `"`
	if !bytes.Contains(log, []byte(account)) {
		t.Errorf("%s asked kube-apiserver nothing", account)
	}
}

func testRollout(ctx context.Context, t *testing.T, env *Env) {
	old := env.APIServer
	replacement, err := env.StartAPIServer(ctx, APIServerOptions{Name: "functionmesh-apiserver-2"})
	if err != nil {
		t.Fatal(err)
	}
	if err := env.Route(ctx, replacement); err != nil {
		t.Fatal(err)
	}
	old.Stop()
	if _, err := env.Dynamic().Resource(PulsarFunctions).List(ctx, metav1.ListOptions{}); err != nil {
		t.Errorf("after the old server stopped: %v", err)
	}
	// The shim goes on talking to the first one, on the same port.
	if err := old.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := env.Route(ctx, old); err != nil {
		t.Fatal(err)
	}
}

func TestManifestsWithoutNodesAreLeftOut(t *testing.T) {
	objects, err := decodeManifests(strings.NewReader(`
apiVersion: apps/v1
kind: Deployment
---
# Only a comment.
---
apiVersion: policy/v1
kind: PodDisruptionBudget
---
apiVersion: cert-manager.io/v1
kind: Certificate
---
apiVersion: v1
kind: ServiceAccount
`))
	if err != nil {
		t.Fatal(err)
	}
	var applied []string
	for _, object := range objects {
		if !leftOut(object) {
			applied = append(applied, object.GetKind())
		}
	}
	if len(objects) != 4 || len(applied) != 1 || applied[0] != "ServiceAccount" {
		t.Errorf("of %d objects, %v are applied", len(objects), applied)
	}
}
