package shim

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/emicklei/go-restful/v3"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

const (
	reasonNoDrain       = "Client is not authorized to perform drain operation"
	reasonNoDrainStatus = "Client is not authorized to get the status of a drain operation"
	// reasonKubernetesSchedules is why nothing is moved from one worker to another.
	reasonKubernetesSchedules = "Kubernetes schedules the instances: there are none on workers that could be moved. To empty a node use kubectl drain"
	reasonNoLeader            = "Leader cannot be determined"
	reasonLeaderNotReady      = "Leader not yet ready. Please retry again"
)

// maxInstances bounds the instances in one answer: their number is what a status says,
// which anybody may have written who may write the resource.
const maxInstances = 100_000

// workers serves Pulsar's API of functions workers. The workers here are the API
// server's replicas. They run no instances, which are pods, so the leader, which acts
// on all components, is the one to which instances are assigned.
type workers struct {
	replicas   replicas
	lookup     *lookup
	connectors *connectors
	superuser  superuser
}

// workerInfo is how Pulsar describes a worker.
type workerInfo struct {
	WorkerID       string `json:"workerId"`
	WorkerHostname string `json:"workerHostname"`
	Port           int    `json:"port"`
}

// drainStatus is how Pulsar describes what became of a drain.
type drainStatus struct {
	Status    string `json:"status"`
	LastError string `json:"lastError"`
}

func (w *workers) routes() []route {
	return []route{
		{http.MethodGet, "/cluster", "workerCluster", w.forReaders(reasonUnauthorized, w.cluster)},
		{http.MethodGet, "/cluster/leader", "workerLeader", w.forReaders(reasonUnauthorized, w.leader)},
		{http.MethodGet, "/cluster/leader/ready", "workerLeaderReady", w.forReaders(reasonUnauthorized, w.leaderReady)},
		{http.MethodGet, "/assignments", "workerAssignments", w.forReaders(reasonUnauthorized, w.assignments)},
		{http.MethodGet, "/connectors", "workerConnectors", w.withConnectors},
		{http.MethodPut, "/rebalance", "rebalanceWorkers", w.refuse(reasonUnauthorized)},
		{http.MethodPut, "/drain", "drainWorker", w.refuse(reasonNoDrain)},
		{http.MethodPut, "/leader/drain", "drainWorkerOnLeader", w.refuse(reasonNoDrain)},
		{http.MethodGet, "/drain", "workerDrainStatus", w.forReaders(reasonNoDrainStatus, notDrained)},
		{http.MethodGet, "/leader/drain", "workerDrainStatusOnLeader", w.forReaders(reasonNoDrainStatus, notDrained)},
	}
}

// statsRoutes are those of the workers' metrics. No instance runs on a worker, and
// what a worker measures of itself is not what Pulsar's would: see /metrics.
func (w *workers) statsRoutes() []route {
	none := func(context.Context) (any, error) { return []any{}, nil }
	return []route{
		{http.MethodGet, "/metrics", "workerMetrics", w.forReaders(reasonUnauthorized, none)},
		{http.MethodGet, "/functionsmetrics", "workerFunctionsMetrics", w.forReaders(reasonUnauthorized, none)},
	}
}

// forReaders answers those who may read with what serve returns.
func (w *workers) forReaders(refusal string, serve func(context.Context) (any, error)) handler {
	return func(writer http.ResponseWriter, request *restful.Request) error {
		ctx := request.Request.Context()
		if err := w.superuser.mayRead(ctx, refusal); err != nil {
			return err
		}
		answer, err := serve(ctx)
		if err != nil {
			return err
		}
		writeJSON(writer, request.Request, http.StatusOK, answer)
		return nil
	}
}

// refuse answers those who may change something with why there is nothing to change.
func (w *workers) refuse(refusal string) handler {
	return func(_ http.ResponseWriter, request *restful.Request) error {
		if err := w.superuser.mayChange(request.Request.Context(), refusal); err != nil {
			return err
		}
		return errorf(http.StatusBadRequest, reasonKubernetesSchedules)
	}
}

func notDrained(context.Context) (any, error) {
	return drainStatus{Status: "NOT_RUN"}, nil
}

func (w *workers) withConnectors(writer http.ResponseWriter, request *restful.Request) error {
	if err := w.superuser.mayRead(request.Request.Context(), reasonUnauthorized); err != nil {
		return err
	}
	return w.connectors.list(isConnector)(writer, request)
}

func (w *workers) cluster(ctx context.Context) (any, error) {
	known, err := w.replicas.list(ctx)
	return known.workers, err
}

func (w *workers) leader(ctx context.Context) (any, error) {
	known, err := w.replicas.list(ctx)
	if err != nil {
		return nil, err
	}
	if leader := known.leader(); leader != nil {
		return *leader, nil
	}
	return nil, errorf(http.StatusInternalServerError, reasonNoLeader)
}

func (w *workers) leaderReady(ctx context.Context) (any, error) {
	known, err := w.replicas.list(ctx)
	if err == nil && known.leader() == nil {
		err = errorf(http.StatusServiceUnavailable, reasonLeaderNotReady)
	}
	return true, err
}

// assignments returns the instances that there are, by worker. The caller sees those
// of components that it may list.
func (w *workers) assignments(ctx context.Context) (any, error) {
	known, err := w.replicas.list(ctx)
	if err != nil {
		return nil, err
	}
	result := map[string][]string{}
	for _, worker := range known.workers {
		result[worker.WorkerID] = []string{}
	}
	leader := known.leader()
	if leader == nil {
		return result, nil
	}
	var instances []string
	for _, kind := range w.lookup.kinds {
		ofKind, err := w.instances(ctx, kind, maxInstances-len(instances))
		if err != nil {
			return nil, err
		}
		instances = append(instances, ofKind...)
	}
	slices.Sort(instances)
	result[leader.WorkerID] = append(result[leader.WorkerID], instances...)
	return result, nil
}

// instances returns the instances of the components of a kind, of which there may be
// so many.
func (w *workers) instances(ctx context.Context, kind *kind, limit int) ([]string, error) {
	var instances []string
	tooMany := false
	collect := func(object v1alpha1.Component) {
		name, count := identityOf(object), int(object.ObservedStatus().Replicas)
		if !isComponent(object, name) {
			return
		}
		if tooMany = tooMany || count > limit-len(instances); tooMany {
			return
		}
		for i := range count {
			instances = append(instances, fmt.Sprintf("%s:%d", name, i))
		}
	}
	err := w.lookup.everywhere(func(place string) error {
		before := len(instances)
		return w.lookup.each(ctx, kind, place, collect, func() { instances = instances[:before] })
	})
	if err != nil {
		return nil, kind.called("").translate(err)
	}
	if tooMany {
		return nil, errorf(http.StatusInternalServerError, "There are more than %d instances", maxInstances)
	}
	return instances, nil
}
