package running

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"golang.org/x/sync/errgroup"

	"github.com/function-mesh/functionmesh-apiserver/pkg/apis/admin/v1alpha1"
	"github.com/function-mesh/functionmesh-apiserver/pkg/instances/instancetest"
	"github.com/function-mesh/functionmesh-apiserver/test/javaclient"
)

// manyInstances is how many the function of TestMany has, of which every tenth is dead.
const manyInstances = 200

// TestMany is about a function of many instances, by all the ways on which somebody asks
// for them. Each pod leads to a peer at its own address.
func TestMany(t *testing.T) {
	port := freePort(t)
	standIn.SetPort(objectName("many"), port)
	createFunction(t, "many", manyInstances)
	pods := make([]corev1.Pod, manyInstances)
	for _, pod := range podsOf(t, "many", manyInstances) {
		var id int
		must[int](t)(fmt.Sscanf(pod.Name, objectName("many")+"-function-%d", &id))
		pods[id] = pod
	}
	t.Run("dead", func(t *testing.T) { manyWithDeadOnes(t, pods, port) })
	t.Run("liars", func(t *testing.T) { manyWithLiars(t, pods, port) })
	// Nobody else needs so many.
	if err := views(t, "").AdminV1alpha1().PulsarFunctions(namespace).Delete(t.Context(), objectName("many"), metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// refuses and hangs tell how an instance of TestMany is dead.
func refuses(id int) bool { return id%20 == 9 }
func hangs(id int) bool   { return id%20 == 19 }

func received(id int) int64 { return int64(1000 + id) }

// checkMany returns what is wrong with what is said of an instance.
func checkMany(id int, count int64, text string) error {
	wantCount, wantText := received(id), ""
	switch {
	case refuses(id):
		wantCount, wantText = 0, instancetest.Unreachable
	case hangs(id):
		wantCount, wantText = 0, instancetest.Late
	}
	if count != wantCount || text != wantText {
		return fmt.Errorf("instance %d has received %d and says %q", id, count, text)
	}
	return nil
}

// heard asks for all instances of TestMany until none that should answer is late: on a
// machine with too much to do, one may be.
func heard(t *testing.T, silent func(id int) bool) []v1alpha1.PulsarInstance {
	t.Helper()
	var found *v1alpha1.PulsarInstances
	eventually(t, "instances that are not late", func(ctx context.Context) (err error) {
		if found, err = instancesOf(ctx, "pulsarfunctions", objectName("many"), ""); err != nil {
			return err
		}
		for id, instance := range found.Instances {
			if !silent(id) && instance.Error == instancetest.Late {
				return fmt.Errorf("instance %d is late", id)
			}
		}
		return nil
	})
	if len(found.Instances) != manyInstances {
		t.Fatalf("there are %d", len(found.Instances))
	}
	return found.Instances
}

func manyWithDeadOnes(t *testing.T, pods []corev1.Pod, port int) {
	var lock sync.Mutex
	var waitedFor, most, alive, total int64
	connected := func(begins bool) {
		lock.Lock()
		defer lock.Unlock()
		if !begins {
			waitedFor--
			return
		}
		waitedFor++
		most = max(most, waitedFor)
	}
	hung := int64(0)
	for id := range pods {
		switch {
		case refuses(id):
		case hangs(id):
			putAt(t, &pods[id], port, instancetest.Hung(connected))
			hung++
		default:
			putAt(t, &pods[id], port, counting(id, received(id)))
			alive++
			total += received(id)
		}
	}

	for id, instance := range heard(t, hangs) {
		var count int64
		if instance.Status != nil {
			count = instance.Status.NumReceived
		}
		if err := checkMany(id, count, instance.Error); err != nil || int(instance.ID) != id || instance.Pod != pods[id].Name || !instance.Ready ||
			(instance.Metrics == nil) != (instance.Error != "") || instance.Metrics != nil && instance.Metrics.UserMetrics["id"] != float64(id) {
			t.Errorf("instance %d is %+v (%v)", id, instance, err)
		}
	}
	// That nobody was given up before the last one was asked is what bounds the time.
	if most < hung {
		t.Errorf("of %d that hang, %d at most were waited for at once", hung, most)
	}

	var said status
	var measured stats
	// Who asks at the same time doesn't take it from the others.
	eventually(t, "figures of all instances, whoever asks", func(ctx context.Context) error {
		said, measured = status{}, stats{}
		var asking errgroup.Group
		asking.Go(func() error { return getOf(ctx, "many", "status", &said) })
		asking.Go(func() error { return getOf(ctx, "many", "stats", &measured) })
		asking.Go(func() error {
			if javaclient.Off() {
				return nil
			}
			got, err := java.Run(ctx, env.ShimURL(), of("functions", "status", "many")...)
			if err == nil && (got.Exit != 0 || !strings.Contains(got.Out, fmt.Sprintf(`"numRunning" : %d`, alive)) ||
				strings.Count(got.Out, `"instanceId"`) != manyInstances || strings.Count(got.Out, instancetest.Late) != int(hung)) {
				err = fmt.Errorf("pulsar-admin says %+v", got)
			}
			return err
		})
		if err := asking.Wait(); err != nil {
			return err
		}
		if said.NumRunning != int(alive) || measured.ReceivedTotal != total {
			return fmt.Errorf("%d are running, and have received %d", said.NumRunning, measured.ReceivedTotal)
		}
		return nil
	})
	if said.NumInstances != manyInstances || said.NumRunning != int(alive) || len(said.Instances) != manyInstances {
		t.Fatalf("%d instances, %d running, %d listed", said.NumInstances, said.NumRunning, len(said.Instances))
	}
	for id, instance := range said.Instances {
		if err := checkMany(id, instance.Status.NumReceived, instance.Status.Error); err != nil || instance.InstanceID != id ||
			instance.Status.Running == (refuses(id) || hangs(id)) || instance.Status.WorkerID == "" {
			t.Errorf("the status of %d is %+v (%v)", id, instance, err)
		}
	}
	if measured.ReceivedTotal != total || measured.OneMin.ReceivedTotal != alive || measured.OneMinForGo.ReceivedTotal != alive || len(measured.Instances) != manyInstances {
		t.Fatalf("received %d, in a minute %d or %d, by %d", measured.ReceivedTotal, measured.OneMin.ReceivedTotal, measured.OneMinForGo.ReceivedTotal, len(measured.Instances))
	}
	for id, instance := range measured.Instances {
		want, minute := received(id), int64(1)
		if refuses(id) || hangs(id) {
			want, minute = 0, 0
		}
		if instance.InstanceID != id || instance.Metrics.ReceivedTotal != want || instance.Metrics.OneMin.ReceivedTotal != minute || instance.Metrics.OneMinForGo.ReceivedTotal != minute {
			t.Errorf("the stats of %d are %+v", id, instance)
		}
	}
}

// manyWithLiars has liars in the place of half of the instances.
func manyWithLiars(t *testing.T, pods []corev1.Pod, port int) {
	before := []int{mostMemory(t, env.APIServer), mostMemory(t, env.Shim)}
	lies := slices.Concat(instancetest.Figures(), instancetest.Falsehoods())
	// The worst for the server's memory are there many times.
	for _, lie := range slices.Clone(lies) {
		if slices.Contains([]string{"many exceptions", "many metrics", "too large", "small, and large in memory", "a bomb"}, lie.Name) {
			lies = append(lies, slices.Repeat([]instancetest.Lie{lie}, 15)...)
		}
	}
	liar := func(id int) bool { return id >= manyInstances-len(lies) }
	for id := range pods {
		peer := counting(id, received(id))
		if liar(id) {
			peer = lies[id-(manyInstances-len(lies))].Peer
		}
		putAt(t, &pods[id], port, peer)
	}
	// Who may write the status of pods has one at an address of the link, and another at
	// that of its neighbour.
	const linked, neighbour, neighbours = 0, 1, 2
	readdress(t, &pods[linked], "169.254.169.254")
	readdress(t, &pods[neighbour], pods[neighbours].Status.PodIP)

	for id, instance := range heard(t, liar) {
		switch {
		case id == linked && strings.HasSuffix(instance.Error, "no address of its own."), id == neighbour && instance.Error == instancetest.Another:
		case !liar(id) && instance.Error == "" && instance.Status.NumReceived == received(id) && instance.Metrics.UserMetrics["id"] == float64(id):
		case !liar(id):
			t.Errorf("the honest instance %d is %+v", id, instance)
		default:
			lie := lies[id-(manyInstances-len(lies))]
			if said := instance.Error; (said == "") != (len(lie.Errors) == 0) || said != "" &&
				!slices.ContainsFunc(lie.Errors, func(want string) bool { return strings.HasPrefix(said, want) }) || strings.Contains(said, instancetest.Secret) {
				t.Errorf("%s: of instance %d is said %q", lie.Name, id, said)
			}
		}
	}
	var said status
	var measured stats
	honest := manyInstances - len(lies) - 2
	eventually(t, "figures of what is honest", func(ctx context.Context) error {
		said, measured = status{}, stats{}
		var asking errgroup.Group
		asking.Go(func() error { return getOf(ctx, "many", "status", &said) })
		asking.Go(func() error { return getOf(ctx, "many", "stats", &measured) })
		if err := asking.Wait(); err != nil {
			return err
		}
		if said.NumRunning != honest {
			return fmt.Errorf("%d are running, and %d are honest", said.NumRunning, honest)
		}
		return nil
	})
	if said.NumInstances != manyInstances || measured.ReceivedTotal < 0 || len(measured.Instances) != manyInstances {
		t.Errorf("%d instances, received %d, by %d", said.NumInstances, measured.ReceivedTotal, len(measured.Instances))
	}
	// What they hold back takes several times as much.
	const moreMiB = 150
	for i, now := range []int{mostMemory(t, env.APIServer), mostMemory(t, env.Shim)} {
		if now-before[i] > moreMiB {
			t.Errorf("process %d had %d MiB at most before, and has had %d since", i, before[i], now)
		}
	}
}

// readdress gives a pod an address that isn't its own.
func readdress(t *testing.T, pod *corev1.Pod, address string) {
	t.Helper()
	patch := fmt.Appendf(nil, `{"status":{"podIP":%q,"podIPs":[{"ip":%q}]}}`, address, address)
	must[*corev1.Pod](t)(env.ControlPlane.Client().CoreV1().Pods(pod.Namespace).Patch(t.Context(), pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"))
}
