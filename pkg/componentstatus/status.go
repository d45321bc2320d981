package componentstatus

import (
	"slices"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
)

// Status is the status of all instances.
type Status struct {
	NumInstances int        `json:"numInstances"`
	NumRunning   int        `json:"numRunning"`
	Instances    []Instance `json:"instances"`
}

// Instance is the status of one among them.
type Instance struct {
	InstanceID int32 `json:"instanceId"`
	// Status is what StatusOf returns.
	Status any `json:"status"`
}

// Exception is an exception and when it was thrown.
type Exception struct {
	ExceptionString string `json:"exceptionString"`
	TimestampMs     int64  `json:"timestampMs"`
}

// exceptions are left out where nothing is known, and empty where it is known that there
// were none.
type exceptions *[]Exception

// common is what the status of each kind begins with.
type common struct {
	Running     bool   `json:"running"`
	Error       string `json:"error"`
	NumRestarts int64  `json:"numRestarts"`
}

// assigned is what the status of each kind ends with.
type assigned struct {
	// WorkerID is left out of an instance that nobody runs.
	WorkerID string `json:"workerId,omitempty"`
}

// Function is the status of one instance of a function.
type Function struct {
	common
	NumReceived              int64      `json:"numReceived"`
	NumSuccessfullyProcessed int64      `json:"numSuccessfullyProcessed"`
	NumUserExceptions        int64      `json:"numUserExceptions"`
	LatestUserExceptions     exceptions `json:"latestUserExceptions,omitempty"`
	NumSystemExceptions      int64      `json:"numSystemExceptions"`
	LatestSystemExceptions   exceptions `json:"latestSystemExceptions,omitempty"`
	AverageLatency           float64    `json:"averageLatency"`
	LastInvocationTime       int64      `json:"lastInvocationTime"`
	assigned
}

// Sink is the status of one instance of a sink.
type Sink struct {
	common
	NumReadFromPulsar      int64      `json:"numReadFromPulsar"`
	NumSystemExceptions    int64      `json:"numSystemExceptions"`
	LatestSystemExceptions exceptions `json:"latestSystemExceptions,omitempty"`
	NumSinkExceptions      int64      `json:"numSinkExceptions"`
	LatestSinkExceptions   exceptions `json:"latestSinkExceptions,omitempty"`
	NumWrittenToSink       int64      `json:"numWrittenToSink"`
	LastReceivedTime       int64      `json:"lastReceivedTime"`
	assigned
}

// Source is the status of one instance of a source.
type Source struct {
	common
	NumReceivedFromSource  int64      `json:"numReceivedFromSource"`
	NumSystemExceptions    int64      `json:"numSystemExceptions"`
	LatestSystemExceptions exceptions `json:"latestSystemExceptions,omitempty"`
	NumSourceExceptions    int64      `json:"numSourceExceptions"`
	LatestSourceExceptions exceptions `json:"latestSourceExceptions,omitempty"`
	NumWritten             int64      `json:"numWritten"`
	LastReceivedTime       int64      `json:"lastReceivedTime"`
	assigned
}

// Of returns the status of all instances of a component of a kind. worker is who is said
// to run them.
func Of(kind v1alpha1.ComponentKind, found *v1alpha1.PulsarInstances, worker string) Status {
	status := Status{NumInstances: len(found.Instances), Instances: []Instance{}}
	for i := range found.Instances {
		instance := &found.Instances[i]
		if running(instance) {
			status.NumRunning++
		}
		status.Instances = append(status.Instances, Instance{InstanceID: instance.ID, Status: OfInstance(kind, found, instance, worker)})
	}
	return status
}

// OfInstance returns the status of one of the instances found, a *Function, *Sink or
// *Source.
func OfInstance(kind v1alpha1.ComponentKind, found *v1alpha1.PulsarInstances, instance *v1alpha1.PulsarInstance, worker string) any {
	start := common{Running: running(instance), NumRestarts: int64(instance.Restarts)}
	var end assigned
	if isAssigned(found, instance) {
		end.WorkerID = worker
	}
	said := instance.Status
	known := said != nil
	switch {
	case known:
		start.Error = said.FailureException
		// Whoever restarts an instance counts: the kubelet here, its worker in Pulsar.
		start.NumRestarts = max(start.NumRestarts, said.NumRestarts)
	case !isAssigned(found, instance):
		start.Error = kind.Title + " has not been scheduled"
	case instance.Pod == "":
		// It is stopped, which is no error.
	case instance.Error != "":
		start.Error = instance.Error
	default:
		start.Error = instance.Message
	}
	if !known {
		said = &v1alpha1.InstanceStatus{}
	}
	latest := func(lists ...[]v1alpha1.InstanceException) exceptions {
		if !known {
			return nil
		}
		merged := []Exception{}
		for _, exception := range slices.Concat(lists...) {
			merged = append(merged, Exception(exception))
		}
		return &merged
	}
	switch kind {
	case v1alpha1.SinkKind:
		return &Sink{
			common:                 start,
			NumReadFromPulsar:      said.NumReceived,
			NumSystemExceptions:    addUp(said.NumSystemExceptions, said.NumUserExceptions, said.NumSourceExceptions),
			LatestSystemExceptions: latest(said.LatestUserExceptions, said.LatestSystemExceptions, said.LatestSourceExceptions),
			NumSinkExceptions:      said.NumSinkExceptions,
			LatestSinkExceptions:   latest(said.LatestSinkExceptions),
			NumWrittenToSink:       said.NumSuccessfullyProcessed,
			LastReceivedTime:       said.LastInvocationTime,
			assigned:               end,
		}
	case v1alpha1.SourceKind:
		return &Source{
			common:                 start,
			NumReceivedFromSource:  said.NumReceived,
			NumSystemExceptions:    addUp(said.NumSystemExceptions, said.NumUserExceptions, said.NumSinkExceptions),
			LatestSystemExceptions: latest(said.LatestUserExceptions, said.LatestSystemExceptions, said.LatestSinkExceptions),
			NumSourceExceptions:    said.NumSourceExceptions,
			LatestSourceExceptions: latest(said.LatestSourceExceptions),
			NumWritten:             said.NumSuccessfullyProcessed,
			LastReceivedTime:       said.LastInvocationTime,
			assigned:               end,
		}
	}
	return &Function{
		common:                   start,
		NumReceived:              said.NumReceived,
		NumSuccessfullyProcessed: said.NumSuccessfullyProcessed,
		NumUserExceptions:        said.NumUserExceptions,
		LatestUserExceptions:     latest(said.LatestUserExceptions),
		NumSystemExceptions:      addUp(said.NumSystemExceptions, said.NumSourceExceptions, said.NumSinkExceptions),
		LatestSystemExceptions:   latest(said.LatestSystemExceptions, said.LatestSourceExceptions, said.LatestSinkExceptions),
		AverageLatency:           said.AverageLatency,
		LastInvocationTime:       said.LastInvocationTime,
		assigned:                 end,
	}
}

func running(instance *v1alpha1.PulsarInstance) bool {
	return instance.Status != nil && instance.Status.Running
}

// isAssigned tells whether somebody runs an instance: it has a pod. As in Pulsar it keeps
// its place while it is stopped.
func isAssigned(found *v1alpha1.PulsarInstances, instance *v1alpha1.PulsarInstance) bool {
	return instance.Pod != "" || found.Suspended
}
