package shim

import (
	"net/http"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// pending is a route of Pulsar's that is answered with 501. thing names what is
// missing, for people.
func pending(method, path, operation, thing string) route {
	return route{method: method, path: path, operation: operation,
		serve: func(http.ResponseWriter, *restful.Request) error {
			return errorf(http.StatusNotImplemented, "%s is not available yet", thing)
		}}
}

// pendingRoutes returns what deals with running components.
func pendingRoutes(kind *kind) []route {
	title, operation := kind.Title, kind.Type
	routes := []route{
		pending(http.MethodGet, componentPath+"/status", operation+"Status", title+" status"),
		pending(http.MethodGet, instancePath+"/status", operation+"InstanceStatus", title+" instance status"),
		pending(http.MethodPost, componentPath+"/restart", "restart"+title, title+" restart"),
		pending(http.MethodPost, componentPath+"/stop", "stop"+title, title+" stop"),
		pending(http.MethodPost, componentPath+"/start", "start"+title, title+" start"),
		pending(http.MethodPost, instancePath+"/restart", "restart"+title+"Instance", title+" instance restart"),
		pending(http.MethodPost, instancePath+"/stop", "stop"+title+"Instance", title+" instance stop"),
		pending(http.MethodPost, instancePath+"/start", "start"+title+"Instance", title+" instance start"),
	}
	if kind.ComponentKind != v1alpha1.FunctionKind {
		return routes
	}
	return append(routes,
		pending(http.MethodGet, componentPath+"/stats", "functionStats", "Function stats"),
		pending(http.MethodGet, instancePath+"/stats", "functionInstanceStats", "Function instance stats"),
		pending(http.MethodPost, componentPath+"/trigger", "triggerFunction", "Function trigger"),
		pending(http.MethodGet, componentPath+"/state/{key}", "getFunctionState", "Function state query"),
		pending(http.MethodPost, componentPath+"/state/{key}", "putFunctionState", "Function state update"),
		pending(http.MethodPost, "/upload", "uploadFunction", "Function package upload"),
		pending(http.MethodGet, "/download", "downloadFunction", "Function package download"),
		pending(http.MethodGet, componentPath+"/download", "downloadFunctionPackage", "Function package download"),
		pending(http.MethodPut, "/leader"+componentPath, "updateFunctionOnLeader", "Function update on the worker leader"),
	)
}

// goneRoutes answers all of the functions API v2, which has other wire types, with
// where to go.
func goneRoutes() []route {
	gone := func(http.ResponseWriter, *restful.Request) error {
		return errorf(http.StatusGone, "Pulsar's functions admin API v2 is not served: use %s (API version 3 of the client)", functionsPath)
	}
	var routes []route
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		for _, path := range []string{"", "/{rest:*}"} {
			routes = append(routes, route{method: method, path: path, operation: "functionsV2", serve: gone})
		}
	}
	return routes
}
