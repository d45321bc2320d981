package shim

import (
	"net/http"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// leaderRoutes returns what Pulsar's own workers ask each other, and has no meaning here.
func leaderRoutes(kind *kind) []route {
	if kind.ComponentKind != v1alpha1.FunctionKind {
		return nil
	}
	return []route{
		{http.MethodPut, "/leader" + componentPath, "updateFunctionOnLeader", func(http.ResponseWriter, *restful.Request) error {
			return errorf(http.StatusNotImplemented, "This is how Pulsar's functions workers tell their leader of functions, and there are no such workers here")
		}},
	}
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
