package shim

import (
	"net/http"

	"github.com/emicklei/go-restful/v3"
)

// pending is a route of Pulsar's that is answered with 501. thing names what is
// missing, for people.
func pending(method, path, operation, thing string) route {
	return route{method: method, path: path, operation: operation,
		serve: func(http.ResponseWriter, *restful.Request) error {
			return errorf(http.StatusNotImplemented, "%s is not available yet", thing)
		}}
}

func pendingFunctionRoutes() []route {
	const (
		function = "/{tenant}/{namespace}/{function}"
		instance = function + "/{instance}"
	)
	return []route{
		pending(http.MethodGet, function+"/status", "functionStatus", "Function status"),
		pending(http.MethodGet, instance+"/status", "functionInstanceStatus", "Function instance status"),
		pending(http.MethodGet, function+"/stats", "functionStats", "Function stats"),
		pending(http.MethodGet, instance+"/stats", "functionInstanceStats", "Function instance stats"),
		pending(http.MethodPost, function+"/trigger", "triggerFunction", "Function trigger"),
		pending(http.MethodGet, function+"/state/{key}", "getFunctionState", "Function state query"),
		pending(http.MethodPost, function+"/state/{key}", "putFunctionState", "Function state update"),
		pending(http.MethodPost, function+"/restart", "restartFunction", "Function restart"),
		pending(http.MethodPost, function+"/stop", "stopFunction", "Function stop"),
		pending(http.MethodPost, function+"/start", "startFunction", "Function start"),
		pending(http.MethodPost, instance+"/restart", "restartFunctionInstance", "Function instance restart"),
		pending(http.MethodPost, instance+"/stop", "stopFunctionInstance", "Function instance stop"),
		pending(http.MethodPost, instance+"/start", "startFunctionInstance", "Function instance start"),
		pending(http.MethodPost, "/upload", "uploadFunction", "Function package upload"),
		pending(http.MethodGet, "/download", "downloadFunction", "Function package download"),
		pending(http.MethodGet, function+"/download", "downloadFunctionPackage", "Function package download"),
		pending(http.MethodGet, "/connectors", "functionConnectors", "The list of connectors"),
		pending(http.MethodGet, "/builtins", "builtinFunctions", "The list of built-in functions"),
		pending(http.MethodPost, "/builtins/reload", "reloadBuiltinFunctions", "Reload of built-in functions"),
		pending(http.MethodPut, "/leader"+function, "updateFunctionOnLeader", "Function update on the worker leader"),
	}
}

// pendingConnectorRoutes returns the routes of sinks or sources: name is "sink" or
// "source", title the same in title case.
func pendingConnectorRoutes(name, title string) []route {
	const (
		connector = "/{tenant}/{namespace}/{name}"
		instance  = connector + "/{instance}"
	)
	builtins := "/builtin" + name + "s"
	return []route{
		pending(http.MethodPost, connector, "create"+title, title+" create"),
		pending(http.MethodPut, connector, "update"+title, title+" update"),
		pending(http.MethodDelete, connector, "delete"+title, title+" delete"),
		pending(http.MethodGet, connector, "get"+title, title+" get"),
		pending(http.MethodGet, "/{tenant}/{namespace}", "list"+title+"s", title+" list"),
		pending(http.MethodGet, connector+"/status", name+"Status", title+" status"),
		pending(http.MethodGet, instance+"/status", name+"InstanceStatus", title+" instance status"),
		pending(http.MethodPost, connector+"/restart", "restart"+title, title+" restart"),
		pending(http.MethodPost, connector+"/stop", "stop"+title, title+" stop"),
		pending(http.MethodPost, connector+"/start", "start"+title, title+" start"),
		pending(http.MethodPost, instance+"/restart", "restart"+title+"Instance", title+" instance restart"),
		pending(http.MethodPost, instance+"/stop", "stop"+title+"Instance", title+" instance stop"),
		pending(http.MethodPost, instance+"/start", "start"+title+"Instance", title+" instance start"),
		pending(http.MethodGet, builtins, "builtin"+title+"s", "The list of built-in "+name+"s"),
		pending(http.MethodGet, builtins+"/{connector}/configdefinition", "builtin"+title+"ConfigDefinition",
			"The config definition of built-in "+name+"s"),
		pending(http.MethodPost, "/reloadBuiltIn"+title+"s", "reloadBuiltin"+title+"s", "Reload of built-in "+name+"s"),
	}
}

func pendingWorkerRoutes() []route {
	return []route{
		pending(http.MethodGet, "/cluster", "workerCluster", "The list of workers"),
		pending(http.MethodGet, "/cluster/leader", "workerLeader", "The worker leader"),
		pending(http.MethodGet, "/cluster/leader/ready", "workerLeaderReady", "Readiness of the worker leader"),
		pending(http.MethodGet, "/assignments", "workerAssignments", "The list of worker assignments"),
		pending(http.MethodGet, "/connectors", "workerConnectors", "The list of connectors"),
		pending(http.MethodPut, "/rebalance", "rebalanceWorkers", "Worker rebalance"),
		pending(http.MethodPut, "/drain", "drainWorker", "Worker drain"),
		pending(http.MethodPut, "/leader/drain", "drainWorkerOnLeader", "Worker drain"),
		pending(http.MethodGet, "/drain", "workerDrainStatus", "Worker drain status"),
		pending(http.MethodGet, "/leader/drain", "workerDrainStatusOnLeader", "Worker drain status"),
	}
}

func pendingWorkerStatsRoutes() []route {
	return []route{
		pending(http.MethodGet, "/metrics", "workerMetrics", "Worker metrics"),
		pending(http.MethodGet, "/functionsmetrics", "workerFunctionsMetrics", "Worker functions metrics"),
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
