package shim

import (
	"context"
	"net/http"

	"github.com/emicklei/go-restful/v3"
	"k8s.io/klog/v2"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/componentstatus"
)

// all answers with what describe makes of all instances of a component.
func (c *components) all(describe func(context.Context, *v1alpha1.PulsarInstances) any) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		name, object, err := c.find(request)
		if err != nil {
			return err
		}
		ctx := request.Request.Context()
		found, err := c.kind.in(object.GetNamespace()).instances(ctx, object, nil)
		if err != nil {
			return c.kind.called(name.Name).translate(err)
		}
		writeJSON(writer, request.Request, http.StatusOK, describe(ctx, found))
		return nil
	}
}

// one answers with what describe makes of the instance that the path names.
func (c *components) one(describe func(context.Context, *v1alpha1.PulsarInstances, *v1alpha1.PulsarInstance) any) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		name, object, err := c.find(request)
		if err != nil {
			return err
		}
		text := pathParameter(request, parameterInstance)
		instance, ok := instanceOf(request)
		if !ok {
			return errorf(http.StatusBadRequest, "%s %s doesn't have instance with id %s", c.kind.Title, name.Name, text)
		}
		ctx := request.Request.Context()
		found, err := c.kind.in(object.GetNamespace()).instances(ctx, object, &instance)
		if err != nil {
			return c.kind.called(name.Name).translate(err)
		}
		if len(found.Instances) != 1 {
			return errorf(http.StatusInternalServerError, reasonInternal)
		}
		writeJSON(writer, request.Request, http.StatusOK, describe(ctx, found, &found.Instances[0]))
		return nil
	}
}

func (c *components) status(ctx context.Context, found *v1alpha1.PulsarInstances) any {
	return componentstatus.Of(c.kind.ComponentKind, found, c.worker(ctx))
}

func (c *components) instanceStatus(ctx context.Context, found *v1alpha1.PulsarInstances, instance *v1alpha1.PulsarInstance) any {
	return componentstatus.OfInstance(c.kind.ComponentKind, found, instance, c.worker(ctx))
}

func stats(_ context.Context, found *v1alpha1.PulsarInstances) any {
	return componentstatus.StatsOf(found)
}

func instanceStats(_ context.Context, _ *v1alpha1.PulsarInstances, instance *v1alpha1.PulsarInstance) any {
	return componentstatus.StatsOfInstance(instance)
}

// unknownWorker is who is said to run instances while nobody leads.
const unknownWorker = "functionmesh-apiserver"

// worker is who is said to run instances: the one to which they are assigned in the list
// of workers as well. A status doesn't fail for want of it.
func (c *components) worker(ctx context.Context) string {
	known, err := c.replicas.list(ctx)
	if err != nil {
		klog.FromContext(ctx).V(2).Info("Could not find out who leads", "err", err)
		return unknownWorker
	}
	if leader := known.leader(); leader != nil {
		return leader.WorkerID
	}
	return unknownWorker
}
