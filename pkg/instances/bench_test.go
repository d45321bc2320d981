package instances

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/instancecontrol"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
)

// manyInstances is how many are asked, of which every tenth hangs.
const manyInstances = 200

func addressOf(listener net.Listener) (string, int) {
	address := listener.Addr().(*net.TCPAddr)
	return address.IP.String(), address.Port
}

// startMany starts them, each on an address of its own. The dead ones tell hung when
// somebody connects, and when that is over.
func startMany(t testing.TB, hung func(connected bool)) *Instances {
	objects := []runtime.Object{statefulSet()}
	for id := range manyInstances {
		address := fmt.Sprintf("127.0.8.%d", id+1)
		peer := instancetest.Honest(&instancecontrol.FunctionStatus{Running: true, NumReceived: int64(id)}, &instancecontrol.MetricsData{ReceivedTotal: int64(id)})
		if isDead(id) {
			peer = instancetest.Hung(hung)
		}
		objects = append(objects, pod(id, address, at(t, address, peer)))
	}
	instances, _ := among(objects...)
	return instances
}

func isDead(id int) bool { return id%10 == 9 }

// askMany asks them, and checks that each but the dead ones answers.
func askMany(t testing.TB, instances *Instances) {
	found, err := instances.Of(t.Context(), function(manyInstances), 0, manyInstances)
	if err != nil {
		t.Fatal(err)
	}
	for id, instance := range found {
		if isDead(id) {
			if instance.Error != instancetest.Late || instance.Status != nil {
				t.Errorf("instance %d, which is dead, is %+v", id, instance)
			}
		} else if instance.Error != "" || instance.Status.NumReceived != int64(id) || instance.Metrics.ReceivedTotal != int64(id) {
			t.Errorf("instance %d is %+v", id, instance)
		}
	}
}

// TestManyWithDeadOnes proves that they are waited for together: none is given up before
// the last one was asked. So they take no longer than one of them.
func TestManyWithDeadOnes(t *testing.T) {
	t.Parallel()
	var lock sync.Mutex
	var now, most int
	askMany(t, startMany(t, func(connected bool) {
		lock.Lock()
		defer lock.Unlock()
		if !connected {
			now--
			return
		}
		now++
		most = max(most, now)
	}))
	if most != manyInstances/10 {
		t.Errorf("of %d dead ones, %d at most were waited for at once", manyInstances/10, most)
	}
}

// BenchmarkManyWithDeadOnes measures how long the answer takes beyond the time that a
// dead instance is given, which is to be less than a second.
func BenchmarkManyWithDeadOnes(b *testing.B) {
	instances := startMany(b, func(bool) {})
	var beyond, most time.Duration
	for b.Loop() {
		began := time.Now()
		askMany(b, instances)
		more := time.Since(began) - callTimeout
		beyond += more
		most = max(most, more)
	}
	b.ReportMetric(float64(beyond.Milliseconds())/float64(b.N), "ms-beyond-deadline/op")
	b.ReportMetric(float64(most.Milliseconds()), "ms-beyond-deadline-at-most")
	if most > time.Second {
		b.Errorf("an answer took %v, which is more than a second beyond the deadline of %v", callTimeout+most, callTimeout)
	}
}
