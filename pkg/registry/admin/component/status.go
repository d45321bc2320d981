package component

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// StatusREST serves the subresource status of a kind. It can only be read: what was
// observed is the server's to say.
type StatusREST struct{ store *view.REST }

var (
	_ rest.Storage        = (*StatusREST)(nil)
	_ rest.Getter         = (*StatusREST)(nil)
	_ rest.TableConvertor = (*StatusREST)(nil)
)

// New implements rest.Storage.
func (r *StatusREST) New() runtime.Object { return r.store.New() }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *StatusREST) Destroy() {}

// Get implements rest.Getter.
func (r *StatusREST) Get(ctx context.Context, name string, options *metav1.GetOptions) (runtime.Object, error) {
	return r.store.Get(ctx, name, options)
}

// ConvertToTable implements rest.TableConvertor.
func (r *StatusREST) ConvertToTable(ctx context.Context, object, tableOptions runtime.Object) (*metav1.Table, error) {
	return r.store.ConvertToTable(ctx, object, tableOptions)
}
