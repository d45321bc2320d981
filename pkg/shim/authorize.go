package shim

import (
	"context"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/identity"
	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

// Pulsar asks whether a caller may write before it looks at what they write. Here the
// API server answers that with the write itself, so a refusal of the shim's own, for
// which there is no write, has to ask apart.

// ifMayCreate returns a refusal if its caller may create functions, else the answer
// that they may not. nil stays nil.
func (f *functions) ifMayCreate(ctx context.Context, name identity.Name, refused error) error {
	return f.unlessUnauthorized(ctx, refused, func(ctx context.Context) error {
		nothing := &v1alpha1.PulsarFunction{ObjectMeta: metav1.ObjectMeta{Name: name.ObjectName()}}
		_, err := f.client.Create(ctx, nothing, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

// ifMayUpdate is ifMayCreate for a change of the object with the given name, which
// doesn't have to exist.
func (f *functions) ifMayUpdate(ctx context.Context, objectName string, refused error) error {
	return f.unlessUnauthorized(ctx, refused, func(ctx context.Context) error {
		_, err := f.client.Patch(ctx, objectName, types.MergePatchType, []byte("{}"), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
}

// unlessUnauthorized returns the refusal unless a call that changes nothing shows that
// the caller isn't authorized. However else the call ends, it doesn't matter.
func (f *functions) unlessUnauthorized(ctx context.Context, refused error, call func(context.Context) error) error {
	err := call(caller.Aside(ctx))
	if err == nil {
		return refused
	}
	if answer := (component{kind: kindFunction}).translate(err); answer.code == http.StatusUnauthorized {
		return answer
	}
	return refused
}
