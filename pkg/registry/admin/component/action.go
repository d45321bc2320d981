package component

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/registry/view"
)

// notPermitted is Pulsar's text for stopping what is stopped, and starting what isn't.
const notPermitted = "Operation not permitted"

// perInstance is Pulsar's text for stopping or starting one instance where it isn't
// Pulsar that decides which instances run.
const perInstance = "Externally managed schedulers can't do per instance stop"

// ActionREST serves a subresource that does something with what runs of a component.
// Each action has one of its own, so that the right to it can be granted apart from that
// to change the component.
type ActionREST struct {
	// do does it. validate has to see the request before anything is changed.
	do func(ctx context.Context, name string, action *v1alpha1.PulsarAction, validate func(context.Context) error, options *metav1.CreateOptions) error
	// brings says that the action is about code that is brought.
	brings bool
}

var (
	_ rest.Storage                        = (*ActionREST)(nil)
	_ rest.NamedCreater                   = (*ActionREST)(nil)
	_ rest.SubresourceObjectMetaPreserver = (*ActionREST)(nil)
)

// New implements rest.Storage.
func (r *ActionREST) New() runtime.Object { return &v1alpha1.PulsarAction{} }

// Destroy implements rest.Storage. The store belongs to the resource.
func (r *ActionREST) Destroy() {}

// PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate implements
// rest.SubresourceObjectMetaPreserver: the UID says for which object the action is.
func (r *ActionREST) PreserveRequestObjectMetaSystemFieldsOnSubresourceCreate() bool { return true }

// Create implements rest.NamedCreater. Its answer says nothing of the component: who may
// do something with it need not be somebody who may read it.
func (r *ActionREST) Create(ctx context.Context, name string, obj runtime.Object, validation rest.ValidateObjectFunc, options *metav1.CreateOptions) (runtime.Object, error) {
	action, ok := obj.(*v1alpha1.PulsarAction)
	if !ok {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("it must be a PulsarAction, not a %T", obj))
	}
	if err := nameAs(&action.ObjectMeta, name); err != nil {
		return nil, err
	}
	if action.Package != "" && !r.brings {
		return nil, apierrors.NewBadRequest("this action is not about a package")
	}
	validate := func(ctx context.Context) error {
		if validation == nil {
			return nil
		}
		return validation(ctx, action.DeepCopyObject())
	}
	if err := r.do(ctx, name, action, validate, options); err != nil {
		return nil, err
	}
	return &metav1.Status{Status: metav1.StatusSuccess}, nil
}

// newSuspendREST returns what stops a component, or starts it again. Pulsar refuses both
// where nothing would change, and so does this.
func newSuspendREST(store *view.REST, suspend bool) *ActionREST {
	set := func(action *v1alpha1.PulsarAction) rest.TransformFunc {
		return func(_ context.Context, _, old runtime.Object) (runtime.Object, error) {
			component := old.DeepCopyObject().(v1alpha1.Component)
			if err := checkUID(action.UID, component); err != nil {
				return nil, err
			}
			spec := component.Common()
			if spec.Suspend == suspend {
				return nil, unchanged(component)
			}
			spec.Suspend = suspend
			return component, nil
		}
	}
	return &ActionREST{do: func(ctx context.Context, name string, action *v1alpha1.PulsarAction, validate func(context.Context) error, options *metav1.CreateOptions) error {
		if action.Instance != nil {
			return view.WithPulsarReason(apierrors.NewBadRequest("only all instances together can be stopped and started"), perInstance)
		}
		_, _, err := store.Update(ctx, name, rest.DefaultUpdatedObjectInfo(nil, set(action)), rest.ValidateAllObjectFunc,
			func(ctx context.Context, _, _ runtime.Object) error { return validate(ctx) }, false,
			&metav1.UpdateOptions{DryRun: options.DryRun, FieldManager: options.FieldManager})
		return err
	}}
}

// unchanged refuses to stop what is stopped already, and to start what isn't.
func unchanged(component v1alpha1.Component) error {
	state := "it is not suspended"
	if component.Common().Suspend {
		state = "it is suspended already"
	}
	return view.WithPulsarReason(apierrors.NewConflict(resourceOf(component), component.GetName(), errors.New(state)), notPermitted)
}

// nameAs gives what is sent to a subresource the name in its URL, unless it has another
// one.
func nameAs(meta *metav1.ObjectMeta, name string) error {
	switch meta.Name {
	case "":
		meta.Name = name
	case name:
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("the name in the URL, %s, is not the one in the object, %s", name, meta.Name))
	}
	return nil
}

// checkUID refuses an action on another object than the one that it names, if it names
// one.
func checkUID(uid types.UID, component v1alpha1.Component) error {
	if uid == "" || uid == component.GetUID() {
		return nil
	}
	return apierrors.NewConflict(resourceOf(component), component.GetName(), fmt.Errorf(
		"precondition failed: UID in precondition: %v, UID in object meta: %v", uid, component.GetUID()))
}

func resourceOf(component v1alpha1.Component) schema.GroupResource {
	return v1alpha1.Resource(component.ComponentKind().Resource)
}

// parallelismOf returns how many instances of a component there are to be, now or when
// it isn't suspended any more.
func parallelismOf(component v1alpha1.Component) int32 {
	return ptr.Deref(component.Common().Parallelism, v1alpha1.DefaultParallelism)
}
