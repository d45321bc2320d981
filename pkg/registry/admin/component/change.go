package component

import (
	"bytes"
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/revision"
)

// setChange notes who gives a component other code or another configuration than before,
// or its first. The loop that keeps revisions sees only what was written, and not by whom.
func setChange(ctx context.Context, component, before v1alpha1.Component) {
	component.Common().Change = nil
	caller, ok := genericapirequest.UserFrom(ctx)
	if !ok {
		return
	}
	content, err := revision.Of(component)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Could not note who changes a component", "namespace", component.GetNamespace(), "name", component.GetName())
		return
	}
	generation := int64(1)
	if before != nil {
		former, err := revision.Of(before)
		if err == nil && bytes.Equal(former, content) {
			return
		}
		generation = before.GetGeneration() + 1
	}
	component.Common().Change = &v1alpha1.SpecChange{
		User: caller.GetName(), Time: metav1.Now(), Generation: generation, Hash: revision.Hash(content),
	}
}
