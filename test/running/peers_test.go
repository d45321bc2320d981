package running

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
	"github.com/function-mesh/functionmesh-apiserver/test/controlplane"
)

// counting is an honest instance that has received so many messages, and knows its number.
func counting(id int, received int64) instancetest.Peer {
	return instancetest.Honest(
		&instancecontrol.FunctionStatus{Running: true, NumReceived: received, NumSuccessfullyProcessed: received, InstanceId: strconv.Itoa(id), AverageLatency: 1.5},
		&instancecontrol.MetricsData{ReceivedTotal: received, ReceivedTotal_1Min: 1, AvgProcessLatency: 1.5, UserMetrics: map[string]float64{"id": float64(id)}})
}

// putAt has a peer answer at the address of a pod and at a port.
func putAt(t *testing.T, pod *corev1.Pod, port int, peer instancetest.Peer) {
	t.Helper()
	t.Cleanup(peer(must[net.Listener](t)(net.Listen("tcp4", net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port))))))
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) int { return must[int](t)(controlplane.FreePort()) }

// status is the part of Pulsar's status of a function that these tests look at.
type status struct {
	NumInstances, NumRunning int
	Instances                []struct {
		InstanceID int
		Status     struct {
			Running     bool
			Error       string
			NumReceived int64
			WorkerID    string
		}
	}
}

// stats is the same for the stats.
type stats struct {
	ReceivedTotal int64
	OneMin        counts `json:"1min"`
	OneMinForGo   counts `json:"oneMin"`
	Instances     []struct {
		InstanceID int
		Metrics    struct {
			ReceivedTotal int64
			OneMin        counts `json:"1min"`
			OneMinForGo   counts `json:"oneMin"`
			UserMetrics   map[string]float64
		}
	}
}

type counts struct {
	ReceivedTotal     int64
	AvgProcessLatency *float64
}

// getOf gets what the shim says of a function: its status, or its stats.
func getOf(ctx context.Context, name, what string, into any) error {
	code, err := getInto(ctx, env.ShimURL(), functions+name+"/"+what, into)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("the %s of %s is answered by %d", what, name, code)
	}
	return err
}

// mostMemory returns the most memory that a process has had, in MiB.
func mostMemory(t *testing.T, server *controlplane.Server) int {
	t.Helper()
	text := must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/status", server.Process().PID())))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return must[int](t)(strconv.Atoi(strings.Fields(rest)[0])) >> 10
		}
	}
	t.Fatalf("no memory is in %s", text)
	return 0
}
