package instances

import (
	"fmt"
	"net"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
)

// manyInstances is how many are asked, of which every tenth hangs.
const manyInstances = 200

func addressOf(listener net.Listener) (string, int) {
	address := listener.Addr().(*net.TCPAddr)
	return address.IP.String(), address.Port
}

// startMany starts them, each on an address of its own.
func startMany(t testing.TB) *Instances {
	objects := []runtime.Object{statefulSet()}
	for id := range manyInstances {
		address := fmt.Sprintf("127.0.8.%d", id+1)
		port := 0
		if id%10 == 9 {
			port = hanging(t, address, 0)
		} else {
			port = answering(t, address, 0, &peer{
				status:  &instancecontrol.FunctionStatus{Running: true, NumReceived: int64(id)},
				metrics: &instancecontrol.MetricsData{ReceivedTotal: int64(id)},
			})
		}
		objects = append(objects, pod(id, address, port))
	}
	instances, _ := among(objects...)
	return instances
}

// askMany asks them, and checks that each but the dead ones answers in time.
func askMany(t testing.TB, instances *Instances) time.Duration {
	began := time.Now()
	found, err := instances.Of(t.Context(), function(manyInstances), 0, manyInstances)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	if took > callTimeout+time.Second {
		t.Errorf("it took %v", took)
	}
	for id, instance := range found {
		dead := id%10 == 9
		if dead != (instance.Error != "") || !dead && instance.Status.NumReceived != int64(id) {
			t.Errorf("instance %d is %+v", id, instance)
		}
	}
	return took
}

func TestManyWithDeadOnes(t *testing.T) { askMany(t, startMany(t)) }

// BenchmarkManyWithDeadOnes measures how long the answer takes beyond the time that a
// dead instance is given.
func BenchmarkManyWithDeadOnes(b *testing.B) {
	instances := startMany(b)
	var beyond time.Duration
	for b.Loop() {
		beyond += askMany(b, instances) - callTimeout
	}
	b.ReportMetric(float64(beyond.Milliseconds())/float64(b.N), "ms-beyond-deadline/op")
}
