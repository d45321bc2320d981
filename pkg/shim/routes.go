package shim

import (
	"net"
	"net/http"
	"net/url"
	"slices"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/shim/caller"
)

const (
	functionsV2Path = "/admin/v2/functions"

	reasonNoSuchPath = "Pulsar's functions admin API has no such path"

	parameterTenant    = "tenant"
	parameterNamespace = "namespace"
	parameterName      = "name"
	parameterInstance  = "instance"

	namespacePath = "/{tenant}/{namespace}"
	componentPath = namespacePath + "/{name}"
	instancePath  = componentPath + "/{instance}"
)

// The Go client asks for its configured version of the worker's API, v3 too.
var (
	workerPaths      = []string{"/admin/v2/worker", "/admin/v3/worker"}
	workerStatsPaths = []string{"/admin/v2/worker-stats", "/admin/v3/worker-stats"}
)

// handler answers a request. Its error becomes the answer.
type handler func(http.ResponseWriter, *restful.Request) error

// route is one operation of Pulsar's admin API.
type route struct {
	method, path string
	// operation names the route in metrics.
	operation string
	serve     handler
}

// Route names an operation of Pulsar's admin API that is served.
type Route struct {
	Method, Path, Operation string
}

// Routes returns all operations that are served, for what has to know every one of them.
func Routes() []Route {
	var kinds []*components
	for _, kind := range newKinds(nil) {
		kinds = append(kinds, &components{kind: kind})
	}
	var all []Route
	for _, service := range newContainer(caller.Authenticator{}, kinds, &connectors{}, &workers{connectors: &connectors{}}).RegisteredWebServices() {
		for _, route := range service.Routes() {
			all = append(all, Route{Method: route.Method, Path: route.Path, Operation: route.Operation})
		}
	}
	return all
}

// newRouter returns a handler for Pulsar's admin API, with paths as they were sent.
func newRouter(authenticator caller.Authenticator, kinds []*components, connectors *connectors, workers *workers) http.Handler {
	// Not ServeHTTP: the container's ServeMux would clean paths and redirect.
	return http.HandlerFunc(newContainer(authenticator, kinds, connectors, workers).Dispatch)
}

func newContainer(authenticator caller.Authenticator, kinds []*components, connectors *connectors, workers *workers) *restful.Container {
	container := restful.NewContainer()
	container.ServiceErrorHandler(writeRoutingError)

	add := func(root string, filters []restful.FilterFunction, routes []route) {
		// Every answer is JSON whatever the client asks for, as it would get a reason
		// in JSON anyway; and the one media type that is read is checked where it is.
		service := new(restful.WebService).Path(root).Produces("*/*").Consumes("*/*")
		for _, filter := range filters {
			service.Filter(filter)
		}
		for _, route := range routes {
			service.Route(service.Method(route.method).Path(route.path).Operation(route.operation).To(route.handle))
		}
		container.Add(service)
	}
	open := []restful.FilterFunction{describe}
	authenticated := []restful.FilterFunction{describe, authenticate(authenticator)}
	for _, components := range kinds {
		for _, root := range components.kind.roots {
			add(root, authenticated, slices.Concat(components.routes(), components.runningRoutes(), components.packageRoutes(), components.stateRoutes(), components.revisionRoutes(), connectors.routes(components.kind), leaderRoutes(components.kind)))
		}
	}
	for _, root := range workerPaths {
		add(root, authenticated, workers.routes())
	}
	for _, root := range workerStatsPaths {
		add(root, authenticated, workers.statsRoutes())
	}
	add(functionsV2Path, open, goneRoutes())
	return container
}

func (r route) handle(request *restful.Request, response *restful.Response) {
	if err := r.serve(response.ResponseWriter, request); err != nil {
		writeError(response.ResponseWriter, request.Request, err)
	}
}

// describe tells the filters around a request which route took it.
func describe(request *restful.Request, response *restful.Response, chain *restful.FilterChain) {
	info := requestInfoFrom(request.Request.Context())
	info.operation, info.route = request.SelectedRoute().Operation(), request.SelectedRoutePath()
	chain.ProcessFilter(request, response)
}

// authenticate puts the caller of a request into its context.
func authenticate(authenticator caller.Authenticator) restful.FilterFunction {
	return func(request *restful.Request, response *restful.Response, chain *restful.FilterChain) {
		ctx := request.Request.Context()
		info := requestInfoFrom(ctx)
		credential, err := authenticator.Authenticate(request.Request)
		if err != nil {
			writeError(response.ResponseWriter, request.Request, credentialError(ctx, err))
			return
		}
		ctx = caller.NewContext(ctx, info.id, credential)
		if host, _, err := net.SplitHostPort(request.Request.RemoteAddr); err == nil {
			caller.FromContext(ctx).Source = host
		}
		request.Request = request.Request.WithContext(ctx)
		chain.ProcessFilter(request, response)
	}
}

// writeRoutingError answers what no route takes: 404, or 405 with the methods that
// there are.
func writeRoutingError(failure restful.ServiceError, request *restful.Request, response *restful.Response) {
	writer := response.ResponseWriter
	for name, values := range failure.Header {
		writer.Header()[name] = values
	}
	switch {
	case failure.Code == http.StatusMethodNotAllowed && request.Request.Method == http.MethodOptions:
		writer.WriteHeader(http.StatusNoContent)
	case failure.Code == http.StatusMethodNotAllowed:
		writeError(writer, request.Request, errorf(failure.Code, "HTTP method %s is not allowed here", request.Request.Method))
	default:
		writeError(writer, request.Request, errorf(failure.Code, reasonNoSuchPath))
	}
}

// pathParameter returns a segment of the path, decoded.
func pathParameter(request *restful.Request, name string) string {
	segment := request.PathParameter(name)
	if decoded, err := url.PathUnescape(segment); err == nil {
		return decoded
	}
	return segment
}
