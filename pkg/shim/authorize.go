package shim

import (
	"context"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// Pulsar asks whether a caller may write before it looks at what they write. Here the
// API server answers that with the write itself, so a refusal of the shim's own, for
// which there is no write, has to ask apart.

// ifMayCreate returns a refusal if its caller may create components of the kind, else the answer
// that they may not. nil stays nil.
func (c *components) ifMayCreate(ctx context.Context, name identity.Name, refused error) error {
	place, err := c.lookup.placeOf(ctx, name)
	if err != nil {
		return err
	}
	return c.unlessUnauthorized(ctx, refused, func(ctx context.Context) error {
		objects := c.kind.in(place)
		nothing := objects.empty()
		nothing.SetName(name.ObjectName())
		_, err := objects.create(ctx, nothing, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

// ifMayUpdate is ifMayCreate for a change of the object in a Kubernetes namespace with
// the given name, which doesn't have to exist.
func (c *components) ifMayUpdate(ctx context.Context, namespace, objectName string, refused error) error {
	return c.unlessUnauthorized(ctx, refused, func(ctx context.Context) error {
		_, err := c.kind.in(namespace).patch(ctx, objectName, []byte("{}"), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

// unlessUnauthorized returns the refusal unless a call that changes nothing shows that
// the caller isn't authorized. However else the call ends, it doesn't matter.
func (c *components) unlessUnauthorized(ctx context.Context, refused error, call func(context.Context) error) error {
	err := call(caller.Aside(ctx))
	if err == nil {
		return refused
	}
	if answer := c.kind.called("").translate(err); answer.code == http.StatusUnauthorized {
		return answer
	}
	return refused
}
