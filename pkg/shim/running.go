package shim

import (
	"context"
	"net/http"
	"strconv"

	"github.com/emicklei/go-restful/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	adminclient "github.com/function-mesh/functionmesh-apiserver/pkg/generated/clientset/versioned/typed/admin/v1alpha1"
)

// The subresources by which something is done with what runs.
const (
	actionRestart = "restart"
	actionSuspend = "suspend"
	actionResume  = "resume"
)

// subresourcePackage stands for the right to a component's code.
const subresourcePackage = "package"

// running are the calls on what runs of the objects of a kind, each made as the caller in
// its context.
type running interface {
	// act does something with an object, or with one of its instances where that isn't nil.
	act(ctx context.Context, object v1alpha1.Component, action string, instance *int32) error
	// mayUpload returns nil if the caller may upload code for the object of a name, which
	// doesn't have to exist. location is the package that gets it, where that isn't named by
	// its content, and so may be what runs already.
	mayUpload(ctx context.Context, name, location string) error
	// packageOf returns where the code of the object of a name is, or that of the function
	// inside it, to those who may read the code.
	packageOf(ctx context.Context, name string, transformFunction bool) (*v1alpha1.PulsarPackage, error)
	// trigger returns how an object is triggered, by one of its topics or the only one.
	trigger(ctx context.Context, object v1alpha1.Component, topic string) (*v1alpha1.PulsarTriggerStatus, error)
	// instances returns what runs: all instances, or the one that isn't nil.
	instances(ctx context.Context, object v1alpha1.Component, instance *int32) (*v1alpha1.PulsarInstances, error)
	// state returns what an object keeps under a key.
	state(ctx context.Context, object v1alpha1.Component, key string) (*v1alpha1.PulsarState, error)
	// putState puts a value under a key of an object.
	putState(ctx context.Context, object v1alpha1.Component, value v1alpha1.PulsarStateSpec) error
	// revisions returns what an object was.
	revisions(ctx context.Context, object v1alpha1.Component) (*v1alpha1.PulsarRevisions, error)
	// rollback makes an object what it was: the one before where the number is 0.
	rollback(ctx context.Context, object v1alpha1.Component, revision int64) error
}

// subresources makes these calls.
type subresources struct {
	rest      rest.Interface
	namespace string
	resource  string
}

func subresourcesOf(client adminclient.AdminV1alpha1Interface, namespace string, kind v1alpha1.ComponentKind) subresources {
	return subresources{rest: client.RESTClient(), namespace: namespace, resource: kind.Resource}
}

func (s subresources) act(ctx context.Context, object v1alpha1.Component, action string, instance *int32) error {
	// The UID makes sure that it is done with what was looked up.
	body := &v1alpha1.PulsarAction{ObjectMeta: metav1.ObjectMeta{Name: object.GetName(), UID: object.GetUID()}, Instance: instance}
	return s.rest.Post().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource(action).
		Param("fieldManager", fieldManager).Body(body).MaxRetries(0).Do(ctx).Error()
}

func (s subresources) mayUpload(ctx context.Context, name, location string) error {
	body := &v1alpha1.PulsarAction{ObjectMeta: metav1.ObjectMeta{Name: name}, Package: location}
	return s.rest.Post().Namespace(s.namespace).Resource(s.resource).Name(name).SubResource(subresourcePackage).
		Body(body).MaxRetries(0).Do(ctx).Error()
}

func (s subresources) packageOf(ctx context.Context, name string, transformFunction bool) (*v1alpha1.PulsarPackage, error) {
	request := s.rest.Get().Namespace(s.namespace).Resource(s.resource).Name(name).SubResource(subresourcePackage).MaxRetries(0)
	if transformFunction {
		request = request.Param("transformFunction", "true")
	}
	answer := &v1alpha1.PulsarPackage{}
	if err := request.Do(ctx).Into(answer); err != nil {
		return nil, err
	}
	return answer, nil
}

func (s subresources) trigger(ctx context.Context, object v1alpha1.Component, topic string) (*v1alpha1.PulsarTriggerStatus, error) {
	body := &v1alpha1.PulsarTrigger{
		ObjectMeta: metav1.ObjectMeta{Name: object.GetName(), UID: object.GetUID()}, Spec: v1alpha1.PulsarTriggerSpec{Topic: topic},
	}
	answer := &v1alpha1.PulsarTrigger{}
	err := s.rest.Post().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("trigger").
		Body(body).MaxRetries(0).Do(ctx).Into(answer)
	return &answer.Status, err
}

func (s subresources) instances(ctx context.Context, object v1alpha1.Component, instance *int32) (*v1alpha1.PulsarInstances, error) {
	request := s.rest.Get().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("instances").MaxRetries(0)
	if instance != nil {
		request = request.Param("instance", strconv.Itoa(int(*instance)))
	}
	answer := &v1alpha1.PulsarInstances{}
	if err := request.Do(ctx).Into(answer); err != nil {
		return nil, err
	}
	return answer, nil
}

func (s subresources) state(ctx context.Context, object v1alpha1.Component, key string) (*v1alpha1.PulsarState, error) {
	answer := &v1alpha1.PulsarState{}
	err := s.rest.Get().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("state").
		Param("key", key).MaxRetries(0).Do(ctx).Into(answer)
	return answer, err
}

func (s subresources) putState(ctx context.Context, object v1alpha1.Component, value v1alpha1.PulsarStateSpec) error {
	// The UID makes sure that it is the state of what was looked up.
	body := &v1alpha1.PulsarState{ObjectMeta: metav1.ObjectMeta{Name: object.GetName(), UID: object.GetUID()}, Spec: value}
	return s.rest.Put().Namespace(s.namespace).Resource(s.resource).Name(object.GetName()).SubResource("state").
		Param("fieldManager", fieldManager).Body(body).MaxRetries(0).Do(ctx).Error()
}

// runningRoutes returns what deals with what runs of components.
func (c *components) runningRoutes() []route {
	title, operation := c.kind.Title, c.kind.Type
	routes := []route{
		{http.MethodPost, componentPath + "/restart", "restart" + title, c.act(actionRestart)},
		{http.MethodPost, componentPath + "/stop", "stop" + title, c.act(actionSuspend)},
		{http.MethodPost, componentPath + "/start", "start" + title, c.act(actionResume)},
		{http.MethodPost, instancePath + "/restart", "restart" + title + "Instance", c.restartInstance},
		{http.MethodPost, instancePath + "/stop", "stop" + title + "Instance", c.switchInstance(actionSuspend)},
		{http.MethodPost, instancePath + "/start", "start" + title + "Instance", c.switchInstance(actionResume)},
		{http.MethodGet, componentPath + "/status", operation + "Status", c.all(c.status)},
		{http.MethodGet, instancePath + "/status", operation + "InstanceStatus", c.one(c.instanceStatus)},
	}
	if c.kind.ComponentKind != v1alpha1.FunctionKind {
		return routes
	}
	return append(routes,
		route{http.MethodGet, componentPath + "/stats", "functionStats", c.all(stats)},
		route{http.MethodPost, componentPath + "/trigger", "triggerFunction", c.trigger},
		route{http.MethodGet, instancePath + "/stats", "functionInstanceStats", c.one(instanceStats)},
	)
}

const (
	reasonNotPermitted = "Operation not permitted"
	// reasonPerInstance is Pulsar's where Kubernetes runs the instances.
	reasonPerInstance = "Externally managed schedulers can't do per instance stop"
)

// act does something with all of a component.
func (c *components) act(action string) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		name, object, err := c.find(request)
		if err != nil {
			return err
		}
		if err := c.kind.in(object.GetNamespace()).act(request.Request.Context(), object, action, nil); err != nil {
			return c.kind.called(name.Name).translate(err)
		}
		writeNothing(writer, request.Request)
		return nil
	}
}

// restartInstance restarts one instance.
func (c *components) restartInstance(writer http.ResponseWriter, request *restful.Request) error {
	name, object, err := c.find(request)
	if err != nil {
		return err
	}
	instance, ok := instanceOf(request)
	if !ok {
		return errorf(http.StatusBadRequest, "%s/%s doesn't exist", name, pathParameter(request, parameterInstance))
	}
	if err := c.kind.in(object.GetNamespace()).act(request.Request.Context(), object, actionRestart, &instance); err != nil {
		return c.kind.called(name.Name).translate(err)
	}
	writeNothing(writer, request.Request)
	return nil
}

// switchInstance answers who would stop or start one instance, which Kubernetes can't.
// Pulsar looks first at whether the instance exists and would change at all. Below 0 it
// means all of them.
func (c *components) switchInstance(action string) handler {
	all := c.act(action)
	return func(writer http.ResponseWriter, request *restful.Request) error {
		instance, ok := instanceOf(request)
		if ok && instance < 0 {
			return all(writer, request)
		}
		name, object, err := c.find(request)
		if err != nil {
			return err
		}
		// Pulsar asks first whether the caller may. Here that shows in why it can't be done.
		refused := c.kind.in(object.GetNamespace()).act(request.Request.Context(), object, action, &instance)
		if answer := c.kind.called(name.Name).translate(refused); answer.reason != reasonPerInstance {
			return answer
		}
		stopped := object.Common().Suspend
		if !ok || instance >= parallelismOf(object) || stopped == (action == actionSuspend) {
			return errorf(http.StatusBadRequest, reasonNotPermitted)
		}
		return errorf(http.StatusNotImplemented, reasonPerInstance)
	}
}

// instanceOf returns the number of the instance that a request's path names.
func instanceOf(request *restful.Request) (int32, bool) {
	number, err := strconv.ParseInt(pathParameter(request, parameterInstance), 10, 32)
	return int32(number), err == nil
}

func parallelismOf(object v1alpha1.Component) int32 {
	return ptr.Deref(object.Common().Parallelism, v1alpha1.DefaultParallelism)
}
