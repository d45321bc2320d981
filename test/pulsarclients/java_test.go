package pulsarclients

import (
	"context"
	"strings"
	"testing"

	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// pulsarAdmin runs a command of Pulsar's command line against the shim.
func pulsarAdmin(t *testing.T, args ...string) javaclient.Result {
	t.Helper()
	return pulsarAdminAt(t, world.env.ShimURL(), args...)
}

func pulsarAdminAt(t *testing.T, url string, args ...string) javaclient.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	return must[javaclient.Result](t)(world.java.Run(ctx, url, args...))
}

// pulsarAdminProcess runs a command as a user's shell does, in a process of its own.
func pulsarAdminProcess(t *testing.T, args ...string) javaclient.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitTimeout)
	defer cancel()
	return must[javaclient.Result](t)(world.java.RunProcess(ctx, t.TempDir(), world.env.ShimURL(), args...))
}

// expectRan checks that a command did what it was told.
func expectRan(t *testing.T, what string, got javaclient.Result, out string) {
	t.Helper()
	if got.Exit != 0 || strings.TrimSpace(got.Out) != out {
		t.Fatalf("%s: exit code %d, output %q, errors %q", what, got.Exit, got.Out, got.Err)
	}
}

// expectRefused checks that a command ended with the reason that the shim gave, as a
// user gets to see it.
func expectRefused(t *testing.T, what string, got javaclient.Result, reason string) {
	t.Helper()
	if got.Exit != 1 || !strings.HasSuffix(strings.TrimSpace(got.Err), "Reason: "+reason) {
		t.Errorf("%s: exit code %d, output %q, errors %q, not a refusal because %q", what, got.Exit, got.Out, got.Err, reason)
	}
}
